/** All that the picture shows, as tables. */
import type { Shown } from '../filter.ts';
import type { ChangeFact, CircleFact, NodeIndex, Picture } from '../picture.ts';
import { balanceBar, button, element, stranger } from './dom.ts';
import { Table } from './table.ts';
import { age, channelOf, nameOf, number, percent, sat } from './words.ts';

export interface TableEvents {
  readonly onFriend: (friend: NodeIndex) => void;
  readonly onCircle: (circle: CircleFact<NodeIndex>) => void;
}

type OwnChannel = Picture['channels'][number];
type Change = ChangeFact<NodeIndex>;

export class Tables {
  readonly elements: readonly HTMLElement[];
  readonly #picture: Picture;
  readonly #channels: Table<OwnChannel>;
  readonly #offers: Table<number>;

  constructor(picture: Picture, events: TableEvents) {
    this.#picture = picture;
    this.#channels = channelTable(picture, events);
    this.#offers = offerTable(picture, events);
    const circles = circleTable(picture, events);
    const changes = changeTable(picture);
    circles.show(picture.circles);
    changes.show(picture.changes);
    this.elements = [this.#channels, this.#offers, circles, changes].map(table => table.element);
  }

  show({ friends, offers }: Shown): void {
    const wanted = new Set(friends);
    this.#channels.show(this.#picture.channels.filter(({ friend }) => wanted.has(friend)));
    this.#offers.show(offers);
  }
}

/** A node by its name, with its id for whoever points at it or has it read out. */
function nodeCell(picture: Picture, index: NodeIndex, onFriend?: (friend: NodeIndex) => void): HTMLElement {
  const name = stranger(nameOf(picture, index));
  const id = picture.nodes[index]?.id ?? '';
  if (onFriend === undefined || index === 0 || index > picture.friendCount) {
    const cell = element('span', { title: id });
    cell.append(name);
    return cell;
  }
  return button(name, () => onFriend(index), { class: 'link', title: id });
}

function channelTable(picture: Picture, { onFriend }: TableEvents): Table<OwnChannel> {
  const share = ({ oursSat, totalSat }: OwnChannel) => (totalSat === 0 ? 0 : oursSat / totalSat);
  return new Table('channels', 'Our channels', 'No channel is shown.', [
    {
      title: 'Friend',
      cell: ({ friend }) => nodeCell(picture, friend, onFriend),
      key: ({ friend }) => nameOf(picture, friend).toLowerCase(),
    },
    {
      title: 'Node id',
      cell: ({ friend }) => element('code', {}, picture.nodes[friend]?.id ?? ''),
    },
    { title: 'Channel', cell: ({ shortChannelId }) => shortChannelId || 'not confirmed' },
    { title: 'Ours', cell: ({ oursSat }) => sat(oursSat), key: ({ oursSat }) => oursSat, isNumber: true },
    {
      title: 'Balance',
      cell: channel => {
        const { oursSat, totalSat } = channel;
        return element('span', { class: 'balance' }, balanceBar(oursSat, totalSat), percent(share(channel)));
      },
      key: share,
      isNumber: true,
    },
    {
      title: 'Theirs',
      cell: ({ oursSat, totalSat }) => sat(totalSat - oursSat),
      key: ({ oursSat, totalSat }) => totalSat - oursSat,
      isNumber: true,
    },
    { title: 'State', cell: ({ isUsable }) => (isUsable ? 'usable' : 'offline') },
  ]);
}

function offerTable(picture: Picture, { onFriend }: TableEvents): Table<number> {
  const { friend, other, flow, amountSat, ageS } = picture.offers;
  const friendOf = (row: number) => friend[row] ?? 0;
  const otherOf = (row: number) => other[row] ?? 0;
  const isOut = (row: number) => flow[row] === 1;
  return new Table('offers', 'What friends offer', 'No offer is known, or none is shown.', [
    {
      title: 'Friend',
      cell: row => nodeCell(picture, friendOf(row), onFriend),
      key: row => nameOf(picture, friendOf(row)).toLowerCase(),
    },
    {
      title: 'Way',
      cell: row => element('span', { class: isOut(row) ? 'out' : 'in' }, isOut(row) ? 'out' : 'in'),
      key: row => flow[row] ?? 0,
    },
    {
      title: 'From',
      cell: row => nodeCell(picture, isOut(row) ? friendOf(row) : otherOf(row), onFriend),
    },
    { title: 'To', cell: row => nodeCell(picture, isOut(row) ? otherOf(row) : friendOf(row), onFriend) },
    { title: 'Channel', cell: row => channelOf(picture, row) || 'left out' },
    {
      title: 'At least',
      cell: row => sat(amountSat[row] ?? 0),
      key: row => amountSat[row] ?? 0,
      isNumber: true,
    },
    { title: 'Said', cell: row => `${age(ageS[row] ?? 0)} ago`, key: row => ageS[row] ?? 0, isNumber: true },
  ]);
}

function circleTable(picture: Picture, { onCircle }: TableEvents): Table<CircleFact<NodeIndex>> {
  return new Table('circles', 'Circles', picture.noCircle ?? 'None was found.', [
    {
      title: 'Way round',
      cell: circle => button(routeOf(picture, circle), () => onCircle(circle), { class: 'link' }),
    },
    { title: 'Helps', cell: ({ helps }) => (helps ? 'yes' : '') },
    {
      title: 'Amount',
      cell: ({ amountSat }) => sat(amountSat),
      key: ({ amountSat }) => amountSat,
      isNumber: true,
    },
    {
      title: 'Fee',
      cell: ({ feeMsat, feePpm }) => `${number(feeMsat)} msat, ${number(feePpm)} ppm`,
      key: ({ feePpm }) => feePpm,
      isNumber: true,
    },
    {
      title: 'Chance',
      cell: ({ probability }) => percent(probability),
      key: ({ probability }) => probability,
      isNumber: true,
    },
    { title: 'Channels', cell: ({ hops }) => hops.map(hop => hop.shortChannelId).join(', ') },
  ]);
}

/** `us → bob → carol → us` */
export function routeOf(picture: Picture, { hops }: CircleFact<NodeIndex>): HTMLElement {
  const route = element('span', {}, 'us');
  for (const { to } of hops) route.append(' → ', to === 0 ? 'us' : stranger(nameOf(picture, to)));
  return route;
}

function changeTable(picture: Picture): Table<Change> {
  return new Table('changes', 'What changed lately', 'Nothing did.', [
    { title: 'When', cell: ({ ageS }) => `${age(ageS)} ago`, key: ({ ageS }) => ageS },
    { title: 'What', cell: change => changeWords(picture, change) },
  ]);
}

export function changeWords(picture: Picture, change: Change): HTMLElement {
  const words = element('span');
  switch (change.kind) {
    case 'learned': {
      const count = change.channels === 1 ? 'one channel' : `${number(change.channels)} channels`;
      const way = change.flow === 1 ? 'pass on' : 'take in';
      words.append(
        stranger(nameOf(picture, change.from)),
        ` would ${way} ${sat(change.amountSat)} on ${change.channels === 0 ? 'none of its channels' : count}`,
      );
      break;
    }
    case 'failed':
      words.append(`A payment of ${sat(change.amountSat)} failed at channel ${change.channel}`);
      break;
    case 'rebalance': {
      const { status, amountSat, feeMsat, attempts } = change;
      const fee = feeMsat === undefined ? '' : `, for ${number(feeMsat)} msat`;
      const tries = attempts === 1 ? 'one try' : `${attempts} tries`;
      words.append(`Rebalance of ${sat(amountSat)}: ${STATUS[status]}${fee}, ${tries}`);
    }
  }
  return words;
}

const STATUS = {
  complete: 'complete',
  failed: 'failed',
  unsettled: 'not settled yet',
  adopted: 'complete, after a restart',
} as const;
