/**
 * Brings payments to an end whose outcome nobody knows: those of an earlier process, and those on which lightningd's
 * answer was lost.
 *
 * Hazard: any call can have worked without its answer, work later, or be the last one before a crash. So each step can
 * be taken again, and an entry leaves the journal only after its invoice is paid or gone and its HTLC settled.
 */
import { messageOf } from '../error-message.ts';
import type { Clock } from '../sharing/ports.ts';
import type { JournalEntry, Payments } from './ports.ts';

/** How long to wait for what is cancelled, at a time; it may take until the HTLC's expiry, days. */
const LINGER_MS = 600_000;
/** lightningd could not say: ask again after this. */
const RETRY_MS = 10_000;

export interface SettlingInit {
  readonly payments: Payments;
  readonly clock: Clock;
  readonly log: (message: string) => void;
  /** Told of what turned out to have arrived after all. */
  readonly onArrived: (entry: JournalEntry) => void;
}

export class Settling {
  readonly #init: SettlingInit;

  constructor(init: SettlingInit) {
    this.#init = init;
  }

  /** Ends when nothing that was noted can complete any more, or it has; however long that takes. */
  async adopt(): Promise<void> {
    const entries = await this.#untilDone('the journal of rebalances could not be read', () =>
      this.#init.payments.noted(),
    );
    for (const entry of entries) await this.settle(entry);
  }

  /** Ends when a payment can no longer complete, or has; however long that takes. */
  async settle(entry: JournalEntry): Promise<void> {
    const { payments, log, onArrived } = this.#init;
    const { label } = entry;
    const { end, paymentHash } = await this.#untilDone(`rebalance ${label} is not settled`, async () => {
      const underWay = await payments.underWay();
      return { end: await payments.cancel(label), paymentHash: underWay.get(label) };
    });
    log(`rebalance ${label} was left open: ${end === 'paid' ? 'it has arrived' : 'cancelled'}`);
    if (end === 'paid') onArrived(entry);
    if (paymentHash !== undefined) this.linger(label, paymentHash);
    else if (end === 'gone') this.#lookAgain(label);
    else this.forget(label);
  }

  /** What is cancelled or has arrived is only forgotten when its HTLC is gone. */
  async linger(label: string, paymentHash: string): Promise<void> {
    for (;;) {
      const { status } = await this.#init.payments.wait(paymentHash, LINGER_MS);
      if (status === 'complete' || status === 'failed') break;
      if (status === 'unknown') await this.#pause();
    }
    await this.forget(label);
  }

  async forget(label: string): Promise<void> {
    await this.#untilDone('journal', () => this.#init.payments.forget(label));
  }

  /** Its invoice was never made; or it is being made only now, by a call that nobody got an answer to. */
  async #lookAgain(label: string): Promise<void> {
    await this.#pause();
    await this.#untilDone(`rebalance ${label}`, () => this.#init.payments.cancel(label));
    await this.forget(label);
  }

  async #untilDone<T>(what: string, action: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await action();
      } catch (error) {
        this.#init.log(`${what}: ${messageOf(error)}`);
        await this.#pause();
      }
    }
  }

  #pause(): Promise<void> {
    return new Promise(resolve => this.#init.clock.after(RETRY_MS, resolve));
  }
}
