/** A peer that sends rubbish, or far too much, costs the node neither its payments nor its friends. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { queryHex, recordsOf } from '../lightningd/sample-messages.ts';
import { ALICE, CAROL, listpeerchannels, sampleMethods } from '../lightningd/sample-node.ts';
import { StubLightningd } from '../lightningd/stub-lightningd.ts';
import {
  ask,
  assertNoComplaints,
  channel,
  expected,
  heardBy,
  LISTENER,
  PLUGIN,
  pluginPid,
  query,
  said,
  takenUp,
  tell,
} from './friends.ts';
import { missingPrograms, RegtestNetwork, type RegtestNode, waitFor } from './harness.ts';
import { largestMalformed, largestQuery, malformedMessages } from './malformed.ts';

const MESSAGES = 200;
/** A payment is started with every so many of them. */
const MESSAGES_PER_PAYMENT = 20;
const PAYMENT_MSAT = 1_000_000;
/** One takes a fraction of a second; a message that held up the connection would cost much more than this. */
const NORMAL_PAYMENT_MS = 10_000;
const THERE = [0, 2] as const;
const BACK = [2, 0] as const;

interface Held {
  peer_id: string;
  strikes: number;
  last_breach?: string;
  skipped?: string;
}

/** What is held against a peer. */
async function strikesOf(node: RegtestNode, peer: RegtestNode): Promise<Held> {
  const { peers } = await node.rpc<{ peers: Held[] }>('foafstatus', { peer: peer.id });
  return peers[0] ?? assert.fail('foafstatus shows no such peer');
}

test('two hundred malformed messages harm nobody', { skip: missingPrograms() ?? false }, async t => {
  await using network = await RegtestNetwork.start({
    nodes: [{ plugin: LISTENER }, { plugin: PLUGIN }, { plugin: PLUGIN }],
  });
  const [hostile, node, honest] = [network.node(0), network.node(1), network.node(2)];
  // The node has 500 of 1000 with the hostile one and 800 of 1000 with the honest one: nu 0.65, zeta 0.5 and 0.8.
  const [taken = ''] = await network.openChannels([
    { from: 0, to: 1, amountSat: 1_000_000, pushSat: 500_000 },
    { from: 1, to: 2, amountSat: 1_000_000, pushSat: 200_000 },
  ]);
  const offer = channel(taken, hostile, node);
  const pid = pluginPid(node);
  // Before the payments: word that is older than a payment of its own is not taken up by the honest one.
  const askNode = () => ask(honest, { direction: 'in', amount: 50_000, fresh: true });
  assert.deepEqual(said(await askNode()), expected([node, 'replied', offer]));

  await t.test('a valid query of 65,535 bytes is answered', async () => {
    const from = hostile.logLength;
    assert.equal(largestQuery('aaaaaaaaaaaaaaaa').length, 2 * 65_535);
    await tell(hostile, node, largestQuery('aaaaaaaaaaaaaaaa'));
    await hostile.waitForLog(/heard/, { from });
    const [heard] = heardBy(hostile, from);
    assert.equal(heard?.message.name, 'reply_foaf_balances');
    assert.equal(heard.message.queryId, 'aaaaaaaaaaaaaaaa');
  });

  await t.test('payments through the node go on during the flood', async () => {
    const before = await takenUp(node);
    const payments: Promise<number>[] = [];
    const pay = ([source, target]: readonly [number, number]) => {
      const startedAt = performance.now();
      const payment = network.pay(source, target, PAYMENT_MSAT).then(() => performance.now() - startedAt);
      payment.catch(() => {}); // It is awaited with all others below.
      payments.push(payment);
    };
    pay(THERE);
    pay(BACK);
    const messages = malformedMessages(MESSAGES);
    messages.splice(MESSAGES / 2, 0, largestMalformed());
    for (const [index, message] of messages.entries()) {
      await tell(hostile, node, message);
      if (index % MESSAGES_PER_PAYMENT === 0) pay(index % (2 * MESSAGES_PER_PAYMENT) === 0 ? BACK : THERE);
    }
    await waitFor('all messages to arrive', async () =>
      (await takenUp(node)) - before > MESSAGES ? true : undefined,
    );
    const times = await Promise.all(payments);
    assert.equal(times.length, 2 + Math.ceil((MESSAGES + 1) / MESSAGES_PER_PAYMENT));
    assert.ok(Math.max(...times) < NORMAL_PAYMENT_MS, `${Math.max(...times)} ms`);
  });

  await t.test('none of them was answered', () => {
    assert.equal(heardBy(hostile).length, 1);
  });

  await t.test('an honest friend is answered as ever', async () => {
    const answer = await askNode();
    assert.deepEqual(said(answer), expected([node, 'replied', offer]));
  });

  await t.test('the first of them was a breach', async () => {
    const held = await strikesOf(node, hostile);
    assert.deepEqual([held.strikes, held.last_breach], [1, 'malformed message']);
  });

  await t.test('the plugin asks as ever', async () => {
    const answer = await ask(node, { direction: 'in', amount: 50_000, peers: honest.id });
    assert.deepEqual(said(answer), expected([honest, 'replied']));
  });

  await t.test('nothing has crashed', () => {
    assert.equal(pluginPid(node), pid);
    assertNoComplaints(network);
  });
});

