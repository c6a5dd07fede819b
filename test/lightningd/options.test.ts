/** Options: what init, setconfig and check make of them; and what check makes of commands. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { queryHex } from './sample-messages.ts';
import { ALICE, BOB, CAROL, sampleMethods } from './sample-node.ts';
import { StubLightningd } from './stub-lightningd.ts';

const QUERY = queryHex({ flow: 1, amountMsat: 50_000_000, queryId: '0102030405060708' });

const LAYER_RULE =
  'must be empty or up to 64 letters, digits, dots, colons, underscores and dashes, neither xpay nor auto.…';

/** Option, a value as text, and what is said about it. */
const REFUSED: readonly (readonly [option: string, value: string, problem: string])[] = [
  ['foaf-share', 'everyone', 'must be friends or none, got everyone'],
  ['foaf-share', '', 'must be friends or none, got '],
  ['foaf-allow', 'abc', 'must be comma-separated node ids, got abc'],
  [
    'foaf-deny',
    `${ALICE},04${'ab'.repeat(32)}`,
    `must be comma-separated node ids, got 04${'ab'.repeat(32)}`,
  ],
  ['foaf-min-depth', '-1', 'must be a whole number, 0 to 10000, got -1'],
  ['foaf-min-depth', '10001', 'must be a whole number, 0 to 10000, got 10001'],
  ['foaf-answer-ttl', '0', 'must be a whole number, 1 to 86400, got 0'],
  ['foaf-answer-ttl', '86401', 'must be a whole number, 1 to 86400, got 86401'],
  ['foaf-question-budget', '0', 'must be a whole number, 1 to 1000, got 0'],
  ['foaf-question-budget', '1001', 'must be a whole number, 1 to 1000, got 1001'],
  ['foaf-omit-percent', '51', 'must be a whole number, 0 to 50, got 51'],
  ['foaf-omit-percent', '-1', 'must be a whole number, 0 to 50, got -1'],
  ['foaf-refresh', '1441', 'must be a whole number, 0 to 1440, got 1441'],
  ['foaf-maxfeeppm', '100001', 'must be a whole number, 0 to 100000, got 100001'],
  ['foaf-maxdelay', '39', 'must be a whole number, 40 to 2016, got 39'],
  ['foaf-maxdelay', '2017', 'must be a whole number, 40 to 2016, got 2017'],
  ['foaf-layer', 'xpay', `${LAYER_RULE}, got xpay`],
  ['foaf-layer', 'auto.localchans', `${LAYER_RULE}, got auto.localchans`],
  ['foaf-layer', 'a b', `${LAYER_RULE}, got a b`],
  ['foaf-timeout', '301', 'must be a whole number, 1 to 300, got 301'],
  ['foaf-timeout', '2.5', 'must be a whole number, 1 to 300, got 2.5'],
  ['foaf-timeout', 'soon', 'must be a whole number, 1 to 300, got soon'],
  ['foaf-cache-ttl', '0', 'must be a whole number, 1 to 86400, got 0'],
];

/** The smallest and largest of each, as text. */
const TAKEN: readonly (readonly [option: string, value: string])[] = [
  ['foaf-share', 'none'],
  ['foaf-share', 'friends'],
  ['foaf-allow', `${ALICE}, ${BOB.toUpperCase()},`],
  ['foaf-allow', ''],
  ['foaf-deny', ALICE],
  ['foaf-deny', ''],
  ['foaf-min-depth', '10000'],
  ['foaf-min-depth', '0'],
  ['foaf-answer-ttl', '86400'],
  ['foaf-answer-ttl', '1'],
  ['foaf-question-budget', '1000'],
  ['foaf-question-budget', '1'],
  ['foaf-omit-percent', '50'],
  ['foaf-omit-percent', '0'],
  ['foaf-refresh', '1440'],
  ['foaf-refresh', '0'],
  ['foaf-maxfeeppm', '0'],
  ['foaf-maxdelay', '2016'],
  ['foaf-layer', ''],
  ['foaf-layer', 'mine'],
  ['foaf-timeout', '300'],
  ['foaf-timeout', '1'],
  ['foaf-cache-ttl', '1'],
  ['foaf-cache-ttl', '86400'],
];

test('init', async t => {
  const stub = await StubLightningd.start(t, { methods: sampleMethods() });

  for (const [option, value, problem] of REFUSED) {
    await t.test(`${option} "${value}" disables the plugin, with the reason`, async () => {
      for (const given of /^-?[0-9]+$/.test(value) ? [value, Number(value)] : [value]) {
        const answer = await stub.init({ options: { [option]: given } });
        assert.deepEqual(Object.keys(Object(answer)), ['disable']);
        const reason: unknown = Object(answer).disable;
        assert.ok(
          typeof reason === 'string' && reason.includes(option) && reason.endsWith(problem),
          String(reason),
        );
      }
    });
  }

  for (const network of ['liquid-regtest', 'litecoin', '', 'constructor']) {
    await t.test(`network "${network}" disables it, with its name`, async () => {
      const answer = await stub.init({ network });
      assert.deepEqual(answer, { disable: `no chain hash is known for network ${network}` });
    });
  }

  await t.test('nothing was asked of lightningd for any of these', () => {
    assert.deepEqual(stub.rpc.calls, []);
  });

  await t.test('autoreload: texts for all, its own option too, nothing for what has no default', async () => {
    const options = Object.fromEntries([...TAKEN, ['foaf-min-depth', ''], ['autoreload-plugin', 'x.ts']]);
    assert.deepEqual(await stub.init({ options }), {});
  });

  for (const network of ['bitcoin', 'testnet', 'testnet4', 'signet', 'regtest']) {
    await t.test(`network ${network} is known`, async () => {
      assert.deepEqual(await stub.init({ network }), {});
    });
  }
});

