/**
 * What friends that were not asked may yet offer, for searches that look for whom to ask.
 *
 * Hazard: nothing of it has been said. A hop that is hoped for stays `unknown`, so that no such circle looks confirmed.
 */
import { carries } from '../sharing/believing.ts';
import { rungFor } from '../sharing/rungs.ts';
import type { Flow } from '../wire/codec.ts';
import type { HopKnowledge, HopOffer } from './types.ts';

/** Whether a friend may yet offer some of its channels for that amount, so that asking it is worth while. */
export type Hope = (peerId: string, flow: Flow, amountMsat: bigint) => boolean;

/** Who may be hoped for. */
export interface Hoping {
  readonly friends: Iterable<string>;
  readonly amountMsat: bigint;
  readonly hope: Hope;
  /** That a friend's offer is kept, 0 to 1. */
  readonly reliability: (peerId: string) => number;
}

/**
 * What is known, and beside it all that these friends may offer, on channels from them (flow 1) or to them (flow 0),
 * believed as if they had: so the best circle costs no more than it would if everybody were asked, and once nothing of
 * it is hoped for it is the one that asking everybody would bring (but for what their answers tell of others, wear.ts). Where something failed lately nothing is hoped for:
 * who offered it before would do so again.
 */
export function hopeful(
  known: HopKnowledge,
  { friends, amountMsat, hope, reliability }: Hoping,
): HopKnowledge {
  // Friends speak of rungs, and name nothing that cannot carry them.
  const rungMsat = rungFor(amountMsat);
  const offersBy = (flow: Flow): ReadonlyMap<string, HopOffer> =>
    new Map(
      [...friends]
        .filter(peerId => hope(peerId, flow, amountMsat))
        .map(peerId => [peerId, { amountMsat: rungMsat, reliability: reliability(peerId), isHoped: true }]),
    );
  const bySource = offersBy(1);
  const byDestination = offersBy(0);
  return {
    ...(known.lanes === undefined ? {} : { lanes: known.lanes }),
    failedMsat: channel => known.failedMsat(channel),
    odds: lane => known.odds(lane),
    offer: (channel, number) => {
      const offer = known.offer(channel, number);
      if (offer !== undefined && offer.amountMsat >= amountMsat) return offer;
      const hoped = bySource.get(channel.source) ?? byDestination.get(channel.destination);
      const isNone =
        hoped === undefined || !carries(channel, rungMsat) || known.failedMsat(channel) !== undefined;
      return isNone ? offer : hoped;
    },
  };
}
