/** What both sides of a conversation need from the node they run on; `src/lightningd/` gives it, tests stand in for it. */
import type { Flow, FoafMessage } from '../wire/codec.ts';
import type { ShortChannelId } from '../wire/short-channel-id.ts';
import type { ForwardingTerms, HtlcLimits, NodeView } from './node-view.ts';

/** Time, so that tests can own it. */
export interface Clock {
  /** Milliseconds since the Unix epoch: for what is said to others. */
  wallMs(): number;
  /** Milliseconds that only ever grow: for every age, lifetime and limit. */
  monotonicMs(): number;
  /** Calls `action` once after `delayMs`; the returned function prevents it. */
  after(delayMs: number, action: () => void): () => void;
}

/** Reads our own channels: never twice at the same time, whoever asks. */
export interface ChannelSource {
  /**
   * A view not older than `maxAgeMs`; 0 reads anew, or joins a reading that is under way.
   *
   * Rejects when lightningd cannot be asked.
   */
  read(maxAgeMs: number): Promise<NodeView>;
  /** Whether the newest reading, however old, has a channel in use with a peer. For bounding work, never for answers. */
  isFriend(peerId: string): boolean;
}

/** One direction of a public channel, as the gossip knows it. */
export interface GossipChannel {
  readonly shortChannelId: ShortChannelId;
  readonly source: string;
  readonly destination: string;
  /** 0 if the source's id sorts first (BOLT 7, "The `channel_update` Message"). */
  readonly direction: 0 | 1;
  readonly active: boolean;
  readonly capacityMsat: bigint;
  readonly limits: HtlcLimits;
  readonly terms: ForwardingTerms;
}

/** The public channels of one node in one direction, by short channel id. */
export type GossipChannels = ReadonlyMap<ShortChannelId, GossipChannel>;

export interface GossipSource {
  /**
   * The gossip on `peerId`'s channels in the direction in which `flow` would move an amount: 1 from the peer, 0 to
   * it. Remembered for a while; `maxAgeMs` asks for better. Rejects when lightningd cannot be asked.
   */
  read(peerId: string, flow: Flow, maxAgeMs?: number): Promise<GossipChannels>;
  /** The two ends of a public channel; `undefined` when the gossip knows none of that id. Rejects as `read` does. */
  endsOf(shortChannelId: ShortChannelId): Promise<readonly [string, string] | undefined>;
}

/** Hands a message to lightningd for a connected peer. Rejects when lightningd does not take it. */
export type Send = (peerId: string, message: FoafMessage) => Promise<void>;
