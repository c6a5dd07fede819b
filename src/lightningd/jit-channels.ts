/**
 * Our channels as just-in-time routing sees them, read peer by peer.
 *
 * Hazard: a burst of HTLCs that all seem to lack something must not become a burst of calls. Whoever wants a peer's
 * channels while they are being read shares the next reading, since the one under way may have begun too early.
 */
import type * as v from 'valibot';
import type { ChannelBook } from '../jit/channel-book.ts';
import type { JitChannel } from '../jit/types.ts';
import * as answers from './answers.ts';
import type { Rpc } from './rpc-client.ts';

type ForwardingChannel = v.InferOutput<typeof answers.forwardingChannel>;

/** What lightningd holds at once in one direction where it does not say. */
const DEFAULT_HTLCS = 30;

interface Reading {
  readonly done: Promise<void>;
  next: Promise<void> | undefined;
}

export class ChannelReader {
  readonly #rpc: Rpc;
  readonly #book: ChannelBook;
  readonly #underWay = new Map<string, Reading>();

  constructor(rpc: Rpc, book: ChannelBook) {
    this.#rpc = rpc;
    this.#book = book;
  }

  /** All channels. Rejects when lightningd cannot be asked. */
  readAll(): Promise<void> {
    return this.#fetch(undefined);
  }

  /** A peer's channels, by a reading that begins now or later. Rejects when lightningd cannot be asked. */
  readPeer(peerId: string): Promise<void> {
    const underWay = this.#underWay.get(peerId);
    if (underWay === undefined) return this.#start(peerId);
    const again = () => this.#start(peerId);
    underWay.next ??= underWay.done.then(again, again);
    return underWay.next;
  }

  #start(peerId: string): Promise<void> {
    const done = this.#fetch(peerId);
    const reading: Reading = { done, next: undefined };
    this.#underWay.set(peerId, reading);
    const forget = () => {
      if (this.#underWay.get(peerId) === reading && reading.next === undefined) this.#underWay.delete(peerId);
    };
    done.then(forget, forget);
    return done;
  }

  async #fetch(peerId: string | undefined): Promise<void> {
    const reading = this.#book.beginReading();
    try {
      const answer = await this.#rpc.call('listpeerchannels', peerId === undefined ? {} : { id: peerId });
      const read = await answers.readChannels(
        'listpeerchannels',
        answers.forwardingChannel,
        answer,
        jitChannel,
      );
      reading.take(
        read.filter(channel => channel !== undefined),
        peerId,
      );
    } finally {
      reading.abandon();
    }
  }
}

/** One without an id is not open yet. */
function jitChannel(channel: ForwardingChannel): JitChannel | undefined {
  const { channel_id, short_channel_id, alias, updates, htlcs = [] } = channel;
  if (channel_id === undefined) return undefined;
  const local = updates?.local;
  const underWay = htlcs.filter(({ direction }) => direction === 'out').length;
  return {
    channelId: channel_id,
    peerId: channel.peer_id,
    names: [short_channel_id, alias?.local].filter(name => name !== undefined),
    isNormal: channel.state === 'CHANNELD_NORMAL',
    isUsable: channel.peer_connected && channel.reestablished !== false,
    toUsMsat: channel.to_us_msat ?? 0n,
    totalMsat: channel.total_msat ?? 0n,
    spendableMsat: channel.spendable_msat ?? 0n,
    reserveMsat: channel.our_reserve_msat ?? 0n,
    commitmentFeeMsat: channel.opener === 'local' ? (channel.last_tx_fee_msat ?? 0n) : 0n,
    hasSlot: underWay < (channel.max_accepted_htlcs ?? DEFAULT_HTLCS),
    limits: local && { minimumMsat: local.htlc_minimum_msat, maximumMsat: local.htlc_maximum_msat },
    terms: local && {
      baseFeeMsat: local.fee_base_msat,
      feePpm: local.fee_proportional_millionths,
      cltvExpiryDelta: local.cltv_expiry_delta,
    },
  };
}
