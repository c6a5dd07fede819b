/**
 * What friends told us, how old it is, and nothing derived from it: one record per friend, flow and amount.
 *
 * Hazard: friends can tell anything, as often as they like. The records of one friend are bounded, an older word never
 * replaces a newer one, and a channel that a newer reply leaves out is forgotten for that amount and those above.
 */

import type { GossipChannel } from '../sharing/ports.ts';
import type { Flow } from '../wire/codec.ts';
import type { ShortChannelId } from '../wire/short-channel-id.ts';

/** How many records of one friend are kept: both flows at eight rungs, the questions that it answers in an hour. */
const MAX_RECORDS_PER_FRIEND = 16;

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

export class Knowledge {
  readonly #words = new Map<string, Word[]>();

  /**
   * Takes up a friend's word.
   *
   * @returns whether anything of it was newer than what we knew
   */
  learn(peerId: string, word: Word): boolean {
    const known = this.#words.get(peerId) ?? [];
    const sameFlow = known.filter(other => other.flow === word.flow);
    if (
      sameFlow.some(other => other.amountMsat === word.amountMsat && other.timestampMs > word.timestampMs)
    ) {
      return false;
    }
    // What a newer word at this amount or below has left out stays out.
    const newer = sameFlow.filter(
      other => other.timestampMs > word.timestampMs && other.amountMsat < word.amountMsat,
    );
    const kept = { ...word, channels: withoutOmitted(word.channels, newer) };
    const others = known
      .filter(other => other.flow !== word.flow || other.amountMsat !== word.amountMsat)
      .map(other =>
        other.flow === word.flow &&
        other.amountMsat > word.amountMsat &&
        other.timestampMs <= word.timestampMs
          ? { ...other, channels: withoutOmitted(other.channels, [word]) }
          : other,
      );
    const all = [...others, kept].sort((a, b) => b.saidAtMs - a.saidAtMs).slice(0, MAX_RECORDS_PER_FRIEND);
    this.#words.set(peerId, all);
    return true;
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
      if (word.amountMsat > rungMsat && word.channels.length === 0) continue;
      if (best === undefined || word.amountMsat < best.amountMsat) best = word;
    }
    return best;
  }

  /** How much is known that was said since the monotonic time `saidSinceMs`; the times are monotonic too. */
  summary(saidSinceMs: number): {
    readonly friends: number;
    readonly words: number;
    readonly channels: number;
    readonly oldestMs: number | undefined;
    readonly newestMs: number | undefined;
  } {
    this.expire(saidSinceMs);
    const words = [...this.#words.values()].flat();
    const times = words.map(word => word.saidAtMs).sort((a, b) => a - b);
    return {
      friends: this.#words.size,
      words: words.length,
      channels: words.reduce((sum, word) => sum + word.channels.length, 0),
      oldestMs: times[0],
      newestMs: times.at(-1),
    };
  }

  /** Forgets what was said before the monotonic time `saidSinceMs`. */
  expire(saidSinceMs: number): void {
    for (const [peerId, words] of this.#words) {
      const fresh = words.filter(word => word.saidAtMs >= saidSinceMs);
      if (fresh.length === 0) this.#words.delete(peerId);
      else this.#words.set(peerId, fresh);
    }
  }
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
