/**
 * Single hops and the halves of circles made from them, in doubles; all amounts in millisatoshi.
 *
 * Every circle is cut at a junction, the node that its second hop leads to: before it our own channel and one of the
 * first friend's (a head), after it the rest of the way home (a tail). With three hops the junction is the last friend
 * and its tail our own channel alone; with four it is anybody between. What a tail takes at the junction is exact,
 * since fees are computed from the end; of a head only bounds are known before it meets a tail.
 */
import { type Belief, beliefOf, chanceOf } from './chance.ts';
import { forwardingFeeNumber, toNumber } from './fees.ts';
import type { Lane } from './lanes.ts';
import type { In, Out } from './own-ends.ts';
import type { HopKnowledge, HopKnown, LeftOut } from './types.ts';

/** A hop between others, as the gossip and the knowledge tell it. */
export interface Edge {
  readonly lane: Lane;
  /** In blocks. */
  readonly delta: number;
  readonly belief: Belief;
  readonly known: HopKnown;
  /** The belief rests on an offer that nobody has made yet. */
  readonly isHoped: boolean;
}

export interface Head {
  readonly edge: Edge;
  /** Of the first friend, in the order of preference. */
  readonly outs: readonly Out[];
  /** The fee and the chance at the amount that arrives: the least and the best that they can be. */
  readonly fee: number;
  readonly chance: number;
}

export interface Tail {
  /** Its source is the junction; `undefined` where the junction is the last friend. */
  readonly edge: Edge | undefined;
  readonly in: In;
  /** What the junction must receive, the blocks that it must have, and what of the amount are fees. */
  readonly amount: number;
  readonly delay: number;
  readonly fee: number;
  readonly chance: number;
}

/**
 * The hop, or why it cannot carry the amount, whatever fees come on top.
 *
 * At and above what failed lately the chance is none: a circle there would be tried in vain until the failure is
 * forgotten, so it is no circle.
 */
export function edgeOf(lane: Lane, amount: number, knowledge: HopKnowledge): Edge | keyof LeftOut {
  const { channel } = lane;
  if (!channel.active) return 'disabled';
  if (amount > lane.maximum) return 'unfit';
  const offer = knowledge.offer(channel, lane.number);
  const failedMsat = knowledge.failedMsat(channel);
  const offered = offer && { amount: toNumber(offer.amountMsat), reliability: offer.reliability };
  const failed = failedMsat === undefined ? undefined : toNumber(failedMsat);
  const belief = beliefOf(lane.capacity, offered, failed, knowledge.odds(lane));
  if (chanceOf(belief, amount) === 0) return 'failed';
  const isHoped = offer?.isHoped === true;
  const isOffered = offered !== undefined && !isHoped && offered.amount >= amount;
  return {
    lane,
    delta: channel.terms.cltvExpiryDelta,
    belief,
    known: isOffered ? 'offered' : failed !== undefined ? 'failed' : 'unknown',
    isHoped,
  };
}

export function fits({ minimum, maximum }: Lane | Out, amount: number): boolean {
  return amount >= minimum && amount <= maximum;
}

/** What the edge's source keeps of what it forwards. */
export function feeOf({ base, ppm }: Lane, amount: number): number {
  return forwardingFeeNumber(base, ppm, amount);
}

export function headOf(edge: Edge, outs: readonly Out[], amount: number): Head {
  return { edge, outs, fee: feeOf(edge.lane, amount), chance: chanceOf(edge.belief, amount) };
}

/** The tail that is our own channel alone. */
export function endOf(channel: In, amount: number, finalDelay: number): Tail {
  const { baseFeeMsat, feePpm, cltvExpiryDelta } = channel.remoteTerms;
  const fee = forwardingFeeNumber(toNumber(baseFeeMsat), toNumber(feePpm), amount);
  const delay = finalDelay + cltvExpiryDelta;
  return { edge: undefined, in: channel, amount: amount + fee, delay, fee, chance: 1 };
}

/** The edge before each of the ends that it leads to, where it can carry what the end takes. */
export function tailsOf(edge: Edge, ends: readonly Tail[]): Tail[] {
  const tails: Tail[] = [];
  for (const end of ends) {
    if (!fits(edge.lane, end.amount)) continue;
    const chance = chanceOf(edge.belief, end.amount);
    if (chance === 0) continue;
    const kept = feeOf(edge.lane, end.amount);
    const { amount, delay, fee } = end;
    tails.push({
      edge,
      in: end.in,
      amount: amount + kept,
      delay: delay + edge.delta,
      fee: fee + kept,
      chance,
    });
  }
  return tails;
}