test('setconfig and check', async t => {
  const stub = await (await StubLightningd.start(t, { methods: sampleMethods() })).ready();

  for (const [config, val, problem] of REFUSED) {
    await t.test(`${config} "${val}" is refused, by check as well`, async () => {
      const error = { code: -32602, message: `setconfig: ${config}: ${problem}` };
      assert.deepEqual(await stub.refusal('setconfig', { config, val }), error);
      assert.deepEqual(await stub.refusal('check', { command_to_check: 'setconfig', config, val }), error);
      assert.deepEqual(await stub.refusal('check', ['setconfig', config, val]), error);
    });
  }

  for (const [config, val] of TAKEN) {
    await t.test(`${config} "${val}" is taken, and check says so`, async () => {
      const checked = await stub.call('check', { command_to_check: 'setconfig', config, val });
      assert.deepEqual(checked, { command_to_check: 'setconfig' });
      assert.deepEqual(await stub.call('setconfig', { config, val }), {});
    });
  }

  await t.test('an option that is not ours, or not to be changed while we run, is refused', async () => {
    for (const config of ['foaf-fixtures', 'foaf-unknown', 'autoreload-plugin', 'constructor', '']) {
      const { code, message } = await stub.refusal('setconfig', { config, val: '1' });
      assert.equal(code, -32602);
      assert.match(message, /^setconfig: config: /);
      assert.ok(message.endsWith(config));
    }
    assert.equal((await stub.refusal('setconfig', {})).code, -32602);
    assert.equal((await stub.refusal('setconfig', { config: 'foaf-timeout' })).code, -32602);
  });
});

/** Who of two friends is answered: both are asked in this order, and answered in it. */
async function answered(stub: StubLightningd): Promise<unknown[]> {
  const before = stub.rpc.callsOf('sendcustommsg').length;
  await stub.deliver(ALICE, QUERY);
  await stub.deliver(CAROL, QUERY);
  for (let nth = before + 1; ; nth++) {
    const { node_id: peer } = await stub.rpc.called('sendcustommsg', nth);
    if (peer !== CAROL) continue;
    return stub.rpc
      .callsOf('sendcustommsg')
      .slice(before)
      .map(call => call.params['node_id']);
  }
}

test('options count from the next query on', async t => {
  const stub = await StubLightningd.start(t, { methods: sampleMethods() });
  await stub.ready({ options: { 'foaf-deny': ALICE } });

  await t.test('as given in init', async () => {
    assert.deepEqual(await answered(stub), [CAROL]);
  });

  await t.test('check and a value that was refused change nothing', async () => {
    const params = { config: 'foaf-deny', val: '' };
    await stub.call('check', { command_to_check: 'setconfig', ...params });
    await stub.call('check', ['setconfig', 'foaf-deny', '']);
    await stub.refusal('setconfig', { config: 'foaf-deny', val: 'nobody' });
    assert.deepEqual(await answered(stub), [CAROL]);
  });

  await t.test('setconfig does', async () => {
    await stub.call('setconfig', { config: 'foaf-deny', val: '' });
    assert.deepEqual(await answered(stub), [ALICE, CAROL]);
    await stub.call('setconfig', { config: 'foaf-allow', val: CAROL });
    assert.deepEqual(await answered(stub), [CAROL]);
  });
});

test('check of a command', async t => {
  const stub = await (await StubLightningd.start(t, { methods: sampleMethods() })).ready();
  const callsBefore = stub.rpc.calls.length;

  const good: readonly unknown[] = [
    ['foafbalance', 1, 50_000],
    ['foafbalance', 'in', '0.0005btc', [ALICE], 10, true],
    { command_to_check: 'foafbalance', direction: 'out', amount: '50000sat', timeout: null },
  ];
  for (const params of good) {
    await t.test(`good: ${JSON.stringify(params).slice(0, 60)}`, async () => {
      assert.deepEqual(await stub.call('check', params), { command_to_check: 'foafbalance' });
    });
  }

  const bad: readonly (readonly [params: unknown, message: string])[] = [
    [['foafbalance', 5], 'foafbalance: direction: must be 1 or out, 0 or in, got 5'],
    [['foafbalance', 1, 0], 'foafbalance: amount: must be a positive amount, got 0'],
    [['foafbalance', 1, 5, 'x'], 'foafbalance: peers: must be one node id or an array of them, got x'],
    [
      { command_to_check: 'foafbalance', direction: 1, amount: 5, timeout: 0 },
      'foafbalance: timeout: must be whole seconds, 1 to 300, got 0',
    ],
    [
      { command_to_check: 'foafbalance', direction: 1, amount: 5, fast: true },
      'foafbalance: fast: unknown parameter, expected direction, amount, peers, timeout, fresh',
    ],
  ];
  for (const [params, message] of bad) {
    await t.test(`bad: ${message}`, async () => {
      assert.deepEqual(await stub.refusal('check', params), { code: -32602, message });
    });
  }

  await t.test('none of them asked lightningd or a friend for anything', async () => {
    // What had been set off by them would have reached lightningd before this.
    await stub.deliver(CAROL, QUERY);
    await stub.rpc.called('sendcustommsg');
    const made = stub.rpc.calls.slice(callsBefore).map(({ method, params }) => [method, params['node_id']]);
    const harmless = new Set(['getinfo', 'listpeerchannels']);
    assert.deepEqual(
      made.filter(([method]) => !harmless.has(String(method))),
      [['sendcustommsg', CAROL]],
    );
  });
});
