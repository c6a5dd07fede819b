/**
 * What survives a restart of the plugin or of the node, kill -9 included, in the node's datastore: who speaks, whom to
 * leave alone, who broke the protocol, what was asked.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ask,
  flush,
  heardBy,
  isAlive,
  LISTENER,
  PLUGIN,
  pluginPid,
  query,
  replyTo,
  tell,
} from './friends.ts';
import { missingPrograms, RegtestNetwork, waitFor } from './harness.ts';

/** A query of which the last byte is missing. */
const MALFORMED = '015b01080102030405060708';

interface Peer {
  peer_id: string;
  speaks: boolean;
  skipped?: string;
  strikes: number;
  last_breach?: string;
  questions_in_last_hour: number;
}

interface Status {
  peers: Peer[];
  knowledge: { channels: number; answers: number };
  counters: { received: Record<string, number> };
}

test('memory', { skip: missingPrograms() ?? false }, async t => {
  await using network = await RegtestNetwork.start({
    nodes: [
      { plugin: PLUGIN, extraArgs: ['--foaf-question-budget=1'] },
      { plugin: LISTENER },
      { plugin: PLUGIN },
      { plugin: LISTENER },
    ],
  });
  const [node, silent, friend, hostile] = [
    network.node(0),
    network.node(1),
    network.node(2),
    network.node(3),
  ];
  const opened = await network.openChannels([
    { from: 0, to: 1, amountSat: 1_000_000 },
    { from: 0, to: 2, amountSat: 1_000_000 },
    { from: 0, to: 3, amountSat: 1_000_000, pushSat: 500_000 },
  ]);
  const stored = async () => {
    const { datastore } = await node.rpc<{ datastore: { string: string }[] }>('listdatastore', {
      key: ['balancesharing', 'memory'],
    });
    return datastore[0]?.string ?? '';
  };
  const status = () => node.rpc<Status>('foafstatus');
  const statusOf = async (peer: string) =>
    (await ask(node, { direction: 1, amount: 50_000, timeout: 1, fresh: true })).friends.find(
      ({ peer_id }) => peer_id === peer,
    )?.status;
  const question = { peers: node.id, timeout: 1, fresh: true };

  /** What the plugin knows of its peers and must not forget, waits without their minutes. */
  async function remembered(): Promise<Omit<Peer, 'last_asked_age_ms'>[]> {
    const { peers } = await status();
    return peers.map(({ peer_id, speaks, skipped, strikes, last_breach, questions_in_last_hour }) => ({
      peer_id,
      speaks,
      skipped: String(skipped).replace(/ \d+ min/, ' some min'),
      strikes,
      last_breach: String(last_breach),
      questions_in_last_hour,
    }));
  }

  // The plugin looks at its channels, and so knows who is a friend.
  assert.equal((await status()).peers.length, 3);
  // It speaks, and then breaks the protocol.
  await tell(hostile, node, replyTo(query()));
  await tell(hostile, node, MALFORMED);
  await flush(hostile, node);
  assert.equal(await statusOf(silent.id), 'timeout');
  assert.equal((await status()).knowledge.answers, 1);
  assert.equal((await ask(friend, { direction: 1, amount: 50_000, ...question })).num_replies, 1);

  await t.test('it is in the datastore within a second or so, without a balance or a channel', async () => {
    // lightningd tells nobody when a datastore changes.
    const text = await waitFor('what was asked to be stored', async () => {
      const current = await stored();
      return current.includes('"asked_at":[1') ? current : undefined;
    });
    const { speaks, silent: left, questions, strikes } = JSON.parse(text);
    assert.deepEqual(speaks.sort(), [friend.id, hostile.id].sort());
    const idsOf = (entries: { peer_id: string }[]) => entries.map(({ peer_id }) => peer_id);
    assert.deepEqual(idsOf(left), [silent.id]);
    assert.deepEqual(idsOf(questions), [friend.id]);
    assert.deepEqual(idsOf(strikes), [hostile.id]);
    assert.doesNotMatch(text, /msat|x\d+x/);
    assert.ok(opened.every(scid => !text.includes(scid)));
  });

  const before = await remembered();
  const whatIsHeld = (peer: string) => before.find(({ peer_id }) => peer_id === peer);

  await t.test('what there is to forget', () => {
    const nothing = { speaks: true, skipped: 'undefined', strikes: 0, last_breach: 'undefined' };
    assert.deepEqual(whatIsHeld(friend.id), { peer_id: friend.id, ...nothing, questions_in_last_hour: 1 });
    assert.deepEqual(whatIsHeld(hostile.id), {
      peer_id: hostile.id,
      speaks: true,
      skipped: 'ignored for some min after a breach of the protocol: malformed message',
      strikes: 1,
      last_breach: 'malformed message',
      questions_in_last_hour: 0,
    });
    assert.match(String(whatIsHeld(silent.id)?.skipped), /^never spoke/);
  });

  const restarts: readonly (readonly [name: string, restart: () => Promise<unknown>])[] = [
    [
      'the plugin stopped and started',
      async () => {
        await node.rpc('plugin', { subcommand: 'stop', plugin: PLUGIN });
        await node.rpc('plugin', { subcommand: 'start', plugin: PLUGIN });
      },
    ],
    [
      'kill -9 of the plugin',
      async () => {
        const pid = pluginPid(node);
        process.kill(pid, 'SIGKILL');
        await waitFor('the process to end', async () => (isAlive(pid) ? undefined : true));
        await waitFor('lightningd to notice', async () => {
          const { plugins } = await node.rpc<{ plugins: { name: string }[] }>('plugin', {
            subcommand: 'list',
          });
          return plugins.some(({ name }) => name === PLUGIN) ? undefined : true;
        });
        await node.rpc('plugin', { subcommand: 'start', plugin: PLUGIN });
      },
    ],
    [
      'the node stopped and started',
      async () => {
        await node.stop();
        await node.start();
        await network.reconnect(0);
      },
    ],
    [
      'kill -9 of the node',
      async () => {
        await node.kill();
        await node.start();
        await network.reconnect(0);
      },
    ],
  ];
  for (const [name, restart] of restarts) {
    await t.test(`${name}: nothing of it is forgotten`, async () => {
      await restart();
      assert.deepEqual(await remembered(), before);
    });
  }

  await t.test('what was learned is forgotten', async () => {
    assert.equal((await status()).knowledge.answers, 0);
  });

  await t.test('the silent peer is left alone, and the budget is still spent', async () => {
    assert.equal(await statusOf(silent.id), 'skipped');
    assert.equal(await statusOf(friend.id), 'replied');
    const again = await ask(friend, { direction: 1, amount: 100_000, ...question });
    assert.deepEqual(
      again.friends.map(({ status: each }) => each),
      ['timeout'],
    );
  });

  await t.test('who broke the protocol is still ignored, while its payments go through', async () => {
    const { ignored = 0 } = (await status()).counters.received;
    await tell(hostile, node, query());
    await waitFor('the query to be ignored', async () => {
      const { received } = (await status()).counters;
      return (received['ignored'] ?? 0) > ignored ? true : undefined;
    });
    await flush(hostile, node);
    assert.deepEqual(
      heardBy(hostile).filter(({ message }) => message.name === 'reply_foaf_balances'),
      [],
    );
    await network.pay(3, 2, 1_000_000);
  });
});
