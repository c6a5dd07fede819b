/**
 * Rules that choose the two ends of a circle and the amount by what the node itself gains, among circles whose other hops
 * friends offer by the plugin's own eligibility rule.
 *
 * Hazard: a node of a thousand channels has a million pairs of them. So those that lean most and the largest are looked at,
 * the most gainful pairs first, until none that is left can bring more than a circle that was found.
 */
import { at } from './network.ts';
import { type Aim, type End, MINIMUM, sizeOf } from './paper-aims.ts';
import { back, channelOf, leavingFrom, type PaperNetwork } from './paper-network.ts';
import type { Offers } from './paper-offers.ts';
import type { PaperRun } from './paper-run.ts';

/** Of each kind, on each side; and how many pairs a circle is looked for. */
const MOST_ENDS = 24;
const MOST_PAIRS = 60;
/** Ways over a hop that nobody whom we may ask knows of, tried for one pair. */
const BLIND_TRIES = 3;
const BLIND_PAIRS = 10;

interface Pair {
  readonly out: End;
  readonly home: End;
  readonly amount: number;
  readonly gain: number;
}

export interface PairOptions {
  readonly aim: Aim;
  /** Whether a node that finds no circle of four hops tries one of five, whose middle hop is not known. */
  readonly fiveHops: boolean;
}

export class PairRule {
  /** Payments that failed for want of balance on a hop that nobody offered. */
  failedTries = 0;
  /** Operations over five hops. */
  fiveHopOperations = 0;
  readonly #run: PaperRun;
  readonly #offers: Offers;
  readonly #options: PairOptions;
  /** By node, valid where marked: the channel that leads on to it and what is offered there. */
  readonly #heads: Int32Array;
  readonly #headLimits: Float64Array;
  readonly #marks: Int32Array;
  #mark = 0;

  constructor(run: PaperRun, offers: Offers, options: PairOptions) {
    const { nodeCount } = run.network;
    this.#run = run;
    this.#offers = offers;
    this.#options = options;
    this.#heads = new Int32Array(nodeCount);
    this.#headLimits = new Float64Array(nodeCount);
    this.#marks = new Int32Array(nodeCount);
  }

  /** One rebalance by `node`, if there is any. */
  rebalance(node: number): boolean {
    const { aim } = this.#options;
    const pairs = this.#pairsOf(node);
    let best: { readonly circle: readonly number[]; readonly amount: number } | undefined;
    let bestGain = aim.leastGain;
    for (const pair of pairs.slice(0, MOST_PAIRS)) {
      if (pair.gain <= bestGain) break;
      const found = this.#circle(node, pair);
      if (found === undefined) continue;
      const gain = aim.gain(pair.out, pair.home, found.amount);
      if (gain <= bestGain) continue;
      best = found;
      bestGain = gain;
    }
    if (best === undefined && this.#options.fiveHops) {
      for (const pair of pairs.slice(0, BLIND_PAIRS)) {
        best = this.#blindCircle(node, pair);
        if (best === undefined) continue;
        this.fiveHopOperations++;
        break;
      }
    }
    if (best === undefined) return false;
    this.#run.move(best.circle, best.amount);
    this.#offers.refresh(best.circle);
    return true;
  }

  #pairsOf(node: number): Pair[] {
    const { network, holdings } = this.#run;
    const { aim } = this.#options;
    const own = [...leavingFrom(network, node)];
    const isMovable = (edge: number) => at(holdings, edge) >= MINIMUM;
    const outs = own.filter(isMovable).map(edge => this.#end(edge, edge));
    const ins = own
      .map(back)
      .filter(isMovable)
      .map(edge => this.#end(edge, back(edge)));
    const pairs: Pair[] = [];
    for (const out of cut(outs, aim.lean)) {
      for (const home of cut(ins, end => -aim.lean(end))) {
        if (out.edge === back(home.edge)) continue;
        const amount = aim.amount(out, home);
        if (amount < MINIMUM) continue;
        const gain = aim.gain(out, home, amount);
        if (gain > aim.leastGain) pairs.push({ out, home, amount, gain });
      }
    }
    return pairs.sort((a, b) => b.gain - a.gain || a.out.edge - b.out.edge || a.home.edge - b.home.edge);
  }

  /** @param ours the same channel as it leads from the node */
  #end(edge: number, ours: number): End {
    const { network, holdings } = this.#run;
    const inverse = 1 / capacityOf(network, edge);
    return {
      edge,
      inverse,
      zeta: at(holdings, ours) * inverse,
      nu: at(network.nu, at(network.source, ours)),
    };
  }

