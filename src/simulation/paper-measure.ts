/**
 * What arXiv 1912.09555 measures: imbalance, and what cheapest paths can pay.
 *
 * Hazard: of paths with equal base fees, and there are many, any may be called the cheapest, and figures depend on
 * which. Here it is one of the fewest hops, and of those the one found first by channel number: fixed before anything
 * moves, so that all rules are measured on the same paths.
 */
import { CostQueue } from './cost-queue.ts';
import { at } from './network.ts';
import { back, channelOf, type Holdings, type PaperNetwork } from './paper-network.ts';

/** A payment of 1 sat, in millisatoshi. */
const SMALLEST_PAYMENT = 1000;

/** By node: the Gini coefficient of ζ over its channels, ΣΣ|ζi − ζj| / (2 n Σζj); 0 where nothing is the node's. */
export function giniOf(network: PaperNetwork, holdings: Holdings, node: number): number {
  const first = at(network.offsets, node);
  const end = at(network.offsets, node + 1);
  const zetas = new Float64Array(end - first);
  let sum = 0;
  for (let place = first; place < end; place++) {
    const edge = at(network.leaving, place);
    const zeta = at(holdings, edge) / at(network.capacity, channelOf(edge));
    zetas[place - first] = zeta;
    sum += zeta;
  }
  if (sum === 0) return 0;
  // With ζ sorted, ΣΣ|ζi − ζj| = 2 Σ (2i − n − 1) ζi.
  zetas.sort();
  let spread = 0;
  for (const [index, zeta] of zetas.entries()) spread += (2 * (index + 1) - zetas.length - 1) * zeta;
  return spread / (zetas.length * sum);
}

export function ginisOf(network: PaperNetwork, holdings: Holdings): Float64Array {
  return Float64Array.from({ length: network.nodeCount }, (_, node) => giniOf(network, holdings, node));
}

/** The largest difference of two distributions (Kolmogorov and Smirnov). */
export function ksDistance(one: Float64Array, other: Float64Array): number {
  const a = one.toSorted();
  const b = other.toSorted();
  let [i, j, largest] = [0, 0, 0];
  while (i < a.length && j < b.length) {
    const value = Math.min(at(a, i), at(b, j));
    while (i < a.length && at(a, i) <= value) i++;
    while (j < b.length && at(b, j) <= value) j++;
    largest = Math.max(largest, Math.abs(i / a.length - j / b.length));
  }
  return largest;
}

/** The cheapest paths from one node to all: in `order` each after the one that `via`, a directed channel, leads from. */
export interface CheapestPaths {
  readonly order: Int32Array;
  /** By node; -1 for the first. */
  readonly via: Int32Array;
}

/** Above any number of hops. */
const HOP_SHARE = 2 ** -12;

/** Dijkstra over the base fees that sources ask, the payer's own among them as in the paper, then hops. */
export function cheapestPaths(network: PaperNetwork, from: number): CheapestPaths {
  const { nodeCount, offsets, leaving, source, baseFee } = network;
  const costs = new Float64Array(nodeCount).fill(Number.POSITIVE_INFINITY);
  const via = new Int32Array(nodeCount).fill(-1);
  const isDone = new Uint8Array(nodeCount);
  const order: number[] = [];
  const queue = new CostQueue(leaving.length + 1);
  costs[from] = 0;
  queue.push(0, from);
  for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
    if (isDone[node] === 1) continue;
    isDone[node] = 1;
    order.push(node);
    const cost = at(costs, node);
    const end = at(offsets, node + 1);
    for (let place = at(offsets, node); place < end; place++) {
      const edge = at(leaving, place);
      const to = at(source, back(edge));
      const sum = cost + at(baseFee, edge) + HOP_SHARE;
      if (sum >= at(costs, to)) continue;
      costs[to] = sum;
      via[to] = edge;
      queue.push(sum, to);
    }
  }
  return { order: Int32Array.from(order), via };
}

export interface Payable {
  /** The share of pairs whose cheapest path carries 1 sat. */
  readonly success: number;
  /** Half of the pairs can pay that much or more on it, in millisatoshi. */
  readonly median: number;
}

/** Over all pairs whose payer is the first of one of the paths; `NaN` of none. */
export function payable(network: PaperNetwork, holdings: Holdings, all: readonly CheapestPaths[]): Payable {
  const most = new Float64Array(network.nodeCount);
  const amounts = new Float64Array(all.reduce((sum, { order }) => sum + order.length - 1, 0));
  let pairs = 0;
  let paid = 0;
  for (const { order, via } of all) {
    for (const node of order) {
      const edge = at(via, node);
      if (edge < 0) {
        most[node] = Number.POSITIVE_INFINITY;
        continue;
      }
      const amount = Math.min(at(most, at(network.source, edge)), at(holdings, edge));
      most[node] = amount;
      amounts[pairs++] = amount;
      if (amount >= SMALLEST_PAYMENT) paid++;
    }
  }
  amounts.sort();
  return { success: paid / pairs, median: amounts[pairs >> 1] ?? Number.NaN };
}
