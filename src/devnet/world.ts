/**
 * What all nodes of the stand-in network share: the chain, the channels, who is connected with whom. Whatever changes
 * is told to the nodes that a real one would tell.
 *
 * Everything happens at once and to all: gossip is known everywhere the moment that a channel is announced, and a
 * channel is usable the moment that its peers are connected.
 */
import { createHash } from 'node:crypto';
import { Channel, type ChannelState, type StateChange } from './channel.ts';

/** A channel is announced when its funding is this deep (BOLT 7). */
const ANNOUNCE_DEPTH = 6;
/** Where a regtest chain is when its first coinbase can be spent. */
const FIRST_HEIGHT = 101;
/** Output 0 and the following are the nodes' change in a real funding transaction. */
const FIRST_OUTPUT = 1;

/** A node, as the others and the chain reach it. */
export interface Resident {
  readonly name: string;
  readonly id: string;
  /** Where it would listen. */
  readonly port: number;
  /** Passes a notification to its plugin, while it lives. */
  notify(topic: string, body: object): void;
  /** Takes a custom message: hex, its type first. */
  receive(fromId: string, message: string): void;
  /** A peer is connected no longer. */
  disconnected(peerId: string): void;
}

/** A channel to open. */
export interface Opening {
  readonly from: Resident;
  readonly to: Resident;
  readonly amountMsat: bigint;
  readonly pushMsat: bigint;
  readonly announce: boolean;
}

export class World {
  height = FIRST_HEIGHT;
  readonly residents = new Map<string, Resident>();
  readonly channels: Channel[] = [];
  readonly #connections = new Set<string>();

  isConnected(one: string, other: string): boolean {
    return this.#connections.has(pair(one, other));
  }

  /** The ids of those who are connected with a node or have a channel with it, sorted. */
  peersOf(nodeId: string): string[] {
    const peers = new Set<string>();
    for (const id of this.residents.keys()) if (this.isConnected(nodeId, id)) peers.add(id);
    for (const channel of this.channelsOf(nodeId)) peers.add(channel.peerOf(nodeId));
    return [...peers].sort();
  }

  channelsOf(nodeId: string): Channel[] {
    return this.channels.filter(channel => channel.hasEnd(nodeId));
  }

  /** @throws RangeError if there is none */
  channel(shortChannelId: string): Channel {
    const channel = this.channels.find(candidate => candidate.shortChannelId === shortChannelId);
    if (channel === undefined) throw new RangeError(`no channel ${shortChannelId}`);
    return channel;
  }

  /** Those that the whole network knows. */
  announcedChannels(): Channel[] {
    return this.channels.filter(
      ({ init }) => init.isPublic && this.height - init.block + 1 >= ANNOUNCE_DEPTH,
    );
  }

  /** Connects two nodes; does nothing if they are. */
  connect(from: Resident, to: Resident): void {
    if (this.isConnected(from.id, to.id)) return;
    this.#connections.add(pair(from.id, to.id));
    from.notify('connect', { id: to.id, direction: 'out', address: addressOf(to.port) });
    to.notify('connect', { id: from.id, direction: 'in', address: addressOf(40_000 + from.port) });
  }

