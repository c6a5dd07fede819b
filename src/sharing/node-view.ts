/** Our own node at one moment, as `src/lightningd/` reads it for the pure modules. */
import { blockHeightOf, type ShortChannelId } from '../wire/short-channel-id.ts';

/** What one end of a channel lets through in one HTLC. */
export interface HtlcLimits {
  readonly minimumMsat: bigint;
  readonly maximumMsat: bigint;
}

/** What one end of a channel asks for forwarding over it (BOLT 7, "The `channel_update` Message"). */
export interface ForwardingTerms {
  /** `fee_base_msat`. */
  readonly baseFeeMsat: bigint;
  /** `fee_proportional_millionths`: parts per million of the amount forwarded. */
  readonly feePpm: bigint;
  /** `cltv_expiry_delta`, in blocks. */
  readonly cltvExpiryDelta: number;
}

/** `normal`: CHANNELD_NORMAL. `splicing`: CHANNELD_AWAITING_SPLICE. */
export type ChannelState = 'normal' | 'splicing' | 'other';

/** One of our channels. */
export interface OwnChannel {
  readonly peerId: string;
  /** `undefined` until the funding transaction is confirmed. */
  readonly shortChannelId: ShortChannelId | undefined;
  readonly state: ChannelState;
  /** Whether the channel is public; that it is deep enough to be announced too is for `isAnnounced` to say. */
  readonly isPublic: boolean;
  readonly peerConnected: boolean;
  /** Whether HTLCs can move now: connected and, where lightningd tells it, reestablished. */
  readonly usable: boolean;
  readonly toUsMsat: bigint;
  readonly totalMsat: bigint;
  readonly spendableMsat: bigint;
  readonly receivableMsat: bigint;
  /** Ours and the peer's own; `undefined` where no update is known, which carries nothing. */
  readonly localLimits: HtlcLimits | undefined;
  readonly remoteLimits: HtlcLimits | undefined;
  /** What the peer asks for forwarding over this channel to us. */
  readonly remoteTerms: ForwardingTerms | undefined;
}

export interface NodeView {
  /** Our node id: 66 hex digits. */
  readonly nodeId: string;
  readonly blockHeight: number;
  readonly channels: readonly OwnChannel[];
  /** With fixtures on regtest: the connected peers, who are then the friends, whatever the channels. */
  readonly guests?: ReadonlySet<string>;
}

/** BOLT 7, "The `announcement_signatures` Message": not sent before the funding transaction has 6 confirmations. */
const ANNOUNCEMENT_DEPTH = 6;

/** How many blocks deep the funding transaction is: 1 in the newest block, 0 unconfirmed. */
export function depthOf(channel: OwnChannel, blockHeight: number): number {
  if (channel.shortChannelId === undefined) return 0;
  return Math.max(0, blockHeight - blockHeightOf(channel.shortChannelId) + 1);
}

/** Whether the network may know the channel. */
export function isAnnounced(channel: OwnChannel, blockHeight: number): boolean {
  return channel.isPublic && depthOf(channel, blockHeight) >= ANNOUNCEMENT_DEPTH;
}

/** The peers whom we may ask (docs/protocol.md, "Asking"): connected, with a channel in CHANNELD_NORMAL; sorted. */
export function friendsOf(view: NodeView): string[] {
  if (view.guests !== undefined) return [...view.guests].sort();
  const friends = new Set<string>();
  for (const channel of view.channels) {
    if (channel.peerConnected && channel.state === 'normal') friends.add(channel.peerId);
  }
  return [...friends].sort();
}
