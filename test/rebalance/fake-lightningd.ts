/**
 * As much of lightningd as payments to ourselves need, and a network around it, on a clock that the test owns. What it
 * holds outlives the processes that call it; calls to it can fail before they work, after, or work late, and a process
 * can die at any of them.
 */
import { RpcConnectionError, RpcError } from '../../src/lightningd/errors.ts';
import type { Rpc } from '../../src/lightningd/rpc-client.ts';
import type { Clock } from '../../src/sharing/ports.ts';

/**
 * What becomes of a call. `before`: lost before it worked. `after`: it worked, its answer is lost. `late`: it works
 * some seconds after its caller was told that the connection is gone. `dies before`, `dies after`: the process ends.
 */
export type Fate = 'answers' | 'before' | 'after' | 'late' | 'dies before' | 'dies after';

/**
 * What the network does with a payment. `withholds`: it arrives, but somebody keeps the preimage for a while. The
 * others hold it for that long before it goes on or fails.
 */
export interface Way {
  readonly how: 'arrives' | 'fails' | 'withholds';
  readonly heldMs: number;
}

export interface Payment {
  readonly label: string;
  readonly hash: string;
  readonly route: readonly { readonly id: string; readonly amount_msat: bigint }[];
  status: 'pending' | 'complete' | 'failed';
}

interface Invoice {
  readonly hash: string;
  readonly amountMsat: bigint;
  status: 'unpaid' | 'paid';
}

type Params = Readonly<Record<string, unknown>>;

const LATE_MS = 4_000;
/** What lightningd itself waits for others with, so that it can go on after its caller has died. */
const SLOW: ReadonlySet<string> = new Set(['invoice', 'sendpay']);

/** A process of the plugin. Once it is dead its calls do nothing and are never answered. */
export class Process {
  isAlive = true;
}

export class FakeLightningd {
  readonly journal = new Map<string, string>();
  readonly invoices = new Map<string, Invoice>();
  readonly payments = new Map<string, Payment>();
  /** What each call's fate is, in turn; then all are answered. */
  fates: Fate[] = [];
  /** What each payment's way is, in turn; then all arrive. */
  ways: Way[] = [];
  /** Told before a payment leaves, and when one has arrived. */
  onSend: (label: string, payment: Payment) => void = () => {};
  onArrived: (payment: Payment) => void = () => {};
  readonly #clock: Clock;
  #waiting: { readonly hash: string; readonly wake: () => void }[] = [];
  #hashes = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  rpc(process: Process): Rpc {
    return { call: (method, params = {}) => this.#call(process, method, { ...params }) };
  }

  /** Lets something else than a call meet its fate, such as a reading of our channels. */
  async meet<T>(process: Process, work: () => T | Promise<T>, method = ''): Promise<T> {
    const fate = process.isAlive ? (this.fates.shift() ?? 'answers') : 'dies before';
    const gone = () => new RpcConnectionError('the connection to lightningd closed');
    if (fate === 'dies before' || fate === 'dies after') {
      if (process.isAlive && fate === 'dies after') Promise.resolve(work()).catch(() => {});
      process.isAlive = false;
      return await new Promise<never>(() => {});
    }
    if (fate === 'before') throw gone();
    if (fate === 'late') {
      this.#clock.after(LATE_MS, () => {
        if (process.isAlive || SLOW.has(method)) Promise.resolve(work()).catch(() => {});
      });
      throw gone();
    }
    const answer = Promise.resolve(work());
    if (fate === 'answers') {
      const value = await answer;
      return process.isAlive ? value : await new Promise<never>(() => {});
    }
    await answer.catch(() => {});
    throw gone();
  }

  #call(process: Process, method: string, params: Params): Promise<unknown> {
    const commands: Readonly<Record<string, (params: Params) => unknown>> = {
      datastore: ({ key, string }) => {
        const label = last(key);
        if (this.journal.has(label)) throw new RpcError(method, 1202, 'already exists');
        this.journal.set(label, String(string));
        return {};
      },
      listdatastore: () => ({
        datastore: [...this.journal].map(([label, string]) => ({
          key: ['balancesharing', 'rebalances', label],
          string,
        })),
      }),
      deldatastore: ({ key }) => {
        if (!this.journal.delete(last(key))) throw new RpcError(method, 1200, 'does not exist');
        return {};
      },
      invoice: ({ label, amount_msat }) => {
        const hash = (++this.#hashes).toString(16).padStart(64, '0');
        this.invoices.set(String(label), { hash, amountMsat: BigInt(String(amount_msat)), status: 'unpaid' });
        return { payment_hash: hash, payment_secret: hash };
      },
      delinvoice: ({ label, status }) => {
        const invoice = this.invoices.get(String(label));
        if (invoice === undefined) throw new RpcError(method, 905, 'unknown invoice');
        if (invoice.status !== status) {
          throw new RpcError(method, 906, 'other status', { current_status: invoice.status });
        }
        this.invoices.delete(String(label));
        return {};
      },
      sendpay: ({ label, payment_hash, route }) => {
        const payment: Payment = {
          label: String(label),
          hash: String(payment_hash),
          route: route as Payment['route'],
          status: 'pending',
        };
        this.onSend(payment.label, payment);
        this.payments.set(payment.hash, payment);
        this.#travel(payment, this.ways.shift() ?? { how: 'arrives', heldMs: 0 });
        return {};
      },
      waitsendpay: ({ payment_hash, timeout }) =>
        this.#waitsendpay(String(payment_hash), Number(timeout) * 1000),
      listsendpays: () => ({
        payments: [...this.payments.values()]
          .filter(({ status }) => status === 'pending')
          .map(({ label, hash }) => ({ label, payment_hash: hash })),
      }),
    };
    const command = commands[method];
    if (command === undefined) throw new Error(method);
    return this.meet(process, async () => command(params), method);
  }

  #travel(payment: Payment, { how, heldMs }: Way): void {
    const arrive = () => {
      const invoice = this.invoices.get(payment.label);
      if (invoice?.status !== 'unpaid') return false;
      invoice.status = 'paid';
      this.onArrived(payment);
      return true;
    };
    const end = (status: 'complete' | 'failed') => {
      payment.status = status;
      for (const { hash, wake } of this.#waiting) if (hash === payment.hash) wake();
      this.#waiting = this.#waiting.filter(({ hash }) => hash !== payment.hash);
    };
    if (how === 'withholds') {
      const arrived = arrive();
      this.#clock.after(heldMs, () => end(arrived ? 'complete' : 'failed'));
    } else if (heldMs === 0) end(how === 'arrives' && arrive() ? 'complete' : 'failed');
    else this.#clock.after(heldMs, () => end(how === 'arrives' && arrive() ? 'complete' : 'failed'));
  }

  async #waitsendpay(hash: string, timeoutMs: number): Promise<unknown> {
    const payment = this.payments.get(hash);
    if (payment === undefined) throw new RpcError('waitsendpay', 208, 'never attempted');
    if (payment.status === 'pending') {
      await new Promise<void>(wake => {
        this.#waiting.push({ hash, wake });
        this.#clock.after(timeoutMs, wake);
      });
    }
    if (payment.status === 'complete') return { status: 'complete' };
    if (payment.status === 'pending') throw new RpcError('waitsendpay', 200, 'timed out');
    throw new RpcError('waitsendpay', 203, 'failed');
  }
}

function last(key: unknown): string {
  return Array.isArray(key) ? String(key.at(-1)) : '';
}
