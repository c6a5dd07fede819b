/** The page: unpacks the facts of this file and shows them, as a picture and as tables. */
import { applyFilter, type Shown } from '../filter.ts';
import type { Picture } from '../picture.ts';
import { type Chosen, type Scene, sceneOf } from '../scene.ts';
import { unpack } from '../unpack.ts';
import { Controls } from './controls.ts';
import { detailsOf } from './details.ts';
import { button, element, stranger } from './dom.ts';
import { Graph } from './graph.ts';
import { Tables } from './tables.ts';
import { nameOf, number } from './words.ts';

/** Resolves when the picture is drawn. */
function show(picture: Picture, page: HTMLElement): Promise<void> {
  const canvas = element('div', { class: 'canvas', role: 'img' });
  const tip = element('div', { class: 'tip', 'aria-hidden': 'true' });
  tip.hidden = true;
  const count = element('p', { class: 'count', role: 'status' });
  const hint = element('p', { class: 'hint' });
  const side = element('aside', { 'aria-label': 'Details', tabindex: '-1' });
  let chosen: Chosen | undefined;
  let shown: Shown;

  const draw = () => {
    const scene = sceneOf(picture, shown, controls.order, chosen);
    graph.draw(scene);
    hint.textContent = hintOn(scene, chosen, picture);
    const hadFocus = side.contains(document.activeElement);
    side.replaceChildren(...detailsOf(picture, shown, chosen, { choose, only: text => controls.only(text) }));
    // What was pressed is gone, and whoever uses the keyboard would be back at the top of the page.
    if (hadFocus) side.focus();
  };
  const filter = () => {
    shown = applyFilter(picture, controls.filter);
    chosen = undefined;
    const words = countWords(picture, shown);
    count.textContent = words;
    canvas.setAttribute('aria-label', `Picture of ${words}. The tables below hold the same.`);
    tables.show(shown);
    draw();
  };
  const choose = (next: Chosen | undefined) => {
    if (next === chosen) return;
    chosen = next;
    draw();
  };
  const chooseFromTable = (next: Chosen) => {
    choose(next);
    canvas.scrollIntoView({ block: 'nearest' });
  };

  const controls = new Controls(filter);
  const tables = new Tables(picture, {
    onFriend: friend => chooseFromTable({ kind: 'friend', friend }),
    onCircle: circle => chooseFromTable({ kind: 'circle', circle }),
  });
  const zoom = element(
    'div',
    { class: 'zoom', role: 'group', 'aria-label': 'Zoom' },
    button('+', () => graph.zoom(1.4), { 'aria-label': 'Nearer' }),
    button('−', () => graph.zoom(1 / 1.4), { 'aria-label': 'Farther' }),
    button('Fit', () => graph.fit()),
  );
  const drawing = element(
    'section',
    { class: 'drawing', 'aria-label': 'Picture' },
    canvas,
    tip,
    zoom,
    legend(),
    hint,
  );
  page.replaceChildren(
    heading(picture),
    controls.element,
    count,
    element('div', { class: 'stage' }, drawing, side),
    ...tables.elements,
  );
  const graph = new Graph(canvas, tip, picture, {
    onFriend: friend => choose({ kind: 'friend', friend }),
    onNothing: () => choose(undefined),
  });
  filter();
  return graph.drawn();
}

function heading(picture: Picture): HTMLElement {
  const { drawnAtMs, network, nodes, leftOut } = picture;
  const name = nameOf(picture, 0);
  document.title = `${name}: friends and what they offer`;
  const left = [
    leftOut.offers === 0 ? '' : `the ${number(leftOut.offers)} smallest offers`,
    leftOut.shortChannelIds === 0
      ? ''
      : `the short channel ids of ${number(leftOut.shortChannelIds)} smaller offers`,
  ].filter(words => words !== '');
  return element(
    'header',
    {},
    element('a', { href: '#channels', class: 'skip' }, 'To the tables'),
    element('h1', {}, stranger(name), ', friends and what they offer'),
    element(
      'p',
      {},
      element('code', {}, nodes[0]?.id ?? ''),
      ` on ${network}, drawn ${new Date(drawnAtMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`,
    ),
    ...(left.length === 0
      ? []
      : [element('p', { class: 'left-out' }, `Left out to keep this file small: ${left.join(' and ')}.`)]),
  );
}

function countWords({ friendCount, offers, circles }: Picture, shown: Shown): string {
  const of = (some: number, all: number, what: string) =>
    some === all ? counted(all, what) : `${number(some)} of ${counted(all, what)}`;
  return [
    of(shown.friends.length, friendCount, 'friend'),
    of(shown.offers.length, offers.friend.length, 'offer'),
    counted(circles.length, 'circle'),
  ].join(', ');
}

function counted(count: number, what: string): string {
  return `${number(count)} ${what}${count === 1 ? '' : 's'}`;
}

function hintOn(
  { isEachOffer, friends }: Scene,
  chosen: Chosen | undefined,
  { friendCount, offers }: Picture,
): string {
  if (friendCount === 0) return 'We have no channel, so there is no friend to ask.';
  if (friends === 0) return 'No friend is shown: the filters fit none.';
  if (offers.friend.length === 0) {
    return 'No friend has said anything that still counts. lightning-cli foafbalance asks them.';
  }
  if (chosen !== undefined || isEachOffer) return '';
  return 'Each stroke is the sum of what a friend offers. Press a friend for its offers, zoom in for names, or filter.';
}

function legend(): HTMLElement {
  const entry = (kind: string, words: string) =>
    element('li', {}, element('i', { class: `key ${kind}` }), words);
  return element(
    'ul',
    { class: 'legend' },
    entry('ours', 'ours in a channel'),
    entry('theirs', 'theirs'),
    entry('out', 'offer out: the friend passes on'),
    entry('in', 'offer in: the friend takes in'),
    entry('circle', 'circle'),
  );
}

const page = document.getElementById('page');
const facts = document.getElementById('facts')?.textContent;
if (page === null || facts == null) throw new Error('this file is not whole');
unpack(facts).then(
  async picture => {
    await show(picture, page);
    document.documentElement.dataset['state'] = 'drawn';
  },
  (error: unknown) => {
    page.replaceChildren(element('p', { role: 'alert' }, `This file cannot be shown: ${String(error)}`));
  },
);
