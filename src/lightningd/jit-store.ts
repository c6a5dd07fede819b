/**
 * The ledger of just-in-time routing in lightningd's datastore: each booking under a key of its own, and what forwards
 * earned in one entry.
 *
 * Hazard: what is not known to have been spent would be spent again. So nothing may be paid before all of it was read, and
 * a record that cannot be read leaves nothing to spend. Earnings that are lost only make us poorer.
 */
import * as v from 'valibot';
import type { DayRecord, Earnings } from '../jit/earnings.ts';
import type { Booking, Ledger } from '../jit/ledger.ts';
import type { Bookings } from '../jit/ports.ts';
import type { Clock } from '../sharing/ports.ts';
import * as answers from './answers.ts';
import { RpcError } from './errors.ts';
import { jsonText } from './json-text.ts';
import type { Logger } from './logger.ts';
import type { Rpc } from './rpc-client.ts';

/** By convention a plugin's name comes first (lightningd's `datastore`). */
const BOOKINGS = ['jitrouting', 'bookings'];
const EARNINGS = ['jitrouting', 'earnings'];
/** lightning-deldatastore: there is no such key. */
const NO_SUCH_KEY = 1200;
/** Forwards come often, and what the last seconds earned may be lost. */
const EARNINGS_DELAY_MS = 10_000;
/** A datastore that fails is tried again after this. */
const RETRY_MS = 10_000;

const msat = v.pipe(
  v.string(),
  v.regex(/^[0-9]{1,20}$/),
  v.transform(value => BigInt(value)),
);
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const bookingRecord = v.object({ channel: v.string(), at: v.pipe(v.number(), v.finite()), fee_msat: msat });
const earningsRecord = v.object({
  version: v.literal(1),
  days: v.array(
    v.object({ channel: v.string(), day: count, earned_msat: msat, settled: count, failed: count }),
  ),
});

export interface JitStoreInit {
  readonly rpc: Rpc;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly ledger: Ledger;
  readonly earnings: Earnings;
}

export class JitStore implements Bookings {
  readonly #init: JitStoreInit;
  #isReady = false;
  #isEarningsWriteDue = false;

  constructor(init: JitStoreInit) {
    this.#init = init;
  }

  /** Whether all that was spent is known. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Takes up what an earlier process has written; tries again by itself where that fails. Never rejects. */
  async load(): Promise<void> {
    const { clock, logger, ledger, earnings } = this.#init;
    try {
      // Both or none: what is taken up twice would count twice.
      const { bookings, unreadable } = await this.#readBookings();
      const days = await this.#readEarnings();
      ledger.restore(bookings, unreadable);
      earnings.restore(days);
      this.#isReady = true;
    } catch (error) {
      logger.warn(`what was spent cannot be read, so nothing is spent: ${String(error)}`);
      clock.after(RETRY_MS, () => this.load());
    }
  }

  async write({ id, channel, atWallMs, feeMsat }: Booking): Promise<void> {
    const string = jsonText({ channel, at: atWallMs, fee_msat: String(feeMsat) });
    await this.#init.rpc.call('datastore', { key: [...BOOKINGS, id], string, mode: 'create-or-replace' });
  }

  async remove(id: string): Promise<void> {
    await this.#init.rpc.call('deldatastore', { key: [...BOOKINGS, id] }).catch((error: unknown) => {
      if (!(error instanceof RpcError && error.code === NO_SUCH_KEY)) throw error;
    });
  }

  /** A forward has ended: written within some seconds. */
  earned(): void {
    if (this.#isEarningsWriteDue || !this.#isReady) return;
    this.#isEarningsWriteDue = true;
    this.#init.clock.after(EARNINGS_DELAY_MS, () => this.#writeEarnings());
  }

  async #writeEarnings(): Promise<void> {
    const { rpc, clock, earnings, logger } = this.#init;
    this.#isEarningsWriteDue = false;
    const days = earnings.state(clock.wallMs()).map(({ channel, day, earnedMsat, settled, failed }) => ({
      channel,
      day,
      earned_msat: String(earnedMsat),
      settled,
      failed,
    }));
    await rpc
      .call('datastore', { key: EARNINGS, string: jsonText({ version: 1, days }), mode: 'create-or-replace' })
      .catch((error: unknown) => logger.warn(`what forwards earned was not written: ${String(error)}`));
  }

  async #readBookings(): Promise<{ readonly bookings: readonly Booking[]; readonly unreadable: number }> {
    const { rpc, logger } = this.#init;
    const answer = await rpc.call('listdatastore', { key: BOOKINGS });
    const { datastore } = answers.readAnswer('listdatastore', answers.listdatastore, answer);
    const bookings: Booking[] = [];
    let unreadable = 0;
    for (const { key, string } of datastore) {
      const id = key?.at(-1);
      const read = v.safeParse(bookingRecord, parsed(string));
      if (id === undefined || !read.success) {
        unreadable++;
        logger.warn(
          `${JSON.stringify(key)} in the datastore cannot be read, so nothing is spent: if it is not ours, deldatastore it and start jitrouting anew`,
        );
      } else {
        const { channel, at, fee_msat } = read.output;
        bookings.push({ id, channel, atWallMs: at, feeMsat: fee_msat });
      }
    }
    return { bookings, unreadable };
  }

  async #readEarnings(): Promise<DayRecord[]> {
    const { rpc, logger } = this.#init;
    const answer = await rpc.call('listdatastore', { key: EARNINGS });
    const [entry] = answers.readAnswer('listdatastore', answers.listdatastore, answer).datastore;
    if (entry === undefined) return [];
    const read = v.safeParse(earningsRecord, parsed(entry.string));
    if (!read.success) {
      logger.warn('what forwards earned cannot be read: it begins anew');
      return [];
    }
    return read.output.days.map(({ earned_msat, ...rest }) => ({ ...rest, earnedMsat: earned_msat }));
  }
}

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}
