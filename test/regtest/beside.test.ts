/** Beside others: a plugin with hooks and circular payments of its own, fees that change, and callers who may only read. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { assertAsSchema } from '../schemas.ts';
import { ask, assertNoComplaints, flush, PLUGIN } from './friends.ts';
import { missingPrograms, RegtestNetwork, type RegtestNode, RpcFailure } from './harness.ts';
import { jitArgs, jitStatus } from './just-in-time.ts';
import {
  after,
  assertLedger,
  assertNothingLeft,
  balance,
  type Circles,
  journalOf,
  ledger,
  type Rebalanced,
  rebalance,
  refusal,
} from './rebalancing.ts';

const NEIGHBOUR = fileURLToPath(new URL('neighbour.ts', import.meta.url));
/** What the neighbour answers, and by what. */
const QUESTION = '8001';
const ANSWER = '8003';

interface Status {
  peers: { questions_in_last_hour: number; strikes: number }[];
  rebalances: { status: string; amount_msat: number }[];
  counters: { received: Record<string, number> };
}

const skip = missingPrograms() ?? false;

test('beside a plugin with hooks of its own that pays circles with sendpay', { skip }, async t => {
  const options = { plugin: PLUGIN };
  const both = { plugin: PLUGIN, extraArgs: [`--plugin=${NEIGHBOUR}`] };
  // Three plugins with a hook for HTLCs or messages on the first: ours, jitrouting that may hold, and the neighbour.
  const all = { plugin: PLUGIN, extraArgs: [...jitArgs('active'), `--plugin=${NEIGHBOUR}`] };
  await using network = await RegtestNetwork.start({ nodes: [all, both, options, options] });
  const [a, b, d] = [network.node(0), network.node(1), network.node(3)];
  const [ab = '', bc = '', cd = '', da = ''] = await network.openChannels([
    { from: 0, to: 1, amountSat: 1_000_000, pushSat: 50_000 },
    { from: 1, to: 2, amountSat: 1_000_000, pushSat: 300_000 },
    { from: 2, to: 3, amountSat: 1_000_000, pushSat: 300_000 },
    { from: 3, to: 0, amountSat: 1_000_000, pushSat: 50_000 },
  ]);
  let known = await ledger(network);
  const ours: Rebalanced[] = [];
  const status = async () => {
    const answer = await a.rpc<Status>('foafstatus');
    assertAsSchema('foafstatus', 'response', answer);
    return answer;
  };
  const heard = (from: RegtestNode, message: string) => new RegExp(`neighbour heard ${from.id} ${message}`);
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
    await b.rpc('sendcustommsg', { node_id: a.id, msg: `${QUESTION}0102` });
    await a.waitForLog(heard(b, `${QUESTION}0102`));
    await b.waitForLog(heard(a, `${ANSWER}0102`));
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
    await a.waitForLog(heard(b, '015b'));
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
    await assertNothingLeft(a, []);
  });

  await t.test('ours moves what it should, beside its own', async () => {
    const params = { amount: 100_000, out: b.id, in: d.id };
    const { hops } = await circle(20_000);
    const [done] = await Promise.all([rebalance(a, params), a.rpc('paycircle', { route: routeOf(hops) })]);
    assertAsSchema('foafrebalance', 'response', done);
    assert.equal(done.status, 'complete');
    known = after(known, a, done.hops, hops);
    assertLedger(await ledger(network), known);
    await assertNothingLeft(a, [done.payment_hash]);
    ours.push(done);
    const { rebalances } = await status();
    assert.deepEqual(
      rebalances.map(each => [each.status, each.amount_msat]),
      [['complete', 100_000_000]],
    );
  });

  await t.test('both at once want more than there is, while fees change: the accounts hold', async () => {
    const contested = await balance(b, bc);
    // Ten of its and three of ours: half as much again as the channel in the middle has.
    const share = Math.floor(contested / 1000 / 20);
    const { hops } = await circle(share);
    const circles = Promise.allSettled(
      Array.from({ length: 10 }, () => a.rpc('paycircle', { route: routeOf(hops) })),
    );
    // What a hop asked before still goes for a while (`enforcedelay`), and its new fee has to be heard of.
    const fees = Promise.all([a, b].map(node => node.rpc('setchannel', { id: 'all', feeppm: 200 })));
    // Without questions: friends are asked so many in an hour only, and the last case needs some.
    const amount = Math.floor((contested / 1000) * 0.4);
    const params = { amount, out: b.id, in: d.id, maxfeeppm: 5_000, ask: false };
    const moved: Rebalanced[] = [];
    for (let each = 0; each < 3; each++) {
      const result = await rebalance(a, params).catch((error: unknown) => error);
      if (result instanceof RpcFailure) continue;
      moved.push(result as Rebalanced);
    }
    await fees;
    const theirs = (await circles).filter(({ status: each }) => each === 'fulfilled');
    t.diagnostic(`${moved.length} of our 3 and ${theirs.length} of its 10 circles arrived`);
    assert.ok(moved.length > 0 && moved.length < 3 && theirs.length > 0);
    known = after(known, a, ...moved.map(each => each.hops), ...theirs.map(() => hops));
    assertLedger(await ledger(network), known);
    ours.push(...moved);
    await assertNothingLeft(
      a,
      ours.map(({ payment_hash }) => payment_hash),
    );
  });

  await t.test('just-in-time routing held none of them, and spent nothing', async () => {
    const { held, outcomes, week } = await jitStatus(a);
    assert.deepEqual([held, outcomes, week.spent_msat], [0, {}, 0]);
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
    await b.rpc('sendcustommsg', { node_id: a.id, msg: `${QUESTION}03` });
    await a.waitForLog(heard(b, `${QUESTION}03`), { from });
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
