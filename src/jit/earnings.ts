/**
 * What a forward may earn, and what forwards over each channel have earned in the last week.
 *
 * Hazard: a fee that is offered is not earned. An attacker offers any fee on a forward that will never settle, so what
 * counts is at most what we ask ourselves, times the share of that channel's forwards that did settle.
 */
import type { ForwardingTerms } from '../sharing/node-view.ts';
import type { Forward } from './types.ts';

const MILLION = 1_000_000n;
const DAY_MS = 86_400_000;
/** What counts as the last week: today and the six days before. Never more than a week, so never more was earned. */
const DAYS = 7;
/** Until so many forwards were seen, one in ten is taken to settle. */
const ENOUGH_SEEN = 20;
const UNSEEN_SHARE = { settled: 1n, ended: 10n } as const;

/** What we ask for forwarding an amount. */
export function postedFeeMsat({ baseFeeMsat, feePpm }: ForwardingTerms, amountMsat: bigint): bigint {
  return baseFeeMsat + (amountMsat * feePpm) / MILLION;
}

/** How many of a channel's forwards settled, of how many that ended. */
export interface Share {
  readonly settled: bigint;
  readonly ended: bigint;
}

/** The most that a forward may be counted on to earn: less than what it offers. */
export function mayEarnMsat(
  { inMsat, outMsat }: Pick<Forward, 'inMsat' | 'outMsat'>,
  terms: ForwardingTerms,
  { settled, ended }: Share,
): bigint {
  const offered = inMsat - outMsat;
  const posted = postedFeeMsat(terms, outMsat);
  const fee = offered < posted ? offered : posted;
  return fee <= 0n || ended <= 0n ? 0n : (fee * settled) / ended;
}

/** One day of one channel. */
interface Day {
  /** Days since the Unix epoch. */
  readonly day: number;
  earnedMsat: bigint;
  settled: number;
  failed: number;
}

/** A day as it is written down. */
export interface DayRecord {
  readonly channel: string;
  readonly day: number;
  readonly earnedMsat: bigint;
  readonly settled: number;
  readonly failed: number;
}

/** The last week of forwards, by the channel that they left through. */
export class Earnings {
  readonly #channels = new Map<string, Day[]>();
  /**
   * What all channels earned, by day: asked for every forward that lacks something, and for each channel when the operator
   * looks; adding a thousand channels up each time kept HTLCs waiting for a second.
   */
  readonly #earnedByAll = new Map<number, bigint>();

  /** @param wallMs milliseconds since the Unix epoch */
  settled(channel: string, feeMsat: bigint, wallMs: number): void {
    const day = this.#today(channel, wallMs);
    day.settled++;
    if (feeMsat <= 0n) return;
    day.earnedMsat += feeMsat;
    this.#earnedOn(day.day, feeMsat);
  }

  /** It ended otherwise, after it had left or after we had paid for it to leave. */
  failed(channel: string, wallMs: number): void {
    this.#today(channel, wallMs).failed++;
  }

  earnedMsat(channel: string, wallMs: number): bigint {
    return sum(this.#week(channel, wallMs));
  }

  /** All channels together, those that are gone too. */
  earnedByAllMsat(wallMs: number): bigint {
    const today = dayOf(wallMs);
    let earned = 0n;
    for (const [day, msat] of this.#earnedByAll) if (isOfWeek(day, today)) earned += msat;
    return earned;
  }

  share(channel: string, wallMs: number): Share {
    let settled = 0;
    let ended = 0;
    for (const day of this.#week(channel, wallMs)) {
      settled += day.settled;
      ended += day.settled + day.failed;
    }
    return ended < ENOUGH_SEEN ? UNSEEN_SHARE : { settled: BigInt(settled), ended: BigInt(ended) };
  }

  /** The channels that something is known of. */
  channels(): string[] {
    return [...this.#channels.keys()];
  }

  /** All that counts, to be written down. */
  state(wallMs: number): DayRecord[] {
    const records: DayRecord[] = [];
    const today = dayOf(wallMs);
    for (const day of this.#earnedByAll.keys()) if (!isOfWeek(day, today)) this.#earnedByAll.delete(day);
    for (const channel of this.#channels.keys()) {
      const week = this.#week(channel, wallMs);
      if (week.length === 0) this.#channels.delete(channel);
      for (const day of week) records.push({ channel, ...day });
    }
    return records;
  }

  restore(records: readonly DayRecord[]): void {
    for (const { channel, ...day } of records) {
      const days = this.#channels.get(channel);
      if (days === undefined) this.#channels.set(channel, [{ ...day }]);
      else days.push({ ...day });
      this.#earnedOn(day.day, day.earnedMsat);
    }
  }

  #earnedOn(day: number, msat: bigint): void {
    this.#earnedByAll.set(day, (this.#earnedByAll.get(day) ?? 0n) + msat);
  }

  #week(channel: string, wallMs: number): Day[] {
    const today = dayOf(wallMs);
    return (this.#channels.get(channel) ?? []).filter(({ day }) => isOfWeek(day, today));
  }

  #today(channel: string, wallMs: number): Day {
    const today = dayOf(wallMs);
    const week = this.#week(channel, wallMs);
    let day = week.find(each => each.day === today);
    if (day === undefined) {
      day = { day: today, earnedMsat: 0n, settled: 0, failed: 0 };
      week.push(day);
    }
    this.#channels.set(channel, week);
    return day;
  }
}

/** What lies ahead was written by a clock that was wrong: nothing is known of when it was earned. */
function isOfWeek(day: number, today: number): boolean {
  return day <= today && day > today - DAYS;
}

function dayOf(wallMs: number): number {
  return Math.floor(wallMs / DAY_MS);
}

function sum(days: readonly Day[]): bigint {
  return days.reduce((total, { earnedMsat }) => total + earnedMsat, 0n);
}
