/**
 * The best rule found: each node lowers the sum of (ζ − ν)² over its channels, among circles whose other hops friends
 * offer by the plugin's own eligibility rule.
 *
 * A move of a from a channel of capacity c and ζ − ν = d to one of c' and d' changes the sum by
 * a²(1/c² + 1/c'²) − 2a(d/c − d'/c'): best at a = (d/c − d'/c') / (1/c² + 1/c'²). So a large channel helps a small one
 * across ν where that costs it next to nothing, a channel far off comes first, and since every move lowers the sum no two
 * undo one another.
 */
import { RUNGS_MSAT } from '../sharing/rungs.ts';
import { at } from './network.ts';
import { back, channelOf, leavingFrom, type PaperNetwork } from './paper-network.ts';
import type { Offers } from './paper-offers.ts';
import type { PaperRun } from './paper-run.ts';

/** 1,000 sat, in millisatoshi, as in src/rebalance/choose.ts. */
const MINIMUM = 1_000_000;
/** What a move must lower the sum by at least. Ours: without it nodes move next to nothing for ever. */
const LEAST_GAIN = 1e-3;
/** A hub has a million pairs of channels: those that lean most and the largest are looked at, and so many pairs tried. */
const MOST_ENDS = 24;
const MOST_PAIRS = 60;
/** Ways over a hop that nobody whom we may ask knows of, tried for one pair. */
const BLIND_TRIES = 3;
const BLIND_PAIRS = 10;
const BAND_FROM = 0.4;
const RUNGS = RUNGS_MSAT.map(Number);

/** A directed channel as one end of a circle: its ζ less what that is to come to, and one over its capacity. */
interface End {
  readonly edge: number;
  readonly lean: number;
  readonly inverse: number;
}

interface Pair {
  readonly out: number;
  readonly home: number;
  readonly slope: number;
  readonly curve: number;
  readonly amount: number;
  readonly gain: number;
}

export interface SquaresOptions {
  /** Move towards ν, towards one half, or into the band from 40 to 60 %: within it nothing is gained. */
  readonly target: 'nu' | 'half' | 'band';
  /** Whether a node that finds no circle of four hops tries one of five, whose middle hop is not known. */
  readonly fiveHops: boolean;
}

export class SquaresRule {
  /** Payments that failed for want of balance on a hop that nobody offered. */
  failedTries = 0;
  /** Operations over five hops. */
  fiveHopOperations = 0;
  readonly #run: PaperRun;
  readonly #offers: Offers;
  readonly #options: SquaresOptions;
  /** By node, valid where marked: the channel that leads on to it and what is offered there. */
  readonly #heads: Int32Array;
  readonly #headLimits: Float64Array;
  readonly #marks: Int32Array;
  #mark = 0;

  constructor(run: PaperRun, offers: Offers, options: SquaresOptions) {
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
    const pairs = this.#pairsOf(node);
    let best: { readonly circle: readonly number[]; readonly amount: number } | undefined;
    let bestGain = LEAST_GAIN;
    for (const pair of pairs.slice(0, MOST_PAIRS)) {
      if (pair.gain <= bestGain) break;
      const found = this.#circle(node, pair);
      if (found === undefined) continue;
      const gain = (2 * pair.slope - pair.curve * found.amount) * found.amount;
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
    const own = [...leavingFrom(network, node)];
    const isMovable = (edge: number) => at(holdings, edge) >= MINIMUM;
    const outs = cut(
      own.filter(isMovable).map(edge => this.#end(edge, edge)),
      1,
    );
    const ins = cut(
      own
        .map(back)
        .filter(isMovable)
        .map(edge => this.#end(edge, back(edge))),
      -1,
    );
    const pairs: Pair[] = [];
    for (const out of outs) {
      for (const home of ins) {
        if (out.edge === back(home.edge)) continue;
        // The sum falls by 2 × slope × a − curve × a².
        const slope = out.lean * out.inverse - home.lean * home.inverse;
        const curve = out.inverse * out.inverse + home.inverse * home.inverse;
        const amount = sizeOf(slope / curve);
        if (amount < MINIMUM) continue;
        const gain = (2 * slope - curve * amount) * amount;
        if (gain > LEAST_GAIN) pairs.push({ out: out.edge, home: home.edge, slope, curve, amount, gain });
      }
    }
    return pairs.sort((a, b) => b.gain - a.gain || a.out - b.out || a.home - b.home);
  }

  /** @param ours the same channel as it leads from the node */
  #end(edge: number, ours: number): End {
    const { network, holdings } = this.#run;
    const { target } = this.#options;
    const inverse = 1 / capacityOf(network, edge);
    const zeta = at(holdings, ours) * inverse;
    const aim =
      target === 'nu'
        ? at(network.nu, at(network.source, ours))
        : target === 'half'
          ? 0.5
          : Math.min(1 - BAND_FROM, Math.max(BAND_FROM, zeta));
    return { edge, inverse, lean: zeta - aim };
  }

  /** The circle of three or four hops that carries most of what the pair wants. */
  #circle(node: number, { out, home, amount: wanted }: Pair) {
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
  #blindCircle(node: number, { out, home, amount: wanted }: Pair) {
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

/** Those that lean most, up or down, and the largest. */
function cut(ends: readonly End[], sign: 1 | -1): readonly End[] {
  if (ends.length <= 2 * MOST_ENDS) return ends;
  const first = (keyOf: (end: End) => number) =>
    [...ends].sort((a, b) => keyOf(b) - keyOf(a) || a.edge - b.edge).slice(0, MOST_ENDS);
  return [...new Set([...first(({ lean }) => sign * lean), ...first(({ inverse }) => -inverse)])];
}

function capacityOf(network: PaperNetwork, edge: number): number {
  return at(network.capacity, channelOf(edge));
}

/** The largest rung up to an amount; below the lowest one the amount itself. */
function sizeOf(amount: number): number {
  let size = Math.floor(amount);
  for (const rung of RUNGS) {
    if (rung > amount) break;
    size = rung;
  }
  return size;
}
