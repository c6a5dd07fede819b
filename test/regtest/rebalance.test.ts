/** Rebalances on real nodes: a ring of four. All balances are compared to the millisatoshi. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertNoComplaints, PLUGIN } from './friends.ts';
import { missingPrograms, RegtestNetwork } from './harness.ts';
import {
  after,
  assertLedger,
  assertNothingLeft,
  balance,
  type Circles,
  ledger,
  rebalance,
  refusal,
} from './rebalancing.ts';

const AMOUNT_MSAT = 200_000_000;

test('a ring of four', { skip: missingPrograms() ?? false }, async t => {
  const options = { plugin: PLUGIN, extraArgs: ['--foaf-answer-ttl=1'] };
  await using network = await RegtestNetwork.start({ nodes: [options, options, options, options] });
  const [a, b, , d] = [network.node(0), network.node(1), network.node(2), network.node(3)];
  const [ab = '', bc = '', cd = '', da = ''] = await network.openChannels([
    { from: 0, to: 1, amountSat: 1_000_000, pushSat: 50_000 },
    { from: 1, to: 2, amountSat: 1_000_000, pushSat: 300_000 },
    { from: 2, to: 3, amountSat: 1_000_000, pushSat: 300_000 },
    { from: 3, to: 0, amountSat: 1_000_000, pushSat: 50_000 },
  ]);
  let known = await ledger(network);
  const paid: string[] = [];

  await t.test('foafcircles lists the circle with its exact fee', async () => {
    const { circles } = await a.rpc<Circles>('foafcircles', { amount: AMOUNT_MSAT / 1000 });
    const [circle] = circles;
    assert.equal(circles.length, 1);
    assert.deepEqual(
      circle?.hops.map(hop => hop.short_channel_id),
      [ab, bc, cd, da],
    );
    // The harness's nodes take 1 msat and 10 ppm of what they forward.
    const last = AMOUNT_MSAT;
    const third = last + 1 + Math.floor((last * 10) / 1e6);
    const second = third + 1 + Math.floor((third * 10) / 1e6);
    const first = second + 1 + Math.floor((second * 10) / 1e6);
    assert.deepEqual(
      circle?.hops.map(hop => hop.amount_msat),
      [first, second, third, last],
    );
    assert.equal(circle?.fee_msat, first - last);
  });

  await t.test('a dry run moves nothing and says what it would do', async () => {
    const planned = await rebalance(a, { dryrun: true });
    assert.equal(planned.status, 'planned');
    assertLedger(await ledger(network), known);
    await assertNothingLeft(a, []);
  });

  await t.test('it moves the amount, and says what it did', async () => {
    const done = await rebalance(a, { amount: AMOUNT_MSAT / 1000, out: b.id, in: d.id });
    assert.deepEqual([done.status, done.amount_msat, done.attempts], ['complete', AMOUNT_MSAT, 1]);
    assert.equal(await balance(a, ab), 950_000_000 - AMOUNT_MSAT - done.fee_msat);
    assert.equal(await balance(a, da), 50_000_000 + AMOUNT_MSAT);
    assert.deepEqual(done.out, {
      short_channel_id: ab,
      to_us_msat_before: 950_000_000,
      to_us_msat_after: 950_000_000 - AMOUNT_MSAT - done.fee_msat,
    });
    assert.deepEqual(done.in, {
      short_channel_id: da,
      to_us_msat_before: 50_000_000,
      to_us_msat_after: 50_000_000 + AMOUNT_MSAT,
    });
    known = after(known, a, done.hops);
    paid.push(done.payment_hash);
    assertLedger(await ledger(network), known);
    await assertNothingLeft(a, paid);
  });

  await t.test('with nothing given it moves what leans towards the middle, and never past it', async () => {
    const done = await rebalance(a);
    assert.equal(done.status, 'complete');
    assert.ok(done.out.to_us_msat_after >= done.in.to_us_msat_after, 'not past the middle');
    known = after(known, a, done.hops);
    paid.push(done.payment_hash);
    assertLedger(await ledger(network), known);
  });

  await t.test('above what fits, above the fee limit, and ends that are not ours', async () => {
    const tooMuch = await refusal(rebalance(a, { amount: 990_000, out: b.id, in: d.id }));
    assert.equal(tooMuch.code, 205);
    const tooDear = await refusal(rebalance(a, { amount: 10_000, out: b.id, in: d.id, maxfeeppm: 0 }));
    assert.equal(tooDear.code, 206, tooDear.message);
    const stranger = await refusal(rebalance(a, { amount: 10_000, out: '9x9x9' }));
    assert.equal(stranger.code, -32602);
    const { warning_no_circle } = await a.rpc<Circles>('foafcircles', { amount: 10_000, maxfeeppm: 0 });
    assert.match(String(warning_no_circle), /costs more than the limit/);
    assertLedger(await ledger(network), known);
    await assertNothingLeft(a, paid);
  });

  await t.test(
    'what fits our own channels, but not a hop between: it is tried, and nothing moves',
    async () => {
      // B has 700,000 less what was moved through it, and A does not know.
      const held = await balance(a, ab);
      const between = await balance(b, bc);
      const amount = Math.floor(between / 1000) + 5_000;
      assert.ok(amount * 1000 < held - 30_000_000, 'it would leave');
      const error = await refusal(rebalance(a, { amount, out: b.id, in: d.id }));
      assert.equal(error.code, 210, error.message);
      assert.match(JSON.stringify(error.data), new RegExp(`"erring_channel": ?"${bc}"`));
      assertLedger(await ledger(network), known);
      await assertNothingLeft(a, paid);
    },
  );

  await t.test('two at once on one channel: one goes, and the other never beside it', async () => {
    const params = { amount: 10_000, out: d.id, in: b.id };
    const both = await Promise.allSettled([rebalance(a, params), rebalance(a, params)]);
    const done = both.flatMap(each => (each.status === 'fulfilled' ? [each.value] : []));
    const refused = both.flatMap(each => (each.status === 'rejected' ? [each.reason.code] : []));
    assert.deepEqual([done.length, refused], [1, [205]]);
    for (const { hops, payment_hash } of done) {
      assert.deepEqual(
        hops.map(hop => hop.short_channel_id),
        [da, cd, bc, ab],
      );
      known = after(known, a, hops);
      paid.push(payment_hash);
    }
    assertLedger(await ledger(network), known);
  });

  await t.test('lightning-cli -N shows how it goes', async () => {
    const { stdout, stderr, code } = await a.cli('-N', 'info', 'foafrebalance', '10000', d.id, b.id);
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout + stderr, /try 1: /);
    const done = JSON.parse(stdout.slice(stdout.indexOf('{'))) as Awaited<ReturnType<typeof rebalance>>;
    known = after(known, a, done.hops);
    paid.push(done.payment_hash);
    assertLedger(await ledger(network), known);
    await assertNothingLeft(a, paid);
  });
  assertNoComplaints(network);
});
