/** What just-in-time routing needs from the node; `src/lightningd/` gives it, tests stand in for it. */
import type { Clock } from '../sharing/ports.ts';
import type { Booking } from './ledger.ts';

/** A circle that would fill a channel. */
export interface FoundCircle {
  /** Where it leaves. */
  readonly outPeerId: string;
  /** All whom it passes. */
  readonly peers: readonly string[];
}

export interface Fill {
  readonly amountMsat: bigint;
  /** The short channel id of the channel that is filled. */
  readonly channel: string;
  readonly maxFeePpm: number;
}

/** Why there is no circle: `absent` when the plugin that knows them is not there. */
export type NoCircle = 'no_circle' | 'too_dear' | 'no_balancesharing' | 'error';

/** What became of one. `unsettled`: nobody knows, it may still cost its most. */
export type FillOutcome =
  | { readonly status: 'complete'; readonly feeMsat: bigint }
  | { readonly status: 'failed' | 'no_balancesharing' | 'unsettled' };

/** Circles, by what is known already: nobody is ever asked for a payment's sake. */
export interface Circles {
  /** The best one. Never rejects. */
  find(fill: Fill): Promise<FoundCircle | NoCircle>;
  /** Performs it, or another in its stead that costs no more. Never rejects; may take a minute and more. */
  perform(fill: Fill, outPeerId: string, retryForMs: number): Promise<FillOutcome>;
}

/** Where bookings survive a crash. */
export interface Bookings {
  /** Resolves once it is on the disk. */
  write(booking: Booking): Promise<void>;
  remove(id: string): Promise<void>;
}

export interface Node {
  /** Brings the channel book up to date about one peer. */
  readPeer(peerId: string): Promise<void>;
  /** Whom the operator wants nothing to do with. */
  denied(): Promise<ReadonlySet<string>>;
}

export type JitClock = Clock;
