/**
 * Which circle a rebalance tries next.
 *
 * Hazard: a peer that has no way onward must not stand for all moves, and what helps most may be dear, or fail. How much to move
 * is what moves take that help most; where, that is for all peers together that such an amount may leave and come back by.
 */
import type { Hope } from '../circles/hope.ts';
import { type Breaks, Pace } from '../circles/pace.ts';
import type { Circle, CircleQuery, CircleSearch, Exclusions, OwnFilter } from '../circles/types.ts';
import { broughtBy, priceFor } from '../circles/worth.ts';
import type { NodeView, OwnChannel } from '../sharing/node-view.ts';
import { choosingMoves, type Move, movableEnds, type Sides, sidesOf, worthOf } from './choose.ts';

/** Of how many moves amounts are taken when nothing says how much to move, and how many amounts: each is a search. */
const MOVES = 40;
const AMOUNTS = 5;
/**
 * Of how many amounts circles are compared: with one 58 of 100 rebalances succeeded at the first try, with three 71 and with
 * ten 72 (docs/simulation.md, "paper").
 */
const COMPARED = 3;

/** Our channels as they are now, and the circles through them. Both reject when lightningd cannot be asked. */
export interface CircleSource {
  /** Lets others in between while moves are chosen; never when left out. */
  readonly breaks?: Breaks;
  view(): Promise<NodeView>;
  /** @param hope what friends may yet say counts like an offer with it: that circle is one to ask about, not to pay */
  find(query: CircleQuery, exclusions: Exclusions, hope?: Hope): Promise<CircleSearch>;
}

/** What is to be moved; what is left out is chosen. */
export interface MoveWish {
  readonly amountMsat?: bigint;
  readonly out?: OwnFilter;
  readonly in?: OwnFilter;
  readonly maxFeePpm: bigint;
  readonly maxDelay: number;
}

/**
 * The best circle for what was asked for. Where an end is left open, that of any peers that the amount may leave or come
 * back by: what it is expected to cost decides between them, since most of what can go wrong lies beyond the peers; where
 * the amount is open too, that for what it brings.
 */
export async function findMove(
  source: CircleSource,
  wish: MoveWish,
  exclusions: Exclusions,
  hope?: Hope,
): Promise<CircleSearch> {
  const { amountMsat, maxFeePpm, maxDelay } = wish;
  // All that could be chosen has been: whatever leans is the caller's business.
  if (amountMsat !== undefined && wish.out !== undefined && wish.in !== undefined) {
    return source.find({ ...wish, amountMsat, limit: 1 }, exclusions, hope);
  }
  const usable = withoutExcluded(await source.view(), exclusions);
  if (amountMsat === undefined) return bestOfAmounts(source, wish, usable, exclusions, hope);
  const ends = movableEnds(usable, { ...wish, amountMsat });
  if (ends.outs.length === 0 || ends.ins.length === 0) return { circles: [] };
  const out = wish.out ?? { peerIds: new Set(ends.outs) };
  const home = wish.in ?? { peerIds: new Set(ends.ins) };
  return source.find({ amountMsat, out, in: home, maxFeePpm, maxDelay, limit: 1 }, exclusions, hope);
}

async function bestOfAmounts(
  source: CircleSource,
  wish: MoveWish,
  usable: NodeView,
  exclusions: Exclusions,
  hope: Hope | undefined,
): Promise<CircleSearch> {
  const { maxFeePpm, maxDelay } = wish;
  let none: CircleSearch | undefined;
  const found: { readonly search: CircleSearch; readonly price: number }[] = [];
  const pace = source.breaks && new Pace(source.breaks);
  const sides = sidesOf(usable, wish);
  for (const amountMsat of await amountsOf(sides, wish, pace)) {
    const worth = worthOf(sides, wish, amountMsat);
    const out = wish.out ?? { peerIds: new Set(worth.outs.keys()) };
    const home = wish.in ?? { peerIds: new Set(worth.ins.keys()) };
    const query = { amountMsat, out, in: home, maxFeePpm, maxDelay, worth, limit: 1 };
    const search = await source.find(query, exclusions, hope);
    const [circle] = search.circles;
    if (circle === undefined) {
      none ??= search;
      continue;
    }
    const [outPeerId, inPeerId] = endsOf(circle);
    const price = priceFor(Number(circle.expectedCostMsat), broughtBy(worth, outPeerId, inPeerId));
    found.push({ search, price });
    if (found.length === COMPARED) break;
  }
  const [best] = found.sort((a, b) => a.price - b.price);
  return best?.search ?? none ?? { circles: [] };
}

/** The friends at both ends. */
function endsOf({ hops }: Circle): [string, string] {
  return [hops[0]?.id ?? '', hops.at(-2)?.id ?? ''];
}

/** Those of the moves that help most, in that order. */
async function amountsOf(sides: Sides, wish: MoveWish, pace: Pace | undefined): Promise<bigint[]> {
  const moves = await movesOf(sides, wish, pace);
  const amounts = new Set(moves.map(({ amountMsat }) => amountMsat));
  return [...amounts].slice(0, AMOUNTS);
}

async function movesOf(sides: Sides, wish: MoveWish, pace: Pace | undefined): Promise<Move[]> {
  const choosing = choosingMoves(sides, wish, MOVES);
  for (;;) {
    if (pace?.dueNow()) await pace.rest();
    const { done, value } = choosing.next();
    if (done) return value;
  }
}

/** What is left out still counts in our balance; it only cannot be used. */
function withoutExcluded(view: NodeView, { peers, channels }: Exclusions): NodeView {
  const isExcluded = ({ peerId, shortChannelId }: OwnChannel) =>
    peers.has(peerId) || (shortChannelId !== undefined && channels.has(shortChannelId));
  const usable = view.channels.map(channel =>
    isExcluded(channel) ? { ...channel, usable: false } : channel,
  );
  return { ...view, channels: usable };
}
