/**
 * Who offers what, on three nodes. Which channels are named follows from the balances below, computed by hand: nu is the
 * share of a node's whole balance, zeta that of its channels with one node, and every zeta lies further from its nu than
 * the widest margin, 0.10.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { ask, assertNoComplaints, channel, expected, only, PLUGIN, SNAPSHOT_MS, said } from './friends.ts';
import { missingPrograms, RegtestNetwork, waitFor } from './harness.ts';

interface PeerChannel {
  short_channel_id: string;
  updates: { remote: { htlc_maximum_msat: number } };
}

test('friends offer what their balances allow', { skip: missingPrograms() ?? false }, async t => {
  const options = { plugin: PLUGIN, extraArgs: ['--foaf-answer-ttl=1'] };
  await using network = await RegtestNetwork.start({ nodes: [options, options, options] });
  const [a, b, c] = [network.node(0), network.node(1), network.node(2)];
  // A 880 | B 220 and B 880 | C 220. B: nu 0.5, zeta 0.2 with A and 0.8 with C; A and C have one peer each.
  const [ab = '', bc = ''] = await network.openChannels([
    { from: 0, to: 1, amountSat: 1_100_000, pushSat: 220_000 },
    { from: 1, to: 2, amountSat: 1_100_000, pushSat: 220_000 },
  ]);

  await t.test('in a line, out: what the friend would pass on', async () => {
    const before = Date.now();
    const answer = await ask(a, { direction: 1, amount: 50_000 });
    assert.deepEqual(said(answer), expected([b, 'replied', channel(bc, b, c)]));
    const { elapsed_ms, friends, ...rest } = answer;
    assert.deepEqual(rest, {
      id: a.id,
      direction: 1,
      amount_msat: 50_000_000,
      num_sent_queries: 1,
      num_replies: 1,
    });
    assert.ok(Number.isSafeInteger(elapsed_ms) && elapsed_ms >= 0 && elapsed_ms < 20_000, String(elapsed_ms));
    const { timestamp = Number.NaN, age_ms = Number.NaN, ...friend } = only({ ...answer, friends });
    assert.deepEqual(friend, {
      peer_id: b.id,
      status: 'replied',
      amount_msat: 50_000_000,
      channels: [channel(bc, b, c)],
    });
    assert.equal(timestamp % 10_000, 0);
    assert.ok(timestamp > before - 10_000 && timestamp <= Date.now(), String(timestamp));
    assert.ok(Number.isSafeInteger(age_ms) && age_ms >= 0 && age_ms < 30_000, String(age_ms));
  });

  await t.test('in a line, in: what the friend would take in', async () => {
    // B would rather not take more in from C, of whose channel it has 0.8, than it would from A.
    assert.deepEqual(said(await ask(a, { direction: 'in', amount: 50_000 })), expected([b, 'replied']));
    const answer = await ask(c, { direction: 0, amount: 50_000 });
    assert.equal(answer.direction, 0);
    assert.deepEqual(said(answer), expected([b, 'replied', channel(ab, a, b)]));
  });

  // C 1760 | A 440. A: nu 0.4, zeta 0.8 with B, 0.2 with C. C: nu 0.6, zeta 0.2 with B, 0.8 with A. B as before.
  const [ca = ''] = await network.openChannels([{ from: 2, to: 0, amountSat: 2_200_000, pushSat: 440_000 }]);
  await delay(SNAPSHOT_MS);

  await t.test(
    'in a ring each friend names its other channel or nothing, never the one with the asker',
    async () => {
      const amount = 90_000; // The rung above it is 100,000.
      assert.deepEqual(
        said(await ask(a, { direction: 'out', amount })),
        expected([b, 'replied', channel(bc, b, c)], [c, 'replied']),
      );
      assert.deepEqual(
        said(await ask(a, { direction: 0, amount })),
        expected([b, 'replied'], [c, 'replied', channel(bc, b, c)]),
      );
      assert.deepEqual(
        said(await ask(b, { direction: 'out', amount })),
        expected([a, 'replied'], [c, 'replied', channel(ca, c, a)]),
      );
      assert.deepEqual(
        said(await ask(b, { direction: 'in', amount })),
        expected([a, 'replied', channel(ca, c, a)], [c, 'replied']),
      );
      assert.deepEqual(
        said(await ask(c, { direction: 1, amount })),
        expected([a, 'replied', channel(ab, a, b)], [b, 'replied']),
      );
      const answer = await ask(c, { direction: 0, amount });
      assert.deepEqual(said(answer), expected([a, 'replied'], [b, 'replied', channel(ab, a, b)]));
      assert.equal(answer.amount_msat, 90_000_000);
      assert.deepEqual(
        answer.friends.map(({ amount_msat }) => amount_msat),
        [100_000_000, 100_000_000],
      );
      assert.equal(answer.num_sent_queries, 2);
      assert.equal(answer.num_replies, 2);
    },
  );

  await t.test('what can be spent or received is judged at the rung, not at the amount', async () => {
    // Of 1,100,000 sat the HTLC limits let 1,089,000 through, but of B's 880,000 C can receive only 869,000: enough for
    // the 700,000 that are asked for, too little for their rung. And so it is with C's 1,760,000, and 1,500,000.
    const cases = [
      { asker: a, direction: 'in', within: 400_000, beyond: 700_000, offer: channel(bc, b, c) },
      { asker: b, direction: 'out', within: 900_000, beyond: 1_500_000, offer: channel(ca, c, a) },
    ];
    for (const { asker, direction, within, beyond, offer } of cases) {
      const peers = c.id;
      const some = await ask(asker, { direction, amount: within, peers });
      assert.deepEqual(said(some), expected([c, 'replied', offer]));
      const none = await ask(asker, { direction, amount: beyond, peers });
      assert.deepEqual(said(none), expected([c, 'replied']));
      const rungs = [only(some).amount_msat, only(none).amount_msat];
      assert.deepEqual(rungs, asker === a ? [500_000_000, 1_000_000_000] : [1_000_000_000, 2_000_000_000]);
    }
  });

  await t.test("a channel is not offered beyond its HTLC limits, the own ones or the peer's", async () => {
    await a.rpc('setchannel', { id: ab, htlcmax: '100000sat' });
    await waitFor('B to hear of the limit', async () => {
      const { channels } = await b.rpc<{ channels: PeerChannel[] }>('listpeerchannels', { id: a.id });
      return channels[0]?.updates.remote.htlc_maximum_msat === 100_000_000 ? true : undefined;
    });
    await delay(SNAPSHOT_MS);
    const own = await ask(c, { direction: 'out', amount: 150_000, peers: a.id });
    assert.deepEqual(said(own), expected([a, 'replied']));
    const theirs = await ask(c, { direction: 'in', amount: 150_000, peers: b.id });
    assert.deepEqual(said(theirs), expected([b, 'replied']));
    const within = await ask(c, { direction: 'out', amount: 50_000, peers: a.id, fresh: true });
    assert.deepEqual(said(within), expected([a, 'replied', channel(ab, a, b)]));
  });

  await t.test('the logs are clean', () => assertNoComplaints(network));
});
