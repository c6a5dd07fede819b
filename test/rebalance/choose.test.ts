import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  chooseMoves,
  type Move,
  type MoveRequest,
  movableEnds,
  sidesOf,
  worthOf,
} from '../../src/rebalance/choose.ts';
import type { OwnChannel } from '../../src/sharing/node-view.ts';
import { RUNGS_MSAT } from '../../src/sharing/rungs.ts';
import { channel, nodeId, scid, view } from '../sharing/world.ts';

const SAT = 1000n;
const REQUEST: MoveRequest = { maxFeePpm: 0n };

/** `OUT>IN SATOSHIS`, the peers by number. */
function chosen(own: readonly OwnChannel[], request: Partial<MoveRequest> = {}, limit = 10): string[] {
  return chooseMoves(view(own), { ...REQUEST, ...request }, limit).map(({ out, in: home, amountMsat }) => {
    const [from, to] = [out, home].map(side =>
      'peerId' in side ? Number(`0x${side.peerId.slice(-4)}`) : side.shortChannelId,
    );
    return `${from}>${to} ${Number(amountMsat) / 1000}`;
  });
}

// ν = 0.5: 1 has 400,000 sat above it, 2 has 30,000; 3 lacks 230,000 and 4 lacks 200,000.
const OWN = [
  channel(1, '100x1x0', 900_000),
  channel(2, '100x2x0', 530_000),
  channel(3, '100x3x0', 270_000),
  channel(4, '100x4x0', 300_000),
];

test('what lowers the sum of squares most, in the rung nearest to the best amount', () => {
  // Of equal channels half of what their ζ differ by: 315,000, 300,000, 185,000, 130,000, 115,000; 15,000 from 4 to 3 is not worth it. The rung of 200,000 takes 2
  // from 530,000 to 330,000 as it does 1 from 900,000: from 2 to 3 100,000 is nearer.
  assert.deepEqual(chosen(OWN), ['1>3 200000', '1>4 200000', '1>2 200000', '2>3 100000', '2>4 100000']);
  assert.deepEqual(chosen(OWN, {}, 1), ['1>3 200000']);
});

test('fees are part of what leaves and of what must fit under a rung', () => {
  // With its 99.95 sat of fees it is the rung of 200,000.
  assert.deepEqual(chosen(OWN, { maxFeePpm: 500n }, 1), ['1>3 199900.05']);
  // 130,000 sat would be best; with 60 % of fees 125,000 are the rung of 200,000.
  assert.deepEqual(chosen(OWN, { maxFeePpm: 600_000n, out: { peerId: nodeId(2) } }, 1), ['2>3 125000']);
});

test('below the lowest rung the best amount itself is moved, and what brings next to nothing is not', () => {
  const leaning = (sat: number, totalSat: number) => {
    const changes = { totalMsat: BigInt(totalSat) * SAT };
    return [
      channel(1, '100x1x0', totalSat / 2 + sat, changes),
      channel(2, '100x2x0', totalSat / 2 - sat, changes),
    ];
  };
  assert.deepEqual(chosen(leaning(9999, 100_000)), ['1>2 9999']);
  assert.deepEqual(chosen(leaning(10_001, 100_000)), ['1>2 10000']);
  assert.deepEqual(chosen(leaning(14_999, 100_000)), ['1>2 10000']);
  assert.deepEqual(chosen(leaning(15_001, 100_000)), ['1>2 20000']);
  // Not for less than 1,000 sat, nor for two that lean less than by 0.02.
  assert.deepEqual(chosen(leaning(1000, 10_000)), ['1>2 1000']);
  assert.deepEqual(chosen(leaning(999, 10_000)), []);
  assert.deepEqual(chosen(leaning(20_000, 1_000_000)), ['1>2 20000']);
  assert.deepEqual(chosen(leaning(19_999, 1_000_000)), []);
  assert.deepEqual(chosen([]), []);
});

test('a small channel that leans wholly comes before a large one that leans little, and a large one helps it past ν', () => {
  const small = { totalMsat: 100_000n * SAT };
  const own = [
    channel(1, '100x1x0', 550_000),
    channel(2, '100x2x0', 450_000),
    channel(3, '100x3x0', 100_000, small),
    channel(4, '100x4x0', 0, small),
  ];
  // 2, below ν itself, gives 4 what moves its own ζ from 0.45 to 0.40 and that of 4 from 0 to 0.5.
  // ν = 0.5; 1 gives 4 as much as 3 does 2, which is as much help.
  assert.deepEqual(chosen(own, {}, 3).sort(), ['1>4 50000', '3>2 50000', '3>4 50000']);
  assert.equal(chosen(own)[0], '3>4 50000');
  assert.ok(chosen(own).includes('2>4 50000'));
});

