/**
 * How often each friend's offers were kept, when our own payments tried them (docs/protocol.md, "Believing").
 *
 * Hazard: one failure is no lie, since balances move; and a friend that was good for long may turn. So a record is a
 * share with a prior, and what lies far back fades.
 */

/**
 * What is assumed of a friend before anything was tried: as if four of five offers had been kept. Our own choice: an
 * offer is some minutes old, and about 1 % of balances move in a minute.
 */
const PRIOR_KEPT = 4;
const PRIOR_FAILED = 1;
/** From this many tries on both counts are halved, so that what is new counts. */
const FADES_AT = 64;
/** A record below this is no longer good: after four failures in a row without anything kept. Our own choice. */
const GOOD = 0.5;

interface Counts {
  kept: number;
  failed: number;
}

export class FriendRecords {
  /** Only of friends whose word we held: they are as many as our channels. */
  readonly #counts = new Map<string, Counts>();

  note(peerId: string, outcome: keyof Counts): void {
    const counts = this.#counts.get(peerId) ?? { kept: 0, failed: 0 };
    counts[outcome]++;
    if (counts.kept + counts.failed >= FADES_AT) {
      counts.kept /= 2;
      counts.failed /= 2;
    }
    this.#counts.set(peerId, counts);
  }

  of(peerId: string): { readonly kept: number; readonly failed: number } {
    return this.#counts.get(peerId) ?? { kept: 0, failed: 0 };
  }

  /** The chance that an offer of this friend is kept, 0 to 1: the mean of a beta distribution. */
  reliability(peerId: string): number {
    const { kept, failed } = this.of(peerId);
    return (kept + PRIOR_KEPT) / (kept + failed + PRIOR_KEPT + PRIOR_FAILED);
  }

  /** Whether others, such as xpay, should be told of this friend's offers. */
  isGood(peerId: string): boolean {
    return this.reliability(peerId) >= GOOD;
  }
}
