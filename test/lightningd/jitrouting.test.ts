/** The plugin jitrouting as lightningd meets it: when it is there at all, and that it always lets lightningd continue. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ALICE, BOB, CAROL, OURS } from './sample-node.ts';
import { StubLightningd } from './stub-lightningd.ts';
import { never, type RpcMethod, StubError, unknownCommand } from './stub-rpc.ts';

const JIT = fileURLToPath(new URL('../../jitrouting.ts', import.meta.url));
const CONTINUE = { result: 'continue' };
const TO_BOB = 'b2'.repeat(32);
const SAT = 1000;

/** Our channel with Bob, empty but for a little. */
const BOBS = {
  channel_id: TO_BOB,
  peer_id: BOB,
  peer_connected: true,
  reestablished: true,
  state: 'CHANNELD_NORMAL',
  short_channel_id: '103x2x0',
  to_us_msat: 20_000 * SAT,
  total_msat: 1_000_000 * SAT,
  spendable_msat: 10_000 * SAT,
  our_reserve_msat: 10_000 * SAT,
  opener: 'remote',
  updates: {
    local: {
      htlc_minimum_msat: 0,
      htlc_maximum_msat: 990_000 * SAT,
      cltv_expiry_delta: 6,
      fee_base_msat: 0,
      fee_proportional_millionths: 1000,
    },
  },
  max_accepted_htlcs: 483,
  htlcs: [],
};

/** An HTLC of Alice's that wants 100,000 sat to go to Bob. */
function htlc(id = 1, changes: object = {}): object {
  return {
    peer_id: ALICE,
    onion: {
      type: 'tlv',
      short_channel_id: '103x2x0',
      forward_msat: 100_000 * SAT,
      outgoing_cltv_value: 132,
    },
    forward_to: TO_BOB,
    htlc: {
      short_channel_id: '103x1x0',
      id,
      amount_msat: 100_100 * SAT,
      cltv_expiry: 138,
      cltv_expiry_relative: 30,
      payment_hash: 'aa'.repeat(32),
    },
    ...changes,
  };
}

/** One of Alice's that wants so many satoshis to go to Bob. */
function small(id: number, sat: number): object {
  const { onion, htlc: offered } = htlc(id) as { onion: object; htlc: object };
  return htlc(id, {
    onion: { ...onion, forward_msat: sat * SAT },
    htlc: { ...offered, amount_msat: sat * (SAT + 1) },
  });
}

/** What lightningd tells of it. */
function event(in_htlc_id: number, status: string, sat: number): object {
  return {
    in_channel: '103x1x0',
    in_htlc_id,
    out_channel: '103x2x0',
    in_msat: sat * (SAT + 1),
    out_msat: sat * SAT,
    fee_msat: sat,
    status,
  };
}

const CIRCLE = {
  amount_msat: 1,
  circles: [{ fee_msat: 1, hops: [{ id: CAROL }, { id: BOB }, { id: OURS }] }],
};

function methods(changes: Readonly<Record<string, RpcMethod>> = {}): Record<string, RpcMethod> {
  return {
    help: ({ command }) => ({ help: [{ command: `${command} [dryrun] [ask]` }] }),
    listconfigs: ({ config }) => ({
      configs: config === 'plugin' ? { plugin: { values_str: [JIT], sources: ['cmdline'] } } : {},
    }),
    listpeerchannels: () => ({ channels: [BOBS] }),
    listdatastore: () => ({ datastore: [] }),
    datastore: () => ({ key: [], generation: 0 }),
    deldatastore: () => ({ key: [] }),
    foafcircles: () => CIRCLE,
    foafrebalance: () => ({ status: 'complete', fee_msat: 1000 }),
    ...changes,
  };
}

const OPTIONS = {
  'foaf-jit': 'active',
  'foaf-jit-hold-ms': 30_000,
  'foaf-jit-allowance': 100,
  'foaf-jit-allowance-total': 100,
};

