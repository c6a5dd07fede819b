/**
 * What our own payments showed of channels: failures, and what we moved ourselves.
 *
 * Hazard: a friend's word describes the moment at which it was said. What our payments did to the channel since must
 * count against every word from before, also against one that arrives later; and whoever makes our payments fail must
 * neither fill our memory nor speak for a channel's other direction.
 */
import { LRUCache } from 'lru-cache';
import type { ShortChannelId } from '../wire/short-channel-id.ts';

/** Of how many channels marks are kept; those that were marked longest ago go first. Our own choice. */
const MAX_CHANNELS = 10_000;
/** How many marks of one channel are kept one by one; after that the channel's older word counts for nothing. */
const MAX_MARKS_PER_CHANNEL = 32;

/**
 * `failed`: `amountMsat` did not get through for want of liquidity. `moved`: we moved `amountMsat` through it.
 * `withdrawn`: the channel, or its next node, is disabled, unknown or gone.
 */
export type MarkKind = 'failed' | 'moved' | 'withdrawn';

/** One direction of a channel. */
export interface ChannelDirection {
  readonly shortChannelId: ShortChannelId;
  readonly direction: 0 | 1;
}

interface Mark {
  readonly kind: MarkKind;
  readonly direction: 0 | 1;
  /** 0 where the kind has none. */
  readonly amountMsat: bigint;
  /** Monotonic milliseconds. */
  readonly atMs: number;
}

/** A want of liquidity that a payment of ours met. */
export interface Failure extends ChannelDirection {
  readonly amountMsat: bigint;
  readonly atMs: number;
}

export class Marks {
  readonly #marks = new LRUCache<ShortChannelId, Mark[]>({ max: MAX_CHANNELS });

  add(
    { shortChannelId, direction }: ChannelDirection,
    kind: MarkKind,
    amountMsat: bigint,
    atMs: number,
  ): void {
    const known = this.#marks.get(shortChannelId) ?? [];
    const marks = [...known, { kind, direction, amountMsat, atMs }];
    if (marks.length > MAX_MARKS_PER_CHANNEL) {
      // What is forgotten may have lowered either direction.
      for (const each of [0, 1] as const)
        marks.push({ kind: 'withdrawn', direction: each, amountMsat: 0n, atMs });
      marks.splice(0, marks.length - 2);
    }
    this.#marks.set(shortChannelId, marks);
  }

  /**
   * What is left of an offer that was made at `saidAtMs`: less what we moved since, more what we moved the other way,
   * nothing where as much has failed since.
   */
  left(channel: ChannelDirection, amountMsat: bigint, saidAtMs: number): bigint | undefined {
    let left = amountMsat;
    // Mostly there are none, and a large node asks tens of thousands of times.
    if (this.#marks.size === 0) return left;
    for (const mark of this.#marks.peek(channel.shortChannelId) ?? []) {
      if (mark.atMs < saidAtMs) continue;
      const isSameWay = mark.direction === channel.direction;
      if (mark.kind === 'moved') left += isSameWay ? -mark.amountMsat : mark.amountMsat;
      else if (isSameWay && (mark.kind === 'withdrawn' || left >= mark.amountMsat)) return undefined;
    }
    return left > 0n ? left : undefined;
  }

  /** Whether anything happened in that direction, or by our own use in either, at `sinceMs` or later. */
  isMarkedSince({ shortChannelId, direction }: ChannelDirection, sinceMs: number): boolean {
    return (this.#marks.peek(shortChannelId) ?? []).some(
      mark => mark.atMs >= sinceMs && (mark.kind === 'moved' || mark.direction === direction),
    );
  }

  /** The least amount that failed in that direction at `sinceMs` or later; 0 when the channel was withdrawn. */
  leastFailedMsat({ shortChannelId, direction }: ChannelDirection, sinceMs: number): bigint | undefined {
    let least: bigint | undefined;
    if (this.#marks.size === 0) return least;
    for (const mark of this.#marks.peek(shortChannelId) ?? []) {
      if (mark.atMs < sinceMs || mark.direction !== direction || mark.kind === 'moved') continue;
      if (least === undefined || mark.amountMsat < least) least = mark.amountMsat;
    }
    return least;
  }

  /** The failures for want of liquidity at `sinceMs` or later, the newest channels first. */
  *failures(sinceMs: number): Generator<Failure> {
    for (const [shortChannelId, marks] of this.#marks.entries()) {
      for (const { kind, direction, amountMsat, atMs } of marks) {
        if (kind === 'failed' && atMs >= sinceMs) yield { shortChannelId, direction, amountMsat, atMs };
      }
    }
  }

  /** Of how many channels something is kept. */
  get size(): number {
    return this.#marks.size;
  }

  /** Forgets what happened before `sinceMs`: word from before that counts no longer either. */
  expire(sinceMs: number): void {
    for (const [shortChannelId, marks] of [...this.#marks.entries()]) {
      const kept = marks.filter(mark => mark.atMs >= sinceMs);
      if (kept.length === 0) this.#marks.delete(shortChannelId);
      else if (kept.length < marks.length) this.#marks.set(shortChannelId, kept);
    }
  }
}
