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

export class Ledger {
  readonly #earned: Earned;
  readonly #allowances: () => Allowances;
  readonly #bookings = new Map<string, Booking>();
  /** Spent on nobody knows what: records that could not be read. */
  #unknownMsat = 0n;

  constructor(earned: Earned, allowances: () => Allowances) {
    this.#earned = earned;
    this.#allowances = allowances;
  }

  /** What a circle for a channel may cost now, at most; 0 when nothing is left. */
  remainingMsat(channel: string, wallMs: number): bigint {
    const { perChannelMsat, totalMsat } = this.#allowances();
    const ofChannel =
      perChannelMsat +
      this.#earned.earnedMsat(channel, wallMs) / EARNED_DIVISOR -
      this.spentMsat(wallMs, channel);
    const ofAll =
      totalMsat +
      this.#earned.earnedByAllMsat(wallMs) / EARNED_DIVISOR -
      this.spentMsat(wallMs) -
      this.#unknownMsat;
    const least = ofChannel < ofAll ? ofChannel : ofAll;
    return least > 0n ? least : 0n;
  }

  /** What was booked in the last week. What lies ahead, by a clock that was wrong, counts too. */
  spentMsat(wallMs: number, channel?: string): bigint {
    let spent = 0n;
    for (const booking of this.#bookings.values()) {
      if (isOver(booking, wallMs)) continue;
      if (channel === undefined || booking.channel === channel) spent += booking.feeMsat;
    }
    return spent;
  }

  /** The channels that something was booked for. */
  channels(): string[] {
    return [...new Set([...this.#bookings.values()].map(({ channel }) => channel))];
  }

  /** Takes what a circle may cost out of what is left. Returns whether there was so much. */
  book(booking: Booking): boolean {
    const { id, channel, atWallMs, feeMsat } = booking;
    if (feeMsat < 0n || this.#bookings.has(id)) return false;
    if (this.#bookings.size >= MAX_BOOKINGS || this.remainingMsat(channel, atWallMs) < feeMsat) return false;
    this.#bookings.set(id, booking);
    return true;
  }

  /** What it did cost; 0 when nothing was or will be paid. Returns the booking as it is now, if any is left. */
  settle(id: string, feeMsat: bigint): Booking | undefined {
    const booking = this.#bookings.get(id);
    if (booking === undefined) return undefined;
    if (feeMsat <= 0n) {
      this.#bookings.delete(id);
      return undefined;
    }
    const settled = { ...booking, feeMsat };
    this.#bookings.set(id, settled);
    return settled;
  }

  /** Forgets what is older than a week. Returns the ids. */
  prune(wallMs: number): string[] {
    const over = [...this.#bookings.values()].filter(booking => isOver(booking, wallMs));
    for (const { id } of over) this.#bookings.delete(id);
    return over.map(({ id }) => id);
  }

  /**
   * Takes up what an earlier process wrote: all of it counts as spent.
   *
   * @param unreadable how many records nobody can read; each counts as the whole allowance
   */
  restore(bookings: readonly Booking[], unreadable: number): void {
    for (const booking of bookings) this.#bookings.set(booking.id, booking);
    this.#unknownMsat += BigInt(unreadable) * this.#allowances().totalMsat;
  }
}

function isOver({ atWallMs }: Booking, wallMs: number): boolean {
  return atWallMs <= wallMs - WEEK_MS;
}