  /** Ends the connection of two nodes; does nothing if they have none. */
  disconnect(one: string, other: string): void {
    if (!this.#connections.delete(pair(one, other))) return;
    for (const [id, peerId] of [
      [one, other],
      [other, one],
    ] as const) {
      const resident = this.residents.get(id);
      resident?.disconnected(peerId);
      resident?.notify('disconnect', { id: peerId });
    }
  }

  /** A node is gone: its peers lose it, its channels and the gossip about it stay. */
  leave(nodeId: string): void {
    for (const other of this.residents.keys()) this.disconnect(nodeId, other);
  }

  /** Opens channels in one block and mines until they are announced. Peers are connected for it. */
  open(openings: readonly Opening[]): Channel[] {
    const opened = openings.map(({ from, to, amountMsat, pushMsat, announce }, index) => {
      this.connect(from, to);
      const channel = new Channel({
        opener: from.id,
        acceptor: to.id,
        capacityMsat: amountMsat,
        pushedMsat: pushMsat,
        isPublic: announce,
        block: this.height + 1,
        output: FIRST_OUTPUT + index,
        updatedAt: Math.floor(Date.now() / 1000),
      });
      const timestamp = new Date().toISOString();
      for (const id of [from.id, to.id]) {
        this.#tell(channel, id, {
          timestamp,
          new_state: channel.state,
          cause: id === from.id ? 'user' : 'remote',
          message: 'new channel opened',
        });
      }
      return channel;
    });
    this.channels.push(...opened);
    this.mine(1);
    for (const channel of opened)
      this.#enter(channel, 'CHANNELD_NORMAL', channel.init.opener, 'Lockin complete');
    this.mine(ANNOUNCE_DEPTH - 1);
    return opened;
  }

  /** Closes a channel, mutually. Its closing transaction is in the next block. */
  close(channel: Channel, closer: string): void {
    channel.closer = closer;
    this.#enter(
      channel,
      'CHANNELD_SHUTTING_DOWN',
      closer,
      'User or plugin invoked close command',
      'Peer closes channel',
    );
    this.#enter(channel, 'CLOSINGD_SIGEXCHANGE', closer, 'Start closingd');
    this.#enter(channel, 'CLOSINGD_COMPLETE', closer, 'Closing complete');
  }

  mine(blocks: number): void {
    for (let mined = 0; mined < blocks; mined++) {
      this.height++;
      const body = { hash: sha256(`block ${this.height}`), height: this.height };
      for (const resident of this.residents.values()) resident.notify('block_added', body);
      for (const channel of this.channels) {
        if (channel.state !== 'CLOSINGD_COMPLETE' || channel.closer === undefined) continue;
        this.#enter(channel, 'FUNDING_SPEND_SEEN', channel.closer, 'Onchain funding spend');
        this.#enter(channel, 'ONCHAIN', channel.closer, 'Onchain init reply');
      }
    }
  }

  #enter(channel: Channel, state: ChannelState, by: string, message: string, otherMessage?: string): void {
    const change = channel.enter(state, by, message, otherMessage);
    for (const id of [channel.init.opener, channel.init.acceptor]) {
      this.#tell(channel, id, {
        short_channel_id: channel.shortChannelId,
        ...stateChangeFields(change, id),
      });
    }
  }

  #tell(channel: Channel, id: string, fields: object): void {
    this.residents.get(id)?.notify('channel_state_changed', {
      peer_id: channel.peerOf(id),
      channel_id: channelIdOf(channel),
      ...fields,
    });
  }
}

/** A change as one end tells it, in `channel_state_changed` and in `listpeerchannels`. */
export function stateChangeFields(change: StateChange, nodeId: string): object {
  const ours = change.by === nodeId;
  return {
    timestamp: change.timestamp,
    old_state: change.oldState,
    new_state: change.newState,
    cause: ours ? 'user' : 'remote',
    message: ours ? change.message : change.otherMessage,
  };
}

/** 64 hex digits, the same for the same text. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The funding transaction's id, the same for all channels of a block. */
export function fundingTxidOf({ init }: Channel): string {
  return sha256(`funding ${init.block}`);
}

/** BOLT 2, "Definition of `channel_id`": the transaction's id in wire order, its last two bytes exclusive-or the output. */
export function channelIdOf(channel: Channel): string {
  const id = Buffer.from(fundingTxidOf(channel), 'hex').reverse();
  id.writeUInt16BE(id.readUInt16BE(30) ^ channel.init.output, 30);
  return id.toString('hex');
}

export function addressOf(port: number): object {
  return { type: 'ipv4', address: '127.0.0.1', port };
}

function pair(one: string, other: string): string {
  return one < other ? `${one} ${other}` : `${other} ${one}`;
}
