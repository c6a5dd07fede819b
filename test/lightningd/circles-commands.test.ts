/** foafcircles and foafrebalance in front of a stand-in for lightningd: what is refused, what is paid, what is cleaned up. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALICE, BOB, CHANNELS, listpeerchannels, peerChannel, sampleMethods } from './sample-node.ts';
import { StubLightningd } from './stub-lightningd.ts';
import { StubError } from './stub-rpc.ts';

const HASH = 'ab'.repeat(32);
const SECRET = 'cd'.repeat(32);
const OUR_TERMS = {
  htlc_minimum_msat: 0,
  htlc_maximum_msat: 990_000_000,
  cltv_expiry_delta: 6,
  fee_base_msat: 1000,
  fee_proportional_millionths: 10,
};

interface Circles {
  readonly circles: readonly {
    readonly fee_msat: number;
    readonly hops: readonly { short_channel_id: string }[];
  }[];
  readonly warning_no_circle?: string;
  readonly warning_no_friend_speaks?: string;
}

/** A node that can pay: all that was noted, invoiced and paid, as lightningd would keep it. */
async function payingNode(t: { after(stop: () => Promise<void>): void }) {
  const stub = await StubLightningd.start(t, { methods: sampleMethods() });
  const journal = new Set<string>();
  const invoices = new Set<string>();
  stub.rpc.methods.set('datastore', ({ key, mode }) => {
    const label = String((key as string[]).at(-1));
    if (label !== 'memory') {
      if (mode === 'must-create' && journal.has(label)) throw new StubError(1202, 'Key already exists');
      journal.add(label);
    }
    return {};
  });
  stub.rpc.methods.set('listdatastore', ({ key }) => {
    const keys = (key as string[]).at(-1) === 'rebalances' ? [...journal] : [];
    return { datastore: keys.map(label => ({ key: ['balancesharing', 'rebalances', label], string: '{}' })) };
  });
  stub.rpc.methods.set('deldatastore', ({ key }) => {
    journal.delete(String((key as string[]).at(-1)));
    return {};
  });
  stub.rpc.methods.set('invoice', ({ label }) => {
    assert.ok(journal.has(String(label)), 'noted before');
    invoices.add(String(label));
    return { payment_hash: HASH, payment_secret: SECRET };
  });
  stub.rpc.methods.set('delinvoice', ({ label }) => {
    if (!invoices.delete(String(label))) throw new StubError(905, 'Unknown invoice');
    return {};
  });
  stub.rpc.methods.set('listsendpays', () => ({ payments: [] }));
  stub.rpc.methods.set('sendpay', () => ({ payment_hash: HASH, status: 'pending' }));
  stub.rpc.methods.set('waitsendpay', () => ({ payment_hash: HASH, status: 'complete' }));
  return { stub, journal, invoices };
}

