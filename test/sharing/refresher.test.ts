import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startRefreshing } from '../../src/sharing/refresher.ts';
import { ManualClock } from './world.ts';

const MINUTE = 60_000;

function refreshing(periodMinutes: number, random = () => 0.5) {
  const clock = new ManualClock();
  const asked: { question: string; atMs: number }[] = [];
  const world = {
    period: periodMinutes * MINUTE,
    clock,
    asked,
    async wait(minutes: number) {
      for (let quarters = 0; quarters < minutes * 4; quarters++) await clock.advance(15_000);
    },
  };
  const startedMs = clock.now;
  startRefreshing({
    clock,
    periodMs: () => world.period,
    random,
    ask: (flow, amountMsat) => asked.push({ question: `${flow} ${amountMsat}`, atMs: clock.now - startedMs }),
  });
  return world;
}

test('the same four questions, each once a period, give or take a quarter', async () => {
  let draws = 0;
  const world = refreshing(960, () => (++draws * 0.37) % 1);
  await world.wait(9600);
  const times = new Map<string, number[]>();
  for (const { question, atMs } of world.asked) times.set(question, [...(times.get(question) ?? []), atMs]);
  assert.deepEqual([...times.keys()].sort(), ['0 100000000', '0 1000000000', '1 100000000', '1 1000000000']);
  for (const list of times.values()) {
    assert.ok(list.length >= 8 && list.length <= 12, `${list.length} times`);
    const gaps = list.slice(1).map((at, index) => at - (list[index] ?? 0));
    assert.ok(gaps.every(gap => gap >= 720 * MINUTE && gap <= 1200 * MINUTE + 15_000));
    assert.ok(new Set(gaps).size > 1, 'jitter');
  }
});

test('however short the period, at most half of what a friend answers is used up: 3 in an hour, 12 in a day, all in turn', async () => {
  let draws = 0;
  const world = refreshing(1, () => (++draws * 0.37) % 1);
  await world.wait(48 * 60);
  const times = world.asked.map(({ atMs }) => atMs);
  const most = (windowMs: number) =>
    Math.max(...times.map(start => times.filter(at => at >= start && at < start + windowMs).length));
  assert.deepEqual([most(60 * MINUTE), most(24 * 60 * MINUTE)], [3, 12]);
  const counts = Object.values(groups(world.asked.map(({ question }) => question)));
  assert.ok(counts.length === 4 && counts.every(count => count >= 4), String(counts));
});

function groups(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

test('0 is off, and what the operator sets counts from then on, spread over the period', async () => {
  const world = refreshing(0);
  await world.wait(100);
  assert.equal(world.asked.length, 0);
  world.period = 40 * MINUTE;
  await world.wait(19);
  assert.equal(world.asked.length, 0);
  await world.wait(2);
  assert.equal(world.asked.length, 3);
  world.period = 0;
  await world.wait(100);
  assert.equal(world.asked.length, 3);
});
