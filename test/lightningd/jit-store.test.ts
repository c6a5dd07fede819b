/** The ledger on the disk: written before it counts, read whole or not at all. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { Earnings } from '../../src/jit/earnings.ts';
import { Ledger } from '../../src/jit/ledger.ts';
import { RpcError } from '../../src/lightningd/errors.ts';
import { JitStore } from '../../src/lightningd/jit-store.ts';
import { createLogger } from '../../src/lightningd/logger.ts';
import { FakeRpc } from './fake-rpc.ts';

const NOW = 1_800_000_000_000;
const X = '103x1x0';

/** A datastore, and a process that uses it. */
function started(disk = new Map<string, string>()) {
  const timers: (() => void)[] = [];
  const clock = {
    wallMs: () => NOW,
    monotonicMs: () => 0,
    after: (_delayMs: number, action: () => void) => {
      timers.push(action);
      return () => {};
    },
  };
  const rpc = new FakeRpc(({ method, params }) => {
    const { key, string } = params as { key: string[]; string: string };
    const name = key.join('/');
    if (method === 'datastore') disk.set(name, string);
    else if (method === 'deldatastore') {
      if (!disk.delete(name)) throw new RpcError(method, 1200, 'Key does not exist');
    } else {
      const found = [...disk].filter(([each]) => each === name || each.startsWith(`${name}/`));
      return { datastore: found.map(([each, text]) => ({ key: each.split('/'), string: text })) };
    }
    return {};
  });
  const earnings = new Earnings();
  const ledger = new Ledger(earnings, () => ({ perChannelMsat: 100_000n, totalMsat: 100_000n }), clock);
  const logged: string[] = [];
  const logger = createLogger(message => logged.push(message));
  const store = new JitStore({ rpc, clock, logger, ledger, earnings });
  /** Lets all that waits happen. */
  const pass = async () => {
    for (const action of timers.splice(0)) action();
    await setImmediate();
  };
  return { disk, rpc, earnings, ledger, logged, store, pass };
}

test('what was booked and earned is there after a restart, what was removed is not', async () => {
  const first = started();
  await first.store.load();
  assert.equal(first.store.isReady, true);
  await first.store.write({ id: 'a', channel: X, atWallMs: NOW, feeMsat: 5000n });
  await first.store.write({ id: 'a', channel: X, atWallMs: NOW, feeMsat: 3000n });
  await first.store.write({ id: 'b', channel: X, atWallMs: NOW, feeMsat: 7000n });
  await first.store.remove('b');
  await first.store.remove('b');
  first.earnings.settled(X, 40_000n, NOW);
  first.earnings.failed(X, NOW);
  first.store.earned();
  first.store.earned();
  await first.pass();
  assert.equal(first.rpc.count('datastore'), 4, 'earnings are written once for all that came meanwhile');
  const second = started(first.disk);
  await second.store.load();
  assert.equal(second.ledger.spent().byAllMsat, 3000n);
  assert.equal(second.earnings.earnedMsat(X, NOW), 40_000n);
  assert.equal(second.ledger.remainingMsat(X), 107_000n);
});

test('a datastore that fails once in the middle: nothing is taken up twice, nothing is ready before', async () => {
  const { disk } = started();
  disk.set('jitrouting/bookings/a', JSON.stringify({ channel: X, at: NOW, fee_msat: '5000' }));
  const day = { channel: X, day: Math.floor(NOW / 86_400_000), earned_msat: '40000', settled: 1, failed: 0 };
  disk.set('jitrouting/earnings', JSON.stringify({ version: 1, days: [day] }));
  for (const failing of [1, 2]) {
    const { rpc, store, ledger, earnings, pass } = started(disk);
    const { answer } = rpc;
    rpc.answer = call => {
      if (rpc.calls.length === failing) throw new RpcError(call.method, -1, 'busy');
      return answer(call);
    };
    await store.load();
    assert.equal(store.isReady, false);
    assert.deepEqual([ledger.spent().byAllMsat, earnings.earnedMsat(X, NOW)], [0n, 0n]);
    await pass();
    assert.equal(store.isReady, true);
    assert.deepEqual([ledger.spent().byAllMsat, earnings.earnedMsat(X, NOW)], [5000n, 40_000n]);
  }
});

test('records of another form', async () => {
  const forms = ['', '{', 'null', '{}', '{"channel":"1x1x1","at":"now","fee_msat":"1"}', '{"fee_msat":-1}'];
  for (const text of forms) {
    const { store, ledger, logged } = started(new Map([['jitrouting/bookings/a', text]]));
    await store.load();
    assert.equal(ledger.remainingMsat(X), 0n, text);
    assert.match(logged.join(), /cannot be read, so nothing is spent/);
    const earned = started(new Map([['jitrouting/earnings', text]]));
    await earned.store.load();
    assert.deepEqual([earned.store.isReady, earned.earnings.earnedByAllMsat(NOW)], [true, 0n]);
  }
});
