/**
 * Rebalances on real nodes where there is more than one way: a mesh of six whose nodes all share, a hop that fails, a
 * friend that lied, and friends without the plugin. All balances are compared to the millisatoshi.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ask, assertNoComplaints, heardBy, LISTENER, PLUGIN, replyTo, scids, tell } from './friends.ts';
import { missingPrograms, RegtestNetwork, type RegtestNode, waitFor } from './harness.ts';
import {
  after,
  assertLedger,
  assertNothingLeft,
  type Circles,
  type Hop,
  ledger,
  type Rebalanced,
  rebalance,
  refusal,
  type Tried,
} from './rebalancing.ts';

interface Status {
  peers: { peer_id: string; offers_kept: number; offers_failed: number }[];
  knowledge: { marked_channels: number };
}

interface Layers {
  layers: { constraints: { short_channel_id_dir: string; maximum_msat?: number }[] }[];
}

const SHARING = { plugin: PLUGIN, extraArgs: ['--foaf-answer-ttl=1', '--foaf-timeout=1'] };

const ids = (hops: readonly Hop[]) => hops.map(hop => hop.short_channel_id);
const kinds = (hops: readonly Hop[]) => hops.map(hop => hop.known);

async function recordOf(node: RegtestNode, peer: RegtestNode): Promise<readonly number[]> {
  const { peers } = await node.rpc<Status>('foafstatus', { peer: peer.id });
  return peers.flatMap(({ offers_kept, offers_failed }) => [offers_kept, offers_failed]);
}

/** What the layer says of one direction: less than this gets through. */
async function constrained(
  node: RegtestNode,
  scid: string,
  from: RegtestNode,
  to: RegtestNode,
): Promise<number> {
  const name = `${scid}/${from.id < to.id ? 0 : 1}`;
  return await waitFor(`the layer to be told of ${name}`, async () => {
    const { layers } = await node.rpc<Layers>('askrene-listlayers', { layer: 'foaf' });
    const told = layers.flatMap(({ constraints }) => constraints);
    return told.find(each => each.short_channel_id_dir === name && each.maximum_msat !== undefined)
      ?.maximum_msat;
  });
}

