/**
 * A network as the plugin sees it: gossip on nodes' channels, and a node's own channels with their balances.
 *
 * What the plugin would read from lightningd comes from the arrays here; the modules behind cannot tell the difference.
 */
import type { NodeView, OwnChannel } from '../sharing/node-view.ts';
import type { GossipChannel, GossipChannels, GossipSource } from '../sharing/ports.ts';
import type { Flow } from '../wire/codec.ts';
import type { ShortChannelId } from '../wire/short-channel-id.ts';
import type { Direction, Network } from './network.ts';

/** The highest that a short channel id can tell: all channels are deep. */
const BLOCK_HEIGHT = 0xffffff;
/** What stays on each side as reserve: the usual 1 % (BOLT 2 leaves `channel_reserve_satoshis` to the node). */
const RESERVE_DIVISOR = 100;

/** What each end must keep of a channel. */
export function reserveOf(capacity: number): number {
  return Math.ceil(capacity / RESERVE_DIVISOR);
}

/** What an end that has `balance` of `capacity` can send at once, in millisatoshi. */
export function spendable(balance: number, capacity: number): number {
  return Math.max(0, balance - reserveOf(capacity));
}

/** What the source of a direction has, given what the end `0` has. */
export function sideOf(network: Network, channel: number, direction: Direction, balance: number): number {
  return direction === 0 ? balance : network.capacity(channel) - balance;
}

/** One object per direction of a channel, as the plugin's reader has them shared too. */
export class NetworkGossip implements GossipSource {
  readonly #network: Network;
  readonly #directions = new Map<number, GossipChannel>();
  readonly #read = new Map<string, Promise<GossipChannels>>();
  readonly #channels = new Map<ShortChannelId, number>();

  constructor(network: Network) {
    this.#network = network;
    for (const [channel, id] of network.shortChannelIds.entries()) this.#channels.set(id, channel);
  }

  /** The number of a channel. @throws RangeError when there is none of that id */
  channelOf(id: ShortChannelId): number {
    const channel = this.#channels.get(id);
    if (channel === undefined) throw new RangeError(`no channel ${id} in the network`);
    return channel;
  }

  read(peerId: string, flow: Flow): Promise<GossipChannels> {
    const key = `${flow}|${peerId}`;
    let read = this.#read.get(key);
    if (read === undefined) {
      read = Promise.resolve(this.#channelsOf(this.#network.numberOf(peerId), flow));
      this.#read.set(key, read);
    }
    return read;
  }

  endsOf(shortChannelId: ShortChannelId): Promise<readonly [string, string] | undefined> {
    const channel = this.#channels.get(shortChannelId);
    return Promise.resolve(channel === undefined ? undefined : this.#network.record(channel).ends);
  }

  #channelsOf(node: number, flow: Flow): GossipChannels {
    const channels = Array.from(this.#network.channelsOf(node), channel => {
      const away = this.#network.directionFrom(channel, node);
      const direction = flow === 1 ? away : away === 0 ? 1 : 0;
      return this.directionOf(channel, direction);
    });
    return new Map(channels.map(channel => [channel.shortChannelId, channel]));
  }

  directionOf(channel: number, direction: Direction): GossipChannel {
    const key = 2 * channel + direction;
    let known = this.#directions.get(key);
    if (known === undefined) {
      known = gossipOf(this.#network, channel, direction);
      this.#directions.set(key, known);
    }
    return known;
  }
}

function gossipOf(network: Network, channel: number, direction: Direction): GossipChannel {
  return {
    shortChannelId: network.shortChannelId(channel),
    source: network.nodeId(network.source(channel, direction)),
    destination: network.nodeId(network.destination(channel, direction)),
    direction,
    active: true,
    capacityMsat: BigInt(network.capacity(channel)),
    limits: {
      minimumMsat: BigInt(network.htlcMinimum(channel, direction)),
      maximumMsat: BigInt(network.htlcMaximum(channel, direction)),
    },
    terms: {
      baseFeeMsat: BigInt(network.baseFee(channel, direction)),
      feePpm: BigInt(network.feePpm(channel, direction)),
      cltvExpiryDelta: network.cltvDelta(channel, direction),
    },
  };
}

/**
 * A node's own channels: all public, deep and online.
 *
 * @param balanceOf what the end `0` of a channel has now
 * @param pendingOf what is on its way in a direction, and cannot be sent again
 */
export function viewOf(
  gossip: NetworkGossip,
  network: Network,
  node: number,
  balanceOf: (channel: number) => number,
  pendingOf: (channel: number, direction: Direction) => number = () => 0,
): NodeView {
  const own = (channel: number): OwnChannel => {
    const capacity = network.capacity(channel);
    const direction = network.directionFrom(channel, node);
    const ours = sideOf(network, channel, direction, balanceOf(channel));
    const back = direction === 0 ? 1 : 0;
    const local = gossip.directionOf(channel, direction);
    const remote = gossip.directionOf(channel, back);
    return {
      peerId: local.destination,
      shortChannelId: local.shortChannelId,
      state: 'normal',
      isPublic: true,
      peerConnected: true,
      usable: true,
      toUsMsat: BigInt(ours),
      totalMsat: local.capacityMsat,
      spendableMsat: BigInt(spendable(ours - pendingOf(channel, direction), capacity)),
      receivableMsat: BigInt(spendable(capacity - ours - pendingOf(channel, back), capacity)),
      localLimits: local.limits,
      remoteLimits: remote.limits,
      remoteTerms: remote.terms,
    };
  };
  return {
    nodeId: network.nodeId(node),
    blockHeight: BLOCK_HEIGHT,
    channels: Array.from(network.channelsOf(node), own),
  };
}
