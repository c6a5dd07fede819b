/** Runs one rule on the paper's network until nothing moves any more, and measures on the way. */
import { at } from './network.ts';
import { intoBand, leastSquares } from './paper-aims.ts';
import { type CheapestPaths, cheapestPaths, ginisOf, ksDistance, payable } from './paper-measure.ts';
import type { PaperNetwork } from './paper-network.ts';
import { Offers } from './paper-offers.ts';
import { PairRule } from './paper-pairs.ts';
import { PluginRule } from './paper-plugin.ts';
import { type PublishedRule, sweep } from './paper-published.ts';
import { PaperRun } from './paper-run.ts';

import { Random } from './random.ts';

/** Rules that choose pairs of channels; `offered`: what friends' offers are judged against. */
const AIMS = {
  /** Least squares from ν, over circles of at most four hops. */
  squares: { aim: leastSquares('nu'), offered: 'nu', fiveHops: false },
  /** The same, with five where there is no circle of four. */
  squares5: { aim: leastSquares('nu'), offered: 'nu', fiveHops: true },
  halves5: { aim: leastSquares('half'), offered: 'half', fiveHops: true },
  band5: { aim: intoBand(), offered: 'half', fiveHops: true },
} as const;

/** `plugin`: as shipped. */
export type RuleName = PublishedRule | 'plugin' | keyof typeof AIMS;

export interface RuleTask {
  readonly rule: RuleName;
  readonly seed: string;
  /** After how many operations per node to measure, ascending; with the last one the run ends. */
  readonly stops: readonly number[];
  /** Whose payments are measured, by node. */
  readonly payers: readonly number[];
}

export interface Measurement {
  /** Of all nodes together, by number of nodes. */
  readonly operationsPerNode: number;
  /** Mean Gini coefficient of all nodes. */
  readonly imbalance: number;
  readonly ksDistance: number;
  /** The share of payments of 1 sat that cheapest paths carry. */
  readonly success: number;
  /** In millisatoshi. */
  readonly medianMsat: number;
  /** Channels with less than 1 sat on one side, as a share of all. */
  readonly empty: number;
  /** Channels whose balance lies in the middle, as a share of all. */
  readonly within40To60: number;
  readonly within10To90: number;
}

export interface RuleResult {
  readonly rule: RuleName;
  /** The first before anything moved, the last when it ended. */
  readonly measured: readonly Measurement[];
  /** By node that initiated; published rules have none in that sense. */
  readonly mostByOneNode: number;
  /** Payments that failed on a hop that nobody offered, per node. */
  readonly failedTriesPerNode: number;
  readonly fiveHopShare: number;
  /** Whether it ended because nothing moved any more. */
  readonly isConverged: boolean;
  readonly seconds: number;
}

/** In millisatoshi. */
const SATOSHI = 1000;
/** A round or a sweep in which fewer than one node in that many moves anything is the last. */
const STILL = 200;
/** A node that found nothing sits out rounds, twice as many each time, up to that. */
const LONGEST_REST = 7;
const MOST_ROUNDS = 400;
const MOST_SWEEPS = 150;

/** @param onMeasure told of the balances at each measurement */
export async function runRule(
  network: PaperNetwork,
  task: RuleTask,
  onMeasure: (holdings: Float64Array) => void = () => {},
): Promise<RuleResult> {
  const startedMs = performance.now();
  const { rule, stops, payers } = task;
  const paths = payers.map(payer => cheapestPaths(network, payer));
  const measured: Measurement[] = [];
  const look = (holdings: Float64Array, operations: number) => {
    measured.push(measure(network, holdings, paths, operations));
    onMeasure(holdings);
  };
  look(network.start, 0);
  const random = new Random(task.seed);
  let next = 0;
  const run = new PaperRun(network, operations => {
    if (operations < (stops[next] ?? Number.POSITIVE_INFINITY) * network.nodeCount) return false;
    look(run.holdings, operations);
    return ++next >= stops.length;
  });
  const offers = (target: 'nu' | 'half') => new Offers(run, random.fork('margins'), target);
  let pairs: PairRule | undefined;
  const initiated = new Int32Array(network.nodeCount);
  if (rule === 'plugin') {
    const plugin = new PluginRule(run, offers('nu'));
    await inRounds(run, random, initiated, node => plugin.rebalance(node));
  } else if (isPairRule(rule)) {
    const { aim, offered, fiveHops } = AIMS[rule];
    const own = new PairRule(run, offers(offered), { aim, fiveHops });
    pairs = own;
    await inRounds(run, random, initiated, node => own.rebalance(node));
  } else {
    for (let sweeps = 0; sweeps < MOST_SWEEPS && !run.isOver; sweeps++) {
      if (sweep(run, rule) * STILL < network.nodeCount) break;
    }
  }
  if (!run.isOver) look(run.holdings, run.operations);
  return {
    rule,
    measured,
    mostByOneNode: initiated.reduce((most, count) => Math.max(most, count), 0),
    failedTriesPerNode: (pairs?.failedTries ?? 0) / network.nodeCount,
    fiveHopShare: (pairs?.fiveHopOperations ?? 0) / Math.max(1, run.operations),
    isConverged: !run.isOver,
    seconds: (performance.now() - startedMs) / 1000,
  };
}

function isPairRule(rule: RuleName): rule is keyof typeof AIMS {
  return rule in AIMS;
}

/** In each round each node gets one turn, in any order. */
async function inRounds(
  run: PaperRun,
  random: Random,
  initiated: Int32Array,
  rebalance: (node: number) => boolean | Promise<boolean>,
): Promise<void> {
  const { nodeCount } = run.network;
  const nodes = Array.from({ length: nodeCount }, (_, node) => node);
  const rests = new Int32Array(nodeCount);
  const failures = new Int32Array(nodeCount);
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const before = run.operations;
    for (const node of random.fork(round).shuffle(nodes)) {
      if (at(rests, node) > 0) {
        rests[node] = at(rests, node) - 1;
        continue;
      }
      if (await rebalance(node)) {
        initiated[node] = at(initiated, node) + 1;
        failures[node] = 0;
      } else {
        const failed = at(failures, node) + 1;
        failures[node] = failed;
        rests[node] = Math.min(LONGEST_REST, 2 ** failed - 1);
      }
      if (run.isOver) return;
    }
    if ((run.operations - before) * STILL < nodeCount) return;
  }
}

export function measure(
  network: PaperNetwork,
  holdings: Float64Array,
  paths: readonly CheapestPaths[],
  operations: number,
): Measurement {
  const ginis = ginisOf(network, holdings);
  const { success, median } = payable(network, holdings, paths);
  const share = (isSo: (zeta: number, capacity: number) => boolean) => {
    let count = 0;
    for (let channel = 0; channel < network.channelCount; channel++) {
      const capacity = at(network.capacity, channel);
      if (isSo(at(holdings, 2 * channel) / capacity, capacity)) count++;
    }
    return count / network.channelCount;
  };
  return {
    operationsPerNode: operations / network.nodeCount,
    imbalance: ginis.reduce((sum, gini) => sum + gini, 0) / ginis.length,
    ksDistance: ksDistance(ginisOf(network, network.start), ginis),
    success,
    medianMsat: median,
    empty: share((zeta, capacity) => Math.min(zeta, 1 - zeta) * capacity < SATOSHI),
    within40To60: share(zeta => zeta >= 0.4 && zeta <= 0.6),
    within10To90: share(zeta => zeta >= 0.1 && zeta <= 0.9),
  };
}
