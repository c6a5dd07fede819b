import assert from 'node:assert/strict';
import { test } from 'node:test';
import { madeUpNetwork } from '../../src/simulation/made-up-network.ts';
import { Network } from '../../src/simulation/network.ts';
import { intoBand, leastSquares } from '../../src/simulation/paper-aims.ts';
import { coveredBy, reachOf } from '../../src/simulation/paper-bound.ts';
import { cheapestPaths, giniOf, ksDistance, payable } from '../../src/simulation/paper-measure.ts';
import {
  back,
  joined,
  type PaperNetwork,
  pairedNetwork,
  paperNetwork,
  strongComponents,
} from '../../src/simulation/paper-network.ts';
import { Offers } from '../../src/simulation/paper-offers.ts';
import { PairRule } from '../../src/simulation/paper-pairs.ts';
import { PluginRule } from '../../src/simulation/paper-plugin.ts';
import { sweep } from '../../src/simulation/paper-published.ts';
import { type RuleName, runRule } from '../../src/simulation/paper-rules.ts';
import { PaperRun } from '../../src/simulation/paper-run.ts';
import { Random } from '../../src/simulation/random.ts';
import { record } from './sample-network.ts';

const SAT = 1000;
const MILLION = 1_000_000 * SAT;

/** `[FROM, TO, CAPACITY]`, in millisatoshi, all of it at FROM's end unless `held` says what is. */
type Sample = readonly [from: number, to: number, capacity: number, held?: number];

function sample(...channels: readonly Sample[]): PaperNetwork {
  const pairs = channels.map(([from, to, capacity], index) => ({
    channels: [index],
    ends: [from, to] as const,
    capacity,
    baseFees: [0, 0] as [number, number],
  }));
  return joined(
    pairs,
    channels.map(([, , capacity, held]) => held ?? capacity),
  );
}

/** 0 → 1 → 2 → 0, each wholly on the side that it leads from. */
const TRIANGLE = sample([0, 1, MILLION], [1, 2, MILLION], [2, 0, MILLION]);
const UNLIMITED = () => false;

test('strongly connected components, also of a chain too long to walk by recursion', () => {
  const arcs = [
    [0, 1],
    [1, 2],
    [2, 0],
    [2, 3],
    [3, 4],
    [4, 3],
  ] as const;
  const [a, b, c, d, e] = strongComponents(5, arcs);
  assert.ok(a === b && b === c && d === e && a !== d);
  const chain = Array.from({ length: 100_000 }, (_, node) => [node, node + 1] as const);
  assert.equal(new Set(strongComponents(100_001, chain)).size, 100_001);
});

test('parallel channels are one; who is on no circle of coins is left out', () => {
  const network = new Network([
    record(0, 1, '100x1x0', MILLION, { baseFee: 5 }, { baseFee: 1 }),
    record(0, 1, '100x1x1', 2 * MILLION, { baseFee: 3 }, { baseFee: 2 }),
    record(0, 2, '100x2x0', MILLION),
    record(1, 2, '100x3x0', MILLION),
    record(2, 3, '100x4x0', MILLION),
  ]);
  const all = pairedNetwork(network, Float64Array.of(MILLION, 0, 0, 0, 0));
  assert.deepEqual(
    [...all.capacity],
    [3, 1, 1, 1].map(millions => millions * MILLION),
  );
  assert.deepEqual([...all.baseFee.slice(0, 2)], [3, 1]);
  assert.deepEqual([...all.start.slice(0, 4)], [MILLION, 2 * MILLION, 0, MILLION]);
  const sizes = Array.from({ length: 40 }, (_, seed) => {
    const { nodeCount, channelCount, start } = paperNetwork(network, new Random(seed));
    if (channelCount > 0) assert.ok(start.every((held, edge) => (held === 0) !== (start[back(edge)] === 0)));
    return `${nodeCount} ${channelCount}`;
  });
  // The channel to 3 leads one way whatever the coin says.
  assert.deepEqual([...new Set(sizes)].sort(), ['0 0', '3 3']);
});

test('the Gini coefficient: ΣΣ|ζi − ζj| / (2 n Σζj)', () => {
  const star = sample([0, 1, MILLION], [0, 2, MILLION, 0], [0, 3, MILLION, MILLION / 2]);
  // ζ = 1, 0, 0.5: differences 1, 0.5, 0.5, twice each; 4 / (2 × 3 × 1.5).
  assert.equal(giniOf(star, star.start, 0), 4 / 9);
  // One channel alone, and one with nothing.
  assert.equal(giniOf(star, star.start, 3), 0);
  assert.equal(giniOf(star, star.start, 1), 0);
  assert.equal(giniOf(TRIANGLE, TRIANGLE.start, 0), 0.5);
});

test('the distance of two distributions', () => {
  assert.equal(ksDistance(Float64Array.of(1, 2, 3, 4), Float64Array.of(1, 2, 3, 4)), 0);
  assert.equal(ksDistance(Float64Array.of(1, 2), Float64Array.of(3, 4)), 1);
  assert.equal(ksDistance(Float64Array.of(1, 2, 3, 4), Float64Array.of(3, 3, 3, 4)), 0.5);
});

