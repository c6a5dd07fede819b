import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger } from '../../src/lightningd/logger.ts';
import { Receiver } from '../../src/lightningd/receiver.ts';
import { Breaches } from '../../src/sharing/breaches.ts';
import { SlidingWindow } from '../../src/sharing/sliding-window.ts';
import { nodeId, settled } from '../sharing/world.ts';
import { QUERY_HEX, REPLY_HEX } from '../wire/messages.ts';

const FRIENDS = [nodeId(1), nodeId(2)];

function world() {
  const lines: string[] = [];
  const handled: string[] = [];
  const time = { ms: 0 };
  const receiver = new Receiver({
    asker: {
      onSpoken: peerId => {
        handled.push(`${peerId} spoke`);
      },
      onReply: async peerId => {
        handled.push(`reply ${peerId}`);
        return 'answer';
      },
    },
    answerer: {
      answer: async peerId => {
        handled.push(`query ${peerId}`);
        return FRIENDS.includes(peerId) ? 'answered' : 'stranger';
      },
    },
    breaches: new Breaches(),
    isFriend: peerId => FRIENDS.includes(peerId),
    logger: createLogger((message, level) => lines.push(`${level} ${message}`)),
    logLimit: new SlidingWindow(20, 60_000),
    monotonicMs: () => time.ms,
  });
  /** Delivers messages and waits until all have been looked at. */
  const deliver = async (...messages: readonly (readonly [peer: string, payload: string])[]) => {
    for (const [peer_id, payload] of messages) receiver.receive({ peer_id, payload });
    for (const _ of messages) await settled();
    await settled();
  };
  return { lines, handled, receiver, deliver, time };
}

test('queries and replies go to their sides, after the hook was left', async () => {
  const { receiver, handled, deliver } = world();
  receiver.receive({ peer_id: nodeId(1), payload: QUERY_HEX });
  assert.deepEqual(handled, []);
  await deliver([nodeId(2), REPLY_HEX]);
  assert.deepEqual(handled, [
    `${nodeId(1)} spoke`,
    `query ${nodeId(1)}`,
    `${nodeId(2)} spoke`,
    `reply ${nodeId(2)}`,
  ]);
  assert.deepEqual(
    [...receiver.counters],
    [
      ['answered', 1],
      ['answer', 1],
    ],
  );
});

test('a void message is counted by its reason and logged at debug with its peer, never answered', async () => {
  const { receiver, handled, lines, deliver } = world();
  await deliver(
    [nodeId(1), '0010'],
    [nodeId(1), '015b00'],
    [nodeId(9), `${QUERY_HEX}00`],
    [nodeId(9), QUERY_HEX],
  );
  assert.deepEqual(handled, [`${nodeId(9)} spoke`, `query ${nodeId(9)}`]);
  assert.deepEqual(Object.fromEntries(receiver.counters), {
    truncated: 1,
    other_type: 1,
    out_of_order: 1,
    stranger: 1,
  });
  assert.deepEqual(
    lines.map(line => /^(\w+) .*peer_id=(\w+) outcome=(\w+)/.exec(line)?.slice(1)).toSorted(),
    [
      ['debug', nodeId(1), 'other_type'],
      ['debug', nodeId(1), 'truncated'],
      ['debug', nodeId(9), 'out_of_order'],
      ['debug', nodeId(9), 'stranger'],
    ],
  );
});

test("a flood of strangers uses up their own lines, a friend's flood that friend's", async () => {
  const { lines, deliver } = world();
  for (let index = 0; index < 100; index++) await deliver([nodeId(1000 + index), '015b00']);
  assert.equal(lines.length, 20);
  for (let index = 0; index < 100; index++) await deliver([nodeId(1), '015b00']);
  assert.equal(lines.length, 40);
  await deliver([nodeId(2), '015b00']);
  assert.match(lines.at(-1) ?? '', new RegExp(nodeId(2)));
});

test('parameters that are no message are counted', async () => {
  const { receiver } = world();
  for (const params of [
    null,
    undefined,
    5,
    'x',
    [],
    {},
    { peer_id: 5, payload: QUERY_HEX },
    { peer_id: nodeId(1) },
  ]) {
    receiver.receive(params);
  }
  assert.equal(receiver.counters.get('no_message'), 8);
});

test('after a malformed message a friend is ignored, queued messages included, for longer each time; others are not', async () => {
  const { receiver, handled, deliver, time } = world();
  await deliver([nodeId(1), '015b00'], [nodeId(1), QUERY_HEX], [nodeId(2), QUERY_HEX]);
  assert.deepEqual(handled, [`${nodeId(2)} spoke`, `query ${nodeId(2)}`]);
  assert.deepEqual(Object.fromEntries(receiver.counters), { truncated: 1, ignored: 1, answered: 1 });
  time.ms = 600_000 - 1;
  await deliver([nodeId(1), QUERY_HEX]);
  assert.equal(receiver.counters.get('ignored'), 2);
  time.ms = 600_000;
  await deliver([nodeId(1), QUERY_HEX], [nodeId(1), '015b00']);
  assert.equal(receiver.counters.get('answered'), 2);
  time.ms += 1_200_000 - 1;
  await deliver([nodeId(1), QUERY_HEX]);
  assert.equal(receiver.counters.get('answered'), 2);
  time.ms += 1;
  await deliver([nodeId(1), QUERY_HEX]);
  assert.equal(receiver.counters.get('answered'), 3);
});

test('more than 20 messages in 10 s are a breach of a friend, and cost a stranger nothing but a counter', async () => {
  const { receiver, deliver, time } = world();
  for (let sent = 0; sent < 20; sent++) await deliver([nodeId(1), QUERY_HEX]);
  time.ms = 10_000;
  await deliver([nodeId(1), QUERY_HEX]);
  assert.equal(receiver.counters.get('answered'), 21, 'the window has moved on');
  for (let sent = 0; sent < 20; sent++) await deliver([nodeId(1), QUERY_HEX]);
  assert.deepEqual(Object.fromEntries(receiver.counters), { answered: 40, flood: 1 });
  await deliver([nodeId(1), QUERY_HEX]);
  assert.equal(receiver.counters.get('ignored'), 1);
  for (let sent = 0; sent < 50; sent++) await deliver([nodeId(9), QUERY_HEX]);
  assert.equal(receiver.counters.get('stranger'), 50);
});

test('an unknown even record voids the message but is no breach', async () => {
  const { receiver, deliver } = world();
  await deliver([nodeId(1), `${QUERY_HEX}0a00`], [nodeId(1), QUERY_HEX]);
  assert.deepEqual(Object.fromEntries(receiver.counters), { unknown_even: 1, answered: 1 });
});

test('a burst: what came before the flood is handled, what comes after it is ignored', async () => {
  const { receiver, deliver } = world();
  await deliver(...Array.from({ length: 30 }, () => [nodeId(1), QUERY_HEX] as const));
  assert.deepEqual(Object.fromEntries(receiver.counters), { flood: 1, ignored: 9, answered: 20 });
});
