import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { chooseMoves, type MoveRequest } from '../../src/rebalance/choose.ts';
import type { OwnChannel } from '../../src/sharing/node-view.ts';
import { RUNGS_MSAT } from '../../src/sharing/rungs.ts';
import { channel, nodeId, scid, view } from '../sharing/world.ts';

const SAT = 1000n;
const REQUEST: MoveRequest = { maxFeePpm: 0n, limit: 10 };

/** `OUT>IN SATOSHIS`, the peers by number. */
function chosen(own: readonly OwnChannel[], request: Partial<MoveRequest> = {}): string[] {
  return chooseMoves(view(own), { ...REQUEST, ...request }).map(({ out, in: home, amountMsat }) => {
    const [from, to] = [out, home].map(side =>
      'peerId' in side ? Number(`0x${side.peerId.slice(-4)}`) : side.shortChannelId,
    );
    return `${from}>${to} ${Number(amountMsat) / 1000}`;
  });
}

// ν = 0.5: 1 has 400,000 sat to give, 2 has 30,000, 3 lacks 230,000 and 4 lacks 200,000.
const OWN = [
  channel(1, '100x1x0', 900_000),
  channel(2, '100x2x0', 530_000),
  channel(3, '100x3x0', 270_000),
  channel(4, '100x4x0', 300_000),
];

test('every channel towards ν, as far as both ends allow, in whole rungs', () => {
  assert.deepEqual(chosen(OWN), ['1>3 200000', '1>4 200000', '2>3 20000', '2>4 20000']);
  assert.deepEqual(chosen(OWN, { limit: 1 }), ['1>3 200000']);
});

test('fees are part of what leaves and of what must fit under a rung', () => {
  // With its 99.95 sat of fees it is the rung of 200,000.
  assert.deepEqual(chosen(OWN, { maxFeePpm: 500n, limit: 1 }), ['1>3 199900.05']);
  // 2 has 30,000 sat to give; with 60 % of fees this is the rung of 20,000.
  assert.deepEqual(chosen(OWN, { maxFeePpm: 600_000n, out: { peerId: nodeId(2) }, limit: 1 }), ['2>3 12500']);
});

test('below the lowest rung the whole of it is moved, and next to nothing is not', () => {
  const leaning = (sat: number) => [
    channel(1, '100x1x0', 500_000 + sat),
    channel(2, '100x2x0', 500_000 - sat),
  ];
  assert.deepEqual(chosen(leaning(9999)), ['1>2 9999']);
  assert.deepEqual(chosen(leaning(10_001)), ['1>2 10000']);
  assert.deepEqual(chosen(leaning(1000)), ['1>2 1000']);
  assert.deepEqual(chosen(leaning(999)), []);
  assert.deepEqual(chosen([]), []);
});

test('a small channel that leans wholly comes before a large one that leans little', () => {
  const small = { totalMsat: 100_000n * SAT };
  const own = [
    channel(1, '100x1x0', 550_000),
    channel(2, '100x2x0', 450_000),
    channel(3, '100x3x0', 100_000, small),
    channel(4, '100x4x0', 0, small),
  ];
  assert.deepEqual(chosen(own), ['3>4 50000', '1>4 50000', '3>2 50000', '1>2 50000']);
});

test('parallel channels with a peer are one; a move still fits through one of them', () => {
  const own = [
    channel(1, '100x1x0', 900_000),
    channel(1, '100x1x1', 100_000),
    channel(2, '100x2x0', 850_000),
    channel(3, '100x3x0', 150_000),
    channel(3, '100x3x1', 500_000, { totalMsat: 500_000n * SAT, receivableMsat: 0n }),
    channel(4, '100x4x0', 0, { totalMsat: 500_000n * SAT }),
  ];
  // ν = 2,500,000 / 5,000,000: 1 does not lean though both of its channels do, and 3 lacks 100,000.
  assert.deepEqual(chosen(own), ['2>4 200000', '2>3 100000']);
});

test('what cannot move now is not chosen, though it counts', () => {
  const with1 = (changes: Partial<OwnChannel>) => [
    { ...channel(1, '100x1x0', 900_000), ...changes },
    ...OWN.slice(1),
  ];
  assert.deepEqual(chosen(with1({ usable: false })), ['2>3 20000', '2>4 20000']);
  assert.deepEqual(chosen(with1({ spendableMsat: 60_000n * SAT }))[0], '1>3 50000');
  const localLimits = { minimumMsat: 0n, maximumMsat: 5000n * SAT };
  assert.deepEqual(chosen(with1({ localLimits })).at(-1), '1>4 5000');
  // A channel that closes is no part of the balance.
  assert.deepEqual(chosen([...OWN, channel(5, '100x5x0', 0, { state: 'other' })]), chosen(OWN));
});

