/** The plugin comes and goes: started and stopped on a running node, killed, and ended with the node. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import {
  ask,
  assertNoComplaints,
  channel,
  expected,
  heardBy,
  isAlive,
  LISTENER,
  nextQuery,
  only,
  PLUGIN,
  pluginPid,
  said,
} from './friends.ts';
import { missingPrograms, RegtestNetwork, RpcFailure, waitFor } from './harness.ts';

/** lightningd waits 30 s for a plugin that holds it up when it stops; otherwise it is a matter of milliseconds. */
const QUICK_STOP_MS = 5_000;

test('the plugin comes and goes, and the node lives', { skip: missingPrograms() ?? false }, async t => {
  await using network = await RegtestNetwork.start({
    nodes: [{ plugin: PLUGIN }, { plugin: PLUGIN }, { plugin: LISTENER }],
  });
  const [asker, friend, mute] = [network.node(0), network.node(1), network.node(2)];
  // The friend has 200 of 1000 with the asker and 800 of 1000 with `mute`: nu 0.5.
  const [, offered = ''] = await network.openChannels([
    { from: 0, to: 1, amountSat: 1_000_000, pushSat: 200_000 },
    { from: 1, to: 2, amountSat: 1_000_000, pushSat: 200_000 },
  ]);
  const offer = channel(offered, friend, mute);
  const unknownCommand = (error: unknown) => error instanceof RpcFailure && error.code === -32601;

  await t.test('stopped at run time it is gone, and the node is a peer without the plugin', async () => {
    const pid = pluginPid(friend);
    await friend.rpc('plugin', { subcommand: 'stop', plugin: PLUGIN });
    await waitFor('the process to end', async () => (isAlive(pid) ? undefined : true), 5_000);
    await assert.rejects(ask(friend, { direction: 1, amount: 50_000 }), unknownCommand);
    const answer = await ask(asker, { direction: 1, amount: 50_000, timeout: 1 });
    assert.deepEqual(said(answer), expected([friend, 'timeout']));
  });

  await t.test('started at run time it answers and asks', async () => {
    const before = pluginPid(friend);
    await friend.rpc('plugin', { subcommand: 'start', plugin: PLUGIN });
    assert.notEqual(pluginPid(friend), before);
    const peers = [asker.id];
    const answer = await ask(asker, { direction: 1, amount: 50_000, peers: friend.id });
    assert.deepEqual(said(answer), expected([friend, 'replied', offer]));
    assert.deepEqual(
      said(await ask(friend, { direction: 1, amount: 50_000, peers })),
      expected([asker, 'replied']),
    );
    assert.deepEqual(heardBy(mute), []);
  });

  await t.test('so far the logs are clean', () => assertNoComplaints(network));

  await t.test('killed while a call waits, it harms neither the node nor its payments', async () => {
    const pid = pluginPid(friend);
    const asking = ask(friend, { direction: 1, amount: 50_000, peers: mute.id });
    await nextQuery(mute, 0);
    process.kill(pid, 'SIGKILL');
    await assert.rejects(asking, RpcFailure);
    await network.pay(0, 2, 10_000_000);
    await network.pay(2, 0, 10_000_000);
    await assert.rejects(ask(friend, { direction: 1, amount: 50_000 }), unknownCommand);
    assert.throws(() => assertNoComplaints(network), /Killing plugin: exited during normal operation/);
    assert.equal(friend.failure, undefined);
  });

  await t.test('started again after that, it answers as before', async () => {
    await friend.rpc('plugin', { subcommand: 'start', plugin: PLUGIN });
    // The payments left marks: word counts again when its time, which is rounded down to 10 s, lies after them.
    await delay(10_000);
    const answer = await ask(asker, { direction: 1, amount: 50_000, fresh: true });
    assert.deepEqual(said(answer), expected([friend, 'replied', offer]));
    assert.equal(only(answer).amount_msat, 50_000_000);
  });

  await t.test('the node stops at once, and the plugin with it, even while a call waits', async () => {
    // One was started with its node; the other later, and a call waits there.
    const pids = [pluginPid(asker), pluginPid(friend)];
    const from = mute.logLength;
    const asking = assert.rejects(ask(friend, { direction: 0, amount: 50_000, peers: mute.id }));
    await nextQuery(mute, from);
    for (const node of [friend, asker]) {
      const startedAt = performance.now();
      await node.stop(); // Throws unless the exit code is 0 and no process is left.
      const tookMs = performance.now() - startedAt;
      assert.ok(tookMs < QUICK_STOP_MS, `${tookMs} ms`);
    }
    await asking;
    assert.deepEqual(pids.filter(isAlive), []);
  });

  await t.test('after a restart of the node it is there again', async () => {
    await Promise.all([asker.start(), friend.start()]);
    await network.reconnect(0);
    const answer = await ask(asker, { direction: 1, amount: 50_000 });
    assert.deepEqual(said(answer), expected([friend, 'replied', offer]));
  });
});
