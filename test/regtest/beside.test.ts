/** Beside others: a plugin with a hook and circular payments of its own, and callers who may only read. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { assertAsSchema } from '../schemas.ts';
import { ask, assertNoComplaints, flush, PLUGIN } from './friends.ts';
import { missingPrograms, RegtestNetwork, type RegtestNode, RpcFailure } from './harness.ts';
import {
  after,
  assertLedger,
  balance,
  type Circles,
  journalOf,
  ledger,
  rebalance,
  refusal,
  untilJournal,
} from './rebalancing.ts';

const NEIGHBOUR = fileURLToPath(new URL('neighbour.ts', import.meta.url));
/** An experiment's number (bLIP 2), odd, so that nobody without it minds. */
const ANOTHER_TYPE = '8001';

interface Status {
  peers: { questions_in_last_hour: number; strikes: number }[];
  rebalances: { status: string; amount_msat: number }[];
  counters: { received: Record<string, number> };
}

const skip = missingPrograms() ?? false;

test('beside a plugin with a custommsg hook that pays circles with sendpay', { skip }, async t => {
  const options = { plugin: PLUGIN };
  const both = { plugin: PLUGIN, extraArgs: [`--plugin=${NEIGHBOUR}`] };
  await using network = await RegtestNetwork.start({ nodes: [both, options, options, options] });
  const [a, b, d] = [network.node(0), network.node(1), network.node(3)];
  const [ab = '', bc = '', cd = '', da = ''] = await network.openChannels([
    { from: 0, to: 1, amountSat: 1_000_000, pushSat: 50_000 },
    { from: 1, to: 2, amountSat: 1_000_000, pushSat: 300_000 },
    { from: 2, to: 3, amountSat: 1_000_000, pushSat: 300_000 },
    { from: 3, to: 0, amountSat: 1_000_000, pushSat: 50_000 },
  ]);
  let known = await ledger(network);
  const status = async () => {
    const answer = await a.rpc<Status>('foafstatus');
    assertAsSchema('foafstatus', 'response', answer);
    return answer;
  };
  const heard = (message: string) => new RegExp(`neighbour heard ${b.id} ${message}`);
  const circle = async (amount: number) => {
    const { circles } = await a.rpc<Circles>('foafcircles', { amount, out: ab, in: da });
    return circles[0] ?? assert.fail('no circle');
  };
  const routeOf = (hops: Circles['circles'][number]['hops']) =>
    hops.map(({ known: _, ...hop }) => {
      const { short_channel_id, ...rest } = hop;
      return { ...rest, channel: short_channel_id };
    });

  await t.test('each gets its messages, and ours all of its own', async () => {
    await b.rpc('sendcustommsg', { node_id: a.id, msg: `${ANOTHER_TYPE}0102` });
    await a.waitForLog(heard(`${ANOTHER_TYPE}0102`));
    for (const direction of [0, 1]) {
      const answer = await ask(a, { direction, amount: 100_000 });
      assertAsSchema('foafbalance', 'response', answer);
      assert.deepEqual(
        answer.friends.map(({ status: each }) => each),
        ['replied', 'replied'],
      );
    }
    // A question to us goes through both hooks.
    const { friends } = await ask(b, { direction: 1, amount: 100_000, peers: [a.id] });
    assert.deepEqual(
      friends.map(({ status: each }) => each),
      ['replied'],
    );
    await a.waitForLog(heard('015b'));
    await flush(b, a);
    const { peers, counters } = await status();
    assert.deepEqual(
      peers.map(({ strikes }) => strikes),
      [0, 0],
    );
    assert.deepEqual(counters.received, { answer: 4, answered: 1 });
  });

  await t.test('its circle is not taken for one of ours', async () => {
    const { hops } = await circle(50_000);
    await a.rpc('paycircle', { route: routeOf(hops) });
    known = after(known, a, hops);
    assertLedger(await ledger(network), known);
    assert.deepEqual([(await status()).rebalances, await journalOf(a)], [[], []]);
    const { invoices } = await a.rpc<{ invoices: { label: string; status: string }[] }>('listinvoices');
    assert.deepEqual(
      invoices.map(({ label, status: each }) => [label, each]),
      [['neighbour 1', 'paid']],
    );
  });

  await t.test('ours moves what it should, beside its own', async () => {
    const params = { amount: 100_000, out: b.id, in: d.id };
    const { hops } = await circle(20_000);
    const [done] = await Promise.all([rebalance(a, params), a.rpc('paycircle', { route: routeOf(hops) })]);
    assertAsSchema('foafrebalance', 'response', done);
    assert.equal(done.status, 'complete');
    known = after(known, a, done.hops, hops);
    assertLedger(await ledger(network), known);
    await untilJournal(a, []);
    const { rebalances } = await status();
    assert.deepEqual(
      rebalances.map(each => [each.status, each.amount_msat]),
      [['complete', 100_000_000]],
    );
  });

  await t.test('what fails for it is known to ours', async () => {
    const tooMuch = Math.ceil((await balance(b, bc)) / 1000) + 5_000;
    const { hops } = await circle(tooMuch);
    assert.deepEqual(
      hops.map(hop => hop.short_channel_id),
      [ab, bc, cd, da],
    );
    await assert.rejects(a.rpc('paycircle', { route: routeOf(hops) }), RpcFailure);
    assertLedger(await ledger(network), known);
    const hop = (await circle(tooMuch)).hops.find(({ short_channel_id }) => short_channel_id === bc);
    assert.equal(hop?.known, 'failed');
  });

  await t.test('either goes, the other stays', async () => {
    await a.rpc('plugin', { subcommand: 'stop', plugin: NEIGHBOUR });
    const fresh = { direction: 1, amount: 50_000, fresh: true };
    const replies = async () => (await ask(a, fresh)).friends.map(({ status: each }) => each);
    assert.deepEqual(await replies(), ['replied', 'replied']);
    await a.rpc('plugin', { subcommand: 'start', plugin: NEIGHBOUR });
    await a.rpc('plugin', { subcommand: 'stop', plugin: 'balancesharing.ts' });
    const from = a.logLength;
    await b.rpc('sendcustommsg', { node_id: a.id, msg: `${ANOTHER_TYPE}03` });
    await a.waitForLog(heard(`${ANOTHER_TYPE}03`), { from });
    await a.rpc('plugin', { subcommand: 'start', plugin: PLUGIN });
    assert.deepEqual(await replies(), ['replied', 'replied']);
  });
  assertNoComplaints(network);
});

