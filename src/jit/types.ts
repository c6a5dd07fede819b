/** What just-in-time routing speaks of: channels, forwards, and what is decided about them. */
import type { ForwardingTerms, HtlcLimits } from '../sharing/node-view.ts';

/** One of our channels, as far as forwards over it go. */
export interface JitChannel {
  /** 64 hex digits: what lightningd calls it in `forward_to` and `coin_movement`. */
  readonly channelId: string;
  readonly peerId: string;
  /** Its short channel ids, as lightningd writes them: its own first, then the alias that others may use. */
  readonly names: readonly string[];
  readonly isNormal: boolean;
  /** Connected and reestablished. */
  readonly isUsable: boolean;
  readonly toUsMsat: bigint;
  readonly totalMsat: bigint;
  readonly spendableMsat: bigint;
  /** What must remain ours. */
  readonly reserveMsat: bigint;
  /** What the commitment transaction costs us: 0 where the peer opened the channel. */
  readonly commitmentFeeMsat: bigint;
  /** Whether another HTLC of ours fits. */
  readonly hasSlot: boolean;
  /** Ours, as we announce them; a channel without any forwards nothing. */
  readonly limits: HtlcLimits | undefined;
  readonly terms: ForwardingTerms | undefined;
}

/** An HTLC that wants to go on over one of our channels. */
export interface Forward {
  /** Its place in the channel that it came in by: the same when it is replayed. */
  readonly key: string;
  readonly inPeerId: string;
  readonly paymentHash: string;
  readonly inMsat: bigint;
  readonly outMsat: bigint;
  /** The channel that lightningd has chosen. */
  readonly channelId: string;
  /** Blocks until its own expiry, and until that of what we send on. */
  readonly inBlocks: number;
  readonly outBlocks: number;
}

/** Why a forward that its channel cannot carry is let go as it is, or what became of one that was held. */
export type Reason = (typeof REASONS)[number];

export const REASONS = [
  /** Of the channel, or of the HTLC. */
  'unknown_channel',
  'not_normal',
  'not_connected',
  'would_fail',
  'too_large',
  'expiry',
  'denied',
  /** Of what else goes on. */
  'own_circle',
  'recursion',
  'under_way',
  'too_many_held',
  'once_an_hour',
  /** Of money. */
  'cost',
  'budget',
  'ledger',
  /** Of the circle. */
  'no_circle',
  'too_dear',
  'failed',
  'unsettled',
  'no_balancesharing',
  'error',
  /** What became of it. */
  'enough_after_all',
  'sibling_had_enough',
  'filled',
  'filled_sibling',
  'filled_but_gone',
  'late',
] as const;
