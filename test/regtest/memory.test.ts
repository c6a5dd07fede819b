/** What survives kill -9 of a node, in its datastore: who speaks, whom to leave alone, what was asked. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, PLUGIN } from './friends.ts';
import { missingPrograms, RegtestNetwork, waitFor } from './harness.ts';

test('memory', { skip: missingPrograms() ?? false }, async t => {
  await using network = await RegtestNetwork.start({
    nodes: [{ plugin: PLUGIN, extraArgs: ['--foaf-question-budget=1'] }, {}, { plugin: PLUGIN }],
  });
  const [node, silent, friend] = [network.node(0), network.node(1), network.node(2)];
  const [, scid = ''] = await network.openChannels([
    { from: 0, to: 1, amountSat: 1_000_000 },
    { from: 0, to: 2, amountSat: 1_000_000 },
  ]);
  const stored = async () => {
    const { datastore } = await node.rpc<{ datastore: { string: string }[] }>('listdatastore', {
      key: ['balancesharing', 'memory'],
    });
    return datastore[0]?.string ?? '';
  };
  const statusOf = async (peer: string) =>
    (await ask(node, { direction: 1, amount: 50_000, timeout: 1, fresh: true })).friends.find(
      ({ peer_id }) => peer_id === peer,
    )?.status;

  assert.equal(await statusOf(silent.id), 'timeout');
  const question = { peers: node.id, timeout: 1, fresh: true };
  assert.equal((await ask(friend, { direction: 1, amount: 50_000, ...question })).num_replies, 1);

  await t.test('it is in the datastore within a second or so, without a balance or a channel', async () => {
    // lightningd tells nobody when a datastore changes.
    const text = await waitFor('what was asked to be stored', async () => {
      const current = await stored();
      return current.includes('"asked_at":[1') ? current : undefined;
    });
    const { speaks, silent: left, questions } = JSON.parse(text);
    assert.deepEqual(speaks, [friend.id]);
    assert.deepEqual(
      left.map(({ peer_id }: { peer_id: string }) => peer_id),
      [silent.id],
    );
    assert.deepEqual(
      questions.map(({ peer_id }: { peer_id: string }) => peer_id),
      [friend.id],
    );
    assert.doesNotMatch(text, /msat|x\d+x/);
    assert.ok(!text.includes(scid));
  });

  await t.test(
    'after kill -9 of the node the silent peer is left alone and the budget is still spent',
    async () => {
      await node.kill();
      await node.start();
      await network.reconnect(0);
      assert.equal(await statusOf(silent.id), 'skipped');
      assert.equal(await statusOf(friend.id), 'replied');
      const again = await ask(friend, { direction: 1, amount: 100_000, ...question });
      assert.deepEqual(
        again.friends.map(({ status }) => status),
        ['timeout'],
      );
    },
  );
});
