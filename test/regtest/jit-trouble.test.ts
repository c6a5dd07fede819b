/** Held forwards when something goes wrong: none is stuck, none is failed by us, and what may have been spent counts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertNoComplaints, isAlive } from './friends.ts';
import { missingPrograms, waitFor } from './harness.ts';
import {
  AMOUNT_MSAT,
  assertUnharmed,
  balance,
  bookings,
  type Cast,
  HOLDER,
  JIT_PLUGIN,
  jitArgs,
  jitPid,
  jitStatus,
  NO_LIQUIDITY,
  type Payment,
  payThroughUs,
  startCast,
  untilCounted,
  untilQuiet,
} from './just-in-time.ts';

const skip = missingPrograms() ?? false;
/** Long enough for a circle to be sent on a busy machine, and still waited for. */
const SHORT_HOLD_MS = 3000;

/** A payment that we hold while the friend on the circle holds that. */
async function heldPayment(cast: Cast): Promise<Payment> {
  const { friend, us } = cast;
  await friend.rpc('holdnext', { count: 1 });
  const from = friend.logLength;
  const payment = await payThroughUs(cast);
  await friend.waitForLog(/holding [0-9a-f]{64}/, { from });
  assert.equal((await jitStatus(us)).held, 1);
  return payment;
}

test(
  'a circle slower than the hold: the forward goes on as it was, the circle still counts',
  { skip },
  async () => {
    const cast = await startCast({
      ours: jitArgs('active', SHORT_HOLD_MS),
      friend: { plugin: HOLDER },
    });
    await using network = cast.network;
    const { us, friend, toRecipient } = cast;
    const payment = await heldPayment(cast);
    assert.equal(await payment.end, NO_LIQUIDITY);
    const late = await untilCounted(us, 'late');
    assert.deepEqual([late.held, late.circles_under_way, late.outcomes], [0, 1, { late: 1 }]);
    assert.ok(late.week.spent_msat > 4_000, 'booked at its most');
    await friend.rpc('letgo');
    const { week } = await untilQuiet(us);
    assert.ok(week.spent_msat > 0 && week.spent_msat < late.week.spent_msat, 'what it did cost');
    assert.ok((await balance(us, toRecipient)) > AMOUNT_MSAT);
    assert.equal(await (await payThroughUs(cast)).end, 'complete');
    assertNoComplaints(network);
  },
);

test(
  'a circle that fails for want of liquidity costs nothing, and the forward goes on',
  { skip },
  async () => {
    const cast = await startCast({ ours: jitArgs('active'), friendLacksSat: 3_950_000 });
    await using network = cast.network;
    assert.equal(await (await payThroughUs(cast)).end, NO_LIQUIDITY);
    const { outcomes, week } = await untilQuiet(cast.us);
    assert.deepEqual([outcomes, week.spent_msat], [{ failed: 1 }, 0]);
    assert.deepEqual(await bookings(cast.us), []);
    assertNoComplaints(network);
  },
);

test('killed while it holds: nothing is stuck, and what it had booked stays spent', { skip }, async () => {
  const cast = await startCast({
    ours: jitArgs('active'),
    friend: { plugin: HOLDER },
  });
  await using _network = cast.network;
  const { us, friend, toRecipient } = cast;
  const payment = await heldPayment(cast);
  const [booked] = await bookings(us);
  assert.equal(booked?.channel, toRecipient);
  process.kill(jitPid(us), 'SIGKILL');
  assert.equal(await payment.end, NO_LIQUIDITY);
  await us.rpc('plugin', { subcommand: 'start', plugin: JIT_PLUGIN, 'foaf-jit': 'active' });
  assert.equal((await jitStatus(us)).week.spent_msat, Number(booked?.fee_msat));
  // The circle was balancesharing's: it arrives, and the forward after it.
  await friend.rpc('letgo');
  await waitFor('the circle', async () =>
    (await balance(us, toRecipient)) > AMOUNT_MSAT ? true : undefined,
  );
  assert.equal(await (await payThroughUs(cast)).end, 'complete');
  assert.equal((await jitStatus(us)).week.spent_msat, Number(booked?.fee_msat));
  assertUnharmed(us);
});

test('stopped while it holds (stdin ends): nothing is stuck', { skip }, async () => {
  const cast = await startCast({
    ours: jitArgs('active'),
    friend: { plugin: HOLDER },
  });
  await using network = cast.network;
  const payment = await heldPayment(cast);
  const pid = jitPid(cast.us);
  await cast.us.rpc('plugin', { subcommand: 'stop', plugin: JIT_PLUGIN });
  assert.equal(await payment.end, NO_LIQUIDITY);
  await waitFor('the process to end', async () => (isAlive(pid) ? undefined : true));
  await cast.friend.rpc('letgo');
  assertNoComplaints(network);
});

test('lightningd stops while it holds, and replays the HTLC when it starts', { skip }, async t => {
  const cast = await startCast({
    ours: jitArgs('active'),
    friend: { plugin: HOLDER },
  });
  await using network = cast.network;
  const { us, friend } = cast;
  const payment = await heldPayment(cast);
  const [booked] = await bookings(us);
  await us.stop(); // Throws unless the exit code is 0, in time, and no process is left.
  await us.start();
  await network.reconnect(1);
  await friend.rpc('letgo');
  const end = await payment.end;
  assert.ok(end === 'complete' || /^WIRE_/.test(end), end);
  const { held, week, outcomes } = await untilQuiet(us);
  // Decided about anew: its peer is not there yet, or just is.
  t.diagnostic(`replayed: ${JSON.stringify(outcomes)}`);
  assert.equal(
    Object.values(outcomes).reduce((sum, times) => sum + times, 0),
    1,
  );
  assert.equal(held, 0);
  assert.equal(week.spent_msat, Number(booked?.fee_msat));
  assertUnharmed(us);
});

test('lightningd is killed while it holds', { skip }, async t => {
  const cast = await startCast({
    ours: jitArgs('active'),
    friend: { plugin: HOLDER },
  });
  await using network = cast.network;
  const { us, friend } = cast;
  const payment = await heldPayment(cast);
  const [booked] = await bookings(us);
  await us.kill();
  await us.start();
  await network.reconnect(1);
  await friend.rpc('letgo');
  const end = await payment.end;
  assert.ok(end === 'complete' || /^WIRE_/.test(end), end);
  const { week, outcomes } = await untilQuiet(us);
  t.diagnostic(`replayed: ${JSON.stringify(outcomes)}`);
  assert.equal(week.spent_msat, Number(booked?.fee_msat));
  assertUnharmed(us);
});
