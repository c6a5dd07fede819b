/**
 * How likely a hop carries an amount, and what a circle may be expected to cost (docs/circles.md).
 *
 * Hazard: what is known only says what friends said. An offer never becomes certainty and never outranks a fee by
 * itself: ordering by knowledge alone raised the median fee of an experiment. So all of it ends in one number.
 */

/** What is believed of one directed channel, in millisatoshi. */
export interface Belief {
  /** Its balance on this side is below that: one more than the capacity, or the amount that failed. */
  readonly upper: number;
  /** What is offered, below `upper`; 0 without an offer. */
  readonly offered: number;
  /** The weight of the offer, 0 to 1. */
  readonly reliability: number;
  /** By how much the odds are better than for just any channel, where the offer does not hold; above 0. */
  readonly odds: number;
}

/**
 * @param capacity in millisatoshi
 * @param failed the lowest amount that failed lately
 */
export function beliefOf(
  capacity: number,
  offer: { readonly amount: number; readonly reliability: number } | undefined,
  failed: number | undefined,
  odds: number,
): Belief {
  const whole = capacity + 1;
  const upper = failed === undefined ? whole : Math.min(whole, failed);
  if (offer === undefined) return { upper, offered: 0, reliability: 0, odds };
  const reliability = Math.min(1, Math.max(0, offer.reliability));
  // An offer of what failed, or more, is newer than the failure: older word would have been withdrawn with it.
  if (offer.amount >= upper)
    return { upper: whole, offered: Math.min(offer.amount, capacity), reliability, odds };
  return { upper, offered: offer.amount, reliability, odds };
}

/**
 * How likely a channel of which nothing is known is of use at all: lnd's `DefaultAprioriHopProbability`. Many channels
 * are worn to one side, and a large capacity does not help on the other. With 1 instead, an offer hardly counts against
 * an unknown channel that is a little cheaper (docs/simulation.md).
 */
const UNWORN = 0.6;

/**
 * The chance that a channel carries `amount`, never rising with it.
 *
 * Nothing known: it is not worn to the other side, and then each balance from 0 to the capacity is as likely
 * (Pickhardt, Tikhomirov, Biryukov, Nowostawski, "Security and Privacy of Lightning Network Payments with Uncertain
 * Channel Balances", arXiv 2103.08576): `UNWORN` × (upper − amount) / upper. If the offer holds it is 1 up to the
 * offered amount, then falling to zero at the capacity. The offer holds with the friend's reliability, else nothing is
 * known. What is not sure is shifted by the odds (wear.ts).
 */
export function chanceOf({ upper, offered, reliability, odds }: Belief, amount: number): number {
  if (amount >= upper) return 0;
  const unknown = shifted((UNWORN * (upper - amount)) / upper, odds);
  if (reliability === 0) return unknown;
  const held = amount <= offered ? 1 : shifted((upper - amount) / (upper - offered), odds);
  return reliability * held + (1 - reliability) * unknown;
}

/** A chance with its odds multiplied. */
function shifted(chance: number, odds: number): number {
  // Mostly nothing is known of them, and a search asks hundreds of thousands of times.
  return odds === 1 ? chance : (chance * odds) / (chance * odds + (1 - chance));
}

/** Parts of what a failed try is worth avoiding: 20 sat, and 400 ppm of the amount. */
const FAILED_TRY_BASE_MSAT = 20_000n;
const FAILED_TRY_PPM = 400n;

/**
 * What a failed try is worth avoiding: it costs no fee, but holds the amount for seconds and tells nodes on the way.
 * A judgement: below lnd's for payments, which somebody waits for (`AttemptCost` 100 sat, `AttemptCostPPM` 1000). Half
 * of this costs tries, more of it fees, and hardly saves any tries (docs/simulation.md).
 */
export function failedTryCost(amountMsat: bigint): bigint {
  return FAILED_TRY_BASE_MSAT + (amountMsat * FAILED_TRY_PPM) / 1_000_000n;
}

/**
 * The expected cost in millisatoshi. Of tries that each succeed with chance p, (1 − p) / p fail before one succeeds;
 * the fee is paid once: fee + (1 − p) / p × what a failed try costs. lnd weighs routes likewise
 * (`getProbabilityBasedDist`, which leaves out a constant).
 *
 * Of parts, the costs of each add up to no more than that of the whole, since 1/(ab) − 1 ≥ (1/a − 1) + (1/b − 1):
 * the search rests on that.
 */
export function expectedCost(fee: number, chance: number, failedTry: number): number {
  return fee + ((1 - chance) / chance) * failedTry;
}
