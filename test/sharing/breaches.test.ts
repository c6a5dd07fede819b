import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Breaches } from '../../src/sharing/breaches.ts';
import { nodeId } from './world.ts';

const PEER = nodeId(1);
const MINUTE = 60_000;
const DAY = 86_400_000;

test('the wait doubles from 10 minutes to a day, and a week without a breach is forgiven', () => {
  const breaches = new Breaches();
  let now = 0;
  const waits: number[] = [];
  for (let strike = 0; strike < 10; strike++) {
    breaches.strike(PEER, 'malformed message', now);
    const until = breaches.of(PEER, now)?.ignoredUntilMs ?? 0;
    waits.push((until - now) / MINUTE);
    assert.ok(breaches.isIgnored(PEER, until - 1) && !breaches.isIgnored(PEER, until));
    now = until;
  }
  assert.deepEqual(waits, [10, 20, 40, 80, 160, 320, 640, 1280, 1440, 1440]);
  assert.equal(breaches.of(PEER, now + 7 * DAY - 1)?.strikes, 10);
  assert.equal(breaches.of(PEER, now + 7 * DAY), undefined);
  breaches.strike(PEER, 'flood', now + 7 * DAY);
  assert.equal(breaches.of(PEER, now + 7 * DAY)?.strikes, 1);
});

test('while it is ignored nothing more is held against a peer', () => {
  let changes = 0;
  const breaches = new Breaches(() => changes++);
  breaches.strike(PEER, 'malformed message', 0);
  breaches.strike(PEER, 'channel of others', 1);
  assert.equal(breaches.of(PEER, 1)?.strikes, 1);
  assert.equal(breaches.of(PEER, 1)?.lastBreach, 'malformed message');
  assert.equal(changes, 1);
});

test('a state that a clock put into the future makes no wait longer than a day', () => {
  const breaches = new Breaches();
  const strikes = { strikes: 2, lastBreach: 'flood' as const, lastAtMs: 1e15, ignoredUntilMs: 1e15 };
  breaches.restore([{ peerId: PEER, ...strikes }], 5);
  assert.ok(breaches.isIgnored(PEER, 5 + DAY - 1) && !breaches.isIgnored(PEER, 5 + DAY));
});

test('what comes after we ourselves stood still is no flood', () => {
  const breaches = new Breaches();
  breaches.excuse(1_000);
  for (let message = 0; message < 100; message++) assert.equal(breaches.countMessage(PEER, 1_000), false);
  for (let message = 0; message < 20; message++) assert.equal(breaches.countMessage(PEER, 11_000), false);
  assert.equal(breaches.countMessage(PEER, 11_000), true);
});
