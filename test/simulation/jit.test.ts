/** The experiment `jit`: a network small enough to be reckoned by hand, what must always hold, and its figures for one seed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { edgeOf, RouteFinder } from '../../src/simulation/cheapest-route.ts';
import { NetworkGossip } from '../../src/simulation/gossip.ts';
import { measureStreams } from '../../src/simulation/jit.ts';
import { StreamNetwork } from '../../src/simulation/jit-network.ts';
import { ALLOWANCES } from '../../src/simulation/jit-node.ts';
import { type JitWorld, runStream } from '../../src/simulation/jit-stream.ts';
import { madeUpNetwork } from '../../src/simulation/made-up-network.ts';
import { Network } from '../../src/simulation/network.ts';
import { Random } from '../../src/simulation/random.ts';
import { record } from './sample-network.ts';

const SAT = 1000;
const CAPACITY = 10_000_000 * SAT;
const AMOUNT = 100_000 * SAT;

/**
 * 0 pays 2 over 1, whose channel with 2 is empty and dear. A circle 1 → 3 → 2 → 1 would fill it. The reserve is
 * 100,000 sat, so 100,000 + 100,000 + 1 % + 1000 sat are missing, for which 3 takes 10 ppm.
 */
const EMPTY = new Network([
  record(0, 1, '100x1x0', CAPACITY),
  record(1, 2, '100x2x0', CAPACITY, { feePpm: 1000 }),
  record(1, 3, '100x3x0', CAPACITY),
  record(2, 3, '100x4x0', CAPACITY, {}, { feePpm: 10 }),
]);
/** By channel: what the end with the lower number has. */
const HELD = [CAPACITY, 0, CAPACITY, 0];
const MISSING = 202_000 * SAT;
const CIRCLE_FEE = 2020;
const FEE = 100 * SAT;

const gossip = new NetworkGossip(EMPTY);
const finder = new RouteFinder(EMPTY);

/** The detour over 3, which is cheaper, is left out. */
const DIRECT = new Set([edgeOf(2, 0)]);

function route(stream: StreamNetwork, excluded: ReadonlySet<number> = DIRECT) {
  const spendable = (channel: number, direction: 0 | 1) => stream.ledger.spendable(channel, direction);
  const hops = finder.find({ source: 0, target: 2, amount: AMOUNT, spendable, excluded });
  assert.ok(hops);
  return hops;
}

function emptyStream(mode: JitWorld['mode'], held = HELD) {
  return new StreamNetwork({
    network: EMPTY,
    gossip,
    balanceOf: channel => held[channel] ?? 0,
    mode: mode === 'active' ? 'active' : 'passive',
    isRunning: node => mode !== 'nothing' && node === 1,
    isSharing: () => true,
  });
}

/** Sends payments one after the other. Returns whether each has arrived. */
async function send(stream: StreamNetwork, payments: number): Promise<boolean[]> {
  const arrived: boolean[] = [];
  for (let payment = 0; payment < payments; payment++) {
    const carried = stream.carry(route(stream), stream.newHash());
    await stream.run();
    arrived.push((await carried) === undefined);
  }
  return arrived;
}

test('the cheapest route keeps htlc limits, and pays each node but the payer', () => {
  const stream = emptyStream('nothing');
  const shown = (excluded: ReadonlySet<number>) =>
    route(stream, excluded).map(({ id, amountMsat, delay }) => [
      EMPTY.numberOf(id),
      Number(amountMsat),
      delay,
    ]);
  assert.deepEqual(shown(new Set()), [
    [1, AMOUNT + 1000, 108],
    [3, AMOUNT + 1000, 74],
    [2, AMOUNT, 40],
  ]);
  assert.deepEqual(shown(DIRECT), [
    [1, AMOUNT + FEE, 74],
    [2, AMOUNT, 40],
  ]);
  const spendable = () => Number.POSITIVE_INFINITY;
  const query = { source: 0, target: 2, spendable, excluded: DIRECT };
  // With its fee it is more than the first channel holds, or than the payer has.
  assert.equal(finder.find({ ...query, amount: CAPACITY }), undefined);
  assert.equal(finder.find({ ...query, amount: AMOUNT, spendable: () => AMOUNT }), undefined);
});

