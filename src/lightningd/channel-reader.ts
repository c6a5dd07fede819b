/**
 * Our own channels, as lightningd tells them.
 *
 * Hazard: on a large node one reading is megabytes of JSON, and strangers' questions set readings off. So a reading is
 * shared by all who want one while it is under way, remembered, and made anew only when it is too old for its reader
 * or a notification says that something changed.
 */

import type { ChannelState, HtlcLimits, NodeView, OwnChannel } from '../sharing/node-view.ts';
import type { ChannelSource, Clock } from '../sharing/ports.ts';
import type { ShortChannelId } from '../wire/short-channel-id.ts';
import * as answers from './answers.ts';
import { ErrorCode, RpcError } from './errors.ts';
import type { Rpc } from './rpc-client.ts';

/**
 * What `listfunds` does not tell: the reserve that stays on each side, taken as the usual 1 % of the channel
 * (BOLT 2 leaves `channel_reserve_satoshis` to the node; 1 % is Core Lightning's).
 */
const RESERVE_DIVISOR = 100n;

const STATES: Readonly<Record<string, ChannelState>> = {
  CHANNELD_NORMAL: 'normal',
  CHANNELD_AWAITING_SPLICE: 'splicing',
};

interface Reading {
  readonly view: Promise<NodeView>;
  /** How many changes there had been when it began. */
  readonly changes: number;
}

export class ChannelReader implements ChannelSource {
  readonly #rpc: Rpc;
  readonly #clock: Clock;
  #latest: { readonly view: NodeView; readonly readAtMs: number } | undefined;
  #friends: ReadonlySet<string> = new Set();
  #underWay: Reading | undefined;
  /** Waits for the one under way, which began before something changed. */
  #next: Promise<NodeView> | undefined;
  /** Grows with each invalidation: a reading that began before one is not remembered as fresh. */
  #changes = 0;
  #hasListpeerchannels = true;

  constructor(rpc: Rpc, clock: Clock) {
    this.#rpc = rpc;
    this.#clock = clock;
  }

  isFriend(peerId: string): boolean {
    return this.#friends.has(peerId);
  }

  read(maxAgeMs: number): Promise<NodeView> {
    const latest = this.#latest;
    if (latest !== undefined && maxAgeMs > 0 && this.#clock.monotonicMs() - latest.readAtMs <= maxAgeMs) {
      return Promise.resolve(latest.view);
    }
    const underWay = this.#underWay;
    if (underWay === undefined) return this.#start();
    if (underWay.changes === this.#changes) return underWay.view;
    this.#next ??= underWay.view.then(
      () => this.#start(),
      () => this.#start(),
    );
    return this.#next;
  }