test('parallel channels with a peer are one; a move still fits through one of them', () => {
  const own = [
    channel(1, '100x1x0', 900_000),
    channel(1, '100x1x1', 100_000),
    channel(2, '100x2x0', 850_000),
    channel(3, '100x3x0', 150_000),
    channel(3, '100x3x1', 500_000, { totalMsat: 500_000n * SAT, receivableMsat: 0n }),
  ];
  // ν = 2,500,000 / 4,500,000: 1 leans little though both of its channels do.
  assert.deepEqual(chosen(own, {}, 2), ['2>3 200000', '2>1 200000']);
  assert.ok(chosen(own).every(move => move !== '1>1 500000'));
});

test('what cannot move now is not chosen, though it counts', () => {
  const with1 = (changes: Partial<OwnChannel>) => [
    { ...channel(1, '100x1x0', 900_000), ...changes },
    ...OWN.slice(1),
  ];
  assert.deepEqual(chosen(with1({ usable: false })), ['2>3 100000', '2>4 100000']);
  assert.deepEqual(chosen(with1({ spendableMsat: 60_000n * SAT }))[0], '1>3 50000');
  const localLimits = { minimumMsat: 0n, maximumMsat: 5000n * SAT };
  assert.ok(chosen(with1({ localLimits })).includes('1>4 5000'));
  // A channel that closes is no part of the balance.
  assert.deepEqual(chosen([...OWN, channel(5, '100x5x0', 0, { state: 'other' })]), chosen(OWN));
});

test('out and in restrict it', () => {
  assert.deepEqual(chosen(OWN, { out: { peerId: nodeId(2) } }), ['2>3 100000', '2>4 100000']);
  assert.deepEqual(chosen(OWN, { in: { shortChannelId: scid('100x4x0') } }), [
    `1>${scid('100x4x0')} 200000`,
    `2>${scid('100x4x0')} 100000`,
  ]);
  // From the one that lacks most nothing helps.
  assert.deepEqual(chosen(OWN, { out: { peerId: nodeId(3) } }), []);
});

