/**
 * Every sharing option changes what is said, given at the start and set while the plugin runs. One plugin on the stand-in
 * for lightningd each, but for `foaf-refresh`, which is seen on real nodes; `foaf-answer-ttl` is in options.test.ts.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { friends, type Query, queryHex, type Reply, recordsOf } from '../lightningd/sample-messages.ts';
import {
  ALICE,
  BOB,
  CAROL,
  CHANNELS,
  type Channel,
  listpeerchannels,
  peerChannel,
  sampleMethods,
} from '../lightningd/sample-node.ts';
import { StubLightningd } from '../lightningd/stub-lightningd.ts';
import { assertNoComplaints, heardBy, LISTENER, PLUGIN, SNAPSHOT_MS, sentMessages } from './friends.ts';
import { missingPrograms, RegtestNetwork, type RegtestNode } from './harness.ts';

const OUT: Query = { flow: 1, amountMsat: 50_000_000, queryId: '0102030405060708' };
const MORE: Query = { ...OUT, amountMsat: 100_000_000 };

interface Status {
  counters: { received: Readonly<Record<string, number>> };
  layer?: { name: string };
}

async function received(stub: StubLightningd): Promise<Readonly<Record<string, number>>> {
  return ((await stub.call('foafstatus')) as Status).counters.received;
}

/** Hands the plugin a query and waits for what becomes of it: the outcome, as `foafstatus` counts it. */
async function outcomeOf(stub: StubLightningd, peer: string, query: Query): Promise<string> {
  const before = await received(stub);
  await stub.deliver(peer, queryHex(query));
  for (;;) {
    const after = await received(stub);
    const outcome = Object.keys(after).find(key => (after[key] ?? 0) > (before[key] ?? 0));
    if (outcome !== undefined) return outcome;
  }
}

/** The channels that the plugin names to Alice, 16 hex digits each. */
async function namedToAlice(stub: StubLightningd): Promise<string[]> {
  const nth = stub.rpc.callsOf('sendcustommsg').length + 1;
  await stub.deliver(ALICE, queryHex(OUT));
  const { msg } = await stub.rpc.called('sendcustommsg', nth);
  return recordsOf(String(msg)).get(8)?.match(/.{16}/g) ?? [];
}

function asked(stub: StubLightningd, reply: Partial<Reply> | undefined): void {
  const deliver = (peer: string, payload: string) => stub.deliver(peer, payload);
  stub.rpc.methods.set(
    'sendcustommsg',
    friends(deliver, () => reply),
  );
}

/** What one question to Bob gives. */
async function bobSays(stub: StubLightningd, params: object): Promise<Record<string, unknown> | undefined> {
  const answer = await stub.call('foafbalance', { direction: 1, amount: 50_000, peers: BOB, ...params });
  const { friends: answers } = answer as { friends: Record<string, unknown>[] };
  return answers[0];
}

/** What is seen of the plugin with one setting, the same from outside whenever it is looked at. */
type Look = (stub: StubLightningd) => Promise<unknown>;

const alicesTwo: Look = async stub => [await outcomeOf(stub, ALICE, OUT), await outcomeOf(stub, ALICE, MORE)];
const alices: Look = stub => outcomeOf(stub, ALICE, OUT);

/** Five seconds old is what Bob says. */
const whetherRemembered: Look = async stub => {
  asked(stub, { timestampMs: Date.now() - 5_000 });
  await bobSays(stub, { fresh: true });
  return (await bobSays(stub, {}))?.['status'];
};

/** Which of two calls ends first, when Bob is silent: the one that waits for as long as the option says, or for 2 s. */
const firstToEnd: Look = async stub => {
  asked(stub, undefined);
  const byOption = bobSays(stub, {}).then(() => 'the option');
  const byParameter = bobSays(stub, { amount: 100_000, timeout: 2 }).then(() => '2 s');
  const first = await Promise.race([byOption, byParameter]);
  await Promise.all([byOption, byParameter]);
  return first;
};

const layer: Look = async stub => ((await stub.call('foafstatus')) as Status).layer?.name;

/** Option, what is seen, a value and what is seen with it, and the same for another value. */
const CASES: readonly (readonly [
  option: string,
  look: Look,
  first: readonly [value: string | number, seen: unknown],
  second: readonly [value: string | number, seen: unknown],
])[] = [
  ['foaf-share', alices, ['none', 'not_sharing'], ['friends', 'answered']],
  ['foaf-allow', alices, [`${BOB},${CAROL}`, 'not_allowed'], [`${BOB},${ALICE}`, 'answered']],
  ['foaf-allow', alices, [CAROL, 'not_allowed'], ['', 'answered']],
  ['foaf-deny', alices, [ALICE, 'not_allowed'], [BOB, 'answered']],
  ['foaf-deny', alices, [`${BOB},${ALICE}`, 'not_allowed'], ['', 'answered']],
  // Alice's channel has six blocks.
  ['foaf-min-depth', alices, [7, 'stranger'], [6, 'answered']],
  ['foaf-question-budget', alicesTwo, [1, ['answered', 'budget_spent']], [2, ['answered', 'answered']]],
  ['foaf-cache-ttl', whetherRemembered, [4, 'replied'], [60, 'remembered']],
  ['foaf-timeout', firstToEnd, [1, 'the option'], [3, '2 s']],
];

