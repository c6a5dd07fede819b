/**
 * Which circle a rebalance tries next: that of the move that helps most and has one.
 *
 * Hazard: a peer that has no way onward would stand for all moves, so they are spread over peers.
 */
import type { CircleQuery, CircleSearch, Exclusions, OwnFilter } from '../circles/types.ts';
import type { NodeView, OwnChannel } from '../sharing/node-view.ts';
import { chooseMoves, type Move } from './choose.ts';

/** How many moves are looked at when nothing says what to move. */
const MOVES = 10;
/** How many of them may begin, or end, with the same peer. */
const MOVES_PER_PEER = 2;

/** Our channels as they are now, and the circles through them. Both reject when lightningd cannot be asked. */
export interface CircleSource {
  view(): Promise<NodeView>;
  find(query: CircleQuery, exclusions: Exclusions): Promise<CircleSearch>;
}

/** What is to be moved; what is left out is chosen. */
export interface MoveWish {
  readonly amountMsat?: bigint;
  readonly out?: OwnFilter;
  readonly in?: OwnFilter;
  readonly maxFeePpm: bigint;
  readonly maxDelay: number;
}

/** The circles of the move that was asked for, or of the best one that has any. */
export async function findMove(
  source: CircleSource,
  wish: MoveWish,
  exclusions: Exclusions,
): Promise<CircleSearch> {
  const { amountMsat, maxFeePpm, maxDelay } = wish;
  // All that could be chosen has been: whatever leans is the caller's business.
  if (amountMsat !== undefined && wish.out !== undefined && wish.in !== undefined) {
    return source.find({ ...wish, amountMsat, limit: 1 }, exclusions);
  }
  const moves = await movesFor(source, wish, exclusions);
  let search: CircleSearch | undefined;
  for (const move of moves) {
    const found = await source.find({ ...move, maxFeePpm, maxDelay, limit: 1 }, exclusions);
    if (found.circles.length > 0) return found;
    search ??= found;
  }
  return search ?? { circles: [] };
}

/** What is to be moved, as far as anything can be; friends are asked for it. */
export async function amountOf(
  source: CircleSource,
  wish: MoveWish,
  exclusions: Exclusions,
): Promise<bigint | undefined> {
  if (wish.amountMsat !== undefined) return wish.amountMsat;
  const [move] = await movesFor(source, wish, exclusions);
  return move?.amountMsat;
}

/** The moves that help most, spread over peers: else one that has no way onward would stand for all of them. */
async function movesFor(
  source: CircleSource,
  wish: MoveWish,
  { peers, channels }: Exclusions,
): Promise<Move[]> {
  const view = await source.view();
  const left = new Set(peers);
  // Left out ones still count in our balance; they only cannot be used.
  const isUsable = ({ peerId, shortChannelId }: OwnChannel) =>
    !left.has(peerId) && (shortChannelId === undefined || !channels.has(shortChannelId));
  const choose = (limit: number) => {
    const usable = view.channels.map(channel =>
      isUsable(channel) ? channel : { ...channel, usable: false },
    );
    return chooseMoves({ ...view, channels: usable }, { ...wish, limit });
  };
  if (wish.out !== undefined || wish.in !== undefined) return choose(MOVES);
  const moves: Move[] = [];
  const uses = new Map<string, number>();
  while (moves.length < MOVES) {
    const more = choose(MOVES_PER_PEER);
    if (more.length === 0) break;
    for (const move of more) {
      moves.push(move);
      for (const end of [move.out, move.in]) {
        if (!('peerId' in end)) continue;
        const count = (uses.get(end.peerId) ?? 0) + 1;
        uses.set(end.peerId, count);
        if (count >= MOVES_PER_PEER) left.add(end.peerId);
      }
    }
    // One that is alone would be chosen again.
    for (const { out } of more) if (more.length < MOVES_PER_PEER && 'peerId' in out) left.add(out.peerId);
  }
  return moves;
}
