/**
 * A stream of payments through one network, and what came of it.
 *
 * Hazard: worlds are only comparable over the same payments. So who pays whom, how much and when comes from the seed
 * alone, before anything moves.
 */

import { type BalanceKind, drawBalances } from './balances.ts';
import { edgeOf, type RouteFinder } from './cheapest-route.ts';
import type { NetworkGossip } from './gossip.ts';
import { StreamNetwork, type Tally } from './jit-network.ts';
import { at, type Network } from './network.ts';
import { Random } from './random.ts';

/** Amounts, each order of magnitude as likely. */
const SMALLEST_SAT = 10_000;
const LARGEST_SAT = 1_000_000;
const SAT = 1000;
/** Mean time from one payment to the next. */
const GAP_MS = 10_000;
/** A payer tries so many routes, none twice over a channel that has failed. */
export const MAX_TRIES = 5;

export interface JitWorld {
  readonly name: string;
  /** `nothing`: nobody runs just-in-time routing. */
  readonly mode: 'nothing' | 'passive' | 'active';
  /** The share of nodes that run it, drawn at random. */
  readonly running: number;
  /** Whether those nodes also answer their friends. */
  readonly isSharing: boolean;
  /** Whether channels' forwards are known to settle from the beginning on. @default false */
  readonly isSeasoned?: boolean;
}

export interface StreamTask {
  /** `Random.path` of the stream. */
  readonly seed: string;
  readonly balances: BalanceKind;
  readonly payments: number;
  readonly world: JitWorld;
}

export interface PaymentOutcome {
  readonly isComplete: boolean;
  /** 0 when the payer's own channels, or the gossip, allowed none. */
  readonly tries: number;
  /** What the payer paid for it, in millisatoshi. */
  readonly fee: number;
  /** From its beginning to its end. */
  readonly tookMs: number;
}

export interface StreamOutcome {
  readonly payments: readonly PaymentOutcome[];
  readonly tally: Tally;
  /** What was decided about forwards that lacked something, by reason, over all nodes. */
  readonly reasons: Readonly<Record<string, number>>;
  readonly circles: number;
  readonly circleFees: number;
}

export interface Payment {
  readonly source: number;
  readonly target: number;
  readonly amount: number;
  readonly gapMs: number;
}

export async function runStream(
  network: Network,
  gossip: NetworkGossip,
  finder: RouteFinder,
  task: StreamTask,
): Promise<{ readonly outcome: StreamOutcome; readonly stream: StreamNetwork }> {
  const random = new Random(task.seed);
  const { world } = task;
  const balances = drawBalances(network, task.balances, random.fork('balances'));
  const places = Float64Array.from(network.nodeIds, drawnFrom(random.fork('running')));
  const isRunning = (node: number) => world.mode !== 'nothing' && at(places, node) < world.running;
  const stream = new StreamNetwork({
    network,
    gossip,
    balanceOf: channel => at(balances, channel),
    mode: world.mode === 'active' ? 'active' : 'passive',
    isRunning,
    isSharing: node => world.isSharing && isRunning(node),
    isSeasoned: world.isSeasoned ?? false,
  });
  const payments = drawPayments(network, task.payments, random.fork('payments'));
  const outcomes: PaymentOutcome[] = [];
  const start = (index: number): void => {
    const payment = payments[index];
    if (payment === undefined) return;
    stream.clock.after(payment.gapMs, () => {
      start(index + 1);
      pay(stream, finder, payment).then(outcome => {
        outcomes[index] = outcome;
      });
    });
  };
  start(0);
  await stream.run();
  const nodes = [...stream.nodes];
  const circles = nodes.flatMap(node => node.circles);
  const reasons: Record<string, number> = {};
  for (const { jit } of nodes) {
    for (const [reason, count] of jit.counts) reasons[reason] = (reasons[reason] ?? 0) + count;
  }
  const outcome = {
    payments: outcomes,
    tally: stream.tally,
    reasons,
    circles: circles.length,
    circleFees: circles.reduce((sum, { feeMsat }) => sum + Number(feeMsat), 0),
  };
  return { outcome, stream };
}

const drawnFrom = (random: Random) => () => random.real();

/** Payers and payees as likely as they have capacity: where money is, payments begin and end. */
function drawPayments(network: Network, count: number, random: Random): Payment[] {
  const upTo = new Float64Array(network.nodeCount);
  let sum = 0;
  for (let node = 0; node < upTo.length; node++) {
    for (const channel of network.channelsOf(node)) sum += network.capacity(channel);
    upTo[node] = sum;
  }
  const drawNode = () => {
    const place = random.real() * sum;
    let [low, high] = [0, upTo.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (at(upTo, middle) > place) high = middle;
      else low = middle + 1;
    }
    return low;
  };
  return Array.from({ length: count }, () => {
    const source = drawNode();
    let target = drawNode();
    while (target === source) target = drawNode();
    const amount = SAT * Math.round(SMALLEST_SAT * (LARGEST_SAT / SMALLEST_SAT) ** random.real());
    return { source, target, amount, gapMs: Math.round(-Math.log(1 - random.real()) * GAP_MS) };
  });
}

/** Tries the cheapest route, then the cheapest without what has failed. */
async function pay(
  stream: StreamNetwork,
  finder: RouteFinder,
  { source, target, amount }: Payment,
): Promise<PaymentOutcome> {
  const { clock, ledger } = stream;
  const startedMs = clock.monotonicMs();
  const excluded = new Set<number>();
  const spendable = (channel: number, direction: 0 | 1) => ledger.spendable(channel, direction);
  for (let tries = 0; ; tries++) {
    const route = finder.find({ source, target, amount, spendable, excluded });
    const tookMs = clock.monotonicMs() - startedMs;
    if (route === undefined || tries === MAX_TRIES) return { isComplete: false, tries, fee: 0, tookMs };
    const blamed = await stream.carry(route, stream.newHash());
    if (blamed === undefined) {
      const fee = Number(route[0]?.amountMsat ?? 0n) - amount;
      return { isComplete: true, tries: tries + 1, fee, tookMs: clock.monotonicMs() - startedMs };
    }
    excluded.add(edgeOf(stream.gossip.channelOf(blamed.shortChannelId), blamed.direction));
  }
}