/** The issue says a minute: that is run with BS_FLOOD_SECONDS=60. A breach is one after 21 messages. */
const FLOOD_SECONDS = Number(process.env['BS_FLOOD_SECONDS'] ?? 3);
const MESSAGES_PER_SECOND = 1000;
const SECOND_MS = 1000;
/** The honest friend may ask four times within 12 s, and has asked once before. */
const ASKED_EVERY_MS = 4_100;
const MAY_GROW_MB = 60;

/** Resident memory, now and the most that ever was; `undefined` where the system does not tell. */
function memoryOf(pid: number): { readonly nowMb: number; readonly mostMb: number } | undefined {
  if (process.platform !== 'linux') return undefined;
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const megabytes = (field: string) =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) / 1024;
  return { nowMb: megabytes('VmRSS'), mostMb: megabytes('VmHWM') };
}

async function counted(node: RegtestNode): Promise<Record<string, number>> {
  const { counters } = await node.rpc<{ counters: { received: Record<string, number> } }>('foafstatus');
  return counters.received;
}

test('a thousand messages a second from a friend', { skip: missingPrograms() ?? false }, async t => {
  await using network = await RegtestNetwork.start({
    nodes: [{ plugin: LISTENER }, { plugin: PLUGIN }, { plugin: PLUGIN }],
  });
  const [hostile, node, honest] = [network.node(0), network.node(1), network.node(2)];
  // As above: the node takes in on the hostile one's channel.
  const [taken = ''] = await network.openChannels([
    { from: 0, to: 1, amountSat: 1_000_000, pushSat: 500_000 },
    { from: 1, to: 2, amountSat: 1_000_000, pushSat: 200_000 },
  ]);
  const offer = channel(taken, hostile, node);
  const pid = pluginPid(node);
  const askNode = () => ask(honest, { direction: 'in', amount: 50_000, fresh: true });
  const before = { answer: await askNode(), memory: memoryOf(pid) };
  assert.deepEqual(said(before.answer), expected([node, 'replied', offer]));

  await t.test('other friends are answered meanwhile', async context => {
    let isOver = false;
    const flooding = flood(hostile, node).finally(() => {
      isOver = true;
    });
    const elapsed: number[] = [];
    for (;;) {
      const answer = await askNode();
      assert.deepEqual(said(answer), expected([node, 'replied', offer]));
      elapsed.push(answer.elapsed_ms);
      if (isOver) break;
      await delay(ASKED_EVERY_MS);
    }
    const tookMs = await flooding;
    context.diagnostic(`${FLOOD_SECONDS * MESSAGES_PER_SECOND} messages in ${Math.round(tookMs)} ms`);
    context.diagnostic(`answers: ${before.answer.elapsed_ms} ms before, ${elapsed.join(', ')} ms meanwhile`);
  });

  await t.test('all of it came, and memory has hardly grown', async context => {
    const sent = FLOOD_SECONDS * MESSAGES_PER_SECOND;
    const received = await waitFor('the end of the flood', async () => {
      const counts = await counted(node);
      const sum = Object.values(counts).reduce((total, count) => total + count, 0);
      return sum >= sent ? counts : undefined;
    });
    context.diagnostic(JSON.stringify(received));
    assert.equal(received['flood'], 1);
    assert.ok(Number(received['ignored']) >= sent - 21, JSON.stringify(received));
    const memory = memoryOf(pid);
    if (memory === undefined || before.memory === undefined) return;
    context.diagnostic(`memory: ${before.memory.nowMb} MB, then ${memory.nowMb}, at most ${memory.mostMb}`);
    const grown = memory.mostMb - before.memory.nowMb;
    assert.ok(grown < MAY_GROW_MB, `${grown} MB`);
  });

  await t.test('it is a breach: one strike, and no answer any more', async () => {
    const held = await strikesOf(node, hostile);
    assert.deepEqual([held.strikes, held.last_breach], [1, 'flood']);
    assert.match(String(held.skipped), /^ignored for (9|10) min after a breach of the protocol: flood$/);
    const answer = await ask(node, { direction: 'out', amount: 50_000, peers: hostile.id });
    assert.deepEqual(said(answer), expected([hostile, 'skipped']));
    assert.ok(heardBy(hostile).length <= 4, 'no more than the limit on replies');
  });

  await t.test('it was never disconnected, and its payments go through', async () => {
    assert.doesNotMatch(node.logText(), new RegExp(`${hostile.id}.*(disconnect|Peer connection lost)`, 'i'));
    await network.pay(0, 2, 10_000_000);
    await network.pay(2, 0, 10_000_000);
  });

  await t.test('nothing has crashed', () => {
    assert.equal(pluginPid(node), pid);
    assertNoComplaints(network);
  });
});

