/**
 * What friends told us and how old it is: one record per friend, flow and amount. All that is known of a channel, and
 * the friend-of-a-friend graph, is derived from these records and our own payments' marks when somebody asks.
 *
 * Hazard: friends can tell anything, as often as they like. What is kept of one friend and of all is bounded, an older
 * word never replaces a newer one, a channel that a newer reply leaves out is forgotten for that amount and those
 * above, and no word counts against what our own payments have shown since.
 */
import type { GossipChannel } from '../sharing/ports.ts';
import type { Flow } from '../wire/codec.ts';
import type { ShortChannelId } from '../wire/short-channel-id.ts';
import { FriendRecords } from './friend-records.ts';
import { type ChannelDirection, type Failure, Marks } from './marks.ts';

/** How many records of one friend are kept: both flows at eight rungs, the questions that it answers in an hour. */
const MAX_RECORDS_PER_FRIEND = 16;
/** How many channels all records may name together, about 10 bytes each. A node with 500 large friends has 42,610. */
const MAX_NAMED_CHANNELS = 500_000;

/** A success shows that an offer was kept if it moved at least one part in so many of it. Our own choice. */
const GOOD_PART = 2n;

/** One reply, after the gossip was asked. */
export interface Word {
  readonly flow: Flow;
  /** The amount that it holds for. */
  readonly amountMsat: bigint;
  /** As the friend said it, milliseconds since the Unix epoch. */
  readonly timestampMs: bigint;
  /** The monotonic time that corresponds to `timestampMs`: ages are counted from here. */
  readonly saidAtMs: number;
  /** In the order of their short channel ids. */
  readonly channels: readonly GossipChannel[];
}

/** What a friend would willingly move on one channel, as far as we know now. */
export interface Offer {
  readonly channel: GossipChannel;
  readonly peerId: string;
  /** At least this much: what was said, changed by our own use since; never above what the channel can carry. */
  readonly amountMsat: bigint;
  /** Monotonic milliseconds. */
  readonly saidAtMs: number;
}

export class Knowledge {
  readonly records = new FriendRecords();
  readonly #words = new Map<string, readonly Word[]>();
  readonly #marks = new Marks();
  /** On which channels a word has counted as kept. */
  readonly #kept = new WeakMap<Word, Set<ShortChannelId>>();
  #named = 0;

