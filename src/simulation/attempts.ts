/** `attempts`: how many tries one circular rebalance takes, when nobody shares and when some or all nodes do. */
import type { Level } from './attempts-batch.ts';
import type { Experiment, Plot } from './experiment.ts';
import { figuresTable, jsonOf } from './figures.ts';
import { type Measured, measure, type Run, titleOf } from './runs.ts';

const CASES = 2000;

const levelOf = (share: number): Level => ({
  name: share === 0 ? 'nobody' : `${100 * share} %`,
  adoption: { by: 'random', share },
});
const LEVELS = [0, 0.05, 0.1, 0.25, 0.5, 1].map(levelOf);
const FEW_LEVELS = [0, 0.1, 1].map(levelOf);

/** A snapshot lives for 5 minutes (`foaf-answer-ttl`), what friends said counts for 20 (`foaf-cache-ttl`). */
const ASKED_NOW = 'as shipped, asked now: snapshots up to 5 minutes old';

export const RUNS: readonly Run[] = [
  ...[1_000_000, 200_000].flatMap((amountSat): Run[] => {
    // The same cases, told differently.
    const both = { name: String(amountSat), balances: 'depleted', amountSat, levels: LEVELS } as const;
    return [
      { ...both, speech: 'ideal', ageMinutes: [0, 5], describe: 'truthful, fresh, unrationed' },
      { ...both, speech: 'shipped', ageMinutes: [0, 5], describe: ASKED_NOW },
    ];
  }),
  {
    name: 'remembered',
    describe: 'as shipped, remembered: word of all 5 to 20 minutes old',
    balances: 'depleted',
    speech: 'shipped',
    asks: 'all',
    amountSat: 1_000_000,
    ageMinutes: [5, 20],
    levels: FEW_LEVELS,
  },
  ...(['coin', 'uniform', 'priced'] as const).map(
    (balances): Run => ({
      name: balances,
      describe: ASKED_NOW,
      balances,
      speech: 'shipped',
      amountSat: 1_000_000,
      ageMinutes: [0, 5],
      levels: FEW_LEVELS,
    }),
  ),
];

export const attempts: Experiment = {
  name: 'attempts',
  describe: 'tries until one circular rebalance is through, nobody to all nodes sharing',
  async run(network, { cases = CASES, threads }, random, progress) {
    const measured = await measure(network, RUNS, cases, threads, random, progress);
    return {
      tables: measured.map(({ run, levels }) => figuresTable(titleOf(run), 'nodes sharing', levels)),
      figures: measured.map(({ run, levels }) => ({
        title: titleOf(run),
        balances: run.balances,
        amountSat: run.amountSat,
        levels: levels.map(jsonOf),
      })),
      plots: [plotOf(measured.filter(({ run }) => run.levels === LEVELS))],
    };
  },
};

function plotOf(measured: readonly Measured[]): Plot {
  return {
    name: 'attempts',
    title: 'Circular rebalances through at the first try, depleted balances',
    kind: 'line',
    x: { label: 'nodes sharing', names: LEVELS.map(({ name }) => name) },
    y: { label: 'of the cases that some circle would have solved', minimum: 0, maximum: 1 },
    series: measured.map(({ run, levels }) => ({
      name: `${run.amountSat} sat, ${run.describe}`,
      points: levels.map(({ first: { value, low, high } }, x) => ({ x, y: value, low, high })),
    })),
  };
}
