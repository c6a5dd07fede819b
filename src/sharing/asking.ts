/** What asking friends takes and gives: for the asker, the command in front of it, and their tests. */
import type { Flow } from '../wire/codec.ts';
import type { GossipChannel } from './ports.ts';

/**
 * `replied`: asked, answered. `remembered`: an earlier word still counts. `timeout`: asked, silent. `send_failed`:
 * lightningd did not take the query. `skipped`: not asked, see `reason`.
 */
export type FriendStatus = 'replied' | 'remembered' | 'timeout' | 'send_failed' | 'skipped';

export interface FriendAnswer {
  readonly peerId: string;
  readonly status: FriendStatus;
  /** In words, where the status alone does not say why there are no channels. */
  readonly reason?: string;
  /** What the friend's answer holds for, when it was said, and how old that is; absent without an answer. */
  readonly said?: { readonly amountMsat: bigint; readonly timestampMs: bigint; readonly ageMs: number };
  readonly channels: readonly GossipChannel[];
}

export interface AskRequest {
  readonly flow: Flow;
  /** 1 to `MAX_AMOUNT_MSAT`. */
  readonly amountMsat: bigint;
  /** Whom to ask; everybody who may be asked when left out. */
  readonly peers?: readonly string[];
  /** Named peers that never spoke are left alone for their while, like those that nobody named. @default false */
  readonly leavesSilent?: boolean;
  readonly timeoutMs: number;
  /** Ask although the answer is remembered. */
  readonly fresh: boolean;
}

export interface AskResult {
  readonly nodeId: string;
  /** How many queries lightningd took. */
  readonly sent: number;
  readonly elapsedMs: number;
  /** Sorted by node id. */
  readonly friends: readonly FriendAnswer[];
}

/** What became of a reply; `answer` and `late` and `unasked` were taken up, the others dropped. */
export type ReplyOutcome =
  | 'answer'
  | 'late'
  | 'unasked'
  | 'foreign_chain'
  | 'from_the_future'
  | 'unwanted'
  | 'busy'
  | 'stale'
  | 'node_unavailable';

/** A peer was named that is no connected friend. */
export class NotAFriendError extends Error {
  override readonly name = 'NotAFriendError';
  readonly peerId: string;

  constructor(peerId: string) {
    super(`${peerId} is no connected peer with an active channel`);
    this.peerId = peerId;
  }
}

/** lightningd did not tell our channels before the time was up. */
export class NoChannelsInTimeError extends Error {
  override readonly name = 'NoChannelsInTimeError';
}