  /**
   * Takes up a friend's word.
   *
   * @returns what was kept of it; `undefined` when we knew newer
   */
  learn(peerId: string, word: Word): Word | undefined {
    const known = this.#words.get(peerId) ?? [];
    const sameFlow = known.filter(other => other.flow === word.flow);
    const before = sameFlow.find(other => other.amountMsat === word.amountMsat);
    if (before !== undefined && before.timestampMs > word.timestampMs) return undefined;
    // What a newer word at this amount or below has left out stays out.
    const newer = sameFlow.filter(
      other => other.timestampMs > word.timestampMs && other.amountMsat < word.amountMsat,
    );
    // A word from before a mark is not taken up again; what was taken up before the mark stays, with the mark applied.
    const channels = withoutOmitted(word.channels, newer).filter(
      channel =>
        !this.#marks.isMarkedSince(channel, word.saidAtMs) ||
        (before !== undefined && names(before, channel)),
    );
    const others = known
      .filter(other => other !== before)
      .map(other =>
        other.flow === word.flow && other.amountMsat > word.amountMsat && other.timestampMs < word.timestampMs
          ? { ...other, channels: withoutOmitted(other.channels, [word]) }
          : other,
      );
    const kept = { ...word, channels };
    const all = [...others, kept].sort((a, b) => b.saidAtMs - a.saidAtMs);
    this.#keep(peerId, all.slice(0, MAX_RECORDS_PER_FRIEND));
    while (this.#named > MAX_NAMED_CHANNELS) this.#dropOldest();
    return this.standing(kept);
  }

  /**
   * The word of a friend that answers a question without asking: the one for the least amount that is enough. A word
   * for more than `rungMsat` serves only if it names a channel: that nothing moves a larger amount says nothing here.
   *
   * @param rungMsat the rung that would be asked
   * @param saidSinceMs the monotonic time before which word no longer counts
   */
  recall(peerId: string, flow: Flow, rungMsat: bigint, saidSinceMs: number): Word | undefined {
    let best: Word | undefined;
    for (const word of this.#words.get(peerId) ?? []) {
      if (word.flow !== flow || word.amountMsat < rungMsat || word.saidAtMs < saidSinceMs) continue;
      if (best !== undefined && word.amountMsat >= best.amountMsat) continue;
      const standing = this.standing(word);
      if (word.amountMsat > rungMsat && standing.channels.length === 0) continue;
      best = standing;
    }
    return best;
  }

  /** A word without the channels on which our own payments have shown since that its amount does not move. */
  standing(word: Word): Word {
    const channels = word.channels.filter(channel => {
      const left = this.#marks.left(channel, word.amountMsat, word.saidAtMs);
      return left !== undefined && left >= word.amountMsat;
    });
    return channels.length === word.channels.length ? word : { ...word, channels };
  }

  /** The largest offer on one channel in one direction, by either of its ends. */
  offerOn(channel: GossipChannel, saidSinceMs: number): Offer | undefined {
    const bySource = this.#offerBy(channel.source, 1, channel, saidSinceMs);
    const byDestination = this.#offerBy(channel.destination, 0, channel, saidSinceMs);
    if (bySource === undefined || byDestination === undefined) return bySource ?? byDestination;
    return byDestination.amountMsat > bySource.amountMsat ? byDestination : bySource;
  }

  /**
   * All that is offered now: each channel and direction once per friend, the largest offer; friends in the order of
   * their newest word. A generator, since it may be long and others need their turn.
   *
   * @param isWanted whose offers; everybody's when left out
   */
  *offers(saidSinceMs: number, isWanted: (peerId: string) => boolean = () => true): Generator<Offer> {
    const friends = [...this.#words]
      .filter(([peerId]) => isWanted(peerId))
      .sort(([, [a]], [, [b]]) => (b?.saidAtMs ?? 0) - (a?.saidAtMs ?? 0));
    for (const [peerId, words] of friends) {
      for (const flow of [1, 0]) {
        const fresh = words.filter(word => word.flow === flow && word.saidAtMs >= saidSinceMs);
        if (fresh.length > 1) {
          yield* this.#largest(peerId, fresh);
          continue;
        }
        // Mostly there is one, which names each channel once.
        for (const word of fresh) {
          for (const channel of word.channels) {
            const offer = this.#offerOf(peerId, word, channel);
            if (offer !== undefined) yield offer;
          }
        }
      }
    }
  }

  /** The answers that count now, as they stand, by friend. May be taken while more is learned, as `offers` may. */
  *words(saidSinceMs: number): Generator<readonly [peerId: string, word: Word]> {
    for (const [peerId, words] of [...this.#words]) {
      for (const word of words) if (word.saidAtMs >= saidSinceMs) yield [peerId, this.standing(word)];
    }
  }

  /** The same as they were taken up, whatever our own payments have shown since. */
  *said(saidSinceMs: number): Generator<readonly [peerId: string, word: Word]> {
    for (const [peerId, words] of [...this.#words]) {
      for (const word of words) if (word.saidAtMs >= saidSinceMs) yield [peerId, word];
    }
  }

  /** The least amount that failed there since, 0 when the channel was withdrawn as a whole. */
  leastFailedMsat(channel: ChannelDirection, sinceMs: number): bigint | undefined {
    return this.#marks.leastFailedMsat(channel, sinceMs);
  }

  /** The failures for want of liquidity since. */
  failures(sinceMs: number): Generator<Failure> {
    return this.#marks.failures(sinceMs);
  }

  /**
   * A payment of ours failed for want of liquidity: word from before for as much counts no longer, and the node that
   * should have forwarded has not kept its own word.
   *
   * @param amountMsat the least that the channel should have carried
   * @param provenMsat the most that it should have carried, where that is not known exactly
   */
  failed(channel: ChannelDirection, amountMsat: bigint, nowMs: number, provenMsat = amountMsat): void {
    this.#note(channel, amountMsat, 'failed');
    this.#marks.failed(channel, amountMsat, nowMs, provenMsat);
  }

  /** The channel, or its next node, is disabled, unknown or gone: word from before counts no longer. Nobody is to blame. */
  withdraw(channel: ChannelDirection, nowMs: number): void {
    this.#marks.withdrawn(channel, nowMs);
  }

  /** We moved an amount ourselves: there is less of what was offered, and more the other way. */
  moved(channel: ChannelDirection, amountMsat: bigint, nowMs: number): void {
    this.#note(channel, amountMsat, 'kept');
    this.#marks.moved(channel, amountMsat, nowMs);
  }

  /** How much is known that was said since the monotonic time `saidSinceMs`; the times are monotonic too. */
  summary(saidSinceMs: number): {
    readonly friends: number;
    readonly words: number;
    readonly channels: number;
    readonly marked: number;
    readonly oldestMs: number | undefined;
    readonly newestMs: number | undefined;
  } {
    this.expire(saidSinceMs);
    const words = [...this.#words.values()].flat();
    const times = words.map(word => word.saidAtMs).sort((a, b) => a - b);
    return {
      friends: this.#words.size,
      words: words.length,
      channels: this.#named,
      marked: this.#marks.size,
      oldestMs: times[0],
      newestMs: times.at(-1),
    };
  }

  /** Forgets what was said, and what happened, before the monotonic time `saidSinceMs`. */
  expire(saidSinceMs: number): void {
    for (const [peerId, words] of [...this.#words]) {
      const fresh = words.filter(word => word.saidAtMs >= saidSinceMs);
      if (fresh.length < words.length) this.#keep(peerId, fresh);
    }
    this.#marks.expire(saidSinceMs);
  }

  /**
   * Whoever has offered something there has kept it, or has not.
   *
   * A failure counts against the node that reported it alone, the channel's source: else it could spoil the record of
   * the other end. A success counts once for each word and channel, and only if it moved a good part of what was
   * offered: else a liar on a busy path would earn a good record by our small payments.
   */
  #note(
    { shortChannelId, direction }: ChannelDirection,
    amountMsat: bigint,
    outcome: 'kept' | 'failed',
  ): void {
    for (const [peerId, words] of this.#words) {
      let isTried = false;
      for (const word of words) {
        const channel = find(word, shortChannelId);
        if (channel === undefined || channel.direction !== direction) continue;
        const left = this.#marks.left(channel, word.amountMsat, word.saidAtMs);
        if (left === undefined) continue;
        if (outcome === 'failed') isTried ||= channel.source === peerId && left >= amountMsat;
        else if (left <= GOOD_PART * amountMsat) isTried = this.#isFirstKept(word, shortChannelId) || isTried;
      }
      if (isTried) this.records.note(peerId, outcome);
    }
  }

  #isFirstKept(word: Word, shortChannelId: ShortChannelId): boolean {
    const kept = this.#kept.get(word) ?? new Set();
    this.#kept.set(word, kept);
    if (kept.has(shortChannelId)) return false;
    kept.add(shortChannelId);
    return true;
  }

  #offerBy(
    peerId: string,
    flow: Flow,
    { shortChannelId }: GossipChannel,
    saidSinceMs: number,
  ): Offer | undefined {
    let best: Offer | undefined;
    for (const word of this.#words.get(peerId) ?? []) {
      if (word.flow !== flow || word.saidAtMs < saidSinceMs) continue;
      const channel = find(word, shortChannelId);
      const offer = channel && this.#offerOf(peerId, word, channel);
      if (offer !== undefined && (best === undefined || offer.amountMsat > best.amountMsat)) best = offer;
    }
    return best;
  }

  /** Of each channel that the words name the largest offer. */
  #largest(peerId: string, words: readonly Word[]): Iterable<Offer> {
    const best = new Map<ShortChannelId, Offer>();
    for (const word of words) {
      for (const channel of word.channels) {
        const offer = this.#offerOf(peerId, word, channel);
        const known = best.get(channel.shortChannelId);
        if (offer !== undefined && (known === undefined || offer.amountMsat > known.amountMsat)) {
          best.set(channel.shortChannelId, offer);
        }
      }
    }
    return best.values();
  }

  /** What is left of a word on one of its channels. */
  #offerOf(peerId: string, { amountMsat, saidAtMs }: Word, channel: GossipChannel): Offer | undefined {
    const left = this.#marks.left(channel, amountMsat, saidAtMs);
    if (left === undefined) return undefined;
    const carried = least(channel.capacityMsat, channel.limits.maximumMsat);
    return { channel, peerId, amountMsat: least(left, carried), saidAtMs };
  }

  #keep(peerId: string, words: readonly Word[]): void {
    const count = (list: readonly Word[]) => list.reduce((sum, word) => sum + word.channels.length, 0);
    this.#named += count(words) - count(this.#words.get(peerId) ?? []);
    if (words.length === 0) this.#words.delete(peerId);
    else this.#words.set(peerId, words);
  }

