import assert from 'node:assert/strict';
import { test } from 'node:test';
import { queryHex } from './sample-messages.ts';
import { ALICE, BOB, CAROL, sampleMethods } from './sample-node.ts';
import { StubLightningd } from './stub-lightningd.ts';
import { StubError } from './stub-rpc.ts';

interface Status {
  readonly peers: readonly Readonly<Record<string, unknown>>[];
  readonly knowledge: Readonly<Record<string, number>>;
  readonly counters: { readonly sent: object; readonly received: object };
  readonly settings: object;
  readonly rebalances: readonly unknown[];
  readonly layer?: { readonly name: string; readonly entries: number };
}

const status = async (stub: StubLightningd, params: unknown = []) =>
  (await stub.call('foafstatus', params)) as Status;

test('who speaks, what came and went, what is set', async t => {
  const stub = await (await StubLightningd.start(t, { methods: sampleMethods() })).ready();
  const fresh = await status(stub);
  assert.deepEqual(
    fresh.peers,
    [ALICE, BOB, CAROL].map(peer_id => ({
      peer_id,
      speaks: false,
      strikes: 0,
      offers_kept: 0,
      offers_failed: 0,
      questions_in_last_hour: 0,
    })),
  );
  assert.deepEqual(fresh.knowledge, { friends: 0, answers: 0, channels: 0, marked_channels: 0 });
  assert.deepEqual(fresh.rebalances, []);
  assert.deepEqual(fresh.layer, { name: 'foaf', entries: 0 });
  assert.deepEqual(fresh.counters, { sent: {}, received: {} });
  assert.deepEqual(fresh.settings, {
    'foaf-share': 'friends',
    'foaf-allow': '',
    'foaf-deny': '',
    'foaf-min-depth': 0,
    'foaf-answer-ttl': 300,
    'foaf-question-budget': 8,
    'foaf-omit-percent': 0,
    'foaf-timeout': 5,
    'foaf-cache-ttl': 1200,
    'foaf-refresh': 0,
    'foaf-layer': 'foaf',
    'foaf-maxfeeppm': 500,
    'foaf-maxdelay': 500,
  });

  await stub.deliver(ALICE, queryHex({ queryId: '0102030405060708', flow: 1, amountMsat: 50_000_000 }));
  await stub.deliver(BOB, '015b00');
  await stub.rpc.called('sendcustommsg');
  await stub.call('foafbalance', [1, 50_000, CAROL, 1]);
  const later = await status(stub);
  const [alice, bob, carol] = later.peers;
  assert.deepEqual([alice?.['speaks'], alice?.['questions_in_last_hour'], bob?.['speaks']], [true, 1, false]);
  assert.equal(typeof alice?.['last_heard_age_ms'], 'number');
  assert.equal(typeof carol?.['last_asked_age_ms'], 'number');
  assert.deepEqual([bob?.['strikes'], bob?.['last_breach']], [1, 'malformed message']);
  assert.match(String(bob?.['skipped']), /^ignored for 10 min/);
  assert.match(String(carol?.['skipped']), /never spoke: asked again in 10 min/);
  assert.deepEqual(later.counters, {
    sent: { query_foaf_balances: 1, reply_foaf_balances: 1 },
    received: { truncated: 1, answered: 1 },
  });
  assert.deepEqual(
    (await status(stub, [BOB])).peers.map(({ peer_id }) => peer_id),
    [BOB],
  );
});

test('warnings: nobody is answered, nobody to ask, word that expires too soon', async t => {
  const stub = await StubLightningd.start(t, { methods: sampleMethods() });
  stub.rpc.methods.set('listpeerchannels', () => ({ channels: [] }));
  await stub.ready();
  await stub.call('setconfig', { config: 'foaf-share', val: 'none' });
  await stub.call('setconfig', { config: 'foaf-cache-ttl', val: '599' });
  const warnings = Object.keys(await status(stub)).filter(key => key.startsWith('warning_'));
  assert.deepEqual(warnings, ['warning_not_sharing', 'warning_no_friends', 'warning_cache_ttl']);
});

test('a bad peer, one that is no friend, and a node that cannot be asked', async t => {
  const stub = await (await StubLightningd.start(t, { methods: sampleMethods() })).ready();
  const stranger = `02${'9'.repeat(64)}`;
  for (const [params, message] of [
    [['nobody'], 'foafstatus: peer: must be a node id, got nobody'],
    [[stranger], `foafstatus: peer: must be a connected peer with an active channel, got ${stranger}`],
    [[ALICE, 1], 'foafstatus: too many parameters: at most 1 (peer), got 2'],
  ] as const) {
    const { error } = await stub.request('foafstatus', params);
    assert.deepEqual(error, { code: -32602, message });
  }
  const broken = await StubLightningd.start(t, { methods: sampleMethods() });
  broken.rpc.methods.set('listpeerchannels', () => {
    throw new StubError(-1, 'not now');
  });
  await broken.ready();
  const { error } = await broken.request('foafstatus', []);
  assert.equal((error as { code: number }).code, 3472);
});
