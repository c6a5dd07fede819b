/**
 * `adoption`: what sharing brings as it spreads, from one pair of friends to the whole network; and what the first
 * adopter gets, alone and with one friend. All as shipped, on depleted balances.
 */
import type { Level } from './attempts-batch.ts';
import type { Experiment, Plot } from './experiment.ts';
import { figuresTable, jsonOf } from './figures.ts';
import { measure, type Run, titleOf } from './runs.ts';

const CASES = 2000;
const SHARES = [0.002, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1];

const FIRST_LEVELS: readonly Level[] = [
  { name: 'without the plugin: cheapest first', adoption: { by: 'random', share: 0 }, byFee: true },
  { name: 'alone', adoption: { by: 'random', share: 0 } },
  { name: 'with one friend', adoption: { by: 'friend' } },
  { name: 'with the largest friend', adoption: { by: 'largest friend' } },
  { name: 'with all friends', adoption: { by: 'friends' } },
];

const spreading = (by: 'random' | 'largest'): Level[] =>
  [0, ...SHARES].map(share => ({
    name: share === 0 ? 'nobody' : `${100 * share} %`,
    adoption: { by, share },
  }));

/** The same cases each time. */
const SAME = {
  name: 'adoption',
  balances: 'depleted',
  speech: 'shipped',
  amountSat: 1_000_000,
  ageMinutes: [0, 5],
} as const;

const ADOPTION_RUNS: readonly Run[] = [
  { ...SAME, describe: 'the first adopter', levels: FIRST_LEVELS },
  { ...SAME, describe: 'spreading at random', levels: spreading('random') },
  { ...SAME, describe: 'spreading from the largest nodes on', levels: spreading('largest') },
];

export const adoption: Experiment = {
  name: 'adoption',
  describe: 'what sharing brings as it spreads, and what the first adopter gets',
  async run(network, { cases = CASES, threads }, random, progress) {
    const measured = await measure(network, ADOPTION_RUNS, cases, threads, random, progress);
    const plot: Plot = {
      name: 'adoption',
      title: 'Rebalances of 1,000,000 sat through at the first try, as sharing spreads',
      kind: 'line',
      x: { label: 'share of nodes that share, in percent', logarithmic: true },
      y: { label: 'of the cases that some circle would have solved', minimum: 0, maximum: 1 },
      series: measured.slice(1).map(({ run, levels }) => ({
        name: run.describe,
        points: levels.slice(1).map(({ first: { value, low, high } }, index) => ({
          x: 100 * (SHARES[index] ?? 1),
          y: value,
          low,
          high,
        })),
      })),
    };
    return {
      tables: measured.map(({ run, levels }) => figuresTable(titleOf(run), 'who shares', levels)),
      figures: measured.map(({ run, levels }) => ({ title: titleOf(run), levels: levels.map(jsonOf) })),
      plots: [plot],
    };
  },
};
