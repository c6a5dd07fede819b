import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Marks } from '../../src/knowledge/marks.ts';

const OUT = { shortChannelId: 1n, direction: 0 as const };
const BACK = { shortChannelId: 1n, direction: 1 as const };

test('what we moved lowers an offer made before and raises the other direction, and never one made after', () => {
  const marks = new Marks();
  marks.add(OUT, 'moved', 30n, 100);
  assert.equal(marks.left(OUT, 50n, 100), 20n);
  assert.equal(marks.left(OUT, 30n, 100), undefined);
  assert.equal(marks.left(BACK, 50n, 99), 80n);
  assert.equal(marks.left(OUT, 50n, 101), 50n);
  assert.equal(marks.left({ shortChannelId: 2n, direction: 0 }, 50n, 0), 50n);
});

test('a failure ends offers of as much in its direction; a withdrawal ends all there', () => {
  const marks = new Marks();
  marks.add(OUT, 'failed', 50n, 100);
  assert.equal(marks.left(OUT, 50n, 100), undefined);
  assert.equal(marks.left(OUT, 49n, 100), 49n);
  assert.equal(marks.left(BACK, 50n, 100), 50n);
  assert.equal(marks.left(OUT, 50n, 101), 50n);
  assert.equal(marks.leastFailedMsat(OUT, 100), 50n);
  assert.equal(marks.leastFailedMsat(OUT, 101), undefined);
  marks.add(OUT, 'withdrawn', 0n, 200);
  assert.equal(marks.left(OUT, 1n, 200), undefined);
  assert.equal(marks.leastFailedMsat(OUT, 100), 0n);
  assert.deepEqual([...marks.failures(0)], [{ ...OUT, amountMsat: 50n, atMs: 100 }]);
});

test('a use marks both directions, a failure its own', () => {
  const marks = new Marks();
  marks.add(OUT, 'failed', 50n, 100);
  assert.ok(
    marks.isMarkedSince(OUT, 100) && !marks.isMarkedSince(OUT, 101) && !marks.isMarkedSince(BACK, 100),
  );
  marks.add(OUT, 'moved', 5n, 200);
  assert.ok(marks.isMarkedSince(BACK, 200) && !marks.isMarkedSince(BACK, 201));
});

test('marks are bounded, per channel and in all; what is no longer kept one by one makes older word count for nothing', () => {
  const marks = new Marks();
  for (let at = 1; at <= 40; at++) marks.add(OUT, 'moved', 1n, at);
  assert.equal(marks.left(OUT, 1_000n, 1), undefined);
  assert.equal(marks.left(BACK, 1_000n, 1), undefined);
  assert.equal(marks.left(OUT, 1_000n, 41), 1_000n);
  for (let id = 0; id < 11_000; id++)
    marks.add({ shortChannelId: BigInt(id + 2), direction: 0 }, 'failed', 1n, 50);
  assert.equal(marks.size, 10_000);
  marks.expire(51);
  assert.equal(marks.size, 0);
});

test('whatever we move to and fro, nothing is created: an offer changes by exactly the net of what moved since', () => {
  const move = fc.record({
    back: fc.boolean(),
    amount: fc.bigInt(1n, 1000n),
    at: fc.integer({ min: 0, max: 100 }),
  });
  fc.assert(
    fc.property(fc.array(move, { maxLength: 30 }), fc.integer({ min: 0, max: 100 }), (moves, saidAt) => {
      const marks = new Marks();
      let net = 0n;
      for (const { back, amount, at } of moves.toSorted((a, b) => a.at - b.at)) {
        marks.add(back ? BACK : OUT, 'moved', amount, at);
        if (at >= saidAt) net += back ? amount : -amount;
      }
      const offered = 100_000n;
      assert.equal(marks.left(OUT, offered, saidAt), offered + net);
      assert.equal(marks.left(BACK, offered, saidAt), offered - net);
    }),
  );
});
