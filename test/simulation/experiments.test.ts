/** The experiments' figures for one seed, small: whatever changes them changes what the documents say. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runBatch } from '../../src/simulation/attempts-batch.ts';
import { figuresOf } from '../../src/simulation/figures.ts';
import { NetworkGossip } from '../../src/simulation/gossip.ts';
import { madeUpNetwork } from '../../src/simulation/made-up-network.ts';
import { Random } from '../../src/simulation/random.ts';
import { measure, type Run } from '../../src/simulation/runs.ts';

const NETWORK = madeUpNetwork(1500, new Random(1));
const LEVELS = [0, 0.3, 1].map(share => ({
  name: String(share),
  adoption: { by: 'random' as const, share },
}));
const FRIENDS = (['friend', 'largest friend', 'friends'] as const).map(by => ({
  name: by,
  adoption: { by },
}));
const RUN: Run = {
  name: 'small',
  describe: 'small',
  balances: 'depleted',
  speech: 'shipped',
  amountSat: 200_000,
  ageMinutes: [0, 5],
  levels: [...LEVELS, ...FRIENDS],
};
const CASES = 120;

const run = (threads: number, changes: Partial<Run> = {}) =>
  measure(NETWORK, [{ ...RUN, ...changes }], CASES, threads, new Random(1).fork('small'), () => {});

test('the figures of 120 cases for one seed, the same in one thread and in two', async () => {
  const [one, two] = [await run(1), await run(2)];
  assert.deepEqual(one, two);
  const figures = one[0]?.levels.map(({ level, solvable, first, tries, fee, answers }) => ({
    level,
    solvable,
    firsts: Math.round(first.value * solvable),
    tries: Math.round(tries.value * solvable),
    fee: Math.round(fee.value),
    answers: Math.round(answers * solvable),
  }));
  assert.deepEqual(figures, [
    { level: '0', solvable: 72, firsts: 16, tries: 406, fee: 32_385, answers: 0 },
    { level: '0.3', solvable: 72, firsts: 56, tries: 151, fee: 34_723, answers: 136 },
    { level: '1', solvable: 72, firsts: 68, tries: 84, fee: 29_147, answers: 264 },
    { level: 'friend', solvable: 72, firsts: 45, tries: 168, fee: 33_615, answers: 68 },
    { level: 'largest friend', solvable: 72, firsts: 55, tries: 128, fee: 34_874, answers: 85 },
    { level: 'friends', solvable: 72, firsts: 68, tries: 84, fee: 29_147, answers: 264 },
  ]);
});

test('asking as needed: through at the first try nearly as often as with all asked, as cheaply, on a few answers', async () => {
  const [[needed], [all]] = [await run(2), await run(2, { asks: 'all' })];
  for (const [place, { level, first, fee, answers }] of (needed?.levels ?? []).entries()) {
    const asked = all?.levels[place];
    assert.ok(asked !== undefined);
    // More answers only tell better what to guess of channels of which nobody spoke.
    assert.ok(first.value >= asked.first.low, level);
    assert.ok(fee.value <= asked.fee.high, level);
    if (level === '1') assert.ok(7 * answers < asked.answers);
  }
});

test('who shares at one level shares at every higher one; a friend alone is one', async () => {
  const [measured] = await run(2, { speech: 'ideal' });
  const answering = measured?.levels.map(({ answers }) => answers) ?? [];
  const [nobody = 0, some = 0, all = 0, friend, largest, friends] = answering;
  assert.ok(nobody === 0 && some > nobody && all > some);
  // Each both ways.
  assert.deepEqual([friend, largest, friends], [2, 2, all]);
});

test('every circle that is paid costs no less than the cheapest, and is within the limit', async () => {
  const task = {
    seed: 'fees',
    cases: 60,
    balances: 'uniform' as const,
    speech: 'ideal' as const,
    asks: 'as needed' as const,
    amountMsat: 200_000_000n,
    maxFeePpm: 500n,
    minAgeMs: 0,
    maxAgeMs: 0,
    levels: LEVELS,
    maxTries: 50,
  };
  const outcomes = await runBatch(NETWORK, new NetworkGossip(NETWORK), task);
  let paid = 0;
  for (const { cheapest, results } of outcomes) {
    for (const { isComplete, feeMsat, tries } of results) {
      if (cheapest === undefined) assert.equal(isComplete, false);
      if (!isComplete) continue;
      paid++;
      assert.ok(tries >= 1 && feeMsat >= (cheapest ?? 0) && feeMsat <= 100_000);
    }
  }
  assert.ok(paid > 30);
  assert.equal(figuresOf('blind', outcomes, 0).cases, 60);
});
