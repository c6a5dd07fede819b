/** The options: set at the start, while the node runs, or wrongly. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { ask, assertNoComplaints, channel, expected, only, PLUGIN, SNAPSHOT_MS, said } from './friends.ts';
import { missingPrograms, RegtestNetwork, type RegtestNode, RpcFailure } from './harness.ts';

const PAYMENT_MSAT = 600_000_000;

const LAYER_RULE =
  'must be empty or up to 64 letters, digits, dots, colons, underscores and dashes, neither xpay nor auto.…';

type Setting = readonly [config: string, val: string | number];

test('options', { skip: missingPrograms() ?? false }, async t => {
  const asking = { plugin: PLUGIN };
  await using network = await RegtestNetwork.start({
    nodes: [
      // An empty list is no list: everybody is answered.
      { plugin: PLUGIN, extraArgs: ['--foaf-allow=', '--foaf-deny=', '--foaf-answer-ttl=1'] },
      asking,
      asking,
      asking,
    ],
  });
  const [node, rich, poor, third] = [network.node(0), network.node(1), network.node(2), network.node(3)];
  // The node has 800 of 1000 with the rich one, 200 with the poor one, 500 with the third: nu 0.5.
  const [richOne = '', , thirdOne = ''] = await network.openChannels([
    { from: 0, to: 1, amountSat: 1_000_000, pushSat: 200_000 },
    { from: 0, to: 2, amountSat: 1_000_000, pushSat: 800_000 },
    { from: 0, to: 3, amountSat: 1_000_000, pushSat: 500_000 },
  ]);
  const offer = channel(richOne, node, rich);

  /** Sets one of the node's options, until it ends. */
  const set = (config: string, val: string | number) =>
    node.rpc('setconfig', { config, val: String(val), transient: true });
  const fresh = (from: RegtestNode, amount = 50_000) =>
    ask(from, { direction: 1, amount, peers: node.id, fresh: true });

  await t.test("foaf-answer-ttl: within a snapshot's lifetime moved balances change no answer", async () => {
    assert.deepEqual(said(await fresh(poor)), expected([node, 'replied', offer]));
    await network.pay(0, 1, PAYMENT_MSAT);
    await delay(SNAPSHOT_MS);
    // Now 200, 200 and 500 of 1000: nu 0.3. A new snapshot, which is the last one for five minutes.
    await set('foaf-answer-ttl', 300);
    const second = await fresh(poor);
    assert.deepEqual(said(second), expected([node, 'replied', channel(thirdOne, node, third)]));
    await network.pay(1, 0, PAYMENT_MSAT);
    await delay(SNAPSHOT_MS);
    for (const amount of [50_000, 100_000]) {
      const answer = await fresh(poor, amount);
      assert.deepEqual(said(answer), said(second));
      assert.equal(only(answer).timestamp, only(second).timestamp);
    }
  });

  /** Whatever this sets makes the node silent to `friend`, and what `undo` sets lets it speak again. */
  async function assertSilences(friend: RegtestNode, [config, val]: Setting, undo: Setting): Promise<void> {
    await set(config, val);
    const silence = await ask(friend, {
      direction: 0,
      amount: 50_000,
      peers: node.id,
      timeout: 1,
      fresh: true,
    });
    assert.deepEqual(said(silence), expected([node, 'timeout']));
    await set(...undo);
    const answer = await ask(friend, { direction: 0, amount: 50_000, peers: node.id, fresh: true });
    assert.deepEqual(
      said(answer).map(({ status }) => status),
      ['replied'],
    );
  }

  await t.test('foaf-share=none: silence for all', async () => {
    await assertSilences(rich, ['foaf-share', 'none'], ['foaf-share', 'friends']);
  });

  await t.test('foaf-deny: silence for those, even if they are allowed', async () => {
    await set('foaf-allow', rich.id);
    await assertSilences(rich, ['foaf-deny', `${poor.id},${rich.id}`], ['foaf-deny', poor.id]);
    await set('foaf-deny', '');
    await set('foaf-allow', '');
  });

  await t.test('foaf-allow: silence for all but those', async () => {
    await assertSilences(third, ['foaf-allow', poor.id], ['foaf-allow', `${rich.id}, ${third.id}`]);
    await set('foaf-allow', '');
  });

  await t.test('foaf-min-depth: silence for young channels', async () => {
    await assertSilences(third, ['foaf-min-depth', 10_000], ['foaf-min-depth', 0]);
  });

  async function configured(config: string): Promise<unknown> {
    const { configs } = await rich.rpc<{ configs: Record<string, Record<string, unknown>> }>('listconfigs', {
      config,
    });
    const { value_int, value_str } = configs[config] ?? {};
    return value_int ?? value_str;
  }
  const written = () => readFileSync(join(rich.directory, 'regtest', 'config.setconfig'), 'utf8');

  await t.test('setconfig stays when it is not transient', async () => {
    const { stdout, code } = await rich.cli('setconfig', 'foaf-timeout', '7');
    assert.equal(JSON.parse(stdout).config.value_int, 7);
    assert.equal(code, 0);
    assert.equal(await configured('foaf-timeout'), 7);
    assert.match(written(), /^foaf-timeout=7$/m);
    await rich.cli('-k', 'setconfig', 'config=foaf-cache-ttl', 'val=900', 'transient=true');
    assert.equal(await configured('foaf-cache-ttl'), 900);
    assert.doesNotMatch(written(), /foaf-cache-ttl/);
  });

  await t.test('setconfig refuses a bad value, and the old one stays', async () => {
    for (const [config, val, problem] of [
      ['foaf-timeout', '0', 'must be a whole number, 1 to 300, got 0'],
      ['foaf-timeout', 'long', 'must be a whole number, 1 to 300, got long'],
      ['foaf-min-depth', '-1', 'must be a whole number, 0 to 10000, got -1'],
      ['foaf-answer-ttl', '86401', 'must be a whole number, 1 to 86400, got 86401'],
      ['foaf-question-budget', '0', 'must be a whole number, 1 to 1000, got 0'],
      ['foaf-omit-percent', '51', 'must be a whole number, 0 to 50, got 51'],
      ['foaf-cache-ttl', '1e3', 'must be a whole number, 1 to 86400, got 1e3'],
      ['foaf-refresh', '1441', 'must be a whole number, 0 to 1440, got 1441'],
      ['foaf-layer', 'xpay', `${LAYER_RULE}, got xpay`],
      ['foaf-share', 'all', 'must be friends or none, got all'],
      ['foaf-allow', 'all', 'must be comma-separated node ids, got all'],
      ['foaf-deny', `${rich.id},me`, 'must be comma-separated node ids, got me'],
    ] as const) {
      for (const command of [['setconfig'], ['check', 'setconfig']]) {
        const { stdout, code } = await rich.cli('--', ...command, config, val);
        const { code: errorCode, message } = JSON.parse(stdout);
        assert.deepEqual([code, errorCode, message], [1, -32602, `setconfig: ${config}: ${problem}`]);
      }
    }
    assert.equal(await configured('foaf-timeout'), 7);
    assert.equal(await configured('foaf-share'), 'friends');
  });

  await t.test('so far the logs are clean', () => assertNoComplaints(network));

  await t.test(
    'a bad option at the start disables the plugin, with the reason, and the node lives',
    async () => {
      for (const [option, problem] of [
        ['foaf-timeout=0', 'foaf-timeout.*must be a whole number, 1 to 300, got 0'],
        ['foaf-allow=everybody', 'foaf-allow.*must be comma-separated node ids, got everybody'],
      ]) {
        await third.stop();
        const from = third.logLength;
        await third.start({ plugin: PLUGIN, extraArgs: [`--${option}`] });
        await third.waitForLog(new RegExp(`balancesharing\\.ts: .*${problem}`), { from, timeoutMs: 10_000 });
        await assert.rejects(
          ask(third, { direction: 1, amount: 50_000 }),
          (error: unknown) => error instanceof RpcFailure && error.code === -32601,
        );
      }
    },
  );

  await t.test('a node starts again with what setconfig wrote', async () => {
    await rich.stop();
    await rich.start();
    assert.equal(await configured('foaf-timeout'), 7);
    assert.equal(await configured('foaf-cache-ttl'), 1200);
    await network.reconnect(1);
    const answer = await ask(rich, { direction: 1, amount: 50_000, peers: node.id });
    assert.equal(only(answer).status, 'replied');
  });

  await t.test('an emptied list is no list, after a restart too', async () => {
    /** Sets an option of the rich one for good, and says how it then answers the node. */
    const statusWith = async (config: string, val: string) => {
      await rich.rpc('setconfig', { config, val });
      const params = { direction: 1, amount: 50_000, peers: rich.id, timeout: 2, fresh: true };
      return only(await ask(node, params)).status;
    };
    assert.equal(await statusWith('foaf-allow', third.id), 'timeout');
    assert.equal(await statusWith('foaf-allow', ''), 'replied');
    assert.equal(await statusWith('foaf-deny', node.id), 'timeout');
    assert.match(written(), new RegExp(`^foaf-deny=${node.id}$`, 'm'));
    await rich.rpc('setconfig', { config: 'foaf-deny', val: '' });
    assert.match(written(), /^foaf-allow=$/m);
    assert.match(written(), /^foaf-deny=$/m);
    await rich.stop();
    await rich.start();
    await network.reconnect(1);
    const { settings } = await rich.rpc<{ settings: Record<string, unknown> }>('foafstatus');
    assert.deepEqual([settings['foaf-allow'], settings['foaf-deny']], ['', '']);
    const answer = await ask(node, { direction: 1, amount: 50_000, peers: rich.id, fresh: true });
    assert.equal(only(answer).status, 'replied');
  });
});
