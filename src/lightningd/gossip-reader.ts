/**
 * The gossip on friends' channels.
 *
 * Hazard: the whole of it is 45 MB of JSON on mainnet. So it is read per friend and direction, `listchannels` with one
 * selector, shared while a reading is under way and remembered for a while, for a bounded number of channels in all.
 */
import { isDeepStrictEqual } from 'node:util';
import pLimit from 'p-limit';
import type * as v from 'valibot';
import type { ForwardingTerms } from '../sharing/node-view.ts';
import type { Clock, GossipChannel, GossipChannels, GossipSource } from '../sharing/ports.ts';
import type { Flow } from '../wire/codec.ts';
import { formatShortChannelId, type ShortChannelId } from '../wire/short-channel-id.ts';
import * as answers from './answers.ts';
import type { Rpc } from './rpc-client.ts';

/** Fees and limits of channels change rarely, and a channel that we do not know yet makes us read again anyway. */
const MAX_AGE_MS = 600_000;
/**
 * Remembered channel directions in all, about 400 bytes each; what was read longest ago goes first. A node with channels to
 * the 500 largest nodes has 101,000: a bound below that would have each search read hundreds of friends anew.
 */
const MAX_REMEMBERED = 150_000;
/** Readings at once: what JSON.parse makes of an answer takes many times the memory of what we keep of it. */
const READINGS_AT_ONCE = 4;

type Listed = v.InferOutput<typeof answers.listedChannel>;

interface Reading {
  readonly channels: Promise<GossipChannels>;
  readonly startedAtMs: number;
  /** 0 while it is under way. */
  size: number;
}

export class GossipReader implements GossipSource {
  readonly #rpc: Rpc;
  readonly #clock: Clock;
  /** In the order of their reading. */
  readonly #readings = new Map<string, Reading>();
  readonly #limit = pLimit(READINGS_AT_ONCE);
  #remembered = 0;

  constructor(rpc: Rpc, clock: Clock) {
    this.#rpc = rpc;
    this.#clock = clock;
  }

  read(peerId: string, flow: Flow, maxAgeMs = MAX_AGE_MS): Promise<GossipChannels> {
    const key = `${flow}|${peerId}`;
    const known = this.#readings.get(key);
    const nowMs = this.#clock.monotonicMs();
    if (known !== undefined && (known.size === 0 || nowMs - known.startedAtMs <= maxAgeMs))
      return known.channels;
    this.#forget(key);
    const channels = this.#limit(() => this.#fetch(peerId, flow, known?.channels));
    const reading: Reading = { channels, startedAtMs: nowMs, size: 0 };
    this.#readings.set(key, reading);
    reading.channels.then(
      channels => this.#remember(reading, channels.size),
      () => this.#forget(key),
    );
    return reading.channels;
  }

  async endsOf(shortChannelId: ShortChannelId): Promise<readonly [string, string] | undefined> {
    const answer = await this.#rpc.call('listchannels', {
      short_channel_id: formatShortChannelId(shortChannelId),
    });
    const ends = await answers.readChannels('listchannels', answers.listedChannel, answer, listed =>
      listed.public ? ([listed.source, listed.destination] as const) : undefined,
    );
    return ends.find(each => each !== undefined);
  }

  async #fetch(
    peerId: string,
    flow: Flow,
    known: Promise<GossipChannels> | undefined,
  ): Promise<GossipChannels> {
    const selector = flow === 1 ? { source: peerId } : { destination: peerId };
    const answer = await this.#rpc.call('listchannels', selector);
    const before = await known?.catch(() => undefined);
    const read = await answers.readChannels('listchannels', answers.listedChannel, answer, listed => {
      if (!listed.public) return undefined;
      const channel = gossipChannel(listed, peerId);
      // What has not changed stays the same object: knowledge holds those that were read before.
      const same = before?.get(channel.shortChannelId);
      return same !== undefined && isDeepStrictEqual(same, channel) ? same : channel;
    });
    return new Map(
      read.filter(channel => channel !== undefined).map(channel => [channel.shortChannelId, channel]),
    );
  }

  #remember(reading: Reading, channels: number): void {
    // One at least, so that a node without channels counts as read too.
    reading.size = Math.max(1, channels);
    this.#remembered += reading.size;
    for (const [key, { size }] of this.#readings) {
      if (this.#remembered <= MAX_REMEMBERED) break;
      if (size > 0) this.#forget(key);
    }
  }

  #forget(key: string): void {
    this.#remembered -= this.#readings.get(key)?.size ?? 0;
    this.#readings.delete(key);
  }
}

/** What a channel's source asks for forwarding over it. */
export function termsOf(listed: Listed): ForwardingTerms {
  return {
    baseFeeMsat: listed.base_fee_millisatoshi,
    feePpm: listed.fee_per_millionth,
    cltvExpiryDelta: listed.delay,
  };
}

/** The public ones among the channels of a node as `listchannels` tells them. */
export function toGossip(listedChannels: readonly Listed[], nodeId: string): GossipChannels {
  return new Map(
    listedChannels
      .filter(listed => listed.public)
      .map(listed => [listed.short_channel_id, gossipChannel(listed, nodeId)]),
  );
}

/** @param nodeId one of the ends: the same text for all of its channels */
function gossipChannel(listed: Listed, nodeId: string): GossipChannel {
  return {
    shortChannelId: listed.short_channel_id,
    source: listed.source === nodeId ? nodeId : listed.source,
    destination: listed.destination === nodeId ? nodeId : listed.destination,
    direction: listed.source < listed.destination ? 0 : 1,
    active: listed.active,
    capacityMsat: listed.amount_msat,
    limits: {
      minimumMsat: listed.htlc_minimum_msat,
      maximumMsat: listed.htlc_maximum_msat ?? listed.amount_msat,
    },
    terms: termsOf(listed),
  };
}
