/** The filters, and the order of the friends. */
import { type Filter, NO_FILTER } from '../filter.ts';
import type { Order } from '../scene.ts';
import { button, element } from './dom.ts';

/** Typing is followed after this pause. */
const PAUSE_MS = 120;

const AMOUNTS = ['0', '10000', '100000', '1000000', '10000000', '100000000'];
const AMOUNT_WORDS = ['any amount', '10,000 sat', '100,000 sat', '1,000,000 sat', '0.1 btc', '1 btc'];
const AGES = ['', '60', '300', '600', '1200'];
const AGE_WORDS = ['any age', '1 min', '5 min', '10 min', '20 min'];

export class Controls {
  readonly element: HTMLElement;
  readonly #text = element('input', {
    type: 'search',
    id: 'filter-text',
    placeholder: 'name, node id or channel',
    maxlength: '100',
    autocomplete: 'off',
    spellcheck: 'false',
  });
  readonly #amount = choices('filter-amount', AMOUNTS, AMOUNT_WORDS);
  readonly #age = choices('filter-age', AGES, AGE_WORDS);
  readonly #way = choices('filter-way', ['', '1', '0'], ['both ways', 'out', 'in']);
  readonly #order = choices(
    'order',
    ['share', 'capacity', 'offers', 'name'],
    ['our share', 'capacity', 'offers', 'name'],
  );
  readonly #onChange: () => void;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
    const clear = button('Clear', () => this.only(''));
    this.element = element(
      'form',
      { class: 'controls', role: 'search', 'aria-label': 'Filters' },
      labelled('Show', this.#text),
      labelled('At least', this.#amount),
      labelled('Said within', this.#age),
      labelled('Way', this.#way),
      labelled('Friends by', this.#order),
      clear,
    );
    this.element.addEventListener('submit', event => event.preventDefault());
    let timer: ReturnType<typeof setTimeout> | undefined;
    this.element.addEventListener('input', () => {
      clearTimeout(timer);
      timer = setTimeout(onChange, PAUSE_MS);
    });
  }

  get filter(): Filter {
    return {
      ...NO_FILTER,
      text: this.#text.value,
      minimumSat: Number(this.#amount.value),
      ...(this.#age.value === '' ? {} : { maximumAgeS: Number(this.#age.value) }),
      ...(this.#way.value === '' ? {} : { flow: this.#way.value === '1' ? 1 : 0 }),
    };
  }

  get order(): Order {
    return this.#order.value as Order;
  }

  /** Shows what the text fits, and nothing else counts. */
  only(text: string): void {
    this.#text.value = text;
    for (const select of [this.#amount, this.#age, this.#way]) select.selectedIndex = 0;
    this.#onChange();
  }
}

function choices(id: string, values: readonly string[], words: readonly string[]): HTMLSelectElement {
  const options = values.map((value, index) => element('option', { value }, words[index] ?? value));
  return element('select', { id }, ...options);
}

function labelled(words: string, control: HTMLElement): HTMLElement {
  return element('label', { for: control.id }, element('span', {}, words), control);
}