test('out, in and amount restrict it', () => {
  assert.deepEqual(chosen(OWN, { out: { peerId: nodeId(2) } }), ['2>3 20000', '2>4 20000']);
  assert.deepEqual(chosen(OWN, { in: { shortChannelId: scid('100x4x0') } }), [
    `1>${scid('100x4x0')} 200000`,
    `2>${scid('100x4x0')} 20000`,
  ]);
  // A side that does not lean that way gives nothing.
  assert.deepEqual(chosen(OWN, { out: { peerId: nodeId(3) } }), []);
  const amount = (sat: bigint, request: Partial<MoveRequest> = {}) =>
    chosen(OWN, { amountMsat: sat * SAT, ...request });
  assert.deepEqual(amount(210_000n), ['1>3 210000']);
  assert.deepEqual(amount(230_001n), []);
  assert.deepEqual(amount(500n), ['1>3 500', '1>4 500', '2>3 500', '2>4 500']);
  // Named with an amount, it need not lean; what the rule chooses beside it must.
  assert.deepEqual(amount(250_000n, { out: { peerId: nodeId(3) } }), []);
  assert.deepEqual(amount(150_000n, { out: { peerId: nodeId(3) } }), ['3>4 150000']);
  assert.deepEqual(amount(250_000n, { out: { peerId: nodeId(3) }, in: { peerId: nodeId(1) } }), []);
  assert.deepEqual(amount(90_000n, { out: { peerId: nodeId(3) }, in: { peerId: nodeId(1) } }), ['3>1 90000']);
});

const anyOwn = fc
  .array(
    fc.record({
      peer: fc.integer({ min: 1, max: 5 }),
      ours: fc.integer({ min: 0, max: 1_000_000 }),
      usable: fc.integer({ min: 0, max: 5 }).map(n => n > 0),
    }),
    { maxLength: 8 },
  )
  .map(all => all.map(({ peer, ours, usable }, n) => channel(peer, `100x${n}x0`, ours, { usable })));

test('property: no move overshoots, whatever fees it pays within the limit, and order changes nothing', () => {
  let some = 0;
  fc.assert(
    fc.property(anyOwn, fc.bigInt({ min: 0n, max: 100_000n }), (own, maxFeePpm) => {
      const moves = chooseMoves(view(own), { ...REQUEST, maxFeePpm });
      assert.deepEqual(chooseMoves(view([...own].reverse()), { ...REQUEST, maxFeePpm }), moves);
      const sum = (all: readonly OwnChannel[], key: 'toUsMsat' | 'totalMsat') =>
        all.reduce((total, each) => total + each[key], 0n);
      const [ours, total] = [sum(own, 'toUsMsat'), sum(own, 'totalMsat')];
      for (const { out, in: home, amountMsat } of moves) {
        assert.ok('peerId' in out && 'peerId' in home && out.peerId !== home.peerId);
        const leaving = amountMsat + (amountMsat * maxFeePpm) / 1_000_000n;
        const from = own.filter(({ peerId }) => peerId === out.peerId);
        const to = own.filter(({ peerId }) => peerId === home.peerId);
        assert.ok((sum(from, 'toUsMsat') - leaving) * total >= ours * sum(from, 'totalMsat'));
        assert.ok((sum(to, 'toUsMsat') + amountMsat) * total <= ours * sum(to, 'totalMsat'));
        assert.ok(from.some(({ usable, spendableMsat }) => usable && spendableMsat >= leaving));
        assert.ok(to.some(({ usable, receivableMsat }) => usable && receivableMsat >= amountMsat));
        const rung = RUNGS_MSAT.findLast(each => each <= leaving + 1n);
        // One more msat would not fit under the rung, or there is no rung below.
        const one = amountMsat + 1n;
        if (rung !== undefined) assert.ok(leaving <= rung && one + (one * maxFeePpm) / 1_000_000n > rung);
        some++;
      }
    }),
    { numRuns: 1000 },
  );
  assert.ok(some > 500, String(some));
});