/** Something that waits until the test lets it go on. */
function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open: () => void = () => {};
  const opened = new Promise<void>(resolve => {
    open = resolve;
  });
  return { opened, open };
}

async function started(
  t: TestContext,
  changes: Readonly<Record<string, RpcMethod>> = {},
  options: object = {},
): Promise<StubLightningd> {
  const stub = await StubLightningd.start(t, { entry: JIT, methods: methods(changes) });
  assert.deepEqual(await stub.init({ options: { ...OPTIONS, ...options } }), {});
  return stub;
}

interface Status {
  held: number;
  circles_under_way: number;
  enough: number;
  outcomes: Record<string, number>;
  week: { spent_msat: number };
  warning_ledger?: string;
}

async function status(stub: StubLightningd): Promise<Status> {
  return (await stub.call('foafjit')) as Status;
}

test('what it tells lightningd of itself', async t => {
  const stub = await StubLightningd.start(t, { entry: JIT });
  const manifest = (await stub.call('getmanifest', {})) as Record<string, unknown>;
  const { options, rpcmethods, subscriptions, hooks, ...rest } = manifest;
  assert.deepEqual(
    (options as { name: string; default: unknown; dynamic: boolean }[]).map(option => [
      option.name,
      option.default,
      option.dynamic,
    ]),
    [
      ['foaf-jit', 'passive', true],
      ['foaf-jit-hold-ms', 4000, true],
      ['foaf-jit-allowance', 100, true],
      ['foaf-jit-allowance-total', 100, true],
    ],
  );
  assert.deepEqual(
    (rpcmethods as { name: string }[]).map(({ name }) => name),
    ['foafjit'],
  );
  assert.deepEqual([...(subscriptions as string[])].sort(), [
    'channel_state_changed',
    'coin_movement',
    'connect',
    'disconnect',
    'forward_event',
    'invoice_creation',
  ]);
  assert.deepEqual(hooks, [{ name: 'htlc_accepted' }]);
  assert.deepEqual(rest, { notifications: [], dynamic: true, nonnumericids: true, cancheck: true });
});

test('it disables itself, with the reason', async t => {
  const nobodys: RpcMethod = () => ({ configs: { 'foaf-jit': { value_str: 'passive', source: 'default' } } });
  const cases: readonly (readonly [string, Record<string, RpcMethod>, RegExp])[] = [
    [
      'without balancesharing',
      { help: ({ command }) => Promise.reject(unknownCommand(String(command))) },
      /needs the plugin balancesharing.*no command foafcircles/,
    ],
    [
      'with one that always asks',
      { help: ({ command }) => ({ help: [{ command: `${command} [dryrun]` }] }) },
      /too old.*no parameter ask/,
    ],
    ['when nobody named it', { listconfigs: nobodys }, /nobody asked for it by name: set foaf-jit=/],
  ];
  for (const [name, changes, reason] of cases) {
    await t.test(name, async each => {
      const stub = await StubLightningd.start(each, { entry: JIT, methods: methods(changes) });
      const { disable } = (await stub.init({ options: OPTIONS })) as { disable: string };
      assert.match(disable, reason);
      assert.deepEqual((await stub.request('htlc_accepted', htlc())).result, CONTINUE);
    });
  }
  await t.test('but not when the option is set', async each => {
    const stub = await started(each, {
      listconfigs: ({ config }) => ({
        configs: config === 'foaf-jit' ? { 'foaf-jit': { value_str: 'active', source: 'cmdline' } } : {},
      }),
    });
    assert.equal((await status(stub)).held, 0);
  });
});

test('options outside their range', async t => {
  const stub = await started(t);
  const bad: readonly (readonly [string, string])[] = [
    ['foaf-jit', 'aggressive'],
    ['foaf-jit-hold-ms', '499'],
    ['foaf-jit-hold-ms', '30001'],
    ['foaf-jit-allowance', '-1'],
    ['foaf-jit-allowance-total', '1e3'],
  ];
  for (const [config, val] of bad) {
    const { code, message } = await stub.refusal('setconfig', { config, val });
    assert.equal(code, -32602);
    assert.match(message, new RegExp(`^setconfig: ${config}: must be .*, got`));
  }
  await stub.call('setconfig', { config: 'foaf-jit', val: 'passive' });
});

