/**
 * Rebalances on real nodes whose end nobody knows for a while: somebody holds the HTLC, or holds back the preimage; the
 * plugin is killed, or lightningd with it. Nothing is paid twice, and to the millisatoshi nothing else has moved.
 *
 * Two of these take the minute after which a circle is given up, so all run beside each other.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { assertNoComplaints, PLUGIN, pluginPid } from './friends.ts';
import { missingPrograms, RegtestNetwork, type RegtestNode, waitFor } from './harness.ts';
import {
  after,
  assertLedger,
  assertNothingLeft,
  type Circles,
  channelsOf,
  HOLDER,
  invoicesOf,
  journalOf,
  ledger,
  nextHeld,
  outcomes,
  paymentsOf,
  rebalance,
  refusal,
  untilJournal,
} from './rebalancing.ts';

/** Ours. Of the others one holds; that they do not speak changes nothing here. */
const US = { plugin: PLUGIN, extraArgs: ['--foaf-timeout=1'] };
const HOLDING = { plugin: HOLDER };
const AMOUNT = 200_000;

/** A ring of four in which one holds: there is one circle, by which 200,000 sat can move three times. */
async function ring(holder: 2 | 3) {
  const nodes = [US, {}, {}, {}].map((options, index) => (index === holder ? HOLDING : options));
  const network = await RegtestNetwork.start({ nodes });
  await network.openChannels([
    { from: 0, to: 1, amountSat: 1_000_000, pushSat: 100_000 },
    { from: 1, to: 2, amountSat: 1_000_000, pushSat: 200_000 },
    { from: 2, to: 3, amountSat: 1_000_000, pushSat: 200_000 },
    { from: 3, to: 0, amountSat: 1_000_000, pushSat: 100_000 },
  ]);
  const [a, b, c, d] = [network.node(0), network.node(1), network.node(2), network.node(3)];
  const params = { amount: AMOUNT, out: b.id, in: d.id };
  const { circles } = await a.rpc<Circles>('foafcircles', params);
  const hops = circles[0]?.hops ?? assert.fail('no circle');
  return { network, a, b, c, d, params, hops, known: await ledger(network) };
}

/** Stops the processes of a node, which keeps its connections and answers nobody. */
function freeze({ pid }: RegtestNode): { thaw(): void } {
  assert.ok(pid !== undefined);
  process.kill(-pid, 'SIGSTOP');
  return { thaw: () => process.kill(-pid, 'SIGCONT') };
}

async function killPlugin(node: RegtestNode): Promise<void> {
  const from = node.logLength;
  process.kill(pluginPid(node), 'SIGKILL');
  await node.waitForLog(/Killing plugin: exited during normal operation/, { from });
}

async function untilPaid(node: RegtestNode, hash: string): Promise<void> {
  await waitFor('the invoice to be paid', async () => {
    const invoice = (await invoicesOf(node)).find(({ payment_hash }) => payment_hash === hash);
    return invoice?.status === 'paid' ? true : undefined;
  });
}

