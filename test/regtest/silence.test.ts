/** Peers who do not answer: because they cannot, because their plugin hangs, or because they are gone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Answer,
  ask,
  assertNoComplaints,
  CHAIN_HASH,
  channel,
  expected,
  flush,
  heardBy,
  LISTENER,
  nextQuery,
  PLUGIN,
  pluginPid,
  query,
  said,
  takenUp,
  tell,
} from './friends.ts';
import { missingPrograms, RegtestNetwork, waitFor } from './harness.ts';

function assertEndedAtTimeout({ elapsed_ms }: Answer, timeoutMs: number): void {
  assert.ok(elapsed_ms >= timeoutMs && elapsed_ms < timeoutMs + 2_000, `${elapsed_ms} ms`);
}

test('silent peers cost the others nothing', { skip: missingPrograms() ?? false }, async t => {
  await using network = await RegtestNetwork.start({
    nodes: [{ plugin: PLUGIN }, { plugin: PLUGIN }, { plugin: LISTENER }, { plugin: PLUGIN }],
  });
  const [asker, honest, mute, hanging] = [network.node(0), network.node(1), network.node(2), network.node(3)];
  // `honest` has 200 of 1000 with the asker, 800 of 1000 with `mute`: nu 0.5, and it gives away to `mute`. The asker has
  // 0.8 of each of its channels, and so nothing to offer to anybody.
  const [, offered = ''] = await network.openChannels([
    { from: 0, to: 1, amountSat: 1_000_000, pushSat: 200_000 },
    { from: 1, to: 2, amountSat: 1_000_000, pushSat: 200_000 },
    { from: 0, to: 2, amountSat: 1_000_000, pushSat: 200_000 },
    { from: 0, to: 3, amountSat: 1_000_000, pushSat: 200_000 },
  ]);
  const offer = channel(offered, honest, mute);

  await t.test('a peer without the plugin is asked and times out, the others answer', async () => {
    const answer = await ask(asker, { direction: 1, amount: 50_000, timeout: 2 });
    assert.deepEqual(
      said(answer),
      expected([honest, 'replied', offer], [mute, 'timeout'], [hanging, 'replied']),
    );
    assert.equal(answer.num_sent_queries, 3);
    assert.equal(answer.num_replies, 2);
    assertEndedAtTimeout(answer, 2_000);
    const [heard, ...more] = heardBy(mute);
    assert.deepEqual(more, []);
    assert.equal(heard?.peerId, asker.id);
    const { queryId, ...message } = heard.message;
    assert.match(String(queryId), /^[0-9a-f]{16}$/);
    assert.deepEqual(message, {
      name: 'query_foaf_balances',
      chainHash: CHAIN_HASH,
      flow: 1,
      amountMsat: 50_000_000n,
    });
  });

  await t.test('a connected peer without a channel is neither asked nor answered', async () => {
    await network.connect(2, 3);
    const from = mute.logLength;
    await tell(mute, hanging, query({ queryId: 'aaaaaaaaaaaaaaaa' }));
    await flush(mute, hanging);
    const answer = await ask(hanging, { direction: 1, amount: 50_000 });
    assert.deepEqual(said(answer), expected([asker, 'replied']));
    // By now an answer to what came before would be on its way.
    await flush(mute, hanging);
    assert.deepEqual(heardBy(mute, from), []);
  });

  await t.test(
    'a plugin that hangs harms nobody, and its answer counts when it comes after all',
    async () => {
      const pid = pluginPid(hanging);
      const peers = [honest.id, hanging.id];
      process.kill(pid, 'SIGSTOP');
      let before: number;
      try {
        const answer = await ask(asker, { direction: 1, amount: 100_000, timeout: 2, peers });
        assert.deepEqual(said(answer), expected([honest, 'replied', offer], [hanging, 'timeout']));
        assertEndedAtTimeout(answer, 2_000);
        before = await takenUp(asker);
      } finally {
        process.kill(pid, 'SIGCONT');
      }
      await waitFor('the answer', async () => ((await takenUp(asker)) > before ? true : undefined));
      const answer = await ask(asker, { direction: 1, amount: 100_000, peers });
      assert.deepEqual(said(answer), expected([honest, 'remembered', offer], [hanging, 'remembered']));
      assert.equal(answer.num_sent_queries, 0);
    },
  );

  await t.test('a peer that disconnects while it is asked is waited for no longer', async () => {
    const from = mute.logLength;
    const asking = ask(asker, { direction: 0, amount: 50_000, timeout: 30, peers: [honest.id, mute.id] });
    await nextQuery(mute, from);
    await mute.rpc('disconnect', { id: asker.id, force: true });
    const answer = await asking;
    assert.deepEqual(said(answer), expected([honest, 'replied'], [mute, 'timeout']));
    assert.equal(answer.friends.find(({ peer_id }) => peer_id === mute.id)?.reason, 'disconnected');
    assert.equal(answer.num_sent_queries, 2);
    assert.ok(answer.elapsed_ms < 10_000, `${answer.elapsed_ms} ms`);
  });

  await t.test('a node that dies while it is asked is waited for no longer', async () => {
    await network.reconnect(2);
    const from = mute.logLength;
    const asking = ask(asker, { direction: 0, amount: 100_000, timeout: 30, peers: mute.id });
    await nextQuery(mute, from);
    await mute.kill();
    const answer = await asking;
    assert.deepEqual(said(answer), expected([mute, 'timeout']));
    assert.ok(answer.elapsed_ms < 10_000, `${answer.elapsed_ms} ms`);
  });

  await t.test('who is offline is not listed, and not offered', async () => {
    const answer = await ask(asker, { direction: 1, amount: 50_000, fresh: true });
    // The honest one's offer led to the node that has died.
    assert.deepEqual(said(answer), expected([honest, 'replied'], [hanging, 'replied']));
  });

  await t.test('the logs are clean', () => assertNoComplaints(network));
});
