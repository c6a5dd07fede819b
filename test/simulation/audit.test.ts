import assert from 'node:assert/strict';
import { test } from 'node:test';
import { partsOf } from '../../src/simulation/audit.ts';
import { AUDIT_RUNGS, Belief, Grid, Naming, shareFor } from '../../src/simulation/audit-belief.ts';
import { askAsFriends } from '../../src/simulation/audit-friends.ts';
import { Movement, moveForAMinute } from '../../src/simulation/audit-movement.ts';
import { RebalanceWorld } from '../../src/simulation/audit-network.ts';
import { searchNu } from '../../src/simulation/audit-nu-search.ts';
import { halvingLine } from '../../src/simulation/audit-prober.ts';
import { Rebalance } from '../../src/simulation/audit-rebalance.ts';
import { reportOf } from '../../src/simulation/audit-report.ts';
import { Tally } from '../../src/simulation/audit-tally.ts';
import { AuditWorld } from '../../src/simulation/audit-world.ts';
import { madeUpNetwork } from '../../src/simulation/made-up-network.ts';
import { type DirectionTerms, Network } from '../../src/simulation/network.ts';
import { Random } from '../../src/simulation/random.ts';

const rung = (sat: number) => AUDIT_RUNGS.indexOf(sat);
const near = (actual: number, expected: number, off = 1e-9) =>
  assert.ok(Math.abs(actual - expected) <= off, `${actual} is not ${expected}`);
/** How likely a balance is believed to lie between two shares that are lines of the grid. */
const chanceBetween = (belief: Belief, low: number, high: number) =>
  belief.marginal().reduce((sum, chance, cell) => {
    const middle = belief.grid.middles[cell] ?? 0;
    return middle > low && middle < high ? sum + chance : sum;
  }, 0);

test('who hears 200,000 named and 500,000 not knows the balance to lie between them, and nothing closer', () => {
  const grid = new Grid(1_000_000, 'anywhere');
  const belief = new Belief(grid);
  // ν is known, and far below: the channel leans above wherever it lies between the two.
  const naming = new Naming(grid, 0.05, 0);
  belief.hear(1, rung(200_000), true, naming);
  belief.hear(1, rung(500_000), false, naming);
  // 1 % is the reserve: spendable from 0.21 and not from 0.51 on.
  near(chanceBetween(belief, 0.21, 0.51), 1, 0.002);
  // Inside as likely as before: by its width.
  near(chanceBetween(belief, 0.21, 0.35), 0.14 / 0.3, 0.005);
});

test('the other direction tells the same of the other end', () => {
  const grid = new Grid(1_000_000, 'anywhere');
  const belief = new Belief(grid);
  belief.hear(0, rung(200_000), true, new Naming(grid, 0.95, 0));
  belief.hear(0, rung(500_000), false, new Naming(grid, 0.95, 0));
  near(chanceBetween(belief, 0.49, 0.79), 1, 0.002);
});

test('a channel that is named nowhere leans neither way: within the widest margins of ν', () => {
  const grid = new Grid(5_000_000, 'anywhere');
  const belief = new Belief(grid);
  const naming = new Naming(grid, 0.5, 0);
  near(belief.chancesNamed(1, naming)[0] ?? 0, (0.99 - 0.56) / 0.98, 0.02);
  for (const flow of [0, 1] as const) belief.hear(flow, rung(10_000), false, naming);
  assert.ok(chanceBetween(belief, 0.375, 0.625) > 0.97);
});

test('a prober halves down to one cell, and its bits are what there was to know', () => {
  const grid = new Grid(5_000_000, 'anywhere');
  const belief = new Belief(grid, 1);
  const cell = grid.cellOf(0.3);
  let [bits, probes] = [0, 0];
  for (let line = halvingLine(belief); line !== undefined; line = halvingLine(belief)) {
    bits += belief.probe(line, cell >= grid.cellOf(line));
    probes++;
  }
  near(bits, -Math.log2(grid.prior[cell] ?? 0));
  near(belief.chanceOf(cell), 1);
  assert.ok(probes <= Math.ceil(Math.log2(grid.size)) + 2, `${probes} probes for ${grid.size} cells`);
});

