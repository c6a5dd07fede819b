/**
 * The route that a payer takes who knows the gossip and the own balances, and nothing else: the cheapest.
 *
 * Hazard: by fees alone it would run over long chains of channels that ask nothing. Payers count the time that money is
 * bound too, and so does this: as lightningd's `riskfactor` of 10 does (lightning-getroute(7)), 10 % a year.
 */
import { forwardingFeeNumber } from '../circles/fees.ts';
import { FINAL_DELAY } from '../circles/route.ts';
import type { RouteHop } from '../circles/types.ts';
import { CostQueue } from './cost-queue.ts';
import { at, type Direction, type Network } from './network.ts';

/** A share of the amount, by block: 10 % over 52,596 blocks. */
const RISK_PER_BLOCK = 0.1 / 52_596;

export interface RouteQuery {
  readonly source: number;
  readonly target: number;
  /** What is to arrive, in millisatoshi. */
  readonly amount: number;
  /** What the source can send over a channel of its own. */
  readonly spendable: (channel: number, direction: Direction) => number;
  /** Directions that have failed, as `edgeOf` names them. */
  readonly excluded: ReadonlySet<number>;
}

/** One number for a channel and a direction. */
export function edgeOf(channel: number, direction: Direction): number {
  return 2 * channel + direction;
}

export class RouteFinder {
  readonly #network: Network;
  /** By edge. The objects behind `Network` are asked once: a search looks at all of them. */
  readonly #source: Int32Array;
  readonly #baseFee: Float64Array;
  readonly #ppm: Float64Array;
  readonly #delta: Float64Array;
  readonly #least: Float64Array;
  readonly #most: Float64Array;
  /** The edges that lead to each node: where they begin, one more than nodes. */
  readonly #offsets: Int32Array;
  readonly #arriving: Int32Array;
  readonly #costs: Float64Array;
  /** What each node has to receive, and the edge that it sends on by. */
  readonly #amounts: Float64Array;
  readonly #via: Int32Array;

  constructor(network: Network) {
    const edges = Array.from({ length: 2 * network.channelCount }, (_, edge) => edge);
    const column = (of: (channel: number, direction: Direction) => number) =>
      Float64Array.from(edges, edge => of(edge >> 1, directionOf(edge)));
    this.#network = network;
    this.#source = Int32Array.from(edges, edge => network.source(edge >> 1, directionOf(edge)));
    this.#baseFee = column((channel, direction) => network.baseFee(channel, direction));
    this.#ppm = column((channel, direction) => network.feePpm(channel, direction));
    this.#delta = column((channel, direction) => network.cltvDelta(channel, direction));
    this.#least = column((channel, direction) => network.htlcMinimum(channel, direction));
    this.#most = column((channel, direction) =>
      Math.min(network.htlcMaximum(channel, direction), network.capacity(channel)),
    );
    this.#offsets = new Int32Array(network.nodeCount + 1);
    this.#arriving = new Int32Array(edges.length);
    let place = 0;
    for (let node = 0; node < network.nodeCount; node++) {
      for (const channel of network.channelsOf(node)) {
        this.#arriving[place++] = edgeOf(channel, network.directionFrom(channel, node) === 0 ? 1 : 0);
      }
      this.#offsets[node + 1] = place;
    }
    this.#costs = new Float64Array(network.nodeCount);
    this.#amounts = new Float64Array(network.nodeCount);
    this.#via = new Int32Array(network.nodeCount);
  }

  /** Dijkstra from the target on, since each fee depends on what is sent after it. */
  find(query: RouteQuery): RouteHop[] | undefined {
    const { source, target, amount } = query;
    const costs = this.#costs.fill(Number.POSITIVE_INFINITY);
    const queue = new CostQueue(this.#arriving.length + 1);
    costs[target] = 0;
    this.#amounts[target] = amount;
    queue.push(0, target);
    const isDone = new Uint8Array(costs.length);
    for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
      if (node === source) return this.#hops(source, target);
      if (isDone[node] === 1) continue;
      isDone[node] = 1;
      const end = at(this.#offsets, node + 1);
      for (let place = at(this.#offsets, node); place < end; place++) {
        const edge = at(this.#arriving, place);
        const from = at(this.#source, edge);
        if (isDone[from] === 1) continue;
        const cost = at(costs, node) + this.#costOf(edge, at(this.#amounts, node), query);
        if (cost >= at(costs, from)) continue;
        costs[from] = cost;
        this.#amounts[from] =
          at(this.#amounts, node) + (from === source ? 0 : this.#fee(edge, at(this.#amounts, node)));
        this.#via[from] = edge;
        queue.push(cost, from);
      }
    }
    return undefined;
  }

  /** Infinite where it cannot carry that. */
  #costOf(edge: number, amount: number, { source, spendable, excluded }: RouteQuery): number {
    if (amount < at(this.#least, edge) || amount > at(this.#most, edge)) return Number.POSITIVE_INFINITY;
    if (at(this.#source, edge) === source) {
      return amount > spendable(edge >> 1, directionOf(edge)) ? Number.POSITIVE_INFINITY : 0;
    }
    if (excluded.has(edge)) return Number.POSITIVE_INFINITY;
    return this.#fee(edge, amount) + amount * at(this.#delta, edge) * RISK_PER_BLOCK;
  }

  #fee(edge: number, amount: number): number {
    return forwardingFeeNumber(at(this.#baseFee, edge), at(this.#ppm, edge), amount);
  }

  #hops(source: number, target: number): RouteHop[] {
    const edges: number[] = [];
    for (let node = source; node !== target; node = this.#destination(edges.at(-1) ?? 0)) {
      edges.push(at(this.#via, node));
    }
    let delay = FINAL_DELAY;
    const hops = edges.toReversed().map((edge): RouteHop => {
      const to = this.#destination(edge);
      const hop = {
        id: this.#network.nodeId(to),
        shortChannelId: this.#network.shortChannelId(edge >> 1),
        direction: directionOf(edge),
        amountMsat: BigInt(at(this.#amounts, to)),
        delay,
      };
      delay += at(this.#delta, edge);
      return hop;
    });
    return hops.reverse();
  }

  #destination(edge: number): number {
    return at(this.#source, edge ^ 1);
  }
}

function directionOf(edge: number): Direction {
  return (edge & 1) === 0 ? 0 : 1;
}
