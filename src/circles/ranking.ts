/**
 * The best circles found so far.
 *
 * Of circles that differ only in which of our parallel channels they use, the best one is kept: with the peer choosing
 * among those anyway, trying another of them after a failure would be the same try again.
 */
import { compareShortChannelIds } from '../wire/short-channel-id.ts';
import type { Head, Tail } from './edges.ts';
import type { Out } from './own-ends.ts';

/** A circle in doubles; all amounts in millisatoshi. */
export interface Found {
  readonly out: Out;
  readonly head: Head;
  readonly tail: Tail;
  readonly fee: number;
  readonly delay: number;
  readonly chance: number;
  /** The expected cost, rounded. */
  readonly cost: number;
  /** What it is ranked by: the cost, or more where it brings less than another might. */
  readonly price: number;
}

export class Ranking {
  readonly #limit: number;
  #found: Found[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Best first. */
  get found(): readonly Found[] {
    return this.#found;
  }

  /** The price above which nothing is taken up any more. */
  get worst(): number {
    const last = this.#found[this.#limit - 1];
    return last === undefined ? Number.POSITIVE_INFINITY : last.price;
  }

  add(circle: Found): void {
    const same = this.#found.findIndex(other => isSamePath(other, circle));
    const rival = this.#found[same];
    if (rival !== undefined) {
      if (compare(rival, circle) <= 0) return;
      this.#found.splice(same, 1);
    }
    const after = this.#found.findIndex(other => compare(circle, other) < 0);
    this.#found.splice(after < 0 ? this.#found.length : after, 0, circle);
    if (this.#found.length > this.#limit) this.#found.pop();
  }
}

function isSamePath(a: Found, b: Found): boolean {
  return a.head.edge.lane === b.head.edge.lane && a.tail.edge?.lane === b.tail.edge?.lane;
}

/**
 * The better circle first: the lower expected cost for what it brings, of equal ones the lower fee, the lower delay, the one that leaves
 * where we have more to send and comes in where there is more room; then by short channel ids, so that the order
 * depends on nothing else.
 */
function compare(a: Found, b: Found): number {
  return (
    a.price - b.price ||
    a.fee - b.fee ||
    a.delay - b.delay ||
    b.out.maximum - a.out.maximum ||
    b.tail.in.receivable - a.tail.in.receivable ||
    compareShortChannelIds(a.out.shortChannelId, b.out.shortChannelId) ||
    compareShortChannelIds(
      a.head.edge.lane.channel.shortChannelId,
      b.head.edge.lane.channel.shortChannelId,
    ) ||
    compareShortChannelIds(secondId(a), secondId(b)) ||
    compareShortChannelIds(a.tail.in.shortChannelId, b.tail.in.shortChannelId)
  );
}

/** No channel has id 0, so that the shorter of two circles comes first. */
function secondId({ tail }: Found): bigint {
  return tail.edge?.lane.channel.shortChannelId ?? 0n;
}