/** Sends them at that rate, or slower where lightningd does not take so many. @returns how long it took */
async function flood(from: RegtestNode, to: RegtestNode): Promise<number> {
  const startedMs = performance.now();
  for (let second = 0; second < FLOOD_SECONDS; second++) {
    const messages = Array.from({ length: MESSAGES_PER_SECOND }, (_, index) =>
      tell(
        from,
        to,
        query({ queryId: (second * MESSAGES_PER_SECOND + index).toString(16).padStart(16, '0') }),
      ),
    );
    await Promise.all(messages);
    await delay(Math.max(0, startedMs + (second + 1) * SECOND_MS - performance.now()));
  }
  return performance.now() - startedMs;
}

/** A stand-in's plugin whose channels are read only when the test says so. */
async function withGate(t: TestContext): Promise<{ stub: StubLightningd; open: () => void }> {
  const stub = await (await StubLightningd.start(t, { methods: sampleMethods() })).ready();
  // The first answer makes the plugin know its friends.
  await stub.deliver(CAROL, queryHex({ flow: 0, amountMsat: 50_000_000, queryId: '1111111111111111' }));
  await stub.rpc.called('sendcustommsg');
  let open = () => {};
  const gate = new Promise<void>(resolve => {
    open = resolve;
  });
  stub.rpc.methods.set('listpeerchannels', async () => {
    await gate;
    return listpeerchannels();
  });
  // Something changed: the next query has to wait for a new reading.
  stub.notify('channel_state_changed', { channel_state_changed: { peer_id: ALICE } });
  return { stub, open };
}

/** Of another chain: no breach by itself, and nothing that would wait for a reading. */
const FOREIGN = queryHex({ flow: 1, amountMsat: 50_000_000, queryId: '3333333333333333' }).replace(
  '06226e46',
  'ff226e46',
);
const BREACHES: readonly (readonly [name: string, messages: readonly string[]])[] = [
  ['a malformed message', ['015b00']],
  ['a flood', Array.from({ length: 20 }, () => FOREIGN)],
];

for (const [name, messages] of BREACHES) {
  test(`a query that was taken up before ${name} is answered, one after it is not`, async t => {
    const { stub, open } = await withGate(t);
    const readings = stub.rpc.callsOf('listpeerchannels').length;
    await stub.deliver(ALICE, queryHex({ flow: 1, amountMsat: 50_000_000, queryId: '2222222222222222' }));
    await stub.rpc.called('listpeerchannels', readings + 1);
    for (const message of messages) await stub.deliver(ALICE, message);
    await stub.deliver(ALICE, queryHex({ flow: 1, amountMsat: 50_000_000, queryId: '4444444444444444' }));
    await stub.deliver(CAROL, queryHex({ flow: 1, amountMsat: 50_000_000, queryId: '5555555555555555' }));
    open();
    const ids = async () =>
      stub.rpc.callsOf('sendcustommsg').map(({ params }) => recordsOf(String(params['msg'])).get(1));
    await waitFor("Carol's answer", async () =>
      (await ids()).includes('5555555555555555') ? true : undefined,
    );
    const answered = await ids();
    assert.ok(answered.includes('2222222222222222'), answered.join());
    assert.ok(!answered.includes('4444444444444444'), answered.join());
  });
}
