/**
 * The rungs of amounts (docs/protocol.md, "Rungs"): 10,000 sat and up, 1, 2 and 5 × 10^k sat. Both sides speak only
 * of rungs, so that asking at amounts close to one another cannot home in on a balance.
 */
import { MAX_AMOUNT_MSAT } from '../wire/codec.ts';

/** The lowest rung: 10,000 sat. */
const LOWEST_RUNG_MSAT = 10_000_000n;

/** Every rung in millisatoshi, ascending; the last one is the largest amount that a message may carry. */
export const RUNGS_MSAT: readonly bigint[] = allRungs();

function allRungs(): bigint[] {
  const rungs: bigint[] = [];
  for (let power = LOWEST_RUNG_MSAT; power <= MAX_AMOUNT_MSAT; power *= 10n) {
    for (const factor of [1n, 2n, 5n]) {
      if (power * factor <= MAX_AMOUNT_MSAT) rungs.push(power * factor);
    }
  }
  return rungs;
}

/**
 * The lowest rung not below an amount.
 *
 * @param amountMsat 1 to `MAX_AMOUNT_MSAT`
 * @throws RangeError above that: the codec and the command's parameters let no such amount in
 */
export function rungFor(amountMsat: bigint): bigint {
  const rung = RUNGS_MSAT.find(candidate => candidate >= amountMsat);
  if (rung === undefined) throw new RangeError(`no rung for ${amountMsat} msat`);
  return rung;
}
