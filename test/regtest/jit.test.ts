/** Just-in-time routing on real nodes: a forward that fails without it and arrives with it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertNoComplaints, PLUGIN } from './friends.ts';
import { missingPrograms, RegtestNetwork } from './harness.ts';
import {
  AMOUNT_MSAT,
  assertUnharmed,
  balance,
  bookings,
  FEES,
  JIT_PLUGIN,
  jitArgs,
  jitStatus,
  LONG_HOLD_MS,
  NO_LIQUIDITY,
  payThroughUs,
  startCast,
  untilCounted,
  untilGone,
  untilQuiet,
} from './just-in-time.ts';

const skip = missingPrograms() ?? false;

test('active: what fails without arrives with it', { skip }, async t => {
  const cast = await startCast({ ours: FEES });
  await using network = cast.network;
  const { us, friend, toRecipient, toFriend } = cast;

  await t.test('without: no liquidity', async () => {
    assert.equal(await (await payThroughUs(cast)).end, NO_LIQUIDITY);
    assert.equal(await balance(us, toRecipient), 0);
  });

  await t.test('with: the channel is filled while the forward waits', async () => {
    await us.rpc('plugin', {
      subcommand: 'start',
      plugin: JIT_PLUGIN,
      'foaf-jit': 'active',
      'foaf-jit-hold-ms': LONG_HOLD_MS,
    });
    const before = await balance(us, toFriend);
    const startedMs = performance.now();
    assert.equal(await (await payThroughUs(cast)).end, 'complete');
    t.diagnostic(`filled and arrived within ${Math.round(performance.now() - startedMs)} ms`);
    const status = await untilQuiet(us);
    assert.deepEqual([status.mode, status.held, status.outcomes], ['active', 0, { filled: 1 }]);
    const left = before - (await balance(us, toFriend));
    // What arrived is the amount, the reserve's rest and the margin; what it cost more is booked.
    assert.equal(status.week.spent_msat, left - 100_000_000 - 40_000_000 - 2_000_000);
    assert.deepEqual(
      (await bookings(us)).map(({ channel, fee_msat }) => [channel, fee_msat]),
      [[toRecipient, String(status.week.spent_msat)]],
    );
    assert.ok(status.week.spent_msat > 0 && status.week.spent_msat < 5_000);
  });

  await t.test('what needs nothing is not held', async () => {
    assert.equal(await (await payThroughUs(cast, 1_000_000)).end, 'complete');
    const { outcomes, enough } = await jitStatus(us);
    assert.deepEqual([outcomes, enough >= 1], [{ filled: 1 }, true]);
  });

  await t.test('ten at once: each gets its answer, one circle at a time', async () => {
    const payments = await Promise.all(Array.from({ length: 10 }, () => payThroughUs(cast)));
    const ends = await Promise.all(payments.map(({ end }) => end));
    assert.ok(
      ends.every(end => end === 'complete' || end === NO_LIQUIDITY),
      String(ends),
    );
    assert.ok(ends.includes('complete'), String(ends));
    const { held, outcomes } = await untilQuiet(us);
    assert.equal(held, 0);
    t.diagnostic(`ten at once: ${JSON.stringify(outcomes)}`);
    // The money that a circle brought may go with another of them.
    const brought = (outcomes['filled'] ?? 0) - 1 + (outcomes['filled_but_gone'] ?? 0);
    assert.ok(brought >= 1, JSON.stringify(outcomes));
  });

  await t.test('without a circle it fails as it would without us', async () => {
    await friend.stop();
    await untilGone(us, toFriend);
    assert.equal(await (await payThroughUs(cast, 1_000_000_000)).end, NO_LIQUIDITY);
    assert.equal((await untilCounted(us, 'no_circle')).outcomes['no_circle'], 1);
  });
  for (const node of network.nodes) assertUnharmed(node);
});

test('passive: nothing is held, and the next forward finds liquidity', { skip }, async () => {
  const cast = await startCast({ ours: jitArgs('passive') });
  await using network = cast.network;
  const { us, toRecipient } = cast;
  assert.equal(await (await payThroughUs(cast)).end, NO_LIQUIDITY);
  await untilCounted(us, 'filled');
  assert.ok((await balance(us, toRecipient)) > AMOUNT_MSAT);
  assert.equal(await (await payThroughUs(cast)).end, 'complete');
  // Another failure in the same hour fills nothing.
  assert.equal(await (await payThroughUs(cast)).end, NO_LIQUIDITY);
  const { outcomes } = await untilCounted(us, 'once_an_hour');
  assert.deepEqual(outcomes, { once_an_hour: 1, filled: 1 });
  assertNoComplaints(network);
});

test('active: the circle comes home over a sibling channel, which is named then', { skip }, async t => {
  const cast = await startCast({ ours: jitArgs('active'), sibling: true });
  await using network = cast.network;
  const { us } = cast;
  assert.equal(await (await payThroughUs(cast)).end, 'complete');
  const { outcomes } = await untilQuiet(us);
  t.diagnostic(JSON.stringify(outcomes));
  assert.deepEqual(outcomes, { filled_sibling: 1 });
  assertNoComplaints(network);
});

test(
  'it starts with balancesharing whichever is named first, and disables itself without',
  { skip },
  async () => {
    const jit = `--plugin=${JIT_PLUGIN}`;
    const sharing = `--plugin=${PLUGIN}`;
    await using network = await RegtestNetwork.start({
      nodes: [[jit, sharing], [sharing, jit], [jit]].map(extraArgs => ({ extraArgs })),
    });
    for (const node of network.nodes.slice(0, 2)) {
      assert.equal((await jitStatus(node)).mode, 'passive');
    }
    const alone = network.node(2);
    await alone.waitForLog(
      /UNUSUAL.*jitrouting.*disabled: needs the plugin balancesharing.*no command foafcircles/,
    );
    await assert.rejects(jitStatus(alone), /Unknown command/);
    await assert.rejects(
      alone.rpc('plugin', { subcommand: 'start', plugin: JIT_PLUGIN }),
      /needs the plugin balancesharing/,
    );
    for (const node of network.nodes) assertUnharmed(node);
  },
);

test('balancesharing is stopped while it runs: what would be held is let go', { skip }, async () => {
  const cast = await startCast({ ours: jitArgs('active') });
  await using network = cast.network;
  const { us } = cast;
  await us.rpc('plugin', { subcommand: 'stop', plugin: PLUGIN });
  assert.equal(await (await payThroughUs(cast)).end, NO_LIQUIDITY);
  assert.deepEqual((await untilQuiet(us)).outcomes, { no_balancesharing: 1 });
  await us.rpc('plugin', { subcommand: 'start', plugin: PLUGIN });
  assert.equal(await (await payThroughUs(cast)).end, 'complete');
  assertNoComplaints(network);
});