test('before init every HTLC is continued', async t => {
  const stub = await StubLightningd.start(t, { entry: JIT, methods: methods() });
  assert.deepEqual((await stub.request('htlc_accepted', htlc())).result, CONTINUE);
});

test('whatever an HTLC looks like, it is continued', async t => {
  const stub = await started(t);
  const inner = htlc() as Record<string, object>;
  // As v26.06 says one that ends here.
  const final = {
    peer_id: ALICE,
    onion: { type: 'tlv', forward_msat: 10_000, outgoing_cltv_value: 114, total_msat: 10_000 },
    htlc: inner['htlc'],
  };
  const odd: readonly unknown[] = [
    final,
    null,
    [],
    17,
    'htlc',
    {},
    { ...inner, forward_to: undefined },
    { ...inner, forward_to: 'AB'.repeat(32) },
    { ...inner, forward_to: 17 },
    { ...inner, peer_id: null },
    { ...inner, onion: null },
    { ...inner, htlc: [] },
    { ...inner, onion: { ...inner['onion'], forward_msat: -1 } },
    { ...inner, onion: { ...inner['onion'], forward_msat: 1e300 } },
    { ...inner, onion: { ...inner['onion'], forward_msat: '100msat' } },
    { ...inner, htlc: { ...inner['htlc'], id: 1.5 } },
    { ...inner, htlc: { ...inner['htlc'], cltv_expiry_relative: null } },
    { ...inner, forward_to: 'ee'.repeat(32) },
  ];
  for (const params of odd) {
    const { result, error } = await stub.request('htlc_accepted', params);
    assert.deepEqual([result, error], [CONTINUE, undefined], JSON.stringify(params)?.slice(0, 100));
  }
  assert.equal(stub.rpc.calls.filter(({ method }) => method === 'foafcircles').length, 0);
  assert.deepEqual(stub.log, []);
});

test('a forward that lacks liquidity is held for one circle, by what is known, booked before', async t => {
  let channel = BOBS;
  const stub = await started(t, {
    listpeerchannels: () => ({ channels: [channel] }),
    foafrebalance: ({ amount }) => {
      const arrived = Number(String(amount).replace('msat', ''));
      channel = { ...BOBS, spendable_msat: BOBS.spendable_msat + arrived };
      return { status: 'complete', fee_msat: 1000 };
    },
  });
  assert.deepEqual((await stub.request('htlc_accepted', htlc())).result, CONTINUE);
  const names = stub.rpc.calls.map(({ method }) => method);
  assert.ok(!names.includes('foafbalance'));
  const booked = names.indexOf('datastore');
  assert.ok(booked >= 0 && booked < names.indexOf('foafrebalance'), String(names));
  const rebalance = stub.rpc.calls.find(({ method }) => method === 'foafrebalance')?.params;
  assert.deepEqual(rebalance, {
    amount: `${92_000 * SAT}msat`,
    out: CAROL,
    in: '103x2x0',
    maxfeeppm: 54,
    retry_for: 30,
    ask: false,
  });
  const { outcomes, week } = await status(stub);
  assert.deepEqual([outcomes, week.spent_msat], [{ filled: 1 }, 1000]);
});