  #start(): Promise<NodeView> {
    const changes = this.#changes;
    const view = this.#readAnew(changes).finally(() => {
      this.#underWay = undefined;
    });
    this.#underWay = { view, changes };
    this.#next = undefined;
    return view;
  }

  /** A channel or a connection has changed: the next reader reads anew. */
  invalidate(): void {
    this.#changes++;
    if (this.#latest !== undefined) this.#latest = { ...this.#latest, readAtMs: Number.NEGATIVE_INFINITY };
  }

  async #readAnew(changes: number): Promise<NodeView> {
    // Its age is that of the balances in it: from before they were asked for.
    const readAtMs = this.#clock.monotonicMs();
    const [info, channels] = await Promise.all([this.#getinfo(), this.#channels()]);
    const view: NodeView = {
      nodeId: info.id,
      blockHeight: info.blockheight,
      channels: typeof channels === 'function' ? await channels(info.id) : channels,
    };
    this.#friends = new Set(view.channels.map(channel => channel.peerId));
    this.#latest = { view, readAtMs: changes === this.#changes ? readAtMs : Number.NEGATIVE_INFINITY };
    return view;
  }

  async #getinfo() {
    return answers.readAnswer('getinfo', answers.getinfo, await this.#rpc.call('getinfo'));
  }

  /** The channels, or on a node before v23.02 how to get them once our id is known. */
  async #channels(): Promise<OwnChannel[] | ((nodeId: string) => Promise<OwnChannel[]>)> {
    if (this.#hasListpeerchannels) {
      try {
        const answer = await this.#rpc.call('listpeerchannels');
        return answers
          .readAnswer('listpeerchannels', answers.listpeerchannels, answer)
          .channels.map(fromListpeerchannels);
      } catch (error) {
        if (!(error instanceof RpcError && error.code === ErrorCode.methodNotFound)) throw error;
        this.#hasListpeerchannels = false;
      }
    }
    return nodeId => this.#fromListfunds(nodeId);
  }

  /** `listfunds` tells neither limits nor whether a channel is public: the gossip on our own channels does. */
  async #fromListfunds(nodeId: string): Promise<OwnChannel[]> {
    const [funds, from, to] = await Promise.all([
      this.#rpc.call('listfunds'),
      this.#rpc.call('listchannels', { source: nodeId }),
      this.#rpc.call('listchannels', { destination: nodeId }),
    ]);
    const local = limitsById(from);
    const remote = limitsById(to);
    return answers.readAnswer('listfunds', answers.listfunds, funds).channels.map(channel => {
      const id = channel.short_channel_id;
      const reserveMsat = channel.amount_msat / RESERVE_DIVISOR;
      const theirsMsat = channel.amount_msat - channel.our_amount_msat;
      return {
        peerId: channel.peer_id,
        shortChannelId: id,
        state: STATES[channel.state] ?? 'other',
        isPublic: id !== undefined && local.has(id),
        peerConnected: channel.connected,
        usable: channel.connected,
        toUsMsat: channel.our_amount_msat,
        totalMsat: channel.amount_msat,
        spendableMsat: less(channel.our_amount_msat, reserveMsat),
        receivableMsat: less(theirsMsat, reserveMsat),
        localLimits: id === undefined ? undefined : local.get(id),
        remoteLimits: id === undefined ? undefined : remote.get(id),
      };
    });
  }
}

type ListedChannel = ReturnType<typeof answers.readAnswer<PeerChannels>>['channels'][number];
type PeerChannels = import('valibot').InferOutput<typeof answers.listpeerchannels>;

function fromListpeerchannels(channel: ListedChannel): OwnChannel {
  const totalMsat = channel.total_msat ?? 0n;
  return {
    peerId: channel.peer_id,
    shortChannelId: channel.short_channel_id,
    state: STATES[channel.state] ?? 'other',
    isPublic: channel.private === false,
    peerConnected: channel.peer_connected,
    usable: channel.peer_connected && channel.reestablished !== false,
    toUsMsat: channel.to_us_msat ?? 0n,
    totalMsat,
    spendableMsat: channel.spendable_msat ?? 0n,
    receivableMsat: channel.receivable_msat ?? 0n,
    ...limitsOf(channel, totalMsat),
  };
}

/** Before v24.02 lightningd told our own limits only, elsewhere; the peer's are then taken as its channel's size. */
function limitsOf(
  { updates, minimum_htlc_out_msat, maximum_htlc_out_msat }: ListedChannel,
  totalMsat: bigint,
): Pick<OwnChannel, 'localLimits' | 'remoteLimits'> {
  if (updates === undefined) {
    return {
      localLimits: {
        minimumMsat: minimum_htlc_out_msat ?? 0n,
        maximumMsat: maximum_htlc_out_msat ?? totalMsat,
      },
      remoteLimits: { minimumMsat: 0n, maximumMsat: totalMsat },
    };
  }
  const { local, remote } = updates;
  return {
    localLimits: { minimumMsat: local.htlc_minimum_msat, maximumMsat: local.htlc_maximum_msat },
    remoteLimits: remote && { minimumMsat: remote.htlc_minimum_msat, maximumMsat: remote.htlc_maximum_msat },
  };
}

function limitsById(answer: unknown): Map<ShortChannelId, HtlcLimits> {
  const limits = new Map<ShortChannelId, HtlcLimits>();
  for (const channel of answers.readAnswer('listchannels', answers.listchannels, answer).channels) {
    if (!channel.public) continue;
    limits.set(channel.short_channel_id, {
      minimumMsat: channel.htlc_minimum_msat,
      maximumMsat: channel.htlc_maximum_msat ?? channel.amount_msat,
    });
  }
  return limits;
}

function less(amountMsat: bigint, reserveMsat: bigint): bigint {
  return amountMsat > reserveMsat ? amountMsat - reserveMsat : 0n;
}
