/**
 * Joins heads and tails to the best circles, without trying all of them.
 *
 * Hazard: a hub that all friends share makes a circle of every pair of them, millions in all. So what a head and a
 * tail cost at least is known before they meet, and their sum is no more than what the circle costs (`expectedCost`).
 * Junctions come in the order of their lowest sum, and at each one heads and tails in that of their costs: once the sum
 * is above the worst circle kept, nothing after it can be better. No circle is lost to that; tests compare it with
 * trying all.
 */
import { chanceOf, expectedCost } from './chance.ts';
import { feeOf, fits, type Head, type Tail } from './edges.ts';
import type { Graph, Junction, Least } from './graph.ts';
import type { Pace } from './pace.ts';
import { type Found, Ranking } from './ranking.ts';
import type { Worth } from './types.ts';
import { broughtBy, priceFor } from './worth.ts';

export interface Limits {
  /** All fees together, in millisatoshi. */
  readonly maxFee: number;
  readonly maxDelay: number;
  /** How many are wanted. */
  readonly limit: number;
  /** What the best has least of: expected cost, or fees whatever the chance. */
  readonly by: 'cost' | 'fee';
  readonly worth?: Worth;
}

/** Costs are rounded before they are compared; in millisatoshi. */
const ROUNDED = 1;
/** Covers what doubles lose in sums and products of large costs, and far more: 2^-40 parts. */
const INEXACT = 1 + 2 ** -40;

interface Priced<Half> {
  readonly half: Half;
  /** What it costs at least, in millisatoshi. */
  readonly cost: number;
}

/** The best circles, best first. */
export async function bestOf(graph: Graph, limits: Limits, pace: Pace): Promise<readonly Found[]> {
  const join = new Join(graph, limits);
  for (const { half: junction, cost } of promising(graph, limits)) {
    if (join.isBeyond(cost)) break;
    await join.run(junction, pace);
  }
  return join.found;
}

/** The junctions where a circle within the limits may be, those that may have the cheapest first. */
function promising(graph: Graph, limits: Limits): Priced<Junction>[] {
  const priced: Priced<Junction>[] = [];
  for (const junction of graph.junctions) {
    const { head, tail } = junction;
    if (tail === undefined) continue;
    if (!isWithin(head.fee + tail.fee, head.delay + tail.delay, limits)) continue;
    priced.push({ half: junction, cost: head[limits.by] + tail[limits.by] });
  }
  return priced.sort((a, b) => a.cost - b.cost);
}

function isWithin(fee: number, delay: number, { maxFee, maxDelay }: Limits): boolean {
  return fee <= maxFee && delay <= maxDelay;
}

class Join {
  readonly #graph: Graph;
  readonly #limits: Limits;
  readonly #ranking: Ranking;
  readonly #failedTry: number;

  constructor(graph: Graph, limits: Limits) {
    this.#graph = graph;
    this.#limits = limits;
    this.#ranking = new Ranking(limits.limit);
    this.#failedTry = limits.by === 'fee' ? 0 : graph.failedTry;
  }

  get found(): readonly Found[] {
    return this.#ranking.found;
  }

  /** Whether what costs at least that much can no longer be among the best. */
  isBeyond(cost: number): boolean {
    return cost > this.#ranking.worst * INEXACT + ROUNDED;
  }

  /** Tries one junction's circles. */
  async run(junction: Junction, pace: Pace): Promise<void> {
    const heads = this.#heads(junction);
    if (pace.dueNow()) await pace.rest();
    const tails = this.#tails(junction);
    if (pace.dueNow()) await pace.rest();
    for (const { half: head, cost } of heads) {
      if (this.isBeyond(cost + (tails[0]?.cost ?? 0))) break;
      for (const { half: tail, cost: tailCost } of tails) {
        if (this.isBeyond(cost + tailCost)) break;
        this.#meet(head, tail);
        if (pace.due()) await pace.rest();
      }
    }
  }

  #meet(head: Head, tail: Tail): void {
    const { edge } = head;
    const { lane } = edge;
    const { source } = lane.channel;
    if (source === tail.in.peerId || !fits(lane, tail.amount)) return;
    const kept = feeOf(lane, tail.amount);
    const fee = tail.fee + kept;
    const delay = tail.delay + edge.delta;
    if (!isWithin(fee, delay, this.#limits)) return;
    const chance = chanceOf(edge.belief, tail.amount) * tail.chance;
    if (chance === 0) return;
    const cost = Math.round(expectedCost(fee, chance, this.#failedTry));
    const price = this.#priceOf(cost, source, tail.in.peerId);
    if (price === Number.POSITIVE_INFINITY || price > this.#ranking.worst) return;
    const out = head.outs.find(channel => fits(channel, tail.amount + kept));
    if (out !== undefined) this.#ranking.add({ out, head, tail, fee, delay, chance, cost, price });
  }

  /** Never below the cost, by which what need not be tried is left out. */
  #priceOf(cost: number, outPeerId: string, inPeerId: string): number {
    const { by, worth } = this.#limits;
    if (worth === undefined) return cost;
    const brought = broughtBy(worth, outPeerId, inPeerId);
    if (brought === 0) return Number.POSITIVE_INFINITY;
    return by === 'fee' ? cost : priceFor(cost, brought) * worth.most;
  }

  /** The heads that may meet a tail within the limits, cheapest first. */
  #heads(junction: Junction): Priced<Head>[] {
    const priced: Priced<Head>[] = [];
    if (junction.tail === undefined) return priced;
    for (const half of this.#graph.headsAt(junction))
      this.#price(priced, half, half.edge.delta, junction.tail);
    return priced.sort((a, b) => a.cost - b.cost);
  }

  #tails(junction: Junction): Priced<Tail>[] {
    const priced: Priced<Tail>[] = [];
    for (const half of this.#graph.tailsAt(junction)) this.#price(priced, half, half.delay, junction.head);
    return priced.sort((a, b) => a.cost - b.cost);
  }

  /** @param other the least that the half it meets takes */
  #price<Half extends Head | Tail>(priced: Priced<Half>[], half: Half, delay: number, other: Least): void {
    if (!isWithin(half.fee + other.fee, delay + other.delay, this.#limits)) return;
    const cost = expectedCost(half.fee, half.chance, this.#failedTry);
    if (!this.isBeyond(cost + other[this.#limits.by])) priced.push({ half, cost });
  }
}