test('bits are how much likelier the truth is held, errors the distance of the middle', () => {
  const grid = new Grid(1_000_000, 'anywhere');
  const tally = new Tally();
  const sure = new Float64Array(grid.size);
  sure[3] = 1;
  const truth = grid.middles[3] ?? 0;
  tally.look(grid, sure, truth);
  tally.learned(0.125, 0.5);
  const { errorMedian, priorErrorMedian, heldBits, learnedBits } = tally.figures(2);
  assert.equal(errorMedian, 0);
  near(priorErrorMedian, Math.abs(0.5 - truth), 0.02);
  near(heldBits, -Math.log2(grid.prior[3] ?? 0));
  assert.equal(learnedBits, 1);
});

test('time takes what is known away, and nothing from what nobody knew', () => {
  for (const kind of ['anywhere', 'depleted'] as const) {
    const movement = new Movement(kind, true);
    const grid = movement.grid(2_000_000, kind === 'anywhere' ? 'anywhere' : 'low');
    const steps = movement.steps(grid, 481);
    assert.ok(steps !== undefined);
    const belief = new Belief(grid, 1);
    belief.pass(steps);
    for (const [cell, chance] of belief.chances.entries()) near(chance, grid.prior[cell] ?? 0, 1e-4);
    const known = new Belief(grid, 1);
    known.probe(shareFor(500_000, 2_000_000), true);
    const usual = new Belief(grid, 1).moments().mean;
    const before = known.moments().mean - usual;
    for (let passed = 0; passed < 200; passed++) known.pass(steps);
    assert.ok(before > 0.1);
    near(known.moments().mean, usual, before / 10);
  }
});

test('payments leave our whole balance as it is, and reserves untouched', () => {
  const random = new Random(5);
  const channels = [200_000, 1_000_000, 5_000_000, 21_000_000].map(capacitySat => ({
    capacitySat,
    leaning: 'anywhere' as const,
    oursSat: capacitySat / 2,
  }));
  const before = channels.reduce((sum, { oursSat }) => sum + oursSat, 0);
  let moved = 0;
  for (let minute = 0; minute < 5000; minute++) moved += Number(moveForAMinute(channels, random));
  assert.ok(moved > 20, `only ${moved} payments`);
  assert.equal(
    channels.reduce((sum, { oursSat }) => sum + oursSat, 0),
    before,
  );
  for (const { oursSat, capacitySat } of channels) {
    assert.ok(oursSat >= 0.01 * capacitySat && oursSat <= 0.99 * capacitySat);
  }
});

test('the plugin itself gives no more than its budget, however much is asked', async () => {
  const world = new AuditWorld({
    random: new Random(3),
    channels: 6,
    balances: 'anywhere',
    moves: true,
    watchersSat: [5_000_000],
  });
  const greedy = { days: 2, timing: 'bursts', questionsADay: 60, bursts: 6 } as const;
  assert.equal((await askAsFriends(world, new Movement('anywhere', true), greedy)).questionsADay, 24);
});

test('margins that last say the same each week; new ones each week close in on ν', async () => {
  const lasting = await searchNu(new Random(4), 20, 3, 'for ever');
  assert.equal(lasting.questions, 3 * 36);
  const [first = 1, , last = 0] = lasting.errors;
  near(last, first, 0.002);
  const weekly: number[] = [];
  for (let seed = 0; seed < 8; seed++) {
    const { errors } = await searchNu(new Random(seed), 20, 5, 'a week');
    assert.ok((errors[0] ?? 1) < 0.05);
    weekly.push((errors[4] ?? 1) - (errors[0] ?? 0));
  }
  assert.ok(weekly.reduce((sum, change) => sum + change, 0) < 0);
});

// ---- One rebalance on three nodes ----

const TERMS: DirectionTerms = {
  baseFee: 0,
  feePpm: 0,
  cltvDelta: 34,
  htlcMinimum: 1,
  htlcMaximum: 990_000_000,
};
const id = (node: number) => `02${node.toString(16).padStart(64, '0')}`;
const pair = (place: number, a: number, b: number) => ({
  shortChannelId: (BigInt(500 + place) << 40n) | 65_536n,
  ends: [id(a), id(b)] as const,
  capacity: 1_000_000_000,
  terms: [TERMS, TERMS] as const,
});

/** We are node 0; 1 and 2 are our friends, with one channel between them of which 1 has a share. */
function triangle(share: number): RebalanceWorld {
  const network = new Network([pair(0, 0, 1), pair(1, 1, 2), pair(2, 0, 2)]);
  const world = new RebalanceWorld(network, 'anywhere', new Random(1));
  world.balances.set([900_000_000, share * 1_000_000_000, 100_000_000]);
  return world;
}