for (const [mode, arrived] of [
  ['nothing', [false, false]],
  ['passive', [false, true]],
  ['active', [true]],
] as const) {
  test(`${arrived.length === 1 ? 'a payment' : 'two payments'} over an empty channel, ${mode}`, async () => {
    const stream = emptyStream(mode);
    assert.deepEqual(await send(stream, arrived.length), arrived);
    const [node] = stream.nodes;
    const circles = node?.circles ?? [];
    const filled = mode === 'nothing' ? 0 : 1;
    assert.deepEqual(
      circles.map(({ feeMsat }) => Number(feeMsat)),
      filled === 1 ? [CIRCLE_FEE] : [],
    );
    const paid = filled === 1 ? AMOUNT : 0;
    assert.equal(stream.ledger.balance(1), filled * MISSING - paid);
    assert.equal(stream.ledger.balance(2), CAPACITY - filled * (MISSING + CIRCLE_FEE));
    assert.equal(stream.ledger.balance(0), CAPACITY - (filled === 1 ? AMOUNT + FEE : 0));
    // Earned by 1 for the payment, and by 3 for the circle.
    assert.equal(stream.tally.earned, filled * (FEE + CIRCLE_FEE));
    assert.equal(Number(node?.earnings.earnedByAllMsat(stream.clock.wallMs()) ?? 0n), filled * FEE);
    assert.equal(stream.tally.helpedFees, mode === 'active' ? FEE : 0);
  });
}

/** The circle over 3 cannot be, since 3 has nothing; one over 4, which asks twice as much, can. */
const TWO_WAYS = new Network([
  ...Array.from(EMPTY.shortChannelIds, (_, channel) => EMPTY.record(channel)),
  record(1, 4, '100x5x0', CAPACITY),
  record(2, 4, '100x6x0', CAPACITY, {}, { feePpm: 20 }),
]);
const TWO_WAYS_HELD = [CAPACITY, 0, CAPACITY, CAPACITY, CAPACITY, 0];

for (const isSharing of [true, false]) {
  test(`the circle that cannot be is ${isSharing ? 'passed over when friends share' : 'tried when nobody shares'}`, async () => {
    const stream = new StreamNetwork({
      network: TWO_WAYS,
      gossip: new NetworkGossip(TWO_WAYS),
      balanceOf: channel => TWO_WAYS_HELD[channel] ?? 0,
      mode: 'active',
      isRunning: node => node === 1,
      isSharing: () => isSharing,
    });
    const [[hasArrived], [node]] = [await send(stream, 1), [...stream.nodes]];
    assert.equal(hasArrived, isSharing);
    assert.deepEqual([...(node?.jit.counts ?? [])], [[isSharing ? 'filled' : 'failed', 1]]);
    assert.deepEqual(
      node?.circles.map(({ feeMsat }) => Number(feeMsat)),
      isSharing ? [2 * CIRCLE_FEE] : [],
    );
  });
}

test('what is on its way is not sent twice, and is there again when it has failed', async () => {
  const third = CAPACITY / 100 + 1.5 * AMOUNT;
  const stream = emptyStream('nothing', [CAPACITY, third, CAPACITY, 0]);
  const both = [0, 1].map(() => stream.carry(route(stream), stream.newHash()));
  await stream.run();
  const ends = await Promise.all(both);
  assert.deepEqual(
    ends.map(blamed => blamed?.failcode),
    [undefined, 0x1007],
  );
  assert.equal(stream.ledger.hasPending, false);
  assert.equal(stream.ledger.balance(0), CAPACITY - AMOUNT - FEE);
});

