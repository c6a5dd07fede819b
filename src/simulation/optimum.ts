/**
 * `optimum`: how many channels lie in the middle after rebalancing, beside what a central planner reaches who knows and moves
 * everything (Pickhardt's replenishment notebook of 2025: from 11 to 56 % within 40 to 60 %, from 42 to 95 % within 10 to 90 %).
 *
 * All of the network's two-way channels, parallel ones as one; the planner plans for each band by itself, a rule has to do
 * with one outcome for both.
 */
import { BALANCE_KINDS, drawBalances } from './balances.ts';
import type { Experiment, Json, Table } from './experiment.ts';
import type { OptimumResult, OptimumTask } from './optimum-worker.ts';
import { pairedNetwork } from './paper-network.ts';
import type { RuleName } from './paper-rules.ts';
import { percent } from './statistics.ts';
import { inThreads } from './threads.ts';

const BANDS = [0.4, 0.1];
const RULES: readonly { readonly rule: RuleName; readonly name: string }[] = [
  { rule: 'plugin', name: 'the plugin' },
  { rule: 'squares5', name: 'least squares from ν, 5 hops' },
  { rule: 'halves5', name: 'least squares from one half, 5 hops' },
  { rule: 'band5', name: 'into 40–60 %, 5 hops' },
];
/** Operations per node, at most. */
const STOPS = [10];

export const optimum: Experiment = {
  name: 'optimum',
  describe: 'channels in the middle, beside what a central planner reaches',
  async run(network, { threads }, random, progress) {
    const worlds = BALANCE_KINDS.map(kind =>
      pairedNetwork(network, drawBalances(network, kind, random.fork(kind))),
    );
    const tasks = BALANCE_KINDS.flatMap((kind, world): OptimumTask[] => [
      ...BANDS.map(bandFrom => ({ world, what: { bandFrom } })),
      ...RULES.map(({ rule }) => ({
        world,
        what: { rule: { rule, seed: random.fork(kind).fork(rule).path, stops: STOPS, payers: [] } },
      })),
    ]);
    const worker = new URL('./optimum-worker.ts', import.meta.url);
    const results = await inThreads<OptimumTask, OptimumResult>(worker, worlds, tasks, threads, done =>
      progress(done / tasks.length, `${done} of ${tasks.length}`),
    );
    const perKind = BANDS.length + RULES.length;
    const kinds = BALANCE_KINDS.map((kind, world) => ({
      kind: kind as string,
      results: results.slice(world * perKind, (world + 1) * perKind),
    }));
    return {
      tables: kinds.map(({ kind, results: all }) => tableOf(kind, all, worlds[0]?.channelCount ?? 0)),
      figures: kinds.map(
        ({ kind, results: all }): Json => ({
          balances: kind,
          planner: BANDS.map((from, index) => ({
            from,
            ...(all[index] as Extract<OptimumResult, { bound: number }>),
          })),
          rules: RULES.map(({ rule }, index): Json => {
            const { before, after, ...rest } = ruleAt(all, index);
            return { rule, before: { ...before }, after: { ...after }, ...rest };
          }),
        }),
      ),
      plots: [],
    };
  },
};

function planAt(results: readonly OptimumResult[], band: number) {
  const result = results[band];
  if (result === undefined || !('bound' in result)) throw new RangeError(`no plan ${band}`);
  return result;
}

function ruleAt(results: readonly OptimumResult[], rule: number) {
  const result = results[BANDS.length + rule];
  if (result === undefined || !('after' in result)) throw new RangeError(`no rule ${rule}`);
  return result;
}

function tableOf(kind: string, results: readonly OptimumResult[], channels: number): Table {
  const [middle, wide] = [planAt(results, 0), planAt(results, 1)];
  const { before } = ruleAt(results, 0);
  const row = (name: string, operations: string, in40: number, in10: number) => [
    name,
    operations,
    percent(in40),
    percent(in40 / middle.reached),
    percent(in10),
    percent(in10 / wide.reached),
  ];
  return {
    title: `Balances ${kind}, ${channels} channels`,
    columns: [
      '',
      'operations per node',
      'within 40–60 %',
      'of the planner',
      'within 10–90 %',
      'of the planner',
    ],
    rows: [
      row('before', '', before.within40To60, before.within10To90),
      ...RULES.map(({ name }, index) => {
        const { after, operationsPerNode } = ruleAt(results, index);
        return row(name, operationsPerNode.toFixed(1), after.within40To60, after.within10To90);
      }),
      row('planner', '', middle.reached, wide.reached),
      row('bound', '', middle.bound, wide.bound),
    ],
  };
}