/** The journal is forgotten after the caller has been told. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise(resolve => setTimeout(resolve, 10));
}

const REFUSED: readonly (readonly [command: string, params: unknown, message: RegExp])[] = [
  ['foafcircles', [], /^foafcircles: amount: must be satoshis/],
  ['foafcircles', [0], /^foafcircles: amount: must be a positive amount, got 0/],
  [
    'foafcircles',
    [1000, 'nobody'],
    /^foafcircles: out: must be a peer's id or a short channel id such as 103x1x0/,
  ],
  [
    'foafcircles',
    [1000, '9x9x9'],
    /^foafcircles: out: must be a channel of ours or a peer with one, got 9x9x9/,
  ],
  ['foafcircles', [1000, null, `02${'9'.repeat(64)}`], /^foafcircles: in: must be a channel of ours/],
  [
    'foafcircles',
    { amount: 1000, maxfeeppm: -1 },
    /^foafcircles: maxfeeppm: must be a whole number, 0 to 100000/,
  ],
  ['foafcircles', { amount: 1000, limit: 101 }, /^foafcircles: limit: must be a whole number, 1 to 100/],
  ['foafcircles', { amount: 1000, speed: 1 }, /^foafcircles: speed: unknown parameter/],
  ['foafrebalance', ['abc'], /^foafrebalance: amount: must be satoshis/],
  ['foafrebalance', { in: 5 }, /^foafrebalance: in: must be a peer's id/],
  ['foafrebalance', { maxfeeppm: 100_001 }, /^foafrebalance: maxfeeppm: must be a whole number/],
  ['foafrebalance', { retry_for: 0 }, /^foafrebalance: retry_for: must be whole seconds, 1 to 3600, got 0/],
  ['foafrebalance', { dryrun: 'perhaps' }, /^foafrebalance: dryrun: must be true or false, got perhaps/],
  ['foafrebalance', { ask: 'perhaps' }, /^foafrebalance: ask: must be true or false, got perhaps/],
  ['foafrebalance', [1, null, null, 0, 1, false, true, 7], /^foafrebalance: too many parameters/],
];

test('bad parameters: -32602, the parameter named, nothing paid', async t => {
  const { stub, journal } = await payingNode(t);
  await stub.ready();
  for (const [command, params, message] of REFUSED) {
    const error = await stub.refusal(command, params);
    assert.equal(error.code, -32602);
    assert.match(error.message, message);
  }
  assert.equal(stub.rpc.callsOf('sendpay').length, 0);
  assert.equal(journal.size, 0);
});

test("a peer's terms that came since our channels were read are not missed", async t => {
  const { stub } = await payingNode(t);
  const before = CHANNELS.map(each => ({
    ...peerChannel(each),
    // As lightningd tells of a channel whose peer's channel_update has not come yet.
    updates: { local: OUR_TERMS },
  }));
  stub.rpc.methods.set('listpeerchannels', () => listpeerchannels(before));
  await stub.ready();
  const none = (await stub.call('foafcircles', [10_000, BOB, ALICE])) as Circles;
  assert.match(String(none.warning_no_circle), /no public channel of ours can receive so much now/);
  // At once, while what was read counts as fresh.
  stub.rpc.methods.set('listpeerchannels', () => listpeerchannels());
  const { circles } = (await stub.call('foafcircles', [10_000, BOB, ALICE])) as Circles;
  assert.ok(circles.length > 0);
});

test('a circle is listed, and paid once: noted before, forgotten after', async t => {
  const { stub, journal } = await payingNode(t);
  await stub.ready({ options: { 'foaf-timeout': 1 } });
  const { circles } = (await stub.call('foafcircles', [10_000, BOB, ALICE])) as Circles;
  assert.ok(circles.length > 0, 'the sampled network has one');
  const done = (await stub.call('foafrebalance', [10_000, BOB, ALICE])) as Record<string, unknown>;
  assert.deepEqual([done['status'], done['amount_msat'], done['attempts']], ['complete', 10_000_000, 1]);
  assert.match(stub.progress.join(), /try 1: /);
  const [pay, ...others] = stub.rpc.callsOf('sendpay');
  assert.equal(others.length, 0);
  assert.deepEqual(
    [pay?.params['payment_hash'], pay?.params['payment_secret'], pay?.params['amount_msat']],
    [HASH, SECRET, 10_000_000],
  );
  await until(() => journal.size === 0);
});

test('a node that fails every payment: 210 with what was tried, invoices removed, the blamed channel not tried again', async t => {
  const { stub, journal, invoices } = await payingNode(t);
  stub.rpc.methods.set('waitsendpay', () => {
    throw new StubError(204, 'failed: WIRE_TEMPORARY_CHANNEL_FAILURE', {
      erring_channel: '90x1x0',
      erring_direction: 0,
      failcode: 0x1007,
    });
  });
  await stub.ready({ options: { 'foaf-timeout': 1 } });
  const error = await stub.refusal('foafrebalance', [10_000, BOB, ALICE]);
  assert.equal(error.code, 210);
  const { attempts } = error.data as { attempts: { erring_channel: string; short_channel_ids: string[] }[] };
  assert.equal(attempts.filter(each => each.short_channel_ids.includes('90x1x0')).length, 1);
  assert.equal(attempts[0]?.erring_channel, '90x1x0');
  await until(() => journal.size === 0 && invoices.size === 0);
});

test('what an earlier process left is cancelled before anything new is paid', async t => {
  const { stub, journal, invoices } = await payingNode(t);
  const label = 'balancesharing-rebalance-old';
  journal.add(label);
  invoices.add(label);
  await stub.ready({ options: { 'foaf-timeout': 1 } });
  await stub.call('foafrebalance', [10_000, BOB, ALICE]);
  const order = stub.rpc.calls.map(({ method }) => method);
  assert.ok(order.indexOf('delinvoice') < order.indexOf('invoice'));
  assert.ok(!invoices.has(label));
  await until(() => journal.size === 0);
});

test("the last HTLC has more blocks left than the node's own cltv-final wants", async t => {
  const { stub } = await payingNode(t);
  stub.rpc.methods.set('listconfigs', () => ({ configs: { 'cltv-final': { value_int: 60 } } }));
  await stub.ready({ options: { 'foaf-timeout': 1 } });
  await stub.call('foafrebalance', [10_000, BOB, ALICE]);
  const [invoice] = stub.rpc.callsOf('invoice');
  const [pay] = stub.rpc.callsOf('sendpay');
  assert.equal(invoice?.params['cltv'], 80);
  assert.equal((pay?.params['route'] as { delay: number }[]).at(-1)?.delay, 80);
});

test('no circle: said in words, and 205 with what was missing', async t => {
  const { stub } = await payingNode(t);
  await stub.ready({ options: { 'foaf-timeout': 1 } });
  const { circles, warning_no_circle, warning_no_friend_speaks } = (await stub.call('foafcircles', [
    '20000000btc',
  ])) as Circles;
  assert.match(String(warning_no_friend_speaks), /no friend has ever spoken/);
  assert.deepEqual(
    [circles, warning_no_circle],
    [[], 'no channel of ours can send so much now; no public channel of ours can receive so much now'],
  );
  const error = await stub.refusal('foafrebalance', ['20000000btc', BOB, ALICE]);
  assert.equal(error.code, 205);
  assert.deepEqual(Object.keys(error.data as object), ['attempts', 'missing']);
  const tooMuch = await stub.refusal('foafrebalance', { amount: '20000000btc', dryrun: true });
  assert.equal(tooMuch.code, 205);
  assert.match(tooMuch.message, /can give and take so much without passing the mean/);
});