const SMALL = madeUpNetwork(300, new Random(1));
const smallGossip = new NetworkGossip(SMALL);
const smallFinder = new RouteFinder(SMALL);

test('capacities are kept, no budget is exceeded, no circle costs more than was booked, and fees add up', async () => {
  let circles = 0;
  const balances = fc.constantFrom('priced' as const, 'coin' as const, 'depleted' as const);
  const mode = fc.constantFrom('passive' as const, 'active' as const);
  await fc.assert(
    fc.asyncProperty(fc.nat(), balances, mode, fc.boolean(), async (seed, kind, how, isSeasoned) => {
      const world = { name: '', mode: how, running: 1, isSharing: true, isSeasoned };
      const task = { seed: String(seed), balances: kind, payments: 40, world };
      const { outcome, stream } = await runStream(SMALL, smallGossip, smallFinder, task);
      assert.equal(stream.ledger.hasPending, false);
      for (let channel = 0; channel < SMALL.channelCount; channel++) {
        const held = stream.ledger.balance(channel);
        assert.ok(held >= 0 && held <= SMALL.capacity(channel));
      }
      const wallMs = stream.clock.wallMs();
      let earned = 0n;
      for (const { earnings, budget, circles: paid } of stream.nodes) {
        earned += earnings.earnedByAllMsat(wallMs);
        const { byAllMsat, byChannelMsat } = budget.spent();
        assert.ok(byAllMsat <= ALLOWANCES.totalMsat + earnings.earnedByAllMsat(wallMs) / 4n);
        for (const [channel, spentMsat] of byChannelMsat) {
          assert.ok(spentMsat <= ALLOWANCES.perChannelMsat + earnings.earnedMsat(channel, wallMs) / 4n);
        }
        assert.equal(
          byAllMsat,
          paid.reduce((sum, { feeMsat }) => sum + feeMsat, 0n),
        );
        assert.ok(paid.every(({ feeMsat, bookedMsat }) => feeMsat <= bookedMsat));
        circles += paid.length;
      }
      const paidFees = outcome.payments.reduce((sum, { fee }) => sum + fee, 0);
      assert.equal(Number(earned), paidFees + outcome.circleFees);
      assert.equal(Number(earned), stream.tally.earned);
    }),
    { numRuns: 12, seed: 7 },
  );
  assert.ok(circles > 0);
});

const PAYMENTS = 120;

test('the figures of 120 payments for one seed, the same in one thread and in two', async () => {
  const world = { running: 1, isSharing: true, isSeasoned: true };
  const alone = { ...world, isSharing: false };
  const worlds: JitWorld[] = [
    { ...alone, name: 'nothing', mode: 'nothing' },
    { ...world, name: 'passive', mode: 'passive' },
    { ...alone, name: 'passive, nobody shares', mode: 'passive' },
    { ...world, name: 'active', mode: 'active' },
    { ...alone, name: 'active, nobody shares', mode: 'active' },
  ];
  const streams = [{ balances: 'priced' as const, worlds }];
  const measure = (threads: number) =>
    measureStreams(SMALL, streams, PAYMENTS, threads, new Random(1).fork('small'), () => {});
  const [one, two] = [await measure(1), await measure(2)];
  assert.deepEqual(one, two);
  const figures = one.flatMap(({ worlds }) =>
    worlds.map(({ world, arrived, tally, circles, circleFees }) => [
      world,
      Math.round(PAYMENTS * arrived.value),
      tally.lacking,
      tally.held,
      tally.helped,
      circles,
      circleFees,
    ]),
  );
  assert.deepEqual(figures, [
    ['nothing', 113, 45, 0, 0, 0, 0],
    ['passive', 113, 42, 0, 0, 4, 27_479],
    ['passive, nobody shares', 113, 42, 0, 0, 4, 27_479],
    ['active', 113, 39, 8, 8, 8, 42_338],
    ['active, nobody shares', 113, 39, 8, 8, 8, 42_338],
  ]);
});
