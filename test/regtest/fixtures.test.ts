/** Regtest with fixtures: two nodes without any channel, each with the same two files. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ask, PLUGIN } from './friends.ts';
import { missingPrograms, RegtestNetwork } from './harness.ts';

const EXAMPLES = fileURLToPath(new URL('../../examples/regtest', import.meta.url));
const STAND_IN = `02${'1'.padStart(64, '0')}`;
const end = (number: number) => `02${String(number).padStart(64, '0')}`;

test('fixtures', { skip: missingPrograms() ?? false }, async t => {
  const broken = await mkdtemp(join(tmpdir(), 'bs-broken-'));
  t.after(() => rm(broken, { recursive: true }));
  await writeFile(join(broken, 'funds.json'), '{"channels": [{"peer_id": 5}]}');
  await writeFile(join(broken, 'channels.json'), '{"channels": []}');
  const extraArgs = [`--foaf-fixtures=${EXAMPLES}`];
  await using network = await RegtestNetwork.start({
    nodes: [
      { plugin: PLUGIN, extraArgs },
      { plugin: PLUGIN, extraArgs },
      { plugin: PLUGIN, extraArgs: [`--foaf-fixtures=${broken}`] },
    ],
  });
  const [one, other, third] = [network.node(0), network.node(1), network.node(2)];

  await t.test('it says at the start, at unusual level, that the channels are made up', () => {
    assert.match(one.logText(), new RegExp(`UNUSUAL .*fixtures: 4 channels of ${STAND_IN} stand for ours`));
  });

  await t.test('alone, nobody is a friend; connected, everybody is', async () => {
    const alone = await ask(one, { direction: 1, amount: 50_000 });
    assert.deepEqual([alone.friends, typeof alone.warning_no_friends], [[], 'string']);
    await network.connect(0, 1);
    const connected = await ask(one, { direction: 1, amount: 50_000 });
    assert.deepEqual(
      connected.friends.map(({ peer_id, status }) => [peer_id, status]),
      [[other.id, 'replied']],
    );
  });

  await t.test('nothing is paid with made-up channels', async () => {
    const refused = await one.rpc('foafrebalance', { amount: 10_000 }).catch((error: unknown) => error);
    assert.match(String(refused), /foafrebalance: our channels are made up by files/);
    const { invoices } = await one.rpc<{ invoices: unknown[] }>('listinvoices');
    assert.deepEqual(invoices, []);
  });

  await t.test('each offers the other the channels of the files, both ways', async () => {
    // nu is 3.8 of 6 million; 103 and 104 are 90 % ours, 105 is 10 %, 106 is half.
    const out = [
      { short_channel_id: '103x1x0', direction: 0, source: STAND_IN, destination: end(2) },
      { short_channel_id: '104x1x0', direction: 0, source: STAND_IN, destination: end(3) },
    ];
    const into = [
      { short_channel_id: '105x1x0', direction: 1, source: end(4), destination: STAND_IN },
      { short_channel_id: '106x1x0', direction: 1, source: end(5), destination: STAND_IN },
    ];
    for (const node of [one, other]) {
      for (const [direction, channels] of [
        [1, out],
        [0, into],
      ] as const) {
        const { friends } = await ask(node, { direction, amount: 50_000, fresh: true });
        assert.deepEqual(
          friends.map(friend => [friend.status, friend.channels]),
          [['replied', channels]],
        );
      }
    }
    // At a rung that only the larger channel carries.
    const large = await ask(one, { direction: 'out', amount: 1_000_000 });
    assert.deepEqual(
      large.friends.flatMap(({ channels }) => channels.map(({ short_channel_id }) => short_channel_id)),
      ['104x1x0'],
    );
  });

  await t.test(
    'a broken file disables the plugin with its name, the place and the reason; the node lives',
    async () => {
      assert.match(
        third.logText(),
        /UNUSUAL .*disabled: .*funds\.json: channels\.0\.peer_id: Invalid type: Expected string but received 5/,
      );
      assert.equal((await third.cli('foafbalance', '1', '1')).code, 1);
      assert.ok((await third.rpc<{ id: string }>('getinfo')).id);
    },
  );
});
