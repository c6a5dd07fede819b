/**
 * Which of our channels we would willingly forward on (docs/protocol.md, "Answering"). Exact: fractions are compared
 * by cross-multiplication in bigints, so that no rounding moves a channel across a border.
 */
import type { Flow } from '../wire/codec.ts';
import { depthOf, type HtlcLimits, isAnnounced, type NodeView, type OwnChannel } from './node-view.ts';

/** How a node's channels lean against our whole balance: `above` gives away, `below` takes in. */
export type Side = 'above' | 'below' | 'between';

/** A margin m as numerator over `MARGIN_DENOMINATOR`. */
export type Margin = bigint;

const U32_RANGE = 0x1_0000_0000n;
/** The denominator of margins. */
export const MARGIN_DENOMINATOR = 100n * U32_RANGE;

/**
 * The margin m between 0.02 and 0.10 (docs/protocol.md, "Answering") for a uniformly random u32: the keyed hash of
 * node and side that keeps a friend from searching for ν by shifting its own channel.
 */
export function marginFrom(uniformU32: number): Margin {
  return 2n * U32_RANGE + 8n * BigInt(uniformU32);
}

/**
 * Sorts every node that we share a deep, announced channel with into above, below or between: ζ > ν + m, ζ < ν − m,
 * or neither. ζ and ν count channels in CHANNELD_NORMAL and CHANNELD_AWAITING_SPLICE, connected or not.
 *
 * @param minDepth blocks that a channel must have to count
 * @param marginOf the margins of a node: one for each side, since two friends who pay one another through us find both
 * borders, and ν would lie in their middle
 */
export function sidesOf(
  view: NodeView,
  minDepth: number,
  marginOf: (peerId: string, side: 'above' | 'below') => Margin,
): ReadonlyMap<string, Side> {
  const perNode = new Map<string, { ours: bigint; total: bigint }>();
  let ours = 0n;
  let total = 0n;
  for (const channel of view.channels) {
    if (channel.state === 'other') continue;
    if (!isAnnounced(channel, view.blockHeight) || depthOf(channel, view.blockHeight) < minDepth) continue;
    const node = perNode.get(channel.peerId) ?? { ours: 0n, total: 0n };
    node.ours += channel.toUsMsat;
    node.total += channel.totalMsat;
    perNode.set(channel.peerId, node);
    ours += channel.toUsMsat;
    total += channel.totalMsat;
  }
  const sides = new Map<string, Side>();
  for (const [peerId, node] of perNode) {
    // ζ − ν = node.ours / node.total − ours / total, times node.total × total × MARGIN_DENOMINATOR.
    const lean = (node.ours * total - ours * node.total) * MARGIN_DENOMINATOR;
    const side = lean > 0n ? 'above' : 'below';
    const border = marginOf(peerId, side) * node.total * total;
    sides.set(peerId, lean > border || lean < -border ? side : 'between');
  }
  return sides;
}

/** Whether one channel can carry `rungMsat` in that flow and its node leans the right way. Nothing is said of who asks. */
export function isEligible(
  channel: OwnChannel,
  side: Side | undefined,
  flow: Flow,
  rungMsat: bigint,
  blockHeight: number,
): boolean {
  if (channel.state !== 'normal' || !channel.usable || !isAnnounced(channel, blockHeight)) return false;
  if (flow === 1) {
    return side === 'above' && channel.spendableMsat >= rungMsat && lets(channel.localLimits, rungMsat);
  }
  return side === 'below' && channel.receivableMsat >= rungMsat && lets(channel.remoteLimits, rungMsat);
}

function lets(limits: HtlcLimits | undefined, amountMsat: bigint): boolean {
  return limits !== undefined && amountMsat >= limits.minimumMsat && amountMsat <= limits.maximumMsat;
}
