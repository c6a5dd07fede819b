/** A table in pages, sorted by the heading that is pressed: for half a million rows, and for whoever has it read out. */
import { button, element } from './dom.ts';
import { number } from './words.ts';

const ROWS_PER_PAGE = 25;

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => Node | string;
  /** What the column is sorted by; it cannot be without. */
  readonly key?: (row: Row) => number | string;
  readonly isNumber?: boolean;
}

export class Table<Row> {
  readonly element: HTMLElement;
  readonly #columns: readonly Column<Row>[];
  readonly #caption: string;
  readonly #empty: string;
  readonly #head = element('tr');
  readonly #body = element('tbody');
  readonly #pages = element('nav', { class: 'pages' });
  #rows: readonly Row[] = [];
  #sorted: readonly Row[] = [];
  #sort: { readonly column: Column<Row>; readonly isDescending: boolean } | undefined;
  #page = 0;

  /** @param empty what is said when there is no row */
  constructor(id: string, caption: string, empty: string, columns: readonly Column<Row>[]) {
    this.#columns = columns;
    this.#caption = caption;
    this.#empty = empty;
    this.#pages.setAttribute('aria-label', `Pages of ${caption}`);
    this.element = element(
      'section',
      { class: 'table', id, 'aria-labelledby': `${id}-title` },
      element('h2', { id: `${id}-title` }, caption),
      element(
        'div',
        { class: 'scroll', tabindex: '0', role: 'group', 'aria-labelledby': `${id}-title` },
        element('table', { 'aria-labelledby': `${id}-title` }, element('thead', {}, this.#head), this.#body),
      ),
      this.#pages,
    );
    this.#drawHead();
  }

  show(rows: readonly Row[]): void {
    this.#rows = rows;
    this.#order();
  }

  #order(): void {
    const sort = this.#sort;
    this.#page = 0;
    this.#sorted = sort === undefined ? this.#rows : sorted(this.#rows, sort.column, sort.isDescending);
    this.#draw();
  }

  #drawHead(): void {
    this.#head.replaceChildren(
      ...this.#columns.map(column => {
        const isSorted = this.#sort?.column === column;
        const way = this.#sort?.isDescending === true ? 'descending' : 'ascending';
        const cell = element('th', { scope: 'col', ...(isSorted ? { 'aria-sort': way } : {}) });
        if (column.isNumber === true) cell.classList.add('number');
        cell.append(
          column.key === undefined ? column.title : button(column.title, () => this.#sortBy(column)),
        );
        return cell;
      }),
    );
  }

  #sortBy(column: Column<Row>): void {
    const isSame = this.#sort?.column === column;
    const isDescending = isSame ? this.#sort?.isDescending !== true : column.isNumber === true;
    this.#sort = { column, isDescending };
    const place = this.#columns.indexOf(column);
    this.#drawHead();
    this.#head.children[place]?.querySelector('button')?.focus();
    this.#order();
  }

  #draw(): void {
    const from = this.#page * ROWS_PER_PAGE;
    const rows = this.#sorted.slice(from, from + ROWS_PER_PAGE);
    this.#body.replaceChildren(
      ...rows.map(row =>
        element(
          'tr',
          {},
          ...this.#columns.map(({ cell, isNumber }) =>
            element('td', isNumber === true ? { class: 'number' } : {}, cell(row)),
          ),
        ),
      ),
    );
    if (rows.length === 0) {
      const cell = element('td', { colspan: String(this.#columns.length), class: 'none' }, this.#empty);
      this.#body.append(element('tr', {}, cell));
    }
    this.#drawPages(from, rows.length);
  }

  /** What was pressed has been drawn anew; at either end another takes its place. */
  #focusOn(text: string): void {
    const enabled = [...this.#pages.querySelectorAll('button')].filter(({ disabled }) => !disabled);
    (enabled.find(({ textContent }) => textContent === text) ?? enabled[0])?.focus();
  }

  #drawPages(from: number, shown: number): void {
    const total = this.#sorted.length;
    if (total <= ROWS_PER_PAGE) {
      this.#pages.replaceChildren();
      return;
    }
    const last = Math.ceil(total / ROWS_PER_PAGE) - 1;
    const turn = (text: string, page: number) => {
      const made = button(
        text,
        () => {
          this.#page = Math.max(0, Math.min(last, page));
          this.#draw();
          this.#focusOn(text);
        },
        { 'aria-label': `${text} page of ${this.#caption}` },
      );
      made.disabled = page < 0 || page > last || page === this.#page;
      return made;
    };
    this.#pages.replaceChildren(
      turn('First', 0),
      turn('Previous', this.#page - 1),
      element('span', {}, `${number(from + 1)} to ${number(from + shown)} of ${number(total)}`),
      turn('Next', this.#page + 1),
      turn('Last', last),
    );
  }
}

function sorted<Row>(rows: readonly Row[], { key }: Column<Row>, isDescending: boolean): readonly Row[] {
  if (key === undefined) return rows;
  const sign = isDescending ? -1 : 1;
  return rows
    .map(row => ({ row, key: key(row) }))
    .sort((a, b) => (a.key < b.key ? -sign : a.key > b.key ? sign : 0))
    .map(({ row }) => row);
}