test('what notifications tell of a channel counts without a look at lightningd', async t => {
  const stub = await started(t, { foafcircles: () => ({ circles: [] }) });
  const before = stub.rpc.callsOf('listpeerchannels').length;
  const movement = (credit_msat: number, debit_msat: number, primary_tag: string) =>
    stub.notify('coin_movement', {
      coin_movement: { type: 'channel_mvt', account_id: TO_BOB, credit_msat, debit_msat, primary_tag },
    });
  const enough = async (id: number, sat: number) => {
    const { enough: had } = await status(stub);
    assert.deepEqual((await stub.request('htlc_accepted', small(id, sat))).result, CONTINUE);
    return (await status(stub)).enough > had;
  };
  assert.equal(await enough(1, 10_000), true, 'all that can be sent');
  stub.notify('forward_event', { forward_event: event(1, 'offered', 10_000) });
  movement(50_000 * SAT, 0, 'routed');
  assert.equal(await enough(2, 20_000), true, 'of what came in');
  stub.notify('forward_event', { forward_event: { ...event(2, 'local_failed', 20_000), failcode: 0x2002 } });
  movement(0, 5_000 * SAT, 'pushed');
  assert.equal(await enough(3, 45_000), true, 'what did not leave is free, what we paid is gone');
  assert.equal(stub.rpc.callsOf('listpeerchannels').length, before);
  assert.equal(await enough(4, 1_000), false);
  assert.equal(stub.rpc.callsOf('listpeerchannels').length, before + 1);
});

test('a circle that does not end: continued at the deadline, and its most stays booked', async t => {
  const stub = await started(t, { foafrebalance: never }, { 'foaf-jit-hold-ms': 500 });
  assert.deepEqual((await stub.request('htlc_accepted', htlc())).result, CONTINUE);
  const { held, outcomes, week } = await status(stub);
  assert.deepEqual([held, outcomes], [0, { late: 1 }]);
  assert.ok(week.spent_msat > 4_900);
});

test('483 HTLCs in one write, most of them in want of something, some of odd forms: one answer each', async t => {
  const [look, circle] = [gate(), gate()];
  let isReady = false;
  const stub = await started(t, {
    listpeerchannels: async () => {
      if (isReady) await look.opened;
      return { channels: [BOBS] };
    },
    foafrebalance: async () => {
      await circle.opened;
      return { status: 'complete', fee_msat: 1000 };
    },
  });
  await status(stub);
  isReady = true;
  const before = stub.replies.length;
  const lines = Array.from({ length: 483 }, (_, id) => {
    stub.expect(`many#${id}`);
    const params = id % 7 === 0 ? { htlc: id } : id % 5 === 0 ? small(id, 1) : htlc(id);
    return JSON.stringify({ jsonrpc: '2.0', id: `many#${id}`, method: 'htlc_accepted', params });
  });
  stub.write(`${lines.join('\n\n')}\n\n`);
  // Twenty wait for a look at lightningd, however slow the machine is: no other is held beside them.
  await stub.answered(before + 463);
  look.open();
  await stub.answered(before + 482);
  await stub.rpc.called('foafrebalance');
  circle.open();
  await stub.answered(before + 483);
  assert.ok(
    stub.replies.slice(before).every(({ result }) => JSON.stringify(result) === JSON.stringify(CONTINUE)),
  );
  const { held, outcomes, circles_under_way } = await status(stub);
  assert.deepEqual([held, circles_under_way], [0, 0]);
  assert.equal(stub.rpc.callsOf('foafrebalance').length, 1);
  assert.deepEqual(outcomes, { too_many_held: 311, under_way: 19, filled_but_gone: 1 });
});

test('stdin that ends while it holds: all are continued, and it ends with status 0', async t => {
  const stub = await started(t, { foafrebalance: never });
  const call = stub.request('htlc_accepted', htlc());
  await stub.rpc.called('foafrebalance');
  stub.stdin.end();
  assert.deepEqual((await call).result, CONTINUE);
  assert.deepEqual(await stub.ended(), { code: 0, signal: null });
});

