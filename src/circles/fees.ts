/**
 * What forwarding costs (BOLT 7, "HTLC Fees"), twice: in bigints for what is sent, in doubles for the search, which
 * asks millions of times.
 *
 * Hazard: a fee one millisatoshi short fails the payment, and a product of amount and rate does not fit a double.
 * Below 2^53 both ways give the same integer.
 */
import type { ForwardingTerms } from '../sharing/node-view.ts';

const MILLION = 1_000_000n;

/** `fee_base_msat + ( amount_to_forward * fee_proportional_millionths / 1000000 )`, rounded down. */
export function forwardingFee(terms: ForwardingTerms, amountMsat: bigint): bigint {
  return terms.baseFeeMsat + (amountMsat * terms.feePpm) / MILLION;
}

/**
 * The same in doubles.
 *
 * @param amount an integer below 2^53
 * @param ppm a u32: so the remainder's product stays below 2^53, and its quotient keeps enough digits for `floor`
 */
export function forwardingFeeNumber(base: number, ppm: number, amount: number): number {
  const millions = Math.floor(amount / 1e6);
  return base + millions * ppm + Math.floor(((amount - millions * 1e6) * ppm) / 1e6);
}

/** The most that fees may be. */
export function feeLimit(amountMsat: bigint, maxFeePpm: bigint): bigint {
  return (amountMsat * maxFeePpm) / MILLION;
}

/** A fee in parts per million, rounded up. */
export function feePpmOf(feeMsat: bigint, amountMsat: bigint): bigint {
  return (feeMsat * MILLION + amountMsat - 1n) / amountMsat;
}

/** As a double; what is larger than any that is exact counts as the largest. No channel holds 90,000 BTC. */
export function toNumber(msat: bigint): number {
  // A search asks hundreds of thousands of times, and comparing bigints costs more than turning them into doubles.
  const number = Number(msat);
  return number > Number.MAX_SAFE_INTEGER ? Number.MAX_SAFE_INTEGER : number;
}
