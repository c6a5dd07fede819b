/** A peer that sends rubbish costs the node neither its payments nor its friends. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ask,
  assertNoComplaints,
  channel,
  expected,
  heardBy,
  LISTENER,
  PLUGIN,
  pluginPid,
  said,
  tell,
} from './friends.ts';
import { missingPrograms, RegtestNetwork, waitFor } from './harness.ts';
import { largestMalformed, largestQuery, malformedMessages } from './malformed.ts';

const MESSAGES = 200;
/** A payment is started with every so many of them. */
const MESSAGES_PER_PAYMENT = 20;
const PAYMENT_MSAT = 1_000_000;
/** One takes a fraction of a second; a message that held up the connection would cost much more than this. */
const NORMAL_PAYMENT_MS = 10_000;
const THERE = [0, 2] as const;
const BACK = [2, 0] as const;

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
    const from = node.logLength;
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
    const finished = new RegExp(`${hostile.id}-connectd: custommsg processing finished`, 'g');
    await waitFor('all messages to arrive', async () => {
      const arrived = node.logText(from).match(finished)?.length ?? 0;
      return arrived > MESSAGES ? true : undefined;
    });
    const times = await Promise.all(payments);
    assert.equal(times.length, 2 + Math.ceil((MESSAGES + 1) / MESSAGES_PER_PAYMENT));
    assert.ok(Math.max(...times) < NORMAL_PAYMENT_MS, `${Math.max(...times)} ms`);
  });

  await t.test('none of them was answered', () => {
    assert.equal(heardBy(hostile).length, 1);
  });

  await t.test('an honest friend is answered as ever', async () => {
    const answer = await ask(honest, { direction: 'in', amount: 50_000 });
    assert.deepEqual(said(answer), expected([node, 'replied', offer]));
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
