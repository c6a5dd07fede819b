/** Rebalances on real nodes. All balances are compared to the millisatoshi, and nothing is created or lost. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertNoComplaints, PLUGIN } from './friends.ts';
import { missingPrograms, RegtestNetwork, type RegtestNode, RpcFailure } from './harness.ts';

interface Hop {
  id: string;
  short_channel_id: string;
  amount_msat: number;
  known: string;
}

interface Circles {
  circles: { fee_msat: number; fee_ppm: number; probability: number; delay: number; hops: Hop[] }[];
  warning_no_circle?: string;
}

interface End {
  short_channel_id: string;
  to_us_msat_before: number;
  to_us_msat_after: number;
}

interface Rebalanced {
  status: string;
  amount_msat: number;
  fee_msat: number;
  attempts: number;
  payment_hash: string;
  out: End;
  in: End;
  hops: Hop[];
}

interface OwnChannel {
  short_channel_id: string;
  to_us_msat: number;
  htlcs: unknown[];
}

const AMOUNT_MSAT = 200_000_000;

async function channelsOf(node: RegtestNode): Promise<OwnChannel[]> {
  const { channels } = await node.rpc<{ channels: OwnChannel[] }>('listpeerchannels');
  return channels;
}

async function balance(node: RegtestNode, id: string): Promise<number> {
  const channel = (await channelsOf(node)).find(each => each.short_channel_id === id);
  return channel?.to_us_msat ?? assert.fail(`no channel ${id}`);
}

/** All that all nodes have in channels, once nothing is on its way. */
async function total({ nodes }: RegtestNetwork): Promise<number> {
  for (;;) {
    const channels = (await Promise.all(nodes.map(channelsOf))).flat();
    if (channels.every(({ htlcs }) => htlcs.length === 0)) {
      return channels.reduce((sum, { to_us_msat }) => sum + to_us_msat, 0);
    }
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}

function rebalance(node: RegtestNode, params: object): Promise<Rebalanced> {
  return node.rpc<Rebalanced>('foafrebalance', params, { timeoutMs: 120_000 });
}

async function refusal(call: Promise<unknown>): Promise<{ code: number; message: string; data?: unknown }> {
  const error = await call.then(
    result => assert.fail(`it answered ${JSON.stringify(result)}`),
    (failure: unknown) => failure,
  );
  assert.ok(error instanceof RpcFailure, String(error));
  return error;
}

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
  const before = await total(network);

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
    assert.equal(await total(network), before);
    assert.equal(await balance(a, ab), 950_000_000);
  });

  await t.test('it moves the amount, and says what it did', async () => {
    const done = await rebalance(a, { amount: AMOUNT_MSAT / 1000, out: b.id, in: d.id });
    assert.deepEqual([done.status, done.amount_msat, done.attempts], ['complete', AMOUNT_MSAT, 1]);
    assert.equal(await total(network), before);
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
    const { invoices } = await a.rpc<{ invoices: { status: string; payment_hash: string }[] }>(
      'listinvoices',
    );
    assert.deepEqual(
      invoices.map(({ status, payment_hash }) => [status, payment_hash]),
      [['paid', done.payment_hash]],
    );
    const { datastore } = await a.rpc<{ datastore: unknown[] }>('listdatastore', {
      key: ['balancesharing', 'rebalances'],
    });
    assert.deepEqual(datastore, []);
  });

  await t.test('with nothing given it moves what leans towards the middle, and never past it', async () => {
    const done = await rebalance(a, {});
    assert.equal(done.status, 'complete');
    assert.ok(done.out.to_us_msat_after >= done.in.to_us_msat_after, 'not past the middle');
    assert.equal(await total(network), before);
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
  });

  await t.test('lightning-cli -N shows how it goes', async () => {
    const { stdout, stderr, code } = await a.cli('-N', 'info', 'foafrebalance', '10000', d.id, b.id);
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout + stderr, /try 1: /);
  });
  assert.equal(await total(network), before);
  assertNoComplaints(network);
});
