/** Several channels between two nodes, private ones among them. Balances are computed by hand as in offers.test.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import {
  ask,
  assertNoComplaints,
  channel,
  expected,
  only,
  PLUGIN,
  SNAPSHOT_MS,
  said,
  scids,
} from './friends.ts';
import { missingPrograms, RegtestNetwork } from './harness.ts';

test(
  'of several channels the right one is named, and private ones never',
  { skip: missingPrograms() ?? false },
  async t => {
    await using network = await RegtestNetwork.start({
      nodes: [
        { plugin: PLUGIN },
        { plugin: PLUGIN, extraArgs: ['--foaf-answer-ttl=1'] },
        {},
        { plugin: PLUGIN },
      ],
    });
    const [asker, friend, far, near] = [network.node(0), network.node(1), network.node(2), network.node(3)];
    // The private ones first, so that their short channel ids are lower than all others.
    const secret = await network.openChannels([
      { from: 0, to: 1, amountSat: 1_000_000, pushSat: 500_000, announce: false },
      { from: 1, to: 3, amountSat: 1_000_000, pushSat: 100_000, announce: false },
    ]);
    // Of its announced channels the friend has 800 and 800 with `far`, 200 with `near`: nu 0.6, zeta 0.8 and 0.2.
    const [one = '', other = '', open = ''] = await network.openChannels([
      { from: 1, to: 2, amountSat: 1_000_000, pushSat: 200_000 },
      { from: 1, to: 2, amountSat: 1_000_000, pushSat: 200_000 },
      { from: 1, to: 3, amountSat: 1_000_000, pushSat: 800_000 },
    ]);
    const [first = 0n] = scids(one, other);
    const [lower, higher] = scids(one)[0] === first ? [one, other] : [other, one];

    await t.test('of two channels with one node the lower short channel id is named, no other', async () => {
      const answer = await ask(asker, { direction: 'out', amount: 50_000 });
      assert.deepEqual(said(answer), expected([friend, 'replied', channel(lower, friend, far)]));
    });

    await t.test(
      'a private channel is not named, though it is the lower of two that could carry it',
      async () => {
        // Both channels with `near` can receive 50,000 sat.
        const { channels } = await friend.rpc<{
          channels: { short_channel_id: string; receivable_msat: number }[];
        }>('listpeerchannels', { id: near.id });
        assert.deepEqual(
          scids(...channels.map(({ short_channel_id }) => short_channel_id)),
          scids(secret[1] ?? '', open),
        );
        assert.ok(channels.every(({ receivable_msat }) => receivable_msat >= 50_000_000));
        const answer = await ask(asker, { direction: 'in', amount: 50_000 });
        assert.deepEqual(said(answer), expected([friend, 'replied', channel(open, near, friend)]));
      },
    );

    await t.test('who has two channels with the friend is told nothing of either', async () => {
      assert.deepEqual(
        said(await ask(near, { direction: 'out', amount: 50_000 })),
        expected([friend, 'replied', channel(lower, friend, far)]),
      );
      assert.deepEqual(
        said(await ask(near, { direction: 'in', amount: 50_000 })),
        expected([friend, 'replied']),
      );
    });

    await t.test('a private channel makes a friend, who is asked and answers', async () => {
      const answer = await ask(friend, { direction: 'out', amount: 50_000, peers: [near.id, asker.id] });
      assert.deepEqual(said(answer), expected([asker, 'replied'], [near, 'replied']));
      assert.equal(answer.num_sent_queries, 2);
    });

    await t.test('of two channels the lower one that can carry the rung is named', async () => {
      await friend.rpc('setchannel', { id: lower, htlcmax: '50000sat' });
      await delay(SNAPSHOT_MS);
      const answer = await ask(asker, { direction: 'out', amount: 60_000 });
      assert.deepEqual(said(answer), expected([friend, 'replied', channel(higher, friend, far)]));
      assert.equal(only(answer).amount_msat, 100_000_000);
      const within = await ask(asker, { direction: 'out', amount: 50_000, fresh: true });
      assert.deepEqual(said(within), expected([friend, 'replied', channel(lower, friend, far)]));
    });

    await t.test('the logs are clean', () => assertNoComplaints(network));
  },
);