  /** The circle of three or four hops that carries most of what the pair wants. */
  #circle(node: number, { out: { edge: out }, home: { edge: home }, amount: wanted }: Pair) {
    const { network, holdings } = this.#run;
    const [first, last] = [at(network.source, back(out)), at(network.source, home)];
    const most = Math.min(wanted, at(holdings, out), at(holdings, home));
    let circle: number[] | undefined;
    let amount = 0;
    const offer = (limit: number, ...between: number[]) => {
      const fitting = sizeOf(Math.min(most, limit));
      if (fitting < MINIMUM || fitting <= amount) return;
      amount = fitting;
      circle = [out, ...between, home];
    };
    this.#markFrom(first, node);
    for (const edge of leavingFrom(network, last)) {
      const inward = back(edge);
      const from = at(network.source, inward);
      if (from === first) {
        offer(Math.max(this.#offers.bySource(inward), this.#offers.byDestination(inward)), inward);
      } else if (this.#marks[from] === this.#mark) {
        offer(
          Math.min(at(this.#headLimits, from), this.#offers.byDestination(inward)),
          at(this.#heads, from),
          inward,
        );
      }
    }
    return circle === undefined ? undefined : { circle, amount };
  }

  /** One of five hops; what the middle one has is found out by trying. */
  #blindCircle(node: number, { out: { edge: out }, home: { edge: home }, amount: wanted }: Pair) {
    const { network, holdings } = this.#run;
    const [first, last] = [at(network.source, back(out)), at(network.source, home)];
    const most = Math.min(wanted, at(holdings, out), at(holdings, home));
    let triesLeft = BLIND_TRIES;
    this.#markFrom(first, node);
    for (const leads of leavingFrom(network, last)) {
      const inward = back(leads);
      const from = at(network.source, inward);
      const limit = this.#offers.byDestination(inward);
      if (from === node || from === first || limit < MINIMUM) continue;
      for (const edge of leavingFrom(network, from)) {
        const middle = back(edge);
        const junction = at(network.source, middle);
        if (this.#marks[junction] !== this.#mark || junction === last) continue;
        // More than half of a channel is more likely not there than there.
        const half = capacityOf(network, middle) / 2;
        const amount = sizeOf(Math.min(most, limit, at(this.#headLimits, junction), half));
        if (amount < MINIMUM) continue;
        if (at(holdings, middle) >= amount) {
          return { circle: [out, at(this.#heads, junction), middle, inward, home], amount };
        }
        this.failedTries++;
        if (--triesLeft === 0) return undefined;
      }
    }
    return undefined;
  }

  /** Marks whom `friend` offers to forward to. */
  #markFrom(friend: number, node: number): void {
    const { network } = this.#run;
    this.#mark++;
    for (const edge of leavingFrom(network, friend)) {
      const limit = this.#offers.bySource(edge);
      const to = at(network.source, back(edge));
      if (limit === 0 || to === node) continue;
      this.#marks[to] = this.#mark;
      this.#heads[to] = edge;
      this.#headLimits[to] = limit;
    }
  }
}

/** Those that lean most that way, and the largest. */
function cut(ends: readonly End[], leanOf: (end: End) => number): readonly End[] {
  if (ends.length <= 2 * MOST_ENDS) return ends;
  const first = (keyOf: (end: End) => number) =>
    [...ends].sort((a, b) => keyOf(b) - keyOf(a) || a.edge - b.edge).slice(0, MOST_ENDS);
  return [...new Set([...first(leanOf), ...first(({ inverse }) => -inverse)])];
}

function capacityOf(network: PaperNetwork, edge: number): number {
  return at(network.capacity, channelOf(edge));
}
