/**
 * Which circle a rebalance tries next.
 *
 * Hazard: a peer that has no way onward must not stand for all moves. How much to move is what the move would take that
 * helps most; where, that is for all peers together that such an amount may leave and come back by.
 */
import type { Hope } from '../circles/hope.ts';
import type { CircleQuery, CircleSearch, Exclusions, OwnFilter } from '../circles/types.ts';
import type { NodeView, OwnChannel } from '../sharing/node-view.ts';
import { chooseMoves, movableEnds } from './choose.ts';

/** How many moves' amounts are looked at when nothing says how much to move. */
const MOVES = 10;

/** Our channels as they are now, and the circles through them. Both reject when lightningd cannot be asked. */
export interface CircleSource {
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
 * The best circle for what was asked for. Where an end is left open, that of any peers that the amount may leave or
 * come back by: the expected cost decides between them, since most of what can go wrong lies beyond the peers.
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
  const amounts = amountMsat === undefined ? amountsOf(usable, wish) : [amountMsat];
  let search: CircleSearch | undefined;
  for (const amount of amounts) {
    const ends = movableEnds(usable, { ...wish, amountMsat: amount });
    if (ends.outs.length === 0 || ends.ins.length === 0) continue;
    const query: CircleQuery = {
      amountMsat: amount,
      out: wish.out ?? { peerIds: new Set(ends.outs) },
      in: wish.in ?? { peerIds: new Set(ends.ins) },
      maxFeePpm,
      maxDelay,
      limit: 1,
    };
    const found = await source.find(query, exclusions, hope);
    if (found.circles.length > 0) return found;
    search ??= found;
  }
  return search ?? { circles: [] };
}

/** Those of the moves that help most, in that order. */
function amountsOf(usable: NodeView, wish: MoveWish): bigint[] {
  const moves = chooseMoves(usable, { ...wish, limit: MOVES });
  return [...new Set(moves.map(({ amountMsat }) => amountMsat))];
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
