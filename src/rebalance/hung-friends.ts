/**
 * Friends on circles that hung.
 *
 * Hazard: whoever holds an HTLC holds our liquidity, and could do so again and again at no cost. So a friend on a circle
 * that hung is left out for an hour, then two, up to a day. It may be innocent: a circle names two friends at least.
 */

/** The first time out and the longest: our own choice. */
const FIRST_WAIT_MS = 3_600_000;
const LONGEST_WAIT_MS = 86_400_000;

/** After this long without hanging again: our own choice. */
const FORGIVEN_AFTER_MS = 86_400_000;

interface Hung {
  readonly waitMs: number;
  readonly untilMs: number;
}

export class HungFriends {
  readonly #hung = new Map<string, Hung>();

  note(peerId: string, nowMs: number): void {
    this.#forgive(nowMs);
    const before = this.#hung.get(peerId);
    const waitMs = before === undefined ? FIRST_WAIT_MS : Math.min(2 * before.waitMs, LONGEST_WAIT_MS);
    this.#hung.set(peerId, { waitMs, untilMs: nowMs + waitMs });
  }

  /** Whoever has not hung for long is as good as new, and leaves nothing behind. */
  #forgive(nowMs: number): void {
    for (const [peerId, { untilMs }] of this.#hung) {
      if (nowMs >= untilMs + FORGIVEN_AFTER_MS) this.#hung.delete(peerId);
    }
  }

  /** Who is left out now. */
  peersOut(nowMs: number): string[] {
    return [...this.#hung].filter(([, { untilMs }]) => nowMs < untilMs).map(([peerId]) => peerId);
  }
}
