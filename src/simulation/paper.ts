/**
 * `paper`: arXiv 1912.09555 again, with its own rules, the plugin's, and the best one found.
 *
 * Hazard: figures of one rule on one network say little beside figures of another rule on another one. So all rules
 * begin with the same balances and are measured on the same paths; what no circle of at most four hops can reach is said as
 * the bound that it is.
 */
import type { Experiment, Json, Plot, Table } from './experiment.ts';
import { coveredBy, reachOf } from './paper-bound.ts';
import { cheapestPaths, payable } from './paper-measure.ts';
import { type PaperNetwork, paperNetwork } from './paper-network.ts';
import type { Measurement, RuleName, RuleResult, RuleTask } from './paper-rules.ts';
import type { Random } from './random.ts';
import { percent } from './statistics.ts';
import { inThreads } from './threads.ts';

/** Payments are measured from so many nodes to all; from all where there are fewer. */
const PAYERS = 500;
const STOPS = [1, 2, 5, 10, 20];
/**
 * What the published rules took by their figures; small parts take long to come to anything. After 20 the plugin's moves
 * hardly change any figure, and take as long as all before.
 */
const LATER_STOPS: Partial<Record<RuleName, readonly number[]>> = {
  cycles4: [40, 100],
  foaf: [40, 100],
  mpp: [40, 100, 400, 1000, 4600],
  squares: [40],
  squares5: [40],
};

const RULES: readonly { readonly rule: RuleName; readonly name: string }[] = [
  { rule: 'mpp', name: 'the paper: mpp' },
  { rule: 'foaf', name: 'the paper: foaf' },
  { rule: 'cycles4', name: 'the paper: cycles of 4' },
  { rule: 'plugin', name: 'the plugin' },
  { rule: 'squares', name: 'least squares' },
  { rule: 'squares5', name: 'least squares, 5 hops' },
];

export const paper: Experiment = {
  name: 'paper',
  describe: 'imbalance and cheapest paths (arXiv 1912.09555), by rule',
  async run(network, { threads }, random, progress) {
    const world = paperNetwork(network, random.fork('coins'));
    const payers = random
      .fork('payers')
      .shuffle(Array.from({ length: world.nodeCount }, (_, node) => node))
      .slice(0, PAYERS);
    const tasks = tasksOf(random, payers);
    const worker = new URL('./paper-worker.ts', import.meta.url);
    const results = await inThreads<RuleTask, RuleResult>(worker, world, tasks, threads, done =>
      progress(done / tasks.length, `${done} of ${tasks.length} rules`),
    );
    const bounds = [4, 5].map(hops => ({ hops, ...boundOf(world, hops, payers) }));
    return {
      tables: [tableOf(world, results), boundsTable(bounds)],
      figures: {
        nodes: world.nodeCount,
        channels: world.channelCount,
        payers: payers.length,
        bounds,
        // Times differ by machine.
        rules: results.map(
          ({ seconds: _, ...result }): Json => ({
            ...result,
            measured: result.measured.map(one => ({ ...one })),
          }),
        ),
      },
      plots: plotsOf(results),
    };
  },
};

export function tasksOf(random: Random, payers: readonly number[]): RuleTask[] {
  return RULES.map(({ rule }) => ({
    rule,
    seed: random.fork(rule).path,
    stops: [...STOPS, ...(LATER_STOPS[rule] ?? [])],
    payers,
  }));
}

interface Bound {
  readonly unreachable: number;
  readonly success: number;
}

/** What no rule can pass whose circles have at most `hops` hops: channels on none keep what they have. */
function boundOf(network: PaperNetwork, hops: number, payers: readonly number[]): Bound {
  const isReached = coveredBy(reachOf(network), hops);
  const best = network.start.map((held, edge) => (isReached(edge >> 1) ? 1000 : held));
  const paths = payers.map(payer => cheapestPaths(network, payer));
  let unreachable = 0;
  for (let channel = 0; channel < network.channelCount; channel++) if (!isReached(channel)) unreachable++;
  return { unreachable, success: payable(network, best, paths).success };
}

function boundsTable(bounds: readonly (Bound & { readonly hops: number })[]): Table {
  return {
    title: 'What no rule can pass',
    columns: ['circles of at most', 'channels on none', '1 sat arrives at most'],
    rows: bounds.map(({ hops, unreachable, success }) => [
      `${hops} hops`,
      unreachable,
      `${(100 * success).toFixed(2)} %`,
    ]),
  };
}

function tableOf(network: PaperNetwork, results: readonly RuleResult[]): Table {
  const row = (name: string, end: string, one: Measurement) => [
    name,
    end,
    one.operationsPerNode.toFixed(1),
    one.imbalance.toFixed(3),
    one.ksDistance.toFixed(2),
    `${(100 * one.success).toFixed(2)} %`,
    Math.round(one.medianMsat / 1000),
    percent(one.empty),
  ];
  return {
    title: `Balances by coin flip, ${network.nodeCount} nodes and ${network.channelCount} channels`,
    columns: [
      'rule',
      '',
      'operations per node',
      'G',
      'KS distance',
      '1 sat arrives',
      'median payable, sat',
      'channels empty on one side',
    ],
    rows: results.flatMap(result => {
      const { rule, measured, isConverged } = result;
      const name = nameOf(rule);
      return measured.map((one, index) =>
        row(
          name,
          index === 0 ? 'before' : index === measured.length - 1 && isConverged ? 'converged' : '',
          one,
        ),
      );
    }),
  };
}

function nameOf(rule: RuleName): string {
  return RULES.find(one => one.rule === rule)?.name ?? rule;
}

function plotsOf(results: readonly RuleResult[]): Plot[] {
  const series = (of: (one: Measurement) => number) =>
    results.map(({ rule, measured }) => ({
      name: nameOf(rule),
      points: measured
        .filter(({ operationsPerNode }) => operationsPerNode > 0)
        .map(one => ({ x: one.operationsPerNode, y: of(one) })),
    }));
  const x = { label: 'operations per node', logarithmic: true };
  return [
    {
      name: 'paper-imbalance',
      title: 'Mean Gini coefficient of the nodes, by rule',
      kind: 'line',
      x,
      y: { label: 'G', minimum: 0 },
      series: series(({ imbalance }) => imbalance),
    },
    {
      name: 'paper-success',
      title: 'Payments of 1 sat that the cheapest path carries, by rule',
      kind: 'line',
      x,
      y: { label: 'share', minimum: 0, maximum: 1 },
      series: series(({ success }) => success),
    },
  ];
}
