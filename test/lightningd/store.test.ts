import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RpcConnectionError, RpcError } from '../../src/lightningd/errors.ts';
import { createLogger } from '../../src/lightningd/logger.ts';
import { Store } from '../../src/lightningd/store.ts';
import { Breaches } from '../../src/sharing/breaches.ts';
import { QuestionBudget } from '../../src/sharing/question-budget.ts';
import { SilentPeers } from '../../src/sharing/silent-peers.ts';
import { ManualClock, nodeId } from '../sharing/world.ts';
import { FakeRpc } from './fake-rpc.ts';

const [ALICE, BOB, CAROL] = [nodeId(1), nodeId(2), nodeId(3)];
const KEY = ['balancesharing', 'memory'];

/** A process of the plugin over a datastore that outlives it. */
function process(disk: { text?: string }, clock = new ManualClock()) {
  const lines: string[] = [];
  const rpc = new FakeRpc(({ method, params }) => {
    if (method === 'listdatastore')
      return { datastore: disk.text === undefined ? [] : [{ string: disk.text }] };
    const { key, string, mode } = params as { key: unknown; string: string; mode: string };
    assert.deepEqual([method, key, mode], ['datastore', KEY, 'create-or-replace']);
    disk.text = string;
    return {};
  });
  const silentPeers = new SilentPeers(() => store.changed());
  const budget = new QuestionBudget(() => store.changed());
  const logger = createLogger((message, level) => lines.push(`${level} ${message}`));
  const breaches = new Breaches(() => store.changed());
  const store = new Store({ rpc, clock, logger, silentPeers, budget, breaches });
  return { rpc, store, breaches, silentPeers, budget, clock, lines };
}

/** The same moment in a new process: the wall clock goes on, the monotonic one begins anew. */
function restarted(clock: ManualClock, pauseMs: number): ManualClock {
  const next = new ManualClock();
  next.wall = clock.wall + pauseMs;
  next.now = 17;
  return next;
}

test('who speaks, whom to leave alone and what was asked survive a restart', async () => {
  const disk = {};
  const first = process(disk);
  await first.store.load();
  first.silentPeers.spoke(ALICE);
  first.silentPeers.wasSilent(BOB, first.clock.now);
  assert.ok(first.budget.spend(CAROL, 1, 10n, {}, 2, first.clock.now));
  assert.ok(first.budget.spend(CAROL, 1, 20n, {}, 2, first.clock.now));
  await first.clock.advance(500);

  first.breaches.strike(BOB, 'flood', first.clock.now);
  await first.clock.advance(500);

  const second = process(disk, restarted(first.clock, 60_000));
  await second.store.load();
  const { now } = second.clock;
  second.silentPeers.wasSilent(ALICE, now);
  assert.equal(second.silentPeers.refuse(ALICE, now), undefined);
  assert.match(second.silentPeers.refuse(BOB, now) ?? '', /asked again in 9 min/);
  assert.equal(second.silentPeers.refuse(BOB, now + 540_000), undefined);
  assert.equal(second.budget.spend(CAROL, 1, 10n, {}, 2, now), false);
  assert.equal(second.budget.spend(CAROL, 1, 10n, {}, 2, now + 3_540_000), true);
  assert.match(second.breaches.refuse(BOB, now) ?? '', /^ignored for 9 min .*flood$/);
  assert.equal(second.breaches.of(BOB, now)?.strikes, 1);
  assert.deepEqual(second.lines, []);
});

test('changes are written within a second, many at once in one writing, and none while nothing changes', async () => {
  const { store, silentPeers, rpc, clock } = process({});
  await store.load();
  for (const peer of [ALICE, BOB, CAROL, ALICE]) silentPeers.spoke(peer);
  assert.equal(rpc.count('datastore'), 0);
  await clock.advance(1_000);
  assert.equal(rpc.count('datastore'), 1);
  silentPeers.spoke(ALICE);
  await clock.advance(10_000);
  assert.equal(rpc.count('datastore'), 1);
});

test('what changes while a writing is under way is written after it', async () => {
  const disk: { text?: string } = {};
  const { store, silentPeers, rpc, clock } = process(disk);
  await store.load();
  let open = () => {};
  const plain = rpc.answer;
  rpc.answer = async call => {
    await new Promise<void>(resolve => {
      open = resolve;
    });
    return plain(call);
  };
  silentPeers.spoke(ALICE);
  await clock.advance(500);
  silentPeers.spoke(BOB);
  await clock.advance(5_000);
  assert.equal(rpc.count('datastore'), 1, 'one at a time');
  open();
  await clock.advance(0);
  await clock.advance(500);
  open();
  await clock.advance(0);
  assert.deepEqual(JSON.parse(disk.text ?? '').speaks, [ALICE, BOB]);
});

test('a failed writing is said, and the next change writes everything', async () => {
  const disk: { text?: string } = {};
  const { store, silentPeers, rpc, clock, lines } = process(disk);
  await store.load();
  const plain = rpc.answer;
  rpc.answer = () => {
    throw new RpcConnectionError('gone');
  };
  silentPeers.spoke(ALICE);
  await clock.advance(500);
  assert.match(lines.join(), /^unusual the datastore did not take .*gone/);
  rpc.answer = plain;
  silentPeers.spoke(BOB);
  await clock.advance(500);
  assert.deepEqual(JSON.parse(disk.text ?? '').speaks, [ALICE, BOB]);
});

test('a node without a datastore, and one that holds something else: a word in the log, and it goes on', async () => {
  const without = process({});
  without.rpc.answer = ({ method }) => {
    throw new RpcError(method, -32601, 'Unknown command');
  };
  await without.store.load();
  without.silentPeers.spoke(ALICE);
  await without.clock.advance(5_000);
  assert.deepEqual(
    without.rpc.calls.map(({ method }) => method),
    ['listdatastore'],
  );
  assert.match(without.lines.join(), /^info this node has no datastore/);
  for (const text of [
    'no JSON',
    '{}',
    '{"version":2}',
    '{"version":1,"speaks":[5],"silent":[],"questions":[]}',
  ]) {
    const odd = process({ text });
    await odd.store.load();
    assert.match(odd.lines.join(), /^unusual what the datastore holds of us is not ours/, text);
    odd.silentPeers.spoke(ALICE);
    await odd.clock.advance(500);
    assert.equal(odd.rpc.count('datastore'), 1, text);
  }
});

test('a wall clock that was set makes no wait longer and gives no budget back', async () => {
  const disk = {};
  const first = process(disk);
  await first.store.load();
  first.silentPeers.wasSilent(BOB, first.clock.now);
  first.budget.spend(CAROL, 1, 10n, {}, 1, first.clock.now);
  await first.clock.advance(500);
  const second = process(disk, restarted(first.clock, -1_000_000_000));
  await second.store.load();
  const { now } = second.clock;
  assert.match(second.silentPeers.refuse(BOB, now) ?? '', /asked again in 10 min/);
  assert.equal(second.budget.spend(CAROL, 1, 10n, {}, 1, now + 3_599_000), false);
  assert.equal(second.budget.spend(CAROL, 1, 10n, {}, 1, now + 3_600_001), true);
});
