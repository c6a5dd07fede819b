/**
 * What friends' answers tell of the channels of which nobody spoke: whether there is more to be had where forwarding is
 * dear than where it is cheap.
 *
 * Nobody knows beforehand. Traffic wears out what is cheap, so that the balance lies where it costs more; and operators
 * make dear what has run out, so that it lies where it costs less. So it is counted: of the channels that a friend could
 * have named, those it named and those it did not, by which end asks more.
 *
 * Hazard: whoever answers can bend what we guess of everybody, towards dear circles or away from them, and nothing counts
 * against it: it spoke of other channels. So a friend counts with its reliability, however often it answers and however
 * many its channels, for no more than 100 of them: alone it shifts odds by 2.7 at most, and all friends together by 4. Nor
 * can it make a circle cost more than the limit on fees.
 */
import { carries } from '../sharing/believing.ts';
import type { GossipChannel } from '../sharing/ports.ts';
import { toNumber } from './fees.ts';
import type { Lane } from './lanes.ts';

/** One answer: how many of a friend's channels it named and left out, by which end asks more. */
export interface WearTally {
  readonly dearNamed: number;
  readonly dearLeftOut: number;
  readonly cheapNamed: number;
  readonly cheapLeftOut: number;
}

/** The most channels that all answers of one friend together count for. */
const MOST_PER_FRIEND = 100;
/** What speaks against any difference before the first answer: a few small friends prove little. */
const DOUBT = 4;
/** The most by which the odds of a dear channel are raised and those of a cheap one lowered, or the other way round. */
const MOST_ODDS = 4;

/**
 * Counts one answer.
 *
 * @param named what the friend named, able to carry the amount
 * @param asked the friend's channels in the direction of the flow
 * @param isOwn whether a channel is one of ours, of which no friend tells us
 */
export function tallyOf(
  named: readonly GossipChannel[],
  asked: readonly Lane[],
  amountMsat: bigint,
  isOwn: (channel: GossipChannel) => boolean,
): WearTally {
  const ids = new Set(named.map(({ shortChannelId }) => shortChannelId));
  const amount = toNumber(amountMsat);
  const tally = { dearNamed: 0, dearLeftOut: 0, cheapNamed: 0, cheapLeftOut: 0 };
  for (const lane of asked) {
    const { channel } = lane;
    if (!carries(channel, amountMsat) || isOwn(channel)) continue;
    const lead = leadOf(lane, amount);
    const isNamed = ids.has(channel.shortChannelId);
    if (lead > 0) tally[isNamed ? 'dearNamed' : 'dearLeftOut']++;
    if (lead < 0) tally[isNamed ? 'cheapNamed' : 'cheapLeftOut']++;
  }
  return tally;
}

/** How much more the source of a direction asks for forwarding than the other end, in millisatoshi and parts of one. */
function leadOf({ baseLead, ppmLead }: Lane, amount: number): number {
  return baseLead + (amount * ppmLead) / 1e6;
}

/**
 * By how much the odds of a direction are better for being the dearer one; below 1 where they are worse.
 *
 * The odds ratio between dear and cheap common to all answers (Mantel and Haenszel, "Statistical Aspects of the Analysis
 * of Data From Retrospective Studies of Disease", 1959): friends who name much and friends who name little are compared
 * each with themselves. Its root, since the guess lies in the middle of both.
 *
 * @param tallies with what each counts for, 0 to 1; no more than 1 in all for one friend
 */
export function dearOdds(tallies: Iterable<readonly [WearTally, weight: number]>): number {
  let [more, less] = [DOUBT, DOUBT];
  for (const [{ dearNamed, dearLeftOut, cheapNamed, cheapLeftOut }, weight] of tallies) {
    const all = dearNamed + dearLeftOut + cheapNamed + cheapLeftOut;
    if (all === 0) continue;
    const share = (weight * Math.min(1, MOST_PER_FRIEND / all)) / all;
    more += share * dearNamed * cheapLeftOut;
    less += share * dearLeftOut * cheapNamed;
  }
  return Math.min(MOST_ODDS, Math.max(1 / MOST_ODDS, Math.sqrt(more / less)));
}

/** By how much the odds of a direction are better than the average's. */
export function wornOdds(lane: Lane, amount: number, odds: number): number {
  const lead = leadOf(lane, amount);
  if (lead === 0) return 1;
  return lead > 0 ? odds : 1 / odds;
}
