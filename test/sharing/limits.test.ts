import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { QuestionLimits } from '../../src/sharing/question-limits.ts';
import { SlidingWindow } from '../../src/sharing/sliding-window.ts';
import { nodeId } from './world.ts';

test('property: no window of the length ever holds more than the limit, and nothing within it is refused', () => {
  const steps = fc.array(fc.nat({ max: 40 }), { maxLength: 100 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), steps, (limit, waits) => {
      const window = new SlidingWindow(limit, 100);
      const taken: number[] = [];
      let now = 0;
      for (const wait of waits) {
        now += wait;
        const inWindow = taken.filter(time => time > now - 100).length;
        assert.equal(window.allows('key', now), inWindow < limit);
        assert.equal(window.tryTake('key', now), inWindow < limit);
        if (inWindow < limit) taken.push(now);
      }
    }),
  );
});

test('keys do not touch one another; what is given back can be taken again', () => {
  const window = new SlidingWindow(1, 100);
  assert.ok(window.tryTake('a', 0) && window.tryTake('b', 0));
  assert.ok(!window.tryTake('a', 0));
  window.giveBack('a', 0);
  assert.ok(window.tryTake('a', 0) && !window.tryTake('b', 0));
});

test('what is given back too late gives back nothing that others took', () => {
  const window = new SlidingWindow(2, 100);
  assert.ok(window.tryTake('a', 0));
  assert.ok(window.tryTake('a', 150) && window.tryTake('a', 160));
  window.giveBack('a', 0);
  assert.ok(!window.tryTake('a', 170));
});

test('keys that have nothing left in their windows do not pile up', () => {
  const window = new SlidingWindow(1, 100);
  const heap = process.memoryUsage().heapUsed;
  for (let index = 0; index < 300_000; index++) window.tryTake(`key ${index}`, index * 10);
  assert.ok(process.memoryUsage().heapUsed - heap < 30_000_000);
});

const PEER = nodeId(1);

/** Asks at a time and says whether it was allowed. */
function asker() {
  const limits = new QuestionLimits();
  return (rung: bigint, atMs: number, flow: 0 | 1 = 1, peer = PEER) =>
    limits.refuse(peer, flow, rung, atMs) === undefined;
}

test('at most 4 queries to a peer in any 12 s', () => {
  const ask = asker();
  for (const time of [0, 1_000, 2_000, 11_000]) assert.ok(ask(1n, time));
  assert.ok(!ask(1n, 11_999));
  assert.ok(ask(1n, 11_999, 1, nodeId(2)), 'another peer');
  assert.ok(ask(1n, 12_000) && !ask(1n, 12_500));
});

test('at most 6 new questions in an hour; the same flow and rung within 5 minutes is none', () => {
  const ask = asker();
  for (let index = 0; index < 6; index++) assert.ok(ask(BigInt(index), index * 20_000));
  assert.ok(!ask(6n, 200_000), 'a seventh rung');
  assert.ok(!ask(0n, 200_000, 0), 'the other flow');
  assert.ok(ask(0n, 200_000), 'a repeat');
  assert.ok(!ask(0n, 300_000), 'after 5 minutes it is new');
  assert.ok(ask(6n, 3_600_000), 'the first one is an hour old');
  assert.ok(!ask(7n, 3_610_000));
});
