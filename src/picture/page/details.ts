/** What is said of the friend or the circle that is chosen, and the circles to choose from. */
import type { Shown } from '../filter.ts';
import type { CircleFact, NodeIndex, Picture } from '../picture.ts';
import type { Chosen } from '../scene.ts';
import { balanceBar, button, element, stranger } from './dom.ts';
import { changeWords, routeOf } from './tables.ts';
import { age, channelOf, nameOf, number, percent, sat, shortSat } from './words.ts';

const LARGEST_OFFERS = 6;
const LATEST_CHANGES = 6;
/** Circles in the list; the table has all. */
const BEST_CIRCLES = 8;

export interface DetailEvents {
  readonly choose: (chosen: Chosen | undefined) => void;
  /** Shows only what the text fits. */
  readonly only: (text: string) => void;
}

export function detailsOf(
  picture: Picture,
  shown: Shown,
  chosen: Chosen | undefined,
  events: DetailEvents,
): HTMLElement[] {
  const back = () => button('Back', () => events.choose(undefined), { class: 'back' });
  if (chosen?.kind === 'friend') {
    return [
      panel(
        stranger(nameOf(picture, chosen.friend)),
        back(),
        ...friendWords(picture, shown, chosen.friend, events),
      ),
    ];
  }
  if (chosen?.kind === 'circle') {
    return [
      panel('Circle', back(), ...circleWords(picture, chosen.circle)),
      circlePanel(picture, chosen, events),
    ];
  }
  return [circlePanel(picture, undefined, events), changePanel(picture)];
}

function panel(title: Node | string, ...children: readonly Node[]): HTMLElement {
  return element('section', { class: 'panel' }, element('h2', {}, title), ...children);
}

function friendWords(picture: Picture, shown: Shown, friend: NodeIndex, { only }: DetailEvents): Node[] {
  const id = picture.nodes[friend]?.id ?? '';
  const channels = picture.channels.filter(channel => channel.friend === friend);
  const { friend: friends, flow, amountSat, ageS, other } = picture.offers;
  const rows = shown.offers.filter(row => friends[row] === friend);
  const sums = ([1, 0] as const).map(way => {
    const those = rows.filter(row => flow[row] === way);
    const sum = those.reduce((total, row) => total + (amountSat[row] ?? 0), 0);
    return { way, count: those.length, sum };
  });
  const largest = [...rows]
    .sort((a, b) => (amountSat[b] ?? 0) - (amountSat[a] ?? 0))
    .slice(0, LARGEST_OFFERS);
  return [
    element('p', {}, element('code', {}, id)),
    element(
      'ul',
      { class: 'channels' },
      ...channels.map(({ shortChannelId, oursSat, totalSat, isUsable }) =>
        element(
          'li',
          {},
          element(
            'span',
            { class: 'ends' },
            element('b', {}, `${shortSat(oursSat)} ours`),
            `${shortSat(totalSat - oursSat)} theirs`,
          ),
          balanceBar(oursSat, totalSat),
          element('small', {}, `${shortChannelId || 'not confirmed'}${isUsable ? '' : ', offline'}`),
        ),
      ),
    ),
    element(
      'p',
      {},
      ...sums.flatMap(({ way, count, sum }) => [
        element('span', { class: way === 1 ? 'out' : 'in' }, way === 1 ? 'Passes on' : 'Takes in'),
        count === 0 ? ': nothing that we know of' : `: ${number(count)} offers, ${sat(sum)} in all`,
        element('br'),
      ]),
    ),
    element(
      'ol',
      { class: 'offers' },
      ...largest.map(row => {
        const [here, there] = ['it', stranger(nameOf(picture, other[row] ?? 0))];
        const [from, to] = flow[row] === 1 ? [here, there] : [there, here];
        const said = `${sat(amountSat[row] ?? 0)}, ${age(ageS[row] ?? 0)} ago ${channelOf(picture, row)}`;
        return element(
          'li',
          { class: flow[row] === 1 ? 'out' : 'in' },
          from,
          ' → ',
          to,
          element('small', {}, said),
        );
      }),
    ),
    ...(rows.length > LARGEST_OFFERS
      ? [element('p', {}, `The largest of ${number(rows.length)}; the table has all.`)]
      : []),
    button('Show only this friend', () => only(id)),
  ];
}

function circleWords(picture: Picture, circle: CircleFact<NodeIndex>): Node[] {
  const { amountSat, feeMsat, feePpm, probability, helps, hops } = circle;
  const known = { own: 'our channel', offered: 'offered', unknown: 'not known', failed: 'failed before' };
  return [
    element('p', {}, routeOf(picture, circle)),
    element(
      'p',
      {},
      `${sat(amountSat)} for ${number(feeMsat)} msat (${number(feePpm)} ppm), chance ${percent(probability)}.`,
      helps ? ' It would bring our channels nearer to an even share: foafrebalance may choose it.' : '',
    ),
    element(
      'ol',
      { class: 'hops' },
      ...hops.map(({ to, shortChannelId, amountSat: amount, known: word }) =>
        element(
          'li',
          {},
          'to ',
          to === 0 ? 'us' : stranger(nameOf(picture, to)),
          element('small', {}, `${shortChannelId}, ${sat(amount)}, ${known[word]}`),
        ),
      ),
    ),
  ];
}

function circlePanel(picture: Picture, chosen: Chosen | undefined, { choose }: DetailEvents): HTMLElement {
  const { circles, noCircle } = picture;
  if (circles.length === 0)
    return panel('Circles', element('p', {}, `None: ${noCircle ?? 'none was found'}.`));
  const items = circles.slice(0, BEST_CIRCLES).map(circle => {
    const isChosen = chosen?.kind === 'circle' && chosen.circle === circle;
    const made = button(
      routeOf(picture, circle),
      () => choose(isChosen ? undefined : { kind: 'circle', circle }),
      {
        'aria-pressed': String(isChosen),
      },
    );
    const { amountSat, feePpm, probability, helps } = circle;
    made.append(
      element(
        'small',
        {},
        `${shortSat(amountSat)} sat, ${number(feePpm)} ppm, chance ${percent(probability)}${helps ? ', helps' : ''}`,
      ),
    );
    return element('li', {}, made);
  });
  return panel('Circles', element('ol', { class: 'circles' }, ...items));
}

function changePanel(picture: Picture): HTMLElement {
  const items = picture.changes
    .slice(0, LATEST_CHANGES)
    .map(change =>
      element('li', {}, changeWords(picture, change), element('small', {}, `${age(change.ageS)} ago`)),
    );
  if (items.length === 0) return panel('What changed lately', element('p', {}, 'Nothing did.'));
  return panel('What changed lately', element('ul', { class: 'changes' }, ...items));
}
