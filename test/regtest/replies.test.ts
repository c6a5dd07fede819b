/** Replies made by hand: what counts as the answer to a query, and what of it is believed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { FoafReply } from '../../src/wire/codec.ts';
import {
  ask,
  assertNoComplaints,
  CHAIN_HASH,
  channel,
  expected,
  flush,
  LISTENER,
  nextQuery,
  only,
  PLUGIN,
  query,
  replyTo,
  said,
  scids,
  TAKING_UP_MS,
  tell,
} from './friends.ts';
import { missingPrograms, RegtestNetwork, waitFor } from './harness.ts';

const OTHER_ID = 'ffffffffffffffff';
/** A reply may be this far ahead of our clock, and this is over it. */
const FAR_AHEAD_MS = 700_000n;

test('replies that a friend makes by hand', { skip: missingPrograms() ?? false }, async t => {
  await using network = await RegtestNetwork.start({
    nodes: [{ plugin: PLUGIN }, { plugin: LISTENER }, {}, {}],
  });
  const [asker, friend, other, far] = [network.node(0), network.node(1), network.node(2), network.node(3)];
  const [own = '', otherOwn = '', good = '', foreign = '', closed = ''] = await network.openChannels([
    { from: 0, to: 1, amountSat: 1_000_000, pushSat: 500_000 },
    { from: 0, to: 2, amountSat: 1_000_000, pushSat: 500_000 },
    { from: 1, to: 2, amountSat: 1_000_000, pushSat: 500_000 },
    { from: 2, to: 3, amountSat: 1_000_000, pushSat: 500_000 },
    { from: 1, to: 3, amountSat: 1_000_000, pushSat: 500_000 },
  ]);
  const [unannounced = ''] = await network.openChannels([
    { from: 1, to: 3, amountSat: 1_000_000, pushSat: 500_000, announce: false },
  ]);
  await friend.rpc('close', { id: closed });
  await waitFor('the asker to hear that the channel is no longer active', async () => {
    await network.shareGossip();
    const { channels } = await asker.rpc<{ channels: { active: boolean }[] }>('listchannels', {
      short_channel_id: closed,
    });
    return channels.length === 2 && channels.every(({ active }) => !active) ? true : undefined;
  });

  /** Asks the friend alone, and gives it the query to answer. */
  async function askFriend(params: Record<string, unknown>) {
    const from = friend.logLength;
    const asking = ask(asker, { peers: friend.id, ...params });
    asking.catch(() => {}); // Whoever called awaits it, too, only later.
    return { asking, asked: await nextQuery(friend, from) };
  }

  await t.test(
    'a reply may hold for more than was asked, and what flows in comes from the other side',
    async () => {
      const { asking, asked } = await askFriend({ direction: 0, amount: 100_000 });
      assert.equal(asked.flow, 0);
      const reply = replyTo(asked, { amountMsat: 200_000_000n, shortChannelIds: scids(good, own) });
      await tell(friend, asker, reply);
      const answer = await asking;
      assert.deepEqual(said(answer), expected([friend, 'replied', channel(good, other, friend)]));
      assert.equal(answer.amount_msat, 100_000_000);
      assert.equal(only(answer).amount_msat, 200_000_000);
      assert.equal(only(answer).timestamp, Number(reply.timestampMs));
    },
  );

  /** Whatever is wrong with a reply, each names a channel that would be believed. */
  function wrongReplies(asked: Parameters<typeof replyTo>[0]): FoafReply[] {
    const right = replyTo(asked, { shortChannelIds: scids(good) });
    const { queryId: _, ...unasked } = right;
    return [
      unasked,
      { ...right, queryId: OTHER_ID },
      { ...right, flow: 0 },
      { ...right, amountMsat: asked.amountMsat / 2n },
      { ...right, chainHash: 'ff'.repeat(32) },
      { ...right, timestampMs: right.timestampMs + FAR_AHEAD_MS },
    ];
  }

  await t.test(
    'a reply with another id, flow, amount or chain, or from another peer, is no answer',
    async () => {
      const { asking, asked } = await askFriend({ direction: 1, amount: 200_000, timeout: 1 });
      assert.equal(asked.chainHash, CHAIN_HASH);
      for (const wrong of wrongReplies(asked)) await tell(friend, asker, wrong);
      await tell(other, asker, replyTo(asked, { shortChannelIds: scids(good) }));
      const answer = await asking;
      assert.deepEqual(said(answer), expected([friend, 'timeout']));
      assert.equal(answer.num_replies, 0);
      assert.equal(answer.num_sent_queries, 1);
      assert.ok(answer.elapsed_ms >= 1_000, `${answer.elapsed_ms} ms`);

      // The right one counts even when it comes too late, as knowledge: it names nothing, unlike the others.
      const late = replyTo(asked);
      await tell(friend, asker, late);
      await flush(friend, asker);
      await delay(TAKING_UP_MS);
      const afterwards = await ask(asker, { direction: 1, amount: 200_000, peers: friend.id });
      assert.deepEqual(said(afterwards), expected([friend, 'remembered']));
      assert.equal(only(afterwards).timestamp, Number(late.timestampMs));
      assert.equal(afterwards.num_sent_queries, 0);
    },
  );

  await t.test(
    'nor do they keep the right reply from being the answer, and a second one changes nothing',
    async () => {
      const { asking, asked } = await askFriend({ direction: 1, amount: 200_000, fresh: true });
      for (const wrong of wrongReplies(asked)) await tell(friend, asker, wrong);
      const right = replyTo(asked);
      await tell(friend, asker, right);
      await tell(friend, asker, { ...right, shortChannelIds: scids(good) });
      const answer = await asking;
      assert.deepEqual(said(answer), expected([friend, 'replied']));
      assert.equal(only(answer).timestamp, Number(right.timestampMs));
    },
  );

  await t.test('of a right reply only what gossip confirms is believed', async () => {
    const { asking, asked } = await askFriend({ direction: 1, amount: 40_000, fresh: true });
    const { queryId, ...rest } = asked;
    assert.match(String(queryId), /^[0-9a-f]{16}$/);
    const { queryId: _, ...wanted } = query({ amountMsat: 50_000_000n });
    assert.deepEqual(rest, wanted);
    const named = scids(
      good,
      own,
      otherOwn,
      foreign,
      closed,
      unannounced,
      '1x1x0',
      '16777215x16777215x65535',
    );
    await tell(friend, asker, replyTo(asked, { shortChannelIds: named }));
    const answer = await asking;
    assert.deepEqual(said(answer), expected([friend, 'replied', channel(good, friend, other)]));
    assert.equal(answer.num_replies, 1);
    assert.ok(answer.elapsed_ms < 10_000, `${answer.elapsed_ms} ms`);
  });

  await t.test('the logs are clean, and nobody was disconnected', async () => {
    assertNoComplaints(network);
    const { channels } = await asker.rpc<{ channels: { peer_connected: boolean }[] }>('listpeerchannels');
    assert.deepEqual(
      channels.map(({ peer_connected }) => peer_connected),
      [true, true],
    );
    assert.equal(far.failure, undefined);
  });
});
