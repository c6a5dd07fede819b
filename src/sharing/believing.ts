/**
 * Which channels of a friend's reply we take up (docs/protocol.md, "Believing").
 *
 * Hazard: a reply may name anything. What the gossip does not know as a channel of that very peer, active in the
 * direction of the flow and able to carry the amount, is dropped here and reaches nobody.
 */
import type { FoafReply } from '../wire/codec.ts';
import type { ShortChannelId } from '../wire/short-channel-id.ts';
import type { GossipChannel, GossipChannels } from './ports.ts';

/** Over this far ahead of our clock a reply's timestamp voids it (docs/protocol.md, "Believing"). */
export const MAX_AHEAD_MS = 600_000;

export interface Believed {
  /** In the order of their short channel ids. */
  readonly channels: readonly GossipChannel[];
  /** The named channels that the gossip does not know for that peer and direction at all. */
  readonly unknown: readonly ShortChannelId[];
}

/**
 * @param nodeId our own id
 * @param gossip the gossip on the replying peer's channels in the direction of the reply's flow
 */
export function believe(reply: FoafReply, nodeId: string, gossip: GossipChannels): Believed {
  const channels: GossipChannel[] = [];
  const unknown: ShortChannelId[] = [];
  for (const shortChannelId of reply.shortChannelIds) {
    const channel = gossip.get(shortChannelId);
    if (channel === undefined) unknown.push(shortChannelId);
    else if (carries(channel, reply.amountMsat) && !endsAt(channel, nodeId)) channels.push(channel);
  }
  return { channels, unknown };
}

/** Whether a channel can carry an amount at all, by its capacity and its htlc limits. */
export function carries({ active, capacityMsat, limits }: GossipChannel, amountMsat: bigint): boolean {
  return (
    active &&
    amountMsat <= capacityMsat &&
    amountMsat >= limits.minimumMsat &&
    amountMsat <= limits.maximumMsat
  );
}

function endsAt({ source, destination }: GossipChannel, nodeId: string): boolean {
  return source === nodeId || destination === nodeId;
}
