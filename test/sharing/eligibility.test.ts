import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isEligible, MARGIN_DENOMINATOR, marginFrom, sidesOf } from '../../src/sharing/eligibility.ts';
import type { OwnChannel } from '../../src/sharing/node-view.ts';
import { RUNGS_MSAT, rungFor } from '../../src/sharing/rungs.ts';
import { MAX_AMOUNT_MSAT } from '../../src/wire/codec.ts';
import { BLOCK_HEIGHT, channel, nodeId, view } from './world.ts';

const SAT = 1000n;

test('rungs are 1, 2 and 5 times powers of ten from 10,000 sat to 20 million btc', () => {
  assert.deepEqual(
    RUNGS_MSAT.slice(0, 5).map(rung => rung / SAT),
    [10_000n, 20_000n, 50_000n, 100_000n, 200_000n],
  );
  assert.equal(RUNGS_MSAT.at(-1), MAX_AMOUNT_MSAT);
  assert.equal(rungFor(1n), 10_000n * SAT);
  assert.equal(rungFor(10_000n * SAT), 10_000n * SAT);
  assert.equal(rungFor(10_000n * SAT + 1n), 20_000n * SAT);
  assert.equal(rungFor(200_001n * SAT), 500_000n * SAT);
});

test('property: the rung is the lowest one not below the amount', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 1n, max: MAX_AMOUNT_MSAT }), amount => {
      const rung = rungFor(amount);
      assert.ok(rung >= amount && RUNGS_MSAT.includes(rung));
      assert.ok(RUNGS_MSAT.every(other => other >= rung || other < amount));
    }),
  );
});

test('the margin lies between 0.02 and 0.10', () => {
  assert.equal(marginFrom(0) * 50n, MARGIN_DENOMINATOR);
  const largest = Number(marginFrom(0xffff_ffff)) / Number(MARGIN_DENOMINATOR);
  assert.ok(largest < 0.1 && largest > 0.0999999);
});

/** The sides of nodes 1, 2, … with a margin of exactly 0.02. */
function sides(channels: readonly OwnChannel[], minDepth = 0) {
  return sidesOf(view(channels), minDepth, () => marginFrom(0));
}

test('a node is above when its share of ours exceeds the whole by more than the margin', () => {
  // ν = 1.5 / 3; the borders are 0.52 and 0.48.
  const found = sides([
    channel(1, '100x1x0', 520_000),
    channel(2, '100x2x0', 480_000),
    channel(3, '100x3x0', 500_000),
  ]);
  assert.deepEqual([...found.values()], ['between', 'between', 'between']);
  // One satoshi more and less, the whole unchanged.
  const moved = sides([
    channel(1, '100x1x0', 520_001),
    channel(2, '100x2x0', 479_999),
    channel(3, '100x3x0', 500_000),
  ]);
  assert.deepEqual([...moved.values()], ['above', 'below', 'between']);
});

test('parallel channels lean together', () => {
  const found = sides([
    channel(1, '100x1x0', 950_000),
    channel(1, '100x1x1', 0),
    channel(2, '100x2x0', 900_000),
    channel(3, '100x3x0', 100_000),
  ]);
  assert.equal(found.get(nodeId(1)), 'between');
  assert.equal(found.get(nodeId(2)), 'above');
  assert.equal(found.get(nodeId(3)), 'below');
});

test('what counts: announced, deep enough, normal or splicing; offline too', () => {
  const counted = [channel(1, '100x1x0', 1_000_000), channel(2, '100x2x0', 0)];
  const ignored = [
    channel(3, '100x3x0', 1_000_000, { isPublic: false }),
    channel(4, '996x4x0', 1_000_000), // five deep: not announced yet
    channel(5, '990x5x0', 1_000_000), // eleven deep of twelve
    channel(6, '100x6x0', 1_000_000, { state: 'other' }),
    channel(7, '100x7x0', 1_000_000, { shortChannelId: undefined }),
  ];
  const found = sides([...counted, ...ignored], 12);
  assert.deepEqual(
    [...found.entries()],
    [
      [nodeId(1), 'above'],
      [nodeId(2), 'below'],
    ],
  );
  const away = { peerConnected: false, usable: false };
  const withOffline = sides([...counted, channel(8, '100x8x0', 500_000, { ...away, state: 'splicing' })], 12);
  assert.equal(withOffline.get(nodeId(8)), 'between');
});

test('a channel is eligible when it leans the right way and carries the rung', () => {
  const rung = 50_000n * SAT;
  const rich = channel(1, '100x1x0', 500_000);
  const out = (changed: OwnChannel) => isEligible(changed, 'above', 1, rung, BLOCK_HEIGHT);
  const into = (changed: OwnChannel) => isEligible(changed, 'below', 0, rung, BLOCK_HEIGHT);
  assert.ok(out(rich) && into(rich));
  for (const side of ['below', 'between', undefined] as const)
    assert.ok(!isEligible(rich, side, 1, rung, BLOCK_HEIGHT));
  for (const side of ['above', 'between', undefined] as const)
    assert.ok(!isEligible(rich, side, 0, rung, BLOCK_HEIGHT));
  const neither: Partial<OwnChannel>[] = [
    { state: 'splicing' },
    { state: 'other' },
    { isPublic: false },
    { usable: false },
    { shortChannelId: undefined },
  ];
  for (const change of neither) assert.ok(!out({ ...rich, ...change }) && !into({ ...rich, ...change }));
  assert.ok(out({ ...rich, spendableMsat: rung }) && !out({ ...rich, spendableMsat: rung - 1n }));
  assert.ok(into({ ...rich, receivableMsat: rung }) && !into({ ...rich, receivableMsat: rung - 1n }));
  const exact = { minimumMsat: rung, maximumMsat: rung };
  assert.ok(out({ ...rich, localLimits: exact }) && into({ ...rich, remoteLimits: exact }));
  const badLimits = [undefined, { ...exact, minimumMsat: rung + 1n }, { ...exact, maximumMsat: rung - 1n }];
  for (const limits of badLimits) {
    assert.ok(!out({ ...rich, localLimits: limits }) && into({ ...rich, localLimits: limits }));
    assert.ok(!into({ ...rich, remoteLimits: limits }) && out({ ...rich, remoteLimits: limits }));
  }
});

test('property: a node never leans both ways, and moving everything to us never makes it lean down', () => {
  const balances = fc.array(fc.nat({ max: 1_000_000 }), { minLength: 2, maxLength: 12 });
  fc.assert(
    fc.property(balances, fc.nat({ max: 0xffff_ffff }), (ours, random) => {
      const channels = ours.map((sat, index) => channel(index + 1, `100x${index + 1}x0`, sat));
      const found = sidesOf(view(channels), 0, () => marginFrom(random));
      assert.equal(found.size, ours.length);
      const whole = ours.reduce((sum, sat) => sum + sat, 0) / ours.length;
      ours.forEach((sat, index) => {
        const side = found.get(nodeId(index + 1));
        if (sat > whole + 100_000) assert.equal(side, 'above');
        else if (sat < whole - 100_000) assert.equal(side, 'below');
        else if (Math.abs(sat - whole) < 20_000) assert.equal(side, 'between');
      });
    }),
  );
});
