/** What performing a rebalance needs from the node; `src/lightningd/` gives it, tests stand in for it. */
import type { RouteHop } from '../circles/types.ts';
import type { ChannelDirection } from '../knowledge/marks.ts';
import type { ShortChannelId } from '../wire/short-channel-id.ts';

/** An invoice of our own: what a payment to ourselves needs. */
export interface OwnInvoice {
  /** 64 hex digits. */
  readonly paymentHash: string;
  readonly paymentSecret: string;
}

/** What became of a payment: `unknown` when nobody can say now, since lightningd does not answer. */
export type Outcome =
  | { readonly status: 'complete' }
  | { readonly status: 'failed'; readonly blamed?: Blamed; readonly message: string }
  | { readonly status: 'pending' }
  | { readonly status: 'unknown'; readonly message: string };

/** Where a payment failed, and the two bytes that say why (BOLT 4). */
export interface Blamed extends ChannelDirection {
  readonly failcode: number;
}

/** What is noted before anything is paid. */
export interface JournalEntry {
  /** That of the invoice and of the payment, unique. */
  readonly label: string;
  readonly outPeerId: string;
  readonly inPeerId: string;
  readonly amountMsat: bigint;
}

export interface Payments {
  /** Notes what is about to be paid, where a crash does not lose it. */
  note(entry: JournalEntry): Promise<void>;
  /** All that was noted and not forgotten. */
  noted(): Promise<readonly JournalEntry[]>;
  /** Forgets an entry whose payment is settled or can no longer complete. */
  forget(label: string): Promise<void>;
  invoice(label: string, amountMsat: bigint): Promise<OwnInvoice>;
  /** Sends. `failed`: it certainly did not leave. `pending`: it may have. */
  send(invoice: OwnInvoice, label: string, hops: readonly RouteHop[], amountMsat: bigint): Promise<Outcome>;
  /** Waits for the payment's end; `pending` after `timeoutMs`. */
  wait(paymentHash: string, timeoutMs: number): Promise<Outcome>;
  /**
   * Makes an invoice unpayable, so that a payment to it can only fail from now on (Core Lightning, `delinvoice`).
   * `paid`: too late. `gone`: there is none of that label.
   */
  cancel(label: string): Promise<'cancelled' | 'paid' | 'gone'>;
  /** The payments of these labels that are still on their way, by label. Their hashes. */
  underWay(): Promise<ReadonlyMap<string, string>>;
}

/** Both balances of one end of a rebalance, all channels with that peer together. */
export interface EndReport {
  readonly shortChannelId: ShortChannelId;
  readonly beforeMsat: bigint;
  readonly afterMsat: bigint;
}
