/** How often one may ask: the limits of the one who answers, seen by a friend played by hand, and the asker's own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ask,
  assertNoComplaints,
  channel,
  expected,
  flush,
  heardBy,
  LISTENER,
  only,
  PLUGIN,
  query,
  said,
  scids,
  tell,
} from './friends.ts';
import { missingPrograms, RegtestNetwork, waitFor } from './harness.ts';

test('how often one may ask', { skip: missingPrograms() ?? false }, async t => {
  await using network = await RegtestNetwork.start({
    nodes: [{ plugin: PLUGIN }, { plugin: PLUGIN }, { plugin: LISTENER }],
  });
  const [node, friend, greedy] = [network.node(0), network.node(1), network.node(2)];
  // The node has 800 of 1000 with the friend and 200 of 1000 with the greedy one: nu 0.5.
  const [given = '', taken = ''] = await network.openChannels([
    { from: 0, to: 1, amountSat: 1_000_000, pushSat: 200_000 },
    { from: 0, to: 2, amountSat: 1_000_000, pushSat: 800_000 },
  ]);

  await t.test('of five queries within 10 s four are answered', async () => {
    const from = greedy.logLength;
    // Out the friend's channel is offered; in it would be the greedy one's own, of which it is told nothing.
    const { queryId: _, ...anonymous } = query({ amountMsat: 60_000_000n });
    const queries = [
      query({ queryId: '0101010101010101' }),
      query({ queryId: '0202020202020202', flow: 0 }),
      anonymous,
      query({ queryId: '0404040404040404', amountMsat: 1n }),
      query({ queryId: '0505050505050505' }),
    ];
    for (const asked of queries) await tell(greedy, node, asked);
    const four = await waitFor('four replies', async () => {
      const heard = heardBy(greedy, from);
      return heard.length >= 4 ? heard : undefined;
    });
    const rungs = [50_000_000n, 50_000_000n, 100_000_000n, 10_000_000n];
    for (const [index, { peerId, message }] of four.entries()) {
      assert.equal(peerId, node.id);
      assert.ok(message.name === 'reply_foaf_balances');
      const { timestampMs, ...reply } = message;
      assert.equal(timestampMs % 10_000n, 0n);
      assert.deepEqual(reply, {
        ...queries[index],
        name: 'reply_foaf_balances',
        amountMsat: rungs[index],
        shortChannelIds: index === 1 ? [] : scids(given),
      });
    }
  });

  await t.test('who is over the limit takes nothing from others', async () => {
    const from = greedy.logLength;
    await tell(greedy, node, query({ queryId: '0606060606060606' }));
    const answer = await ask(friend, { direction: 'in', amount: 50_000 });
    assert.deepEqual(said(answer), expected([node, 'replied', channel(taken, greedy, node)]));
    // By now an answer to the greedy one would be on its way.
    await flush(greedy, node);
    assert.deepEqual(heardBy(greedy, from), []);
  });

  await t.test('the first answer is remembered, with its age', async () => {
    const params = { direction: 'out', amount: 50_000 };
    const first = await ask(node, { ...params, peers: friend.id });
    assert.deepEqual(said(first), expected([friend, 'replied']));
    const again = await ask(node, { ...params, peers: friend.id });
    assert.deepEqual(said(again), expected([friend, 'remembered']));
    assert.equal(again.num_sent_queries, 0);
    assert.equal(again.num_replies, 0);
    const { timestamp, age_ms = 0 } = only(again);
    assert.equal(timestamp, only(first).timestamp);
    const { age_ms: before = 0 } = only(first);
    assert.ok(Number.isSafeInteger(age_ms) && age_ms >= before && age_ms < before + 20_000, `${age_ms} ms`);
  });

  await t.test('afresh a friend is asked four times within 12 s, and then skipped', async () => {
    const params = { direction: 'out', amount: 50_000, peers: friend.id };
    for (let asked = 1; asked < 4; asked++) {
      const answer = await ask(node, { ...params, fresh: true });
      assert.deepEqual(said(answer), expected([friend, 'replied']));
    }
    const fifth = await ask(node, { ...params, fresh: true });
    assert.deepEqual(said(fifth), expected([friend, 'skipped']));
    assert.match(only(fifth).reason ?? '', /\w+ \w+/);
    assert.equal(fifth.num_sent_queries, 0);
    assert.deepEqual(said(await ask(node, params)), expected([friend, 'remembered']));
  });

  await t.test('the logs are clean', () => assertNoComplaints(network));
});
