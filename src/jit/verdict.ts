/**
 * Whether a forward is worth waiting for, and what its channel lacks.
 *
 * Hazard: to hold an HTLC costs its sender time and binds everybody's money up to us, and a circle costs ours. So only
 * what would go through with more liquidity is held: whatever lightningd itself would refuse afterwards is let go.
 */
import { postedFeeMsat } from './earnings.ts';
import type { Forward, JitChannel, Reason } from './types.ts';

/**
 * What we send on must have so many blocks left, and the HTLC itself so many more than that: a hold takes half a minute at
 * most, a circle's own HTLCs may take longer. Our own choice; lightningd needs a few for itself.
 */
const MIN_OUT_BLOCKS = 9;
/** Brought beyond what is missing: 1 %, and something for the fees of the commitment transaction. Our own choice. */
const MARGIN_DIVISOR = 100n;
const MARGIN_MSAT = 1_000_000n;
/** A commitment transaction's fee may rise while the circle is under way, and HTLCs make it larger. */
const FEE_FACTOR = 3n;

/** Why not, or nothing. Of the channel and the HTLC alone: what it costs comes later. */
export function refusal(forward: Forward, channel: JitChannel): Reason | undefined {
  const { outMsat, inMsat, inBlocks, outBlocks } = forward;
  const { limits, terms } = channel;
  if (!channel.isNormal) return 'not_normal';
  if (!channel.isUsable) return 'not_connected';
  if (limits === undefined || terms === undefined || !channel.hasSlot) return 'would_fail';
  if (outMsat <= 0n || outMsat < limits.minimumMsat || outMsat > limits.maximumMsat) return 'would_fail';
  if (inMsat - outMsat < postedFeeMsat(terms, outMsat)) return 'would_fail';
  if (inBlocks - outBlocks < terms.cltvExpiryDelta) return 'would_fail';
  if (outBlocks < MIN_OUT_BLOCKS) return 'expiry';
  if (channel.toUsMsat + missingMsat(channel, channel.spendableMsat, outMsat) > channel.totalMsat) {
    return 'too_large';
  }
  return undefined;
}

/** Whether a sibling may carry the forward instead: named wrongly it would fail, where it might not have. */
export function mayCarry(forward: Forward, sibling: JitChannel, spendableMsat: bigint): boolean {
  return refusal(forward, sibling) === undefined && spendableMsat >= forward.outMsat;
}

/**
 * What has to arrive in a channel so that it can send an amount.
 *
 * @param spendableMsat what it can send now, after what is promised
 */
export function missingMsat(channel: JitChannel, spendableMsat: bigint, amountMsat: bigint): bigint {
  const margin = amountMsat / MARGIN_DIVISOR + MARGIN_MSAT;
  // Below its reserve a channel can send nothing, and takes in the reserve's rest first.
  const untouchable = channel.reserveMsat + FEE_FACTOR * channel.commitmentFeeMsat;
  const belowReserve = channel.spendableMsat === 0n ? untouchable - channel.toUsMsat : 0n;
  return amountMsat - spendableMsat + margin + (belowReserve > 0n ? belowReserve : 0n);
}