test('a given amount takes nobody past ν, but whom was named beside it', () => {
  const ends = (sat: bigint, request: Partial<MoveRequest> = {}) => {
    const { outs, ins } = movableEnds(view(OWN), { ...REQUEST, ...request, amountMsat: sat * SAT });
    return [outs, ins].map(ids => ids.map(id => Number(`0x${id.slice(-4)}`)).join('+')).join('>');
  };
  assert.equal(ends(500n), '1+2>3+4');
  assert.equal(ends(210_000n), '1>3');
  assert.equal(ends(230_000n), '1>3');
  assert.equal(ends(230_001n), '1>');
  // With its fees, which leave too, 200,000 sat of the 400,000.
  assert.equal(ends(200_000n, { maxFeePpm: 1_000_000n }), '1>3+4');
  assert.equal(ends(200_001n, { maxFeePpm: 1_000_000n }), '>3');
  assert.equal(ends(150_000n, { out: { peerId: nodeId(3) } }), '3>3+4');
  assert.equal(ends(250_000n, { out: { peerId: nodeId(3) } }), '3>');
  assert.equal(ends(90_000n, { out: { peerId: nodeId(3) }, in: { peerId: nodeId(1) } }), '3>1');
  assert.equal(ends(250_000n, { out: { peerId: nodeId(3) }, in: { peerId: nodeId(1) } }), '3>');
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

/** The sum of (ζ − ν)², after changes of what is ours with some peers; ν as it was. */
function sumOf(own: readonly OwnChannel[], changes: ReadonlyMap<string, bigint> = new Map()): number {
  const nu = total(own, 'toUsMsat') / total(own, 'totalMsat');
  return [...new Set(own.map(({ peerId }) => peerId))].reduce((sum, peerId) => {
    const all = own.filter(each => each.peerId === peerId);
    const ours = total(all, 'toUsMsat') + Number(changes.get(peerId) ?? 0n);
    return sum + (ours / total(all, 'totalMsat') - nu) ** 2;
  }, 0);
}

function total(all: readonly OwnChannel[], key: 'toUsMsat' | 'totalMsat'): number {
  return Number(all.reduce((sum, each) => sum + each[key], 0n));
}

const peersOf = ({ out, in: home }: Move): [string, string] => {
  assert.ok('peerId' in out && 'peerId' in home && out.peerId !== home.peerId);
  return [out.peerId, home.peerId];
};

test('property: every move lowers the sum of squares, whatever fees it pays within the limit, and order changes nothing', () => {
  let some = 0;
  const anyFees = fc.bigInt({ min: 0n, max: 100_000n });
  fc.assert(
    fc.property(anyOwn, anyFees, fc.double({ min: 0, max: 1, noNaN: true }), (own, maxFeePpm, paid) => {
      const moves = chooseMoves(view(own), { maxFeePpm }, 10);
      assert.deepEqual(chooseMoves(view([...own].reverse()), { maxFeePpm }, 10), moves);
      for (const move of moves) {
        const [out, home] = peersOf(move);
        const { amountMsat, gain } = move;
        const most = (amountMsat * maxFeePpm) / 1_000_000n;
        for (const fees of [0n, BigInt(Math.floor(Number(most) * paid)), most]) {
          const moved = new Map([
            [out, -amountMsat - fees],
            [home, amountMsat],
          ]);
          assert.ok(sumOf(own) - sumOf(own, moved) >= 0.0008 - 1e-9);
          assert.ok(sumOf(own) - sumOf(own, moved) >= gain - 1e-9);
        }
        const leaving = amountMsat + most;
        const from = own.filter(({ peerId }) => peerId === out);
        const to = own.filter(({ peerId }) => peerId === home);
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

test('property: what an amount brings between two peers is what it lowers the sum by', () => {
  let some = 0;
  fc.assert(
    fc.property(anyOwn, fc.bigInt({ min: 1n, max: 500_000n }), (own, sat) => {
      const amountMsat = sat * SAT;
      const { outs, ins, most } = worthOf(sidesOf(view(own), REQUEST), REQUEST, amountMsat);
      for (const [out, left] of outs) {
        for (const [home, come] of ins) {
          if (out === home) continue;
          const moved = new Map([
            [out, -amountMsat],
            [home, amountMsat],
          ]);
          assert.ok(Math.abs(left + come - (sumOf(own) - sumOf(own, moved))) < 1e-9);
          assert.ok(left + come <= most);
          some++;
        }
      }
    }),
    { numRuns: 1000 },
  );
  assert.ok(some > 500, String(some));
});

test('property: moves end, whatever fees they pay, and the sum is lower in the end', () => {
  let some = 0;
  const fees = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1 });
  fc.assert(
    fc.property(anyOwn, fc.bigInt({ min: 0n, max: 10_000n }), fees, (start, maxFeePpm, paid) => {
      const own = start.map(each => ({ ...each }));
      const before = sumOf(own);
      let moves = 0;
      for (;;) {
        const [move] = chooseMoves(view(own), { maxFeePpm }, 1);
        if (move === undefined) break;
        const [out, home] = peersOf(move);
        const { amountMsat } = move;
        const share = paid[moves % paid.length] ?? 0;
        const leaving = amountMsat + BigInt(Math.floor((Number(amountMsat * maxFeePpm) * share) / 1e6));
        const from = own.find(each => each.peerId === out && each.usable && each.spendableMsat >= leaving);
        const to = own.find(each => each.peerId === home && each.usable && each.receivableMsat >= amountMsat);
        assert.ok(from && to);
        shift(from, -leaving);
        shift(to, amountMsat);
        moves++;
        // Eight channels.
        assert.ok(moves < 60, `${moves} moves`);
      }
      if (moves > 0) assert.ok(sumOf(own) < before);
      if (moves > 2) some++;
    }),
    { numRuns: 500 },
  );
  assert.ok(some > 50, String(some));
});

function shift(channel: { -readonly [Key in keyof OwnChannel]: OwnChannel[Key] }, changeMsat: bigint): void {
  channel.toUsMsat += changeMsat;
  channel.spendableMsat += changeMsat;
  channel.receivableMsat -= changeMsat;
}