describe('whose end nobody knows', { concurrency: true, skip: missingPrograms() ?? false }, () => {
  test('a friend that holds the HTLC: after a minute it goes on without', async t => {
    await using network = await RegtestNetwork.start({ nodes: [US, HOLDING, {}, {}, {}] });
    const [a, b, c] = [network.node(0), network.node(1), network.node(2)];
    const [d, e] = [network.node(3), network.node(4)];
    // The way from B to C is the likeliest, since the channel between them is larger; then that from D to E.
    const [ab = ''] = await network.openChannels([
      { from: 0, to: 1, amountSat: 1_000_000, pushSat: 100_000 },
      { from: 2, to: 0, amountSat: 1_000_000, pushSat: 100_000 },
      { from: 1, to: 2, amountSat: 2_000_000, pushSat: 600_000 },
      { from: 0, to: 3, amountSat: 2_000_000, pushSat: 200_000 },
      { from: 4, to: 0, amountSat: 2_000_000, pushSat: 200_000 },
      { from: 3, to: 4, amountSat: 1_000_000, pushSat: 300_000 },
    ]);
    let known = await ledger(network);
    await b.rpc('holdnext', { count: 1 });
    const hanging = rebalance(a, { amount: AMOUNT, retry_for: 120 });
    const held = await nextHeld(b, 0);
    let noted: string[] = [];

    await t.test('while it hangs nothing goes through its friends, whoever asks', async () => {
      const invoices = await invoicesOf(a);
      assert.deepEqual(
        invoices.map(({ status, payment_hash }) => [status, payment_hash]),
        [['unpaid', held]],
      );
      noted = await journalOf(a);
      assert.deepEqual(
        noted,
        invoices.map(({ label }) => label),
      );
      for (const ends of [{ out: b.id }, { out: ab }, { in: c.id }, { out: d.id, in: c.id }]) {
        assert.equal((await refusal(rebalance(a, { amount: 10_000, ...ends }))).code, 205);
      }
      assert.deepEqual(await paymentsOf(a, 'pending'), [held]);
    });

    const done = await hanging;
    await t.test('its invoice is gone, though the HTLC is there, and another circle was paid', async () => {
      assert.equal(done.attempts, 2);
      assert.deepEqual(
        done.hops.map(({ id }) => id),
        [d.id, e.id, a.id],
      );
      assert.deepEqual(
        (await invoicesOf(a)).map(({ status, payment_hash }) => [status, payment_hash]),
        [['paid', done.payment_hash]],
      );
      const htlcs = (await channelsOf(a)).flatMap(channel => channel.htlcs);
      assert.deepEqual(
        htlcs.filter(({ direction }) => direction === 'out').map(({ payment_hash }) => payment_hash),
        [held],
      );
      await untilJournal(a, noted);
    });

    await t.test('let go, it fails, and the balances show the other circle alone', async () => {
      await b.rpc('letgo');
      known = after(known, a, done.hops);
      assertLedger(await ledger(network), known);
      await assertNothingLeft(a, [done.payment_hash]);
      assert.deepEqual(await paymentsOf(a, 'failed'), [held]);
    });

    await t.test('both friends on it are left out', async () => {
      assert.equal((await refusal(rebalance(a, { amount: 10_000, out: b.id }))).code, 205);
      assert.equal((await refusal(rebalance(a, { amount: 10_000, in: c.id }))).code, 205);
      assertLedger(await ledger(network), known);
    });
    assertNoComplaints(network);
  });

  test('a friend that holds the only way: given up, and nothing has moved', async () => {
    const { network, a, c, params, known } = await ring(2);
    await using _ = network;
    await c.rpc('holdnext', { count: 1 });
    const hanging = refusal(rebalance(a, { ...params, retry_for: 30 }));
    await nextHeld(c, 0);
    const error = await hanging;
    assert.equal(error.code, 210, error.message);
    assert.deepEqual(outcomes(error), ['held by somebody for too long, cancelled']);
    assert.deepEqual(await invoicesOf(a), []);
    await c.rpc('letgo');
    assertLedger(await ledger(network), known);
    await assertNothingLeft(a, []);
    assertNoComplaints(network);
  });

  test('a friend that holds back the preimage: what arrived is done, and not paid again', async () => {
    const { network, a, b, d, params, hops, known } = await ring(3);
    await using _ = network;
    await d.rpc('holdnext', { count: 1 });
    const hanging = rebalance(a, { ...params, retry_for: 300 });
    const held = await nextHeld(d, 0);
    const frozen = freeze(b);
    await d.rpc('letgo');
    await untilPaid(a, held);
    const done = await hanging;
    assert.deepEqual([done.payment_hash, done.attempts], [held, 1]);
    assert.deepEqual(await paymentsOf(a, 'pending'), [held]);
    frozen.thaw();
    assertLedger(await ledger(network), after(known, a, hops));
    await assertNothingLeft(a, [held]);
  });

  test('the plugin is killed in flight: a new one cancels before it pays', async () => {
    const { network, a, c, params, known } = await ring(2);
    await using _ = network;
    await c.rpc('holdnext', { count: 1 });
    const lost = refusal(rebalance(a, params));
    const held = await nextHeld(c, 0);
    const noted = await journalOf(a);
    assert.equal(noted.length, 1);
    await killPlugin(a);
    await lost;
    const from = a.logLength;
    await a.rpc('plugin', { subcommand: 'start', plugin: PLUGIN });
    const done = await rebalance(a, params);
    assert.equal(done.attempts, 1);
    const text = a.logText(from);
    const cancelled = text.indexOf(`${noted[0]} was left open: cancelled`);
    assert.ok(cancelled >= 0, 'adopted and cancelled');
    assert.deepEqual(
      (await invoicesOf(a)).map(({ status, payment_hash }) => [status, payment_hash]),
      [['paid', done.payment_hash]],
    );
    // What is cancelled stays noted while its HTLC is there.
    await untilJournal(a, noted);
    assert.deepEqual(await paymentsOf(a, 'pending'), [held]);
    await c.rpc('letgo');
    assertLedger(await ledger(network), after(known, a, done.hops));
    await assertNothingLeft(a, [done.payment_hash]);
    assert.deepEqual(await paymentsOf(a, 'failed'), [held]);
  });

  test('lightningd is killed in flight: after its restart the same', async () => {
    const { network, a, c, params, known } = await ring(2);
    await using _ = network;
    await c.rpc('holdnext', { count: 1 });
    const lost = assert.rejects(rebalance(a, params));
    const held = await nextHeld(c, 0);
    const noted = await journalOf(a);
    await a.kill();
    await lost;
    await a.start();
    await network.reconnect(0);
    const done = await rebalance(a, params);
    assert.deepEqual(
      (await invoicesOf(a)).map(({ status, payment_hash }) => [status, payment_hash]),
      [['paid', done.payment_hash]],
    );
    await untilJournal(a, noted);
    await c.rpc('letgo');
    assertLedger(await ledger(network), after(known, a, done.hops));
    await assertNothingLeft(a, [done.payment_hash]);
    assert.deepEqual(await paymentsOf(a, 'failed'), [held]);
    assertNoComplaints(network);
  });

  test('the plugin is killed, and the payment arrives before anybody looks: it counts once', async () => {
    const { network, a, b, d, params, hops, known } = await ring(3);
    await using _ = network;
    await d.rpc('holdnext', { count: 1 });
    const lost = refusal(rebalance(a, params));
    const held = await nextHeld(d, 0);
    // The amount has arrived, and what we owe for it is still on its way.
    const frozen = freeze(b);
    await d.rpc('letgo');
    await untilPaid(a, held);
    await killPlugin(a);
    await lost;
    const from = a.logLength;
    await a.rpc('plugin', { subcommand: 'start', plugin: PLUGIN });
    await a.waitForLog(/was left open: it has arrived/, { from });
    assert.equal((await journalOf(a)).length, 1);
    frozen.thaw();
    assertLedger(await ledger(network), after(known, a, hops));
    await assertNothingLeft(a, [held]);
  });
});