test('a blind rebalance tells what its success or failure was unlikely by', async () => {
  for (const [share, isDone] of [
    [0.9, true],
    [0.3, false],
  ] as const) {
    const rebalance = new Rebalance(triangle(share), 0, 500_000_000n);
    await rebalance.run('blind', 1);
    const { tries, bits, questions } = rebalance.figures;
    assert.deepEqual(
      { tries, questions, isDone: rebalance.figures.isDone },
      { tries: 1, questions: 0, isDone },
    );
    // Of 0.01 to 0.99, from 0.51 on the channel carries it.
    near(bits, -Math.log2((isDone ? 0.48 : 0.5) / 0.98));
  }
});

test('after an answer that named the channel, the payment tells hardly any more', async () => {
  const rebalance = new Rebalance(triangle(0.9), 0, 500_000_000n);
  await rebalance.run('as needed', 1);
  const { tries, bits, bitsOfAnswers, questions, isDone } = rebalance.figures;
  assert.deepEqual({ tries, questions, isDone }, { tries: 1, questions: 1, isDone: true });
  assert.ok(bitsOfAnswers > -Math.log2(0.48 / 0.98));
  near(bits, bitsOfAnswers, 0.001);
});

test('who measures first learns all that there is of the hop', async () => {
  const world = triangle(0.9);
  const rebalance = new Rebalance(world, 0, 500_000_000n);
  await rebalance.run('probed', 1);
  const grid = world.grid(1);
  near(rebalance.figures.bits, -Math.log2(grid.prior[grid.cellOf(0.9)] ?? 0));
  assert.ok(rebalance.figures.probes >= 5);
});

// ---- The whole audit, small ----

const SMALL = { seed: 1, days: 2, channels: 8, nodes: 1, searches: 3, cases: 5 };

test('the figures of one seed, in whatever order the parts run', async () => {
  const parts = partsOf(SMALL, () => madeUpNetwork(400, new Random(1)));
  const forwards = [];
  for (const part of parts) forwards.push(await part.run());
  const { tables } = reportOf(SMALL, forwards);
  const again = partsOf(SMALL, () => madeUpNetwork(400, new Random(1)));
  const last = again.length - 1;
  for (const place of [last, 3, 0]) assert.deepEqual(await again[place]?.run(), forwards[place]);
  const rows = (table: number, ...wanted: string[]) =>
    tables[table]?.rows.filter(row => wanted.some(name => row.includes(name))).map(row => row.join(' '));
  assert.deepEqual(rows(0, 'one friend', 'five friends', 'prober, 24 a day'), [
    'anywhere one friend 24 9.1 % 22.3 % 27.6 % 42.0 % 1.02 1.79 0.0072',
    'anywhere five friends 120 6.8 % 18.2 % 27.6 % 42.0 % 1.26 2.97 0.0211',
    'anywhere prober, 24 a day 24 8.8 % 31.0 % 27.6 % 42.0 % 0.87 2.97 ',
    'depleted one friend 24 2.1 % 3.5 % 2.8 % 42.9 % 0.77 1.59 0.0060',
    'depleted five friends 120 2.2 % 3.5 % 2.8 % 42.9 % 0.80 1.51 0.0037',
    'depleted prober, 24 a day 24 1.8 % 3.7 % 2.8 % 42.9 % 0.85 2.93 ',
  ]);
  assert.deepEqual(rows(1, 'a week', 'for ever'), ['a week 0.0050 / 0.0096', 'for ever 0.0028 / 0.0121']);
  assert.deepEqual(rows(2, '900,000'), [
    'anywhere 900,000 all asked 40.0 % 40.0 % 11.6 0.0 96.0 159.0 0.60',
    'anywhere 900,000 as needed 40.0 % 40.0 % 1.0 0.0 15.0 27.5 0.54',
    'anywhere 900,000 probed 40.0 % 40.0 % 0.0 4.6 11.0 2.0 5.50',
    'anywhere 900,000 blind 40.0 % 40.0 % 0.0 0.0 0.3 2.0 0.14',
    'depleted 900,000 all asked 80.0 % 80.0 % 11.6 0.0 16.6 91.3 0.18',
    'depleted 900,000 as needed 80.0 % 80.0 % 2.8 0.0 5.6 38.8 0.14',
    'depleted 900,000 probed 80.0 % 80.0 % 0.0 2.6 3.2 1.3 2.60',
    'depleted 900,000 blind 80.0 % 80.0 % 0.0 0.0 0.1 1.3 0.11',
  ]);
});
