/**
 * The network of arXiv 1912.09555: each channel wholly on one side by coin flip, and of that the largest strongly
 * connected component.
 *
 * Hazard: between two such components circles can move nothing, since each channel between them leads the same way. So
 * nodes outside the largest one would only dilute the figures. As in the paper parallel channels are one, with what
 * all of them hold and the lowest base fee; the plugin counts them so as well.
 */
import { at, type Network } from './network.ts';
import type { Random } from './random.ts';

/**
 * Directed channels by number: 2c leads from the end of channel c that sorts first, 2c + 1 back. Nodes are numbered anew.
 * All amounts in millisatoshi; whole numbers.
 */
export interface PaperNetwork {
  readonly nodeCount: number;
  readonly channelCount: number;
  /** By channel. */
  readonly capacity: Float64Array;
  /** By directed channel: where it leads from, what the source asks at least, what the source has when all begins. */
  readonly source: Int32Array;
  readonly baseFee: Float64Array;
  readonly start: Float64Array;
  /** The directed channels that leave a node: those in `leaving` from `offsets[node]` to `offsets[node + 1]`. */
  readonly offsets: Int32Array;
  readonly leaving: Int32Array;
  /** By node: ν, what it has of all that its channels hold. Circles never change it. */
  readonly nu: Float64Array;
}

/** Two nodes and what all channels between them come to. */
export interface Pair {
  readonly channels: number[];
  readonly ends: readonly [number, number];
  capacity: number;
  readonly baseFees: [number, number];
}

/** What the sources of all directed channels have, to be changed. */
export type Holdings = Float64Array;

/** The directed channel the other way. */
export function back(edge: number): number {
  return edge ^ 1;
}

export function channelOf(edge: number): number {
  return edge >> 1;
}

/** The directed channels that leave a node; not to be written to. */
export function leavingFrom({ leaving, offsets }: PaperNetwork, node: number): Int32Array {
  return leaving.subarray(at(offsets, node), at(offsets, node + 1));
}

/** A coin for each pair of nodes, and the largest strongly connected component of what comes out. */
export function paperNetwork(network: Network, random: Random): PaperNetwork {
  const pairs = pairsOf(network);
  const coins = pairs.map(() => (random.real() < 0.5 ? 0 : 1));
  const arcs = pairs.map(({ ends: [a, b] }, pair): Arc => (coins[pair] === 0 ? [a, b] : [b, a]));
  const componentOf = strongComponents(network.nodeCount, arcs);
  const largest = largestOf(componentOf);
  const kept = [...pairs.keys()].filter(pair =>
    (pairs[pair]?.ends ?? []).every(end => at(componentOf, end) === largest),
  );
  const chosen = kept.map(pair => pairs[pair] as Pair);
  return joined(
    chosen,
    chosen.map(({ capacity }, index) => (coins[kept[index] ?? -1] === 0 ? capacity : 0)),
  );
}

/** All of a network in the same form. @param balances what the end `0` of each channel has, in millisatoshi */
export function pairedNetwork(network: Network, balances: Float64Array): PaperNetwork {
  const pairs = pairsOf(network);
  return joined(
    pairs,
    pairs.map(({ channels }) => channels.reduce((sum, channel) => sum + at(balances, channel), 0)),
  );
}