test('cheapest paths by base fee, then hops, and what they carry', () => {
  const pairs = [
    // 0 to 2 directly at 10, over 1 at 2 + 3; 0 to 3 over 1 at 2 + 8 or directly at 10: the direct one has fewer hops.
    { channels: [0], ends: [0, 1] as const, capacity: MILLION, baseFees: [2, 0] as [number, number] },
    { channels: [1], ends: [1, 2] as const, capacity: MILLION, baseFees: [3, 0] as [number, number] },
    { channels: [2], ends: [0, 2] as const, capacity: MILLION, baseFees: [10, 0] as [number, number] },
    { channels: [3], ends: [1, 3] as const, capacity: MILLION, baseFees: [8, 0] as [number, number] },
    { channels: [4], ends: [0, 3] as const, capacity: MILLION, baseFees: [10, 0] as [number, number] },
  ];
  const network = joined(pairs, [600 * SAT, 400 * SAT, MILLION, MILLION, 999]);
  const paths = cheapestPaths(network, 0);
  assert.deepEqual([...paths.via], [-1, 0, 2, 8]);
  // 600 to 1, 400 to 2, and 999 msat to 3, which is less than a satoshi.
  assert.deepEqual(payable(network, network.start, [paths]), { success: 2 / 3, median: 400 * SAT });
});

test('the shortest circle through a channel', () => {
  const ring = (first: number, nodes: number): Sample[] =>
    Array.from({ length: nodes }, (_, index) => [first + index, first + ((index + 1) % nodes), MILLION]);
  const rings = sample(...ring(0, 3), ...ring(10, 4), ...ring(20, 5), ...ring(30, 6), [0, 10, MILLION]);
  const reach = reachOf(rings);
  const expected = [3, 4, 5, 6].flatMap(nodes => Array.from({ length: nodes }, () => nodes));
  assert.deepEqual([...reach], [...expected, 6]);
  assert.deepEqual([2, 3, 7].map(coveredBy(reach, 4)), [true, true, false]);
});

test('the published rules on a triangle, by hand', () => {
  const after = (rule: 'cycles4' | 'foaf' | 'mpp', sweeps: number) => {
    const run = new PaperRun(TRIANGLE, UNLIMITED);
    const operations = Array.from({ length: sweeps }, () => sweep(run, rule));
    return { operations, held: [0, 2, 4].map(edge => run.holdings[edge]) };
  };
  // ν = 0.5, so that each has half of its channel to give.
  const half = [MILLION / 2, MILLION / 2, MILLION / 2];
  assert.deepEqual(after('cycles4', 2), { operations: [1, 0], held: half });
  assert.deepEqual(after('foaf', 2), { operations: [1, 0], held: half });
  // A twentieth of what is left, for each of the three in turn.
  const part = Math.floor((MILLION / 2 / 20 / SAT) * SAT);
  const parts = [part, Math.floor((MILLION / 2 - part) / 20 / SAT) * SAT];
  const third = Math.floor((MILLION / 2 - part - (parts[1] ?? 0)) / 20 / SAT) * SAT;
  const left = MILLION - part - (parts[1] ?? 0) - third;
  assert.deepEqual(after('mpp', 1), { operations: [3], held: [left, left, left] });
});

/** Nobody leaves a margin, so that what leans at all is offered. */
const rules = (network: PaperNetwork) => {
  const run = new PaperRun(network, UNLIMITED);
  return { run, offers: new Offers(run, new Random(1)) };
};

test('offers are what the eligibility rule says, at the largest rung', () => {
  const { run, offers } = rules(TRIANGLE);
  // 0 has a million on its side of 0 → 1, and nothing of 2 → 0.
  assert.deepEqual(
    [0, 1, 4, 5].map(edge => offers.bySource(edge)),
    [MILLION, 0, MILLION, 0],
  );
  assert.deepEqual(
    [0, 1, 4, 5].map(edge => offers.byDestination(edge)),
    [MILLION, 0, MILLION, 0],
  );
  run.move([0, 2, 4], 300_000 * SAT);
  offers.refresh([0, 2, 4]);
  assert.deepEqual(
    [0, 1].map(edge => offers.bySource(edge)),
    [500_000 * SAT, 0],
  );
  run.move([0, 2, 4], 200_000 * SAT);
  offers.refresh([0, 2, 4]);
  // Balanced: nobody wants anything.
  assert.deepEqual(
    [0, 1].map(edge => offers.bySource(edge) + offers.byDestination(edge)),
    [0, 0],
  );
});

test('the plugin moves half a triangle in one operation, and then nothing', async () => {
  const { run, offers } = rules(TRIANGLE);
  const rule = new PluginRule(run, offers);
  assert.equal(await rule.rebalance(0), true);
  assert.deepEqual(
    [0, 2, 4].map(edge => run.holdings[edge]),
    [500_000, 500_000, 500_000].map(sat => sat * SAT),
  );
  assert.deepEqual([await rule.rebalance(0), await rule.rebalance(1), run.operations], [false, false, 1]);
});