  #dropOldest(): void {
    let oldest:
      | { readonly peerId: string; readonly words: readonly Word[]; readonly saidAtMs: number }
      | undefined;
    for (const [peerId, words] of this.#words) {
      const last = words.at(-1);
      if (last !== undefined && (oldest === undefined || last.saidAtMs < oldest.saidAtMs)) {
        oldest = { peerId, words, saidAtMs: last.saidAtMs };
      }
    }
    if (oldest !== undefined) this.#keep(oldest.peerId, oldest.words.slice(0, -1));
  }
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

/** By halving: a word names up to 1000 channels, in order. */
function find({ channels }: Word, shortChannelId: ShortChannelId): GossipChannel | undefined {
  let low = 0;
  let high = channels.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const channel = channels[middle];
    if (channel === undefined || channel.shortChannelId >= shortChannelId) high = middle;
    else low = middle + 1;
  }
  const found = channels[low];
  return found?.shortChannelId === shortChannelId ? found : undefined;
}

function names(word: Word, channel: GossipChannel): boolean {
  return find(word, channel.shortChannelId) !== undefined;
}

function withoutOmitted(
  channels: readonly GossipChannel[],
  later: readonly Word[],
): readonly GossipChannel[] {
  if (later.length === 0) return channels;
  const named = later.map(
    word => new Set<ShortChannelId>(word.channels.map(channel => channel.shortChannelId)),
  );
  return channels.filter(channel => named.every(set => set.has(channel.shortChannelId)));
}