test('a rune for the commands that only read', { skip }, async () => {
  const options = { plugin: PLUGIN };
  await using network = await RegtestNetwork.start({ nodes: [options, options] });
  await network.openChannels([{ from: 0, to: 1, amountSat: 1_000_000 }]);
  const [a, b] = [network.node(0), network.node(1)];
  const restriction = ['foafstatus', 'foafcircles', 'foafbalance'].map(name => `method=${name}`);
  const made = await a.cli('createrune', '-k', `restrictions=${JSON.stringify([restriction])}`);
  assert.equal(made.code, 0, made.stdout + made.stderr);
  const { rune } = JSON.parse(made.stdout) as { rune: string };
  const from = (caller: RegtestNode, method: string, params: object) =>
    caller.rpc('commando', { peer_id: a.id, method, params, rune });

  for (const [method, params] of [
    ['foafstatus', {}],
    ['foafcircles', { amount: 50_000 }],
    ['foafbalance', { direction: 'out', amount: 50_000 }],
  ] as const) {
    assertAsSchema(method, 'response', await from(b, method, params));
  }
  for (const method of ['foafrebalance', 'foafgraph', 'getinfo']) {
    const { code, message } = await refusal(from(b, method, {}));
    assert.equal(code, 19537); // commando's: not permitted
    assert.match(message, /Not permitted: method is not equal to foafstatus/);
  }
});
