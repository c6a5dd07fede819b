/** What a failed payment says of the channel that it failed at (BOLT 4, "Failure Messages"). */

/**
 * `liquidity`: there was too little on that side. `gone`: the channel or the node behind it is disabled, unknown or
 * permanently failed. `nothing`: fees, expiries, limits and all that the last node says tell nothing of a balance.
 */
export type FailureMeaning = 'liquidity' | 'gone' | 'nothing';

/** temporary_channel_failure, UPDATE|7: the only one that speaks of liquidity. */
const TEMPORARY_CHANNEL_FAILURE = 0x1007;
/**
 * permanent_node_failure, required_node_feature_missing, permanent_channel_failure, required_channel_feature_missing,
 * unknown_next_peer and channel_disabled.
 */
const GONE: ReadonlySet<number> = new Set([0x6002, 0x6003, 0x4008, 0x4009, 0x400a, 0x1014]);

/** @param failcode the two bytes that a failure message begins with */
export function meaningOf(failcode: number): FailureMeaning {
  if (failcode === TEMPORARY_CHANNEL_FAILURE) return 'liquidity';
  return GONE.has(failcode) ? 'gone' : 'nothing';
}
