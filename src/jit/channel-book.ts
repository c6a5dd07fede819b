/**
 * Our channels between two readings, kept current by what lightningd tells.
 *
 * Hazard: every HTLC asks here, so nothing is read from lightningd for it, and nothing takes long. What is said to be
 * enough is promised at once, so that of many HTLCs in the same moment not all see the same money. Where the book is
 * wrong it shall be wrong on the poor side: then one look at the real channel follows, which only HTLCs that seem to
 * lack something pay for.
 */
import type { Forward, JitChannel } from './types.ts';

/** lightningd offers what was continued within milliseconds; one of which nothing was heard since is forgotten. */
const UNHEARD_MS = 10_000;
/** So many of them at most; the oldest is forgotten first. */
const MAX_UNHEARD = 10_000;

interface Entry {
  readonly channel: JitChannel;
  /** What left through it since it was read, less what came, as far as we know. */
  leftMsat: bigint;
}

/** A forward that was continued and of which nothing was heard since. */
interface Continued {
  readonly forward: Forward;
  readonly atMs: number;
  /** What its channel was said to have for it. */
  readonly promisedMsat: bigint;
}

/** Takes what was read: the channels with one peer, or all. */
export type TakeReading = (channels: readonly JitChannel[], peerId?: string) => void;

export class ChannelBook {
  readonly #entries = new Map<string, Entry>();
  readonly #byName = new Map<string, string>();
  readonly #continued = new Map<string, Continued>();
  /** The same and those that were heard of since, the oldest first: the first of a large map is slow to find. */
  #queue: Continued[] = [];
  /** Where the queue begins. */
  #first = 0;
  /** The sum of what was promised to those, by channel. */
  readonly #promisedMsat = new Map<string, bigint>();
  /** For each reading under way what left meanwhile, by channel: it may or may not be in what is read. */
  readonly #readings = new Set<Map<string, bigint>>();

  get size(): number {
    return this.#entries.size;
  }

  of(channelId: string): JitChannel | undefined {
    return this.#entries.get(channelId)?.channel;
  }

  /** The channel of a short channel id or an alias. */
  named(name: string): JitChannel | undefined {
    const channelId = this.#byName.get(name);
    return channelId === undefined ? undefined : this.of(channelId);
  }

  /** All channels with a peer. */
  ofPeer(peerId: string): JitChannel[] {
    return [...this.#entries.values()]
      .map(({ channel }) => channel)
      .filter(channel => channel.peerId === peerId);
  }

  /** What a channel can still send, by what is known. */
  spendableMsat(channelId: string): bigint {
    const entry = this.#entries.get(channelId);
    if (entry === undefined) return 0n;
    const promised = this.#promisedMsat.get(channelId) ?? 0n;
    const left = entry.channel.spendableMsat - entry.leftMsat - promised;
    return left > 0n ? left : 0n;
  }

  /**
   * An HTLC is continued.
   *
   * @param isEnough whether its channel can carry it: then what it takes is no longer there for others. A replayed one
   * takes it once
   */
  continue(forward: Forward, isEnough: boolean, nowMs: number): void {
    const { key, channelId, outMsat } = forward;
    this.ended(key);
    this.expire(nowMs);
    const continued = { forward, atMs: nowMs, promisedMsat: isEnough ? outMsat : 0n };
    this.#continued.set(key, continued);
    this.#queue.push(continued);
    if (isEnough) this.#promisedMsat.set(channelId, (this.#promisedMsat.get(channelId) ?? 0n) + outMsat);
  }

  /** Forgets those of which nothing was heard for long. */
  expire(nowMs: number): void {
    for (;;) {
      const oldest = this.#queue[this.#first];
      if (oldest === undefined) break;
      if (oldest.atMs > nowMs - UNHEARD_MS && this.#queue.length - this.#first < MAX_UNHEARD) break;
      this.#first++;
      // It may have been heard of, or continued again, since.
      const { key } = oldest.forward;
      if (this.#continued.get(key) === oldest) this.ended(key);
    }
    if (this.#first < MAX_UNHEARD) return;
    this.#queue = this.#queue.slice(this.#first);
    this.#first = 0;
  }

  /** lightningd has sent a forward on. @param name the channel that it left through */
  offered(key: string, name: string, outMsat: bigint): void {
    this.ended(key);
    const channelId = this.#byName.get(name);
    if (channelId !== undefined) this.left(channelId, outMsat);
  }

  /** Money has left through a channel, or is about to. */
  left(channelId: string, amountMsat: bigint): void {
    const entry = this.#entries.get(channelId);
    if (entry === undefined) return;
    entry.leftMsat += amountMsat;
    for (const since of this.#readings) since.set(channelId, (since.get(channelId) ?? 0n) + amountMsat);
  }

  /**
   * Money has come in by a channel for good. Not counted where that may be wrong on the rich side: while a reading is under
   * way, which may show it already, and below the reserve, whose rest it fills first.
   */
  came(channelId: string, amountMsat: bigint): void {
    const entry = this.#entries.get(channelId);
    if (entry === undefined || this.#readings.size > 0 || entry.channel.spendableMsat === 0n) return;
    entry.leftMsat -= amountMsat;
  }

  /**
   * A forward did not leave, or has ended: what was promised is free. What came back shows at the next reading.
   *
   * @returns the forward, if nothing had been heard of it since it was continued
   */
  ended(key: string): Forward | undefined {
    const continued = this.#continued.get(key);
    if (continued === undefined) return undefined;
    this.#continued.delete(key);
    const { forward, promisedMsat } = continued;
    const left = (this.#promisedMsat.get(forward.channelId) ?? 0n) - promisedMsat;
    if (left > 0n) this.#promisedMsat.set(forward.channelId, left);
    else this.#promisedMsat.delete(forward.channelId);
    return forward;
  }

  /** A reading begins. What it returns takes what was read; call `abandon` where there is nothing. */
  beginReading(): { readonly take: TakeReading; readonly abandon: () => void } {
    const since = new Map<string, bigint>();
    this.#readings.add(since);
    const abandon = () => {
      this.#readings.delete(since);
    };
    const take: TakeReading = (channels, peerId) => {
      abandon();
      const ids = new Set(channels.map(({ channelId }) => channelId));
      for (const [channelId, { channel }] of [...this.#entries]) {
        if (!ids.has(channelId) && (peerId === undefined || channel.peerId === peerId))
          this.#forget(channelId);
      }
      for (const channel of channels) {
        const { channelId, names } = channel;
        this.#entries.set(channelId, { channel, leftMsat: since.get(channelId) ?? 0n });
        for (const name of names) this.#byName.set(name, channelId);
      }
    };
    return { take, abandon };
  }

  #forget(channelId: string): void {
    for (const name of this.of(channelId)?.names ?? []) {
      if (this.#byName.get(name) === channelId) this.#byName.delete(name);
    }
    this.#entries.delete(channelId);
  }
}
