/**
 * Where the balances of a network lie: nobody knows it, so each experiment says what it assumed.
 *
 * Hazard: with uniform balances even a blind search mostly works, and sharing seems of no use. Real channels are worn
 * to one side; `depleted` is the honest assumption.
 */
import type { Network } from './network.ts';
import type { Random } from './random.ts';

/** What the end `0` of each channel has, in millisatoshi; the end `1` has the rest of the capacity. */
export type Balances = Float64Array;

/**
 * `coin`: all on one side, by a fair coin (arXiv 1912.09555). `uniform`: each split as likely. `depleted`: all on one
 * side, and with 90 % on that which asks more for forwarding from there: what is cheap is used up.
 */
export const BALANCE_KINDS = ['coin', 'uniform', 'depleted'] as const;
/** `priced` is the opposite of `depleted`: what is empty is dear, as operators ask who raise the fees for what runs out. */
export type BalanceKind = (typeof BALANCE_KINDS)[number] | 'priced';

/** How many channels in a hundred are worn on the cheaper side. */
const DEPLETED_SHARE = 0.9;
/** At what amount fees are compared: base fees count at small ones alone. */
const COMPARED_AT_MSAT = 100_000_000;

export function drawBalances(network: Network, kind: BalanceKind, random: Random): Balances {
  const balances = new Float64Array(network.channelCount);
  for (let channel = 0; channel < balances.length; channel++) {
    balances[channel] = drawBalance(network, channel, kind, random);
  }
  return balances;
}

/** What the end `0` of one channel has. Always takes two numbers, so that no kind disturbs what is drawn after it. */
function drawBalance(network: Network, channel: number, kind: BalanceKind, random: Random): number {
  const capacity = network.capacity(channel);
  const first = random.real();
  const second = random.real();
  if (kind === 'uniform') return Math.floor(first * (capacity + 1));
  if (kind === 'coin') return first < 0.5 ? capacity : 0;
  const lead = network.feeAt(channel, 0, COMPARED_AT_MSAT) - network.feeAt(channel, 1, COMPARED_AT_MSAT);
  const cheaper = lead < 0 || (lead === 0 && second < 0.5) ? 0 : 1;
  const isWorn = first < DEPLETED_SHARE === (kind === 'depleted');
  return isWorn === (cheaper === 0) ? 0 : capacity;
}
