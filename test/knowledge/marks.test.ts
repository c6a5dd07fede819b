import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Marks } from '../../src/knowledge/marks.ts';

const OUT = { shortChannelId: 1n, direction: 0 as const };
const BACK = { shortChannelId: 1n, direction: 1 as const };

test('what we moved lowers an offer made before and raises the other direction, and never one made after', () => {
  const marks = new Marks();
  marks.moved(OUT, 30n, 100);
  assert.equal(marks.left(OUT, 50n, 100), 20n);
  assert.equal(marks.left(OUT, 30n, 100), undefined);
  assert.equal(marks.left(BACK, 50n, 99), 80n);
  assert.equal(marks.left(OUT, 50n, 101), 50n);
  assert.equal(marks.left({ shortChannelId: 2n, direction: 0 }, 50n, 0), 50n);
});

test('a failure ends offers of as much in its direction; a withdrawal ends all there', () => {
  const marks = new Marks();
  marks.failed(OUT, 50n, 100, 52n);
  assert.equal(marks.left(OUT, 50n, 100), undefined);
  assert.equal(marks.left(OUT, 49n, 100), 49n);
  assert.equal(marks.left(BACK, 50n, 100), 50n);
  assert.equal(marks.left(OUT, 50n, 101), 50n);
  assert.equal(marks.leastFailedMsat(OUT, 100), 52n, 'what is certain');
  assert.equal(marks.leastFailedMsat(OUT, 101), undefined);
  assert.deepEqual([...marks.failures(0)], [{ ...OUT, amountMsat: 52n, atMs: 100 }]);
  marks.withdrawn(OUT, 200);
  assert.equal(marks.left(OUT, 1n, 200), undefined);
  assert.equal(marks.leastFailedMsat(OUT, 100), 0n);
  assert.deepEqual([...marks.failures(0)], [], 'a withdrawal is no want of liquidity');
});

test('a failure is refuted by as much that moves the same way later, or by anything back; by less it is not', () => {
  for (const [way, amount, expected] of [
    [OUT, 49n, 50n],
    [OUT, 50n, undefined],
    [BACK, 1n, undefined],
  ] as const) {
    const marks = new Marks();
    marks.failed(OUT, 50n, 100, 50n);
    marks.moved(way, amount, 200);
    assert.equal(marks.leastFailedMsat(OUT, 0), expected);
    marks.failed(OUT, 60n, 300, 60n);
    assert.equal(marks.leastFailedMsat(OUT, 0), expected ?? 60n);
  }
});

test('a use marks both directions, a failure its own', () => {
  const marks = new Marks();
  marks.failed(OUT, 50n, 100, 50n);
  assert.ok(
    marks.isMarkedSince(OUT, 100) && !marks.isMarkedSince(OUT, 101) && !marks.isMarkedSince(BACK, 100),
  );
  marks.moved(OUT, 5n, 200);
  assert.ok(marks.isMarkedSince(BACK, 200) && !marks.isMarkedSince(BACK, 201));
});

test('marks are bounded in all, and forgotten', () => {
  const marks = new Marks();
  for (let id = 0; id < 11_000; id++) {
    marks.failed({ shortChannelId: BigInt(id + 2), direction: 0 }, 1n, 50, 1n);
  }
  assert.equal(marks.size, 10_000);
  marks.expire(51);
  assert.equal(marks.size, 0);
});

const move = fc.record({
  back: fc.boolean(),
  amount: fc.bigInt(1n, 1000n),
  at: fc.integer({ min: 0, max: 100 }),
});

/** The marks of moves in the order of their time, and their net from `saidAt` on, as the out direction sees it. */
function moved(moves: readonly { back: boolean; amount: bigint; at: number }[], saidAt: number) {
  const marks = new Marks();
  let net = 0n;
  for (const { back, amount, at } of moves.toSorted((a, b) => a.at - b.at)) {
    marks.moved(back ? BACK : OUT, amount, at);
    if (at >= saidAt) net += back ? amount : -amount;
  }
  return { marks, net };
}

test('whatever we move to and fro, nothing is created: an offer changes by exactly the net of what moved since', () => {
  const saidAtMs = fc.integer({ min: 0, max: 100 });
  fc.assert(
    fc.property(fc.array(move, { maxLength: 32 }), saidAtMs, (moves, saidAt) => {
      const { marks, net } = moved(moves, saidAt);
      assert.equal(marks.left(OUT, 100_000n, saidAt), 100_000n + net);
      assert.equal(marks.left(BACK, 100_000n, saidAt), 100_000n - net);
    }),
  );
});

test('on a busy channel marks are put together, and then an offer is never more than it would be', () => {
  const saidAtMs = fc.integer({ min: 0, max: 100 });
  fc.assert(
    fc.property(fc.array(move, { minLength: 33, maxLength: 100 }), saidAtMs, (moves, saidAt) => {
      const { marks, net } = moved(moves, saidAt);
      const offered = 1_000_000n;
      assert.ok((marks.left(OUT, offered, saidAt) ?? 0n) <= offered + net);
      assert.ok((marks.left(BACK, offered, saidAt) ?? 0n) <= offered - net);
      assert.equal(marks.left(OUT, offered, 101), offered);
    }),
  );
  const busy = new Marks();
  for (let at = 1; at <= 1000; at++) busy.moved(OUT, 1n, at);
  assert.equal(busy.left(OUT, 5000n, 1), 4000n, 'not dead');
  assert.equal(busy.leastFailedMsat(OUT, 0), undefined);
});
