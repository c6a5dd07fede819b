/**
 * What our own payments showed of channels: failures, and what we moved ourselves.
 *
 * Hazard: a friend's word describes the moment at which it was said. What our payments did to the channel since must
 * count against every word from before, also against one that arrives later; what a later payment refutes must not
 * stand; and whoever makes our payments fail must neither fill our memory nor speak for a channel's other direction.
 */
import { LRUCache } from 'lru-cache';
import type { ShortChannelId } from '../wire/short-channel-id.ts';

/** Of how many channels marks are kept; those that were marked longest ago go first. Our own choice. */
const MAX_CHANNELS = 10_000;
/** How many marks of one channel are kept one by one; after that the oldest are put together. */
const MAX_MARKS_PER_CHANNEL = 32;

/** One direction of a channel. */
export interface ChannelDirection {
  readonly shortChannelId: ShortChannelId;
  readonly direction: 0 | 1;
}

/** `withdrawn`: the channel, or its next node, is disabled, unknown or gone. */
type Mark = { readonly atMs: number } & (
  | {
      readonly kind: 'failed';
      readonly direction: 0 | 1;
      readonly amountMsat: bigint;
      readonly provenMsat: bigint;
    }
  | { readonly kind: 'withdrawn'; readonly direction: 0 | 1 }
  | Moved
);

/** By direction: what there is less of what was offered, and what there is more. */
interface Moved {
  readonly kind: 'moved';
  readonly lessMsat: readonly [bigint, bigint];
  readonly moreMsat: readonly [bigint, bigint];
}

/** A want of liquidity that a payment of ours met. */
export interface Failure extends ChannelDirection {
  /** Less than this got through. */
  readonly amountMsat: bigint;
  /** Monotonic milliseconds. */
  readonly atMs: number;
}

export class Marks {
  readonly #marks = new LRUCache<ShortChannelId, readonly Mark[]>({ max: MAX_CHANNELS });

  /**
   * A want of liquidity.
   *
   * @param amountMsat the least that the hop should have carried: an offer of as much was not kept
   * @param provenMsat the most: less than this got through
   */
  failed(
    { shortChannelId, direction }: ChannelDirection,
    amountMsat: bigint,
    atMs: number,
    provenMsat: bigint,
  ): void {
    this.#add(shortChannelId, { kind: 'failed', direction, amountMsat, provenMsat, atMs });
  }

  withdrawn({ shortChannelId, direction }: ChannelDirection, atMs: number): void {
    this.#add(shortChannelId, { kind: 'withdrawn', direction, atMs });
  }

  /** We moved an amount: there is less that way, and more the other. */
  moved({ shortChannelId, direction }: ChannelDirection, amountMsat: bigint, atMs: number): void {
    const [lessMsat, moreMsat]: [Moved['lessMsat'], Moved['moreMsat']] =
      direction === 0
        ? [
            [amountMsat, 0n],
            [0n, amountMsat],
          ]
        : [
            [0n, amountMsat],
            [amountMsat, 0n],
          ];
    this.#add(shortChannelId, { kind: 'moved', lessMsat, moreMsat, atMs });
  }

  #add(shortChannelId: ShortChannelId, mark: Mark): void {
    const marks = [...(this.#marks.get(shortChannelId) ?? []), mark];
    this.#marks.set(shortChannelId, marks.length > MAX_MARKS_PER_CHANNEL ? merged(marks) : marks);
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
      if (mark.kind === 'moved') left += mark.moreMsat[channel.direction] - mark.lessMsat[channel.direction];
      else if (mark.direction !== channel.direction) continue;
      else if (mark.kind === 'withdrawn' || left >= mark.amountMsat) return undefined;
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
    if (this.#marks.size === 0) return undefined;
    return leastFailed(this.#marks.peek(shortChannelId) ?? [], direction, sinceMs)?.amountMsat;
  }

  /** The failures for want of liquidity at `sinceMs` or later, the least of each direction, the newest channels first. */
  *failures(sinceMs: number): Generator<Failure> {
    for (const [shortChannelId, marks] of this.#marks.entries()) {
      for (const direction of [0, 1] as const) {
        const failure = leastFailed(marks, direction, sinceMs);
        if (failure !== undefined && failure.amountMsat > 0n) yield { shortChannelId, direction, ...failure };
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

/** What moved later refutes a failure: as much the same way, or anything back, which gave that side more again. */
function leastFailed(
  marks: readonly Mark[],
  direction: 0 | 1,
  sinceMs: number,
): Pick<Failure, 'amountMsat' | 'atMs'> | undefined {
  let least: Pick<Failure, 'amountMsat' | 'atMs'> | undefined;
  for (const mark of marks) {
    if (mark.atMs < sinceMs) continue;
    if (mark.kind === 'moved') {
      const refutes = mark.moreMsat[direction] > 0n || mark.lessMsat[direction] >= (least?.amountMsat ?? 0n);
      if (refutes && mark.moreMsat[direction] + mark.lessMsat[direction] > 0n) least = undefined;
    } else if (mark.direction === direction) {
      const amountMsat = mark.kind === 'withdrawn' ? 0n : mark.provenMsat;
      if (least === undefined || amountMsat < least.amountMsat) least = { amountMsat, atMs: mark.atMs };
    }
  }
  return least;
}

/**
 * One mark less. Two of our own moves become one at the later's time: what both took counts, what only the earlier
 * gave does not, so that no word is ever made more of than it is. Where there are no two, the oldest mark goes.
 */
function merged(marks: readonly Mark[]): readonly Mark[] {
  const first = marks.findIndex(mark => mark.kind === 'moved');
  const second = marks.findIndex((mark, index) => index > first && mark.kind === 'moved');
  const [a, b] = [marks[first], marks[second]];
  if (a?.kind !== 'moved' || b?.kind !== 'moved') return marks.slice(1);
  const both: Mark = {
    kind: 'moved',
    lessMsat: [a.lessMsat[0] + b.lessMsat[0], a.lessMsat[1] + b.lessMsat[1]],
    moreMsat: b.moreMsat,
    atMs: b.atMs,
  };
  return marks.map((mark, index) => (index === second ? both : mark)).filter((_, index) => index !== first);
}