describe(
  'where there is more than one way',
  {
    concurrency: true,
    skip: missingPrograms() ?? false,
  },
  () => {
    test('a mesh of six that shares', async t => {
      await using network = await RegtestNetwork.start({ nodes: Array(6).fill(SHARING) });
      const [a, b, d] = [network.node(0), network.node(1), network.node(3)];
      // B has 270 of 300 with node 4, which it offers, and 300 of 1000 with node 5: close to its nu of 0.29, not offered.
      const [ab = '', , da = '', narrow = '', wide = '', home = '', around = ''] = await network.openChannels(
        [
          { from: 0, to: 1, amountSat: 1_000_000, pushSat: 100_000 },
          { from: 0, to: 2, amountSat: 1_000_000, pushSat: 500_000 },
          { from: 3, to: 0, amountSat: 1_000_000, pushSat: 100_000 },
          { from: 1, to: 4, amountSat: 300_000, pushSat: 30_000 },
          { from: 1, to: 5, amountSat: 1_000_000, pushSat: 700_000 },
          { from: 4, to: 3, amountSat: 1_000_000, pushSat: 100_000 },
          { from: 5, to: 3, amountSat: 1_000_000, pushSat: 300_000 },
          { from: 2, to: 5, amountSat: 1_000_000, pushSat: 500_000 },
        ],
      );
      let known = await ledger(network);
      const paid: string[] = [];
      const params = { amount: 190_000, out: b.id, in: d.id };
      const settle = async ({ hops, payment_hash }: Rebalanced) => {
        known = after(known, a, hops);
        paid.push(payment_hash);
        assertLedger(await ledger(network), known);
        await assertNothingLeft(a, paid);
      };

      await t.test('it goes where friends offer to carry it, at the first try', async () => {
        const done = await rebalance(a, params);
        assert.equal(done.attempts, 1);
        assert.deepEqual(ids(done.hops), [ab, narrow, home, da]);
        assert.deepEqual(kinds(done.hops), ['own', 'offered', 'offered', 'own']);
        await settle(done);
        assert.deepEqual(await recordOf(a, b), [1, 0]);
      });

      await t.test('the second in a row knows what the first used up, without asking again', async () => {
        const { circles } = await a.rpc<Circles>('foafcircles', params);
        const again = circles.find(({ hops }) => hops[1]?.short_channel_id === narrow);
        assert.equal(again?.hops[1]?.known, 'unknown');
        const done = await rebalance(a, params);
        assert.equal(done.attempts, 1);
        assert.deepEqual(ids(done.hops), [ab, wide, around, da]);
        await settle(done);
      });

      await t.test('the other nodes rebalance themselves too, and nothing is made or lost', async () => {
        for (const node of network.nodes.slice(1)) {
          const result = await rebalance(node).catch((error: { code: number }) => error.code);
          if (typeof result === 'number') assert.ok([205, 206, 210].includes(result), String(result));
          else known = after(known, node, result.hops);
          assertLedger(await ledger(network), known);
          await assertNothingLeft(node, typeof result === 'number' ? [] : [result.payment_hash]);
        }
      });
      assertNoComplaints(network);
    });

    test('a hop that fails: the next circle is tried, and what failed is remembered', async () => {
      await using network = await RegtestNetwork.start({ nodes: [SHARING, {}, {}, {}] });
      const [a, b, d] = [network.node(0), network.node(1), network.node(3)];
      // The wide channel between B and D has everything on D's side.
      const [ab = '', da = '', empty = '', bc = '', cd = ''] = await network.openChannels([
        { from: 0, to: 1, amountSat: 1_000_000, pushSat: 100_000 },
        { from: 3, to: 0, amountSat: 1_000_000, pushSat: 100_000 },
        { from: 3, to: 1, amountSat: 2_000_000, pushSat: 30_000 },
        { from: 1, to: 2, amountSat: 1_000_000, pushSat: 500_000 },
        { from: 2, to: 3, amountSat: 1_000_000, pushSat: 500_000 },
      ]);
      const known = await ledger(network);
      const params = { amount: 100_000, out: b.id, in: d.id };
      const { circles } = await a.rpc<Circles>('foafcircles', params);
      const [first] = circles;
      assert.deepEqual(ids(first?.hops ?? []), [ab, empty, da]);
      const done = await rebalance(a, params);
      assert.equal(done.attempts, 2);
      assert.deepEqual(ids(done.hops), [ab, bc, cd, da]);
      assert.deepEqual(kinds(done.hops), ['own', 'unknown', 'unknown', 'own']);
      assertLedger(await ledger(network), after(known, a, done.hops));
      // The invoice of the first try is gone as well.
      await assertNothingLeft(a, [done.payment_hash]);
      const status = await a.rpc<Status>('foafstatus');
      assert.ok(status.knowledge.marked_channels >= 1);
      assert.equal(await constrained(a, empty, b, d), Number(first?.hops[1]?.amount_msat) - 1);
      const { circles: next } = await a.rpc<Circles>('foafcircles', params);
      assert.deepEqual(
        next.map(({ hops }) => ids(hops)),
        [[ab, bc, cd, da]],
      );
      assertNoComplaints(network);
    });

    test('a friend that lied: its record tells', async () => {
      await using network = await RegtestNetwork.start({
        nodes: [{ ...SHARING, extraArgs: [] }, { plugin: LISTENER }, {}, SHARING],
      });
      const [a, b, d] = [network.node(0), network.node(1), network.node(3)];
      const [ab = '', da = '', empty = '', bc = '', cd = ''] = await network.openChannels([
        { from: 0, to: 1, amountSat: 1_000_000, pushSat: 100_000 },
        { from: 3, to: 0, amountSat: 1_000_000, pushSat: 100_000 },
        { from: 3, to: 1, amountSat: 500_000, pushSat: 30_000 },
        { from: 1, to: 2, amountSat: 1_000_000, pushSat: 500_000 },
        { from: 2, to: 3, amountSat: 1_000_000, pushSat: 500_000 },
      ]);
      const known = await ledger(network);
      const from = b.logLength;
      const rebalancing = rebalance(a, { amount: 190_000, out: b.id, in: d.id });
      const asked = await b.askUntil(/listener\.ts: heard/, async () => heardBy(b, from)[0]?.message);
      assert.ok(asked.name === 'query_foaf_balances' && asked.flow === 1);
      await tell(b, a, replyTo(asked, { shortChannelIds: scids(empty) }));
      const done = await rebalancing;
      // Nothing comes back by B: it is asked what it would pass on, and not again for the second try.
      assert.equal(heardBy(b, from).length, 1);
      assert.equal(done.attempts, 2);
      assert.deepEqual(ids(done.hops), [ab, bc, cd, da]);
      assertLedger(await ledger(network), after(known, a, done.hops));
      await assertNothingLeft(a, [done.payment_hash]);
      assert.deepEqual(await recordOf(a, b), [0, 1]);
      assertNoComplaints(network);
    });

    test('a hop that fails though a friend offers less of it: it is tried once', async () => {
      await using network = await RegtestNetwork.start({ nodes: [SHARING, SHARING, SHARING, SHARING] });
      const [a, b, d] = [network.node(0), network.node(1), network.node(3)];
      // B has 550 of 1000 with C, more than its share, and offers it for 100.
      const [, bc = ''] = await network.openChannels([
        { from: 0, to: 1, amountSat: 1_000_000, pushSat: 100_000 },
        { from: 2, to: 1, amountSat: 1_000_000, pushSat: 550_000 },
        { from: 2, to: 3, amountSat: 1_000_000, pushSat: 200_000 },
        { from: 3, to: 0, amountSat: 1_000_000, pushSat: 100_000 },
      ]);
      const known = await ledger(network);
      await ask(a, { direction: 1, amount: 90_000 });
      const error = await refusal(rebalance(a, { amount: 700_000, out: b.id, in: d.id }));
      assert.equal(error.code, 210, error.message);
      assert.deepEqual(
        (error.data as Tried).attempts.map(({ erring_channel }) => erring_channel),
        [bc],
      );
      assertLedger(await ledger(network), known);
      await assertNothingLeft(a, []);
      assertNoComplaints(network);
    });

    test('a friend without the plugin on the only way: it works, as unknown', async () => {
      await using network = await RegtestNetwork.start({ nodes: [SHARING, {}, SHARING, SHARING] });
      const [a, b, d] = [network.node(0), network.node(1), network.node(3)];
      const [ab = '', bc = '', cd = '', da = ''] = await network.openChannels([
        { from: 0, to: 1, amountSat: 1_000_000, pushSat: 100_000 },
        { from: 1, to: 2, amountSat: 1_000_000, pushSat: 500_000 },
        { from: 2, to: 3, amountSat: 1_000_000, pushSat: 200_000 },
        { from: 3, to: 0, amountSat: 1_000_000, pushSat: 100_000 },
      ]);
      const known = await ledger(network);
      const done = await rebalance(a, { amount: 190_000, out: b.id, in: d.id });
      assert.equal(done.attempts, 1);
      assert.deepEqual(ids(done.hops), [ab, bc, cd, da]);
      assert.deepEqual(kinds(done.hops), ['own', 'unknown', 'offered', 'own']);
      assertLedger(await ledger(network), after(known, a, done.hops));
      await assertNothingLeft(a, [done.payment_hash]);
      assertNoComplaints(network);
    });
  },
);