/** The network of pairs, the first ends of which have `held`. */
export function joined(pairs: readonly Pair[], held: readonly number[]): PaperNetwork {
  const numbers = new Map<number, number>();
  for (const { ends } of pairs) {
    for (const end of ends) if (!numbers.has(end)) numbers.set(end, numbers.size);
  }
  const nodeCount = numbers.size;
  const capacity = Float64Array.from(pairs, pair => pair.capacity);
  const source = Int32Array.from(pairs.flatMap(({ ends }) => ends.map(end => numbers.get(end) ?? 0)));
  const baseFee = Float64Array.from(pairs.flatMap(({ baseFees }) => baseFees));
  const start = new Float64Array(source.length);
  for (const [channel, first] of held.entries()) {
    start[2 * channel] = first;
    start[2 * channel + 1] = at(capacity, channel) - first;
  }
  const offsets = new Int32Array(nodeCount + 1);
  for (const node of source) offsets[node + 1] = at(offsets, node + 1) + 1;
  for (let node = 0; node < nodeCount; node++) offsets[node + 1] = at(offsets, node + 1) + at(offsets, node);
  const leaving = new Int32Array(source.length);
  const next = offsets.slice();
  const ours = new Float64Array(nodeCount);
  const total = new Float64Array(nodeCount);
  for (const [edge, node] of source.entries()) {
    const place = at(next, node);
    leaving[place] = edge;
    next[node] = place + 1;
    ours[node] = at(ours, node) + at(start, edge);
    total[node] = at(total, node) + at(capacity, channelOf(edge));
  }
  const nu = ours.map((held, node) => held / at(total, node));
  return {
    nodeCount,
    channelCount: pairs.length,
    capacity,
    source,
    baseFee,
    start,
    offsets,
    leaving,
    nu,
  };
}

function pairsOf(network: Network): Pair[] {
  const pairs = new Map<string, Pair>();
  for (const channel of network.shortChannelIds.keys()) {
    const ends: [number, number] = [network.source(channel, 0), network.source(channel, 1)];
    const key = ends.join(' ');
    const baseFees: [number, number] = [network.baseFee(channel, 0), network.baseFee(channel, 1)];
    const capacity = network.capacity(channel);
    const known = pairs.get(key);
    if (known === undefined) {
      pairs.set(key, { channels: [channel], ends, capacity, baseFees });
      continue;
    }
    known.channels.push(channel);
    known.capacity += capacity;
    known.baseFees[0] = Math.min(known.baseFees[0], baseFees[0]);
    known.baseFees[1] = Math.min(known.baseFees[1], baseFees[1]);
  }
  return [...pairs.values()];
}

/** From, to. */
type Arc = readonly [number, number];

/**
 * The strongly connected component of each node (Kosaraju and Sharir: by when a walk leaves them, then against the
 * arrows). Without recursion, which a long chain of nodes would overflow.
 */
export function strongComponents(nodeCount: number, arcs: readonly Arc[]): Int32Array {
  const onward: number[][] = Array.from({ length: nodeCount }, () => []);
  const against: number[][] = Array.from({ length: nodeCount }, () => []);
  for (const [from, to] of arcs) {
    onward[from]?.push(to);
    against[to]?.push(from);
  }
  const left: number[] = [];
  const seen = new Uint8Array(nodeCount);
  for (let first = 0; first < nodeCount; first++) {
    if (seen[first] === 1) continue;
    seen[first] = 1;
    const walk = [{ node: first, next: 0 }];
    for (let here = walk.at(-1); here !== undefined; here = walk.at(-1)) {
      const to = onward[here.node]?.[here.next++];
      if (to === undefined) {
        left.push(here.node);
        walk.pop();
      } else if (seen[to] === 0) {
        seen[to] = 1;
        walk.push({ node: to, next: 0 });
      }
    }
  }
  const componentOf = new Int32Array(nodeCount).fill(-1);
  for (const [component, first] of left.reverse().entries()) {
    if (at(componentOf, first) >= 0) continue;
    const waiting = [first];
    componentOf[first] = component;
    for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
      for (const from of against[node] ?? []) {
        if (at(componentOf, from) >= 0) continue;
        componentOf[from] = component;
        waiting.push(from);
      }
    }
  }
  return componentOf;
}

function largestOf(componentOf: Int32Array): number {
  const sizes = new Map<number, number>();
  for (const component of componentOf) sizes.set(component, (sizes.get(component) ?? 0) + 1);
  return [...sizes].reduce((best, one) => (one[1] > best[1] ? one : best), [-1, 0])[0] ?? -1;
}