test('lightningd whose RPC refuses, fails or is gone: continued', async t => {
  const refuse: RpcMethod = () => {
    throw new StubError(-1, 'no');
  };
  for (const method of ['foafcircles', 'foafrebalance', 'datastore', 'listconfigs'] as const) {
    await t.test(method, async each => {
      const stub = await started(each);
      stub.rpc.methods.set(method, refuse);
      assert.deepEqual((await stub.request('htlc_accepted', htlc())).result, CONTINUE);
    });
  }
  await t.test('whom the operator denies cannot be said: nobody is held for', async each => {
    const stub = await started(each);
    stub.rpc.methods.set('listconfigs', refuse);
    assert.deepEqual((await stub.request('htlc_accepted', htlc())).result, CONTINUE);
    assert.deepEqual((await status(stub)).outcomes, { error: 1 });
    stub.rpc.methods.set('listconfigs', () => {
      throw new StubError(-32602, "Unknown config option 'foaf-deny'");
    });
    assert.deepEqual((await stub.request('htlc_accepted', htlc(2))).result, CONTINUE);
    assert.equal(stub.rpc.callsOf('foafrebalance').length, 1);
  });
  await t.test('its socket', async each => {
    const stub = await started(each);
    await stub.rpc.close();
    assert.deepEqual((await stub.request('htlc_accepted', htlc())).result, CONTINUE);
    assert.deepEqual((await status(stub)).outcomes, { error: 1 });
  });
  await t.test('its socket while a circle is under way', async each => {
    const stub = await started(each, { foafrebalance: never });
    const call = stub.request('htlc_accepted', htlc());
    await stub.rpc.called('foafrebalance');
    await stub.rpc.close();
    assert.deepEqual((await call).result, CONTINUE);
    const { outcomes, week } = await status(stub);
    assert.deepEqual(outcomes, { unsettled: 1 });
    assert.ok(week.spent_msat > 4_900, 'it may have been paid');
  });
});

test('lightningd whose RPC does not answer: continued at the deadline, and nothing is sent afterwards', async t => {
  for (const method of ['listpeerchannels', 'listconfigs', 'foafcircles', 'datastore'] as const) {
    await t.test(method, async each => {
      const stub = await started(each, {}, { 'foaf-jit-hold-ms': 500 });
      let answer = () => {};
      const known = stub.rpc.methods.get(method);
      stub.rpc.methods.set(method, async params => {
        await new Promise<void>(resolve => {
          answer = resolve;
        });
        return known?.(params);
      });
      assert.deepEqual((await stub.request('htlc_accepted', htlc())).result, CONTINUE);
      answer();
      while ((await status(stub)).circles_under_way > 0);
      const { held, outcomes, week } = await status(stub);
      assert.deepEqual([held, outcomes, week.spent_msat], [0, { late: 1 }, 0]);
      assert.deepEqual(stub.rpc.callsOf('foafrebalance'), []);
    });
  }
});

test('a datastore that cannot be read: nothing is spent, and the command says so', async t => {
  const stub = await started(t, {
    listdatastore: () => {
      throw new StubError(-32601, "Unknown command 'listdatastore'");
    },
  });
  assert.deepEqual((await stub.request('htlc_accepted', htlc())).result, CONTINUE);
  const { outcomes, warning_ledger } = await status(stub);
  assert.deepEqual(outcomes, { ledger: 1 });
  assert.match(String(warning_ledger), /nothing is spent/);
});

test('bookings of an earlier process count as spent, those that nobody can read as everything', async t => {
  const record = { channel: '103x2x0', at: Date.now(), fee_msat: '98000' };
  const entry = (string: string) => ({ key: ['jitrouting', 'bookings', 'x'], generation: 0, string });
  const datastore = (string: string): RpcMethod => {
    return ({ key }) => ({ datastore: (key as string[])[1] === 'bookings' ? [entry(string)] : [] });
  };
  const known = await started(t, { listdatastore: datastore(JSON.stringify(record)) });
  assert.equal((await status(known)).week.spent_msat, 98_000);
  const unknown = await started(t, { listdatastore: datastore('{"channel":') });
  assert.deepEqual((await unknown.request('htlc_accepted', htlc())).result, CONTINUE);
  assert.deepEqual((await status(unknown)).outcomes, { ledger: 1 });
  await unknown.logged(/cannot be read, so nothing is spent/);
  assert.match(String((await status(unknown)).warning_ledger), /nothing is spent/);
});
