/**
 * Where knowledge goes on real nodes: to the other plugins of the node that learned it, and never to a peer. Everybody
 * also runs the listener, which logs each message of type 347 that arrives.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { formatShortChannelId } from '../../src/wire/short-channel-id.ts';
import {
  type Answer,
  ask,
  assertNoComplaints,
  channel,
  flush,
  heardBy,
  LISTENER,
  PLUGIN,
  said,
  sentMessages,
} from './friends.ts';
import { missingPrograms, RegtestNetwork, type RegtestNode } from './harness.ts';

const SUBSCRIBER = fileURLToPath(new URL('subscriber.ts', import.meta.url));
/** Four questions: all that one friend may ask within 12 s. */
const QUESTIONS = [
  ['out', 50_000],
  ['in', 50_000],
  ['out', 100_000],
  ['in', 100_000],
] as const;

interface Note {
  readonly peer_id: string;
  readonly direction: number;
  readonly amount_msat: number;
  readonly timestamp: number;
  readonly short_channel_ids: readonly string[];
}

/** What another plugin of a node was notified of, from log line `from` on, once that many notes are there. */
async function noted(node: RegtestNode, topic: string, from: number, count: number): Promise<Note[]> {
  const pattern = new RegExp(`subscriber\\.ts: noted ${topic} (\\{.*\\})$`);
  return node.askUntil(pattern, async () => {
    const notes = node
      .logText(from)
      .split('\n')
      .flatMap(line => pattern.exec(line)?.[1] ?? [])
      .map(text => JSON.parse(text)[topic]);
    return notes.length >= count ? notes : undefined;
  });
}

function namedIn({ friends }: Answer): string[] {
  return friends.flatMap(({ channels }) => channels.map(({ short_channel_id }) => short_channel_id)).sort();
}

test('what is learned stays on the node', { skip: missingPrograms() ?? false }, async t => {
  const extraArgs = [`--plugin=${LISTENER}`, `--plugin=${SUBSCRIBER}`];
  const options = { plugin: PLUGIN, extraArgs };
  await using network = await RegtestNetwork.start({ nodes: [options, options, options] });
  const [a, b, c] = [network.node(0), network.node(1), network.node(2)];
  // In thousands, A's are 800 and 200, B's 200 and 800, C's 800 and 200: everybody gives away on one, takes in on the other.
  const [ab = '', ac = '', bc = ''] = await network.openChannels([
    { from: 0, to: 1, amountSat: 1_000_000, pushSat: 200_000 },
    { from: 0, to: 2, amountSat: 1_000_000, pushSat: 800_000 },
    { from: 1, to: 2, amountSat: 1_000_000, pushSat: 200_000 },
  ]);
  /** All short channel ids that A has learned, of every direction, flow and amount. */
  const learned = new Set<string>();

  await t.test('A learns of the channel between B and C, from both', async () => {
    for (const [direction, amount] of QUESTIONS) {
      const answer = await ask(a, { direction, amount, fresh: true });
      assert.equal(answer.num_replies, 2);
      for (const scid of namedIn(answer)) learned.add(scid);
    }
    assert.deepEqual([...learned], [bc]);
    const { knowledge } = await a.rpc<{ knowledge: { channels: number } }>('foafstatus');
    assert.equal(
      knowledge.channels,
      4,
      'B names it for what goes out and C for what comes in, at two amounts',
    );
  });

  await t.test('the other plugins of A are notified of all of it', async () => {
    const notes = await noted(a, 'foaf_learned', 0, 8);
    assert.equal(notes.length, 8);
    const told = notes.filter(({ short_channel_ids }) => short_channel_ids.length > 0);
    assert.deepEqual(
      told.map(({ peer_id, direction, amount_msat, short_channel_ids }) => [
        peer_id,
        direction,
        amount_msat,
        short_channel_ids,
      ]),
      [
        [b.id, 1, 50_000_000, [bc]],
        [c.id, 0, 50_000_000, [bc]],
        [b.id, 1, 100_000_000, [bc]],
        [c.id, 0, 100_000_000, [bc]],
      ],
    );
    const remembered = await ask(a, { direction: 'out', amount: 50_000, peers: b.id });
    assert.equal(told[0]?.timestamp, remembered.friends[0]?.timestamp);
  });

  await t.test('the other plugins of B are notified of what B answered', async () => {
    const notes = await noted(b, 'foaf_answered', 0, 4);
    assert.deepEqual(
      notes.map(({ timestamp: _, ...note }) => note),
      QUESTIONS.map(([direction, amount]) => ({
        peer_id: a.id,
        direction: direction === 'out' ? 1 : 0,
        amount_msat: amount * 1000,
        short_channel_ids: direction === 'out' ? [bc] : [],
      })),
    );
  });

  await t.test('asked by B and C, A names its own channels only', async () => {
    const answers: Answer[] = [];
    for (const [direction, amount] of QUESTIONS) {
      for (const asker of [b, c]) answers.push(await ask(asker, { direction, amount, peers: a.id }));
    }
    assert.deepEqual(
      answers.map(answer => said(answer)[0]?.channels),
      [50_000, 100_000].flatMap(() => [[], [channel(ab, a, b)], [channel(ac, c, a)], []]),
    );
  });

  await t.test('no message that has left A names a channel that A learned', async () => {
    await Promise.all([flush(a, b), flush(a, c)]);
    const heard = [b, c].flatMap(node => heardBy(node).filter(({ peerId }) => peerId === a.id));
    assert.equal(heard.length, sentMessages(a), 'every message that left A has been seen');
    const replies = heard.flatMap(({ message }) => (message.name === 'reply_foaf_balances' ? [message] : []));
    assert.deepEqual([heard.length, replies.length], [16, 8]);
    const named = replies.flatMap(({ shortChannelIds }) => shortChannelIds.map(formatShortChannelId));
    assert.deepEqual(new Set(named), new Set([ab, ac]));
    assert.deepEqual(
      named.filter(scid => learned.has(scid)),
      [],
    );
  });

  await t.test('the logs are clean', () => assertNoComplaints(network));
});
