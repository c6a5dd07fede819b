/**
 * What a network does with a payment: every node on the way forwards it if its balance and its htlc limits allow.
 *
 * Hazard: a circle that could be paid although a hop cannot carry it would make every figure too good. So each hop is
 * checked against the same terms as the gossip tells, and what moves leaves one side of a channel for the other.
 */
import type { RouteHop } from '../circles/types.ts';
import type { Blamed, JournalEntry, Outcome, OwnInvoice, Payments } from '../rebalance/ports.ts';
import { type NetworkGossip, sideOf, spendable } from './gossip.ts';
import type { Network } from './network.ts';

/** temporary_channel_failure, UPDATE|7 (BOLT 4, "Failure Messages"): too little on that side, or above its maximum. */
const TEMPORARY_CHANNEL_FAILURE = 0x1007;
/** amount_below_minimum, UPDATE|11. */
const AMOUNT_BELOW_MINIMUM = 0x100b;

/** A network's balances as one case changes them. */
export class Ledger {
  readonly #network: Network;
  readonly #balanceOf: (channel: number) => number;
  readonly #changed = new Map<number, number>();
  /** What is on its way, by channel and direction. */
  readonly #pending = new Map<number, number>();

  /** @param balanceOf what the end `0` of a channel has, as long as this case has not moved anything there */
  constructor(network: Network, balanceOf: (channel: number) => number) {
    this.#network = network;
    this.#balanceOf = balanceOf;
  }

  /** What the end `0` has, in millisatoshi. */
  balance(channel: number): number {
    return this.#changed.get(channel) ?? this.#balanceOf(channel);
  }

  /** What the source of a direction can send at once. */
  spendable(channel: number, direction: 0 | 1): number {
    const side = sideOf(this.#network, channel, direction, this.balance(channel));
    return spendable(side - this.pending(channel, direction), this.#network.capacity(channel));
  }

  /** What is on its way in a direction: still its source's, but nobody's to send. */
  pending(channel: number, direction: 0 | 1): number {
    return this.#pending.get(2 * channel + direction) ?? 0;
  }

  offer(channel: number, direction: 0 | 1, amount: number): void {
    this.#pending.set(2 * channel + direction, this.pending(channel, direction) + amount);
  }

  /** Ends what was offered: it arrives, or is its source's again. @throws RangeError when so much was not on its way */
  resolve(channel: number, direction: 0 | 1, amount: number, hasArrived: boolean): void {
    const left = this.pending(channel, direction) - amount;
    if (left < 0) throw new RangeError(`channel ${channel} has less than ${amount} msat on its way`);
    if (left === 0) this.#pending.delete(2 * channel + direction);
    else this.#pending.set(2 * channel + direction, left);
    if (hasArrived) this.move(channel, direction, amount);
  }

  /** @throws RangeError when the source has less than that */
  move(channel: number, direction: 0 | 1, amount: number): void {
    if (amount > sideOf(this.#network, channel, direction, this.balance(channel))) {
      throw new RangeError(`channel ${channel} has less than ${amount} msat on that side`);
    }
    this.#changed.set(channel, this.balance(channel) + (direction === 0 ? -amount : amount));
  }

  /** The channels that this case has moved. */
  get moved(): Iterable<number> {
    return this.#changed.keys();
  }

  /** Whether anything is on its way. */
  get hasPending(): boolean {
    return this.#pending.size > 0;
  }
}

/** Why a channel does not take an amount now (BOLT 4, "Failure Messages"); nothing where it does. */
export function failcodeAt(
  network: Network,
  ledger: Ledger,
  channel: number,
  direction: 0 | 1,
  amount: number,
): number | undefined {
  if (amount < network.htlcMinimum(channel, direction)) return AMOUNT_BELOW_MINIMUM;
  const most = Math.min(network.htlcMaximum(channel, direction), ledger.spendable(channel, direction));
  return amount > most ? TEMPORARY_CHANNEL_FAILURE : undefined;
}

/** Sends one payment along its hops: all of it moves, or nothing does. */
export function forward(
  network: Network,
  gossip: NetworkGossip,
  ledger: Ledger,
  hops: readonly RouteHop[],
): Blamed | undefined {
  const steps = hops.map(({ shortChannelId, direction, amountMsat }) => ({
    channel: gossip.channelOf(shortChannelId),
    shortChannelId,
    direction,
    amount: Number(amountMsat),
  }));
  for (const { channel, shortChannelId, direction, amount } of steps) {
    const failcode = failcodeAt(network, ledger, channel, direction, amount);
    if (failcode !== undefined) return { shortChannelId, direction, failcode };
  }
  for (const { channel, direction, amount } of steps) ledger.move(channel, direction, amount);
  return undefined;
}

/** Sends a payment; nothing comes back once it has arrived. */
type SendPayment = (
  hops: readonly RouteHop[],
  paymentHash: string,
) => Blamed | undefined | Promise<Blamed | undefined>;

/** The plugin's port for payments, on such a network. */
export class SimulatedPayments implements Payments {
  readonly #send: SendPayment;
  readonly #newHash: () => string;

  constructor(send: SendPayment, newHash = hashes()) {
    this.#send = send;
    this.#newHash = newHash;
  }

  async note(_entry: JournalEntry): Promise<void> {}

  async noted(): Promise<readonly JournalEntry[]> {
    return [];
  }

  async forget(_label: string): Promise<void> {}

  async invoice(): Promise<OwnInvoice> {
    const paymentHash = this.#newHash();
    return { paymentHash, paymentSecret: paymentHash };
  }

  async send({ paymentHash }: OwnInvoice, _label: string, hops: readonly RouteHop[]): Promise<Outcome> {
    const blamed = await this.#send(hops, paymentHash);
    if (blamed === undefined) return { status: 'complete' };
    return { status: 'failed', blamed, message: `failcode ${blamed.failcode}` };
  }

  async wait(): Promise<Outcome> {
    return { status: 'complete' };
  }

  async cancel(): Promise<'cancelled'> {
    return 'cancelled';
  }

  async underWay(): Promise<ReadonlyMap<string, string>> {
    return new Map();
  }
}

/** Payment hashes, each another: in order, since nobody here looks for a preimage. */
export function hashes(): () => string {
  let made = 0;
  return () => (++made).toString(16).padStart(64, '0');
}