test('least squares: a large channel helps a small one across ν; by hand', () => {
  const four = { aim: leastSquares('nu'), fiveHops: false };
  // 0: c = 10 million at ζ = 0.6 and c' = 1 million at ζ' = 0.1; ν = 6.1 / 11.
  const network = sample(
    [0, 1, 10 * MILLION, 6 * MILLION],
    [1, 2, 10 * MILLION],
    [2, 0, MILLION, 0.9 * MILLION],
  );
  const { run, offers } = rules(network);
  assert.equal(new PairRule(run, offers, four).rebalance(0), true);
  // d = 0.04545, d' = −0.45454: a = (0.004545 + 0.45454) / (0.01 + 1) millions = 454,545 sat; the rung below is 200,000.
  assert.equal(run.holdings[0], 5.8 * MILLION);
  assert.equal(run.holdings[5], 0.3 * MILLION);
});

test('into the band: who is in it gives up to its border for nothing; by hand', () => {
  const { amount, gain } = intoBand();
  const end = (zeta: number, capacity: number) => ({ edge: 0, zeta, nu: 0.5, inverse: 1 / capacity });
  // The small one lacks 410,000 sat to the near border and 590,000 to the far one: the rung between brings it in.
  assert.equal(amount(end(0.59, 10 * MILLION), end(0, MILLION)), 500_000 * SAT);
  assert.ok(Math.abs(gain(end(0.59, 10 * MILLION), end(0, MILLION), 500_000 * SAT) - 0.41) < 1e-9);
  // At its own border it gives nothing to a channel as large.
  assert.equal(amount(end(0.41, MILLION), end(0, MILLION)), 0);
  assert.equal(amount(end(0.5, MILLION), end(0.5, MILLION)), 0);
});

test('five hops where there are none of four, and what is tried in vain is counted', () => {
  const ring = (middle: number) =>
    sample([0, 1, MILLION], [1, 2, MILLION], [2, 3, MILLION, middle], [3, 4, MILLION], [4, 0, MILLION]);
  const attempt = (middle: number, fiveHops: boolean) => {
    const { run, offers } = rules(ring(middle));
    const rule = new PairRule(run, offers, { aim: leastSquares('nu'), fiveHops });
    return [rule.rebalance(0), rule.failedTries, rule.fiveHopOperations, run.operations];
  };
  assert.deepEqual(attempt(MILLION, false), [false, 0, 0, 0]);
  assert.deepEqual(attempt(MILLION, true), [true, 0, 1, 1]);
  assert.deepEqual(attempt(0, true), [false, 1, 0, 0]);
});

const MADE_UP = paperNetwork(madeUpNetwork(1500, new Random(1)), new Random(1).fork('coins'));
const NAMES: readonly RuleName[] = [
  'cycles4',
  'foaf',
  'mpp',
  'plugin',
  'squares',
  'squares5',
  'halves5',
  'band5',
];

test('no rule changes a capacity or what a node has in all, or takes what is not there', async () => {
  for (const rule of NAMES) {
    let looks = 0;
    const task = { rule, seed: 'conservation', stops: [1, 5], payers: [] };
    await runRule(MADE_UP, task, holdings => {
      looks++;
      const sums = new Map<number, number>();
      for (const [edge, held] of holdings.entries()) {
        assert.ok(held >= 0 && Number.isInteger(held));
        assert.equal(held + (holdings[back(edge)] ?? 0), MADE_UP.capacity[edge >> 1]);
        const node = MADE_UP.source[edge] ?? -1;
        sums.set(node, (sums.get(node) ?? 0) + held - (MADE_UP.start[edge] ?? 0));
      }
      assert.ok([...sums.values()].every(sum => sum === 0));
      assert.ok(looks === 1 || holdings.some((held, edge) => held !== MADE_UP.start[edge]));
    });
    assert.ok(looks > 1, rule);
  }
});

test('the figures of a small network for one seed', async () => {
  const payers = Array.from({ length: MADE_UP.nodeCount }, (_, node) => node);
  const figures: Record<string, string> = {};
  for (const rule of NAMES) {
    const { measured } = await runRule(MADE_UP, { rule, seed: 'figures', stops: [10], payers });
    const end = measured.at(-1);
    const { operationsPerNode = 0, imbalance = 0, success = 0, medianMsat = 0 } = end ?? {};
    figures[rule] = [
      operationsPerNode.toFixed(2),
      imbalance.toFixed(4),
      success.toFixed(4),
      Math.round(medianMsat / SAT),
    ].join(' ');
  }
  assert.deepEqual(figures, {
    cycles4: '10.00 0.3349 0.7919 187239',
    foaf: '10.00 0.3051 0.7849 176261',
    mpp: '10.00 0.4883 0.6132 21054',
    plugin: '10.00 0.2123 0.9285 320000',
    squares: '10.00 0.2016 0.9602 320000',
    squares5: '10.00 0.1928 0.9536 340000',
    halves5: '10.00 0.2218 0.9219 350000',
    band5: '10.00 0.2296 0.8988 350000',
  });
});
