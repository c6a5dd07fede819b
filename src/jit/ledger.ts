/**
 * What may still be spent on circles, and what was.
 *
 * Hazard, the attack that this bounds: Mallory has a peer on either side of us and a dear channel somewhere around.
 * Her forwards want an empty channel of ours; we pay a circle to fill it, over her dear channel; then she fails the
 * forward, empties the channel and begins anew. Each round costs her nothing and earns her our fees. It works on any rule that only
 * looks at the forward at hand, since she promises whatever fee the rule wants to see. So whatever forwards promise, all
 * circles of a week together cost at most a quarter of what forwards really earned in it and a small allowance, by
 * channel and over all; then nothing is held any more. A circle is booked at the most that it can cost before it is
 * sent, where kill -9 does not clear it, and stays booked like that until lightningd says for certain what it cost:
 * crashing us or hanging the circle gains her nothing either.
 */
import type { JitClock } from './ports.ts';

const WEEK_MS = 7 * 86_400_000;
/** Of what forwards earned in a week, circles may cost a quarter. */
const EARNED_DIVISOR = 4n;
/** A booking costs a record in lightningd's database: never more than this. Our own choice. */
const MAX_BOOKINGS = 1000;

export interface Booking {
  readonly id: string;
  /** The short channel id of the channel that is filled. */
  readonly channel: string;
  /** Milliseconds since the Unix epoch. */
  readonly atWallMs: number;
  /** The most that it can cost, and what it did cost once that is known. */
  readonly feeMsat: bigint;
}

export interface Allowances {
  readonly perChannelMsat: bigint;
  readonly totalMsat: bigint;
}

/** What forwards earned in the last week. */
export interface Earned {
  earnedMsat(channel: string, wallMs: number): bigint;
  earnedByAllMsat(wallMs: number): bigint;
}

/** What was booked in the last week. */
export interface Spent {
  readonly byAllMsat: bigint;
  readonly byChannelMsat: ReadonlyMap<string, bigint>;
}

interface Entry {
  readonly booking: Booking;
  /** When a week is over by the monotonic clock too: a wall clock that leaps ahead must not free what was spent. */
  readonly freeAtMs: number;
}

export class Ledger {
  readonly #earned: Earned;
  readonly #allowances: () => Allowances;
  readonly #clock: Pick<JitClock, 'wallMs' | 'monotonicMs'>;
  readonly #entries = new Map<string, Entry>();
  /** What the wall clock is ahead of the monotonic one, as it was at the start. */
  readonly #offsetMs: number;
  #unreadable = 0;

  constructor(earned: Earned, allowances: () => Allowances, clock: Pick<JitClock, 'wallMs' | 'monotonicMs'>) {
    this.#earned = earned;
    this.#allowances = allowances;
    this.#clock = clock;
    this.#offsetMs = clock.wallMs() - clock.monotonicMs();
  }

  /** When a booking is made: by a clock that was set back meanwhile it would be over too early after a restart. */
  stampMs(): number {
    return Math.max(this.#clock.wallMs(), this.#clock.monotonicMs() + this.#offsetMs);
  }

  /** How many records nobody could read: nothing is left as long as there are any, since they may have been anything. */
  get unreadable(): number {
    return this.#unreadable;
  }

  /** What a circle for a channel may cost now, at most; 0 when nothing is left. */
  remainingMsat(channel: string, spent = this.spent()): bigint {
    if (this.#unreadable > 0) return 0n;
    const { perChannelMsat, totalMsat } = this.#allowances();
    const wallMs = this.#clock.wallMs();
    const ofChannel =
      perChannelMsat +
      this.#earned.earnedMsat(channel, wallMs) / EARNED_DIVISOR -
      (spent.byChannelMsat.get(channel) ?? 0n);
    const ofAll = totalMsat + this.#earned.earnedByAllMsat(wallMs) / EARNED_DIVISOR - spent.byAllMsat;
    const least = ofChannel < ofAll ? ofChannel : ofAll;
    return least > 0n ? least : 0n;
  }

  /** What was booked in the last week. What lies ahead, by a clock that was wrong, counts too. */
  spent(): Spent {
    const byChannelMsat = new Map<string, bigint>();
    let byAllMsat = 0n;
    for (const entry of this.#entries.values()) {
      if (this.#isOver(entry)) continue;
      const { channel, feeMsat } = entry.booking;
      byAllMsat += feeMsat;
      byChannelMsat.set(channel, (byChannelMsat.get(channel) ?? 0n) + feeMsat);
    }
    return { byAllMsat, byChannelMsat };
  }

  /** Takes what a circle may cost out of what is left. Returns whether there was so much. */
  book(booking: Booking): boolean {
    const { id, channel, feeMsat } = booking;
    if (feeMsat < 0n || this.#entries.has(id)) return false;
    if (this.#entries.size >= MAX_BOOKINGS || this.remainingMsat(channel) < feeMsat) return false;
    this.#take(booking);
    return true;
  }

  /** What it did cost; 0 when nothing was or will be paid. Returns the booking as it is now, if any is left. */
  settle(id: string, feeMsat: bigint): Booking | undefined {
    const entry = this.#entries.get(id);
    if (entry === undefined) return undefined;
    if (feeMsat <= 0n) {
      this.#entries.delete(id);
      return undefined;
    }
    const booking = { ...entry.booking, feeMsat };
    this.#entries.set(id, { ...entry, booking });
    return booking;
  }

  /** Forgets what is older than a week. Returns the ids. */
  prune(): string[] {
    const over = [...this.#entries].filter(([, entry]) => this.#isOver(entry)).map(([id]) => id);
    for (const id of over) this.#entries.delete(id);
    return over;
  }

  /**
   * Takes up what an earlier process wrote: all of it counts as spent.
   *
   * @param unreadable how many records nobody can read
   */
  restore(bookings: readonly Booking[], unreadable: number): void {
    for (const booking of bookings) this.#take(booking);
    this.#unreadable += unreadable;
  }

  #take(booking: Booking): void {
    const ageMs = this.#clock.wallMs() - booking.atWallMs;
    this.#entries.set(booking.id, { booking, freeAtMs: this.#clock.monotonicMs() + WEEK_MS - ageMs });
  }

  #isOver({ booking, freeAtMs }: Entry): boolean {
    return this.#clock.monotonicMs() >= freeAtMs && this.#clock.wallMs() - booking.atWallMs >= WEEK_MS;
  }
}