async function start(
  t: TestContext,
  options: object,
  channels?: readonly Channel[],
): Promise<StubLightningd> {
  const methods = sampleMethods();
  if (channels !== undefined) methods['listpeerchannels'] = () => listpeerchannels(channels.map(peerChannel));
  return (await StubLightningd.start(t, { methods })).ready({ options });
}

for (const [option, look, [value, seen], [otherValue, otherSeen]] of CASES) {
  test(`${option}: at the start`, async t => {
    assert.deepEqual(await look(await start(t, { [option]: value })), seen);
    assert.deepEqual(await look(await start(t, { [option]: otherValue })), otherSeen);
  });

  test(`${option}: while the plugin runs`, async t => {
    const stub = await start(t, { [option]: value });
    await stub.call('setconfig', { config: option, val: String(otherValue) });
    assert.deepEqual(await look(stub), otherSeen);
    const other = await start(t, { [option]: otherValue });
    await other.call('setconfig', { config: option, val: String(value) });
    assert.deepEqual(await look(other), seen);
  });
}

test('foaf-layer: at the start, and none when empty', async t => {
  const stub = await start(t, { 'foaf-layer': 'mine' });
  assert.deepEqual(await stub.rpc.called('askrene-create-layer'), { layer: 'mine' });
  assert.equal(await layer(stub), 'mine');
  await stub.call('setconfig', { config: 'foaf-layer', val: 'other' });
  assert.deepEqual(await stub.rpc.called('askrene-create-layer', 2), { layer: 'other' });
  const none = await start(t, { 'foaf-layer': '' });
  assert.equal(await layer(none), undefined);
  assert.deepEqual(none.rpc.callsOf('askrene-create-layer'), []);
});

/** Thirty channels, Bob's among them, that give away everything: that chance leaves out all or none will not be. */
const MANY: readonly Channel[] = [
  ...CHANNELS.slice(0, 2),
  ...Array.from({ length: 29 }, (_, index) => ({
    peerId: `02${(index + 16).toString(16).padStart(64, '0')}`,
    shortChannelId: `102x${index}x0`,
    toUsMsat: 1_000_000_000,
  })),
  // As many that take in, so that the others lean.
  ...Array.from({ length: 29 }, (_, index) => ({
    peerId: `03${(index + 16).toString(16).padStart(64, '0')}`,
    shortChannelId: `101x${index}x0`,
    toUsMsat: 0,
  })),
];

test('foaf-omit-percent leaves out the same channels, at the start and while the plugin runs', async t => {
  const omitting = await start(t, { 'foaf-omit-percent': 50 }, MANY);
  const some = await namedToAlice(omitting);

  const stub = await start(t, { 'foaf-answer-ttl': 1 }, MANY);
  const all = await namedToAlice(stub);
  assert.equal(all.length, 30);
  assert.ok(some.length > 0 && some.length < all.length, `${some.length} of ${all.length}`);
  assert.ok(some.every(channel => all.includes(channel)));

  await stub.call('setconfig', { config: 'foaf-omit-percent', val: '50' });
  await delay(SNAPSHOT_MS);
  assert.deepEqual(await namedToAlice(stub), some);
  await stub.call('setconfig', { config: 'foaf-omit-percent', val: '0' });
  await delay(SNAPSHOT_MS);
  assert.deepEqual(await namedToAlice(stub), all);
});

/** A question comes a minute after the last one, a quarter more at most, and is looked for every 15 s. */
const REFRESHED_MS = 120_000;

function asksBySelf(node: RegtestNode, friend: RegtestNode): Promise<string> {
  return friend.waitForLog(new RegExp(`heard ${node.id}`), { timeoutMs: REFRESHED_MS });
}

test('foaf-refresh asks by itself', { skip: missingPrograms() ?? false }, async t => {
  await using network = await RegtestNetwork.start({
    nodes: [{ plugin: PLUGIN, extraArgs: ['--foaf-refresh=1'] }, { plugin: LISTENER }, { plugin: PLUGIN }],
  });
  const [refreshing, friend, other] = [network.node(0), network.node(1), network.node(2)];
  await network.openChannels([
    { from: 0, to: 1, amountSat: 1_000_000 },
    { from: 2, to: 1, amountSat: 1_000_000 },
  ]);

  await t.test('at the start', async () => {
    await asksBySelf(refreshing, friend);
    const [first] = heardBy(friend);
    assert.equal(first?.peerId, refreshing.id);
    assert.equal(first.message.name, 'query_foaf_balances');
    assert.equal(sentMessages(other), 0, 'who was not told to does not ask');
  });

  await t.test('while the plugin runs', async () => {
    await other.rpc('setconfig', { config: 'foaf-refresh', val: '1', transient: true });
    await asksBySelf(other, friend);
  });

  await t.test('the logs are clean', () => assertNoComplaints(network));
});
