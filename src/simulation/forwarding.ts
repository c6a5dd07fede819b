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
    return spendable(side, this.#network.capacity(channel));
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
    const failcode =
      amount < network.htlcMinimum(channel, direction)
        ? AMOUNT_BELOW_MINIMUM
        : amount > network.htlcMaximum(channel, direction) || amount > ledger.spendable(channel, direction)
          ? TEMPORARY_CHANNEL_FAILURE
          : undefined;
    if (failcode !== undefined) return { shortChannelId, direction, failcode };
  }
  for (const { channel, direction, amount } of steps) ledger.move(channel, direction, amount);
  return undefined;
}

/** The plugin's port for payments, on such a network. Every answer is there at once. */
export class SimulatedPayments implements Payments {
  readonly #send: (hops: readonly RouteHop[]) => Blamed | undefined;
  #invoices = 0;

  constructor(send: (hops: readonly RouteHop[]) => Blamed | undefined) {
    this.#send = send;
  }

  async note(_entry: JournalEntry): Promise<void> {}

  async noted(): Promise<readonly JournalEntry[]> {
    return [];
  }

  async forget(_label: string): Promise<void> {}

  async invoice(): Promise<OwnInvoice> {
    const paymentHash = (++this.#invoices).toString(16).padStart(64, '0');
    return { paymentHash, paymentSecret: paymentHash };
  }

  async send(_invoice: OwnInvoice, _label: string, hops: readonly RouteHop[]): Promise<Outcome> {
    const blamed = this.#send(hops);
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
