import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Answerer, type AnswerSettings } from '../../src/sharing/answerer.ts';
import { keyedHash } from '../../src/sharing/keyed-hash.ts';
import type { OwnChannel } from '../../src/sharing/node-view.ts';
import { QuestionBudget } from '../../src/sharing/question-budget.ts';
import type { FoafMessage, FoafQuery, FoafReply } from '../../src/wire/codec.ts';
import { formatShortChannelId } from '../../src/wire/short-channel-id.ts';
import { CHAIN_HASH, QUERY } from '../wire/messages.ts';
import { BLOCK_HEIGHT, channel, FakeChannels, ManualClock, nodeId, settled } from './world.ts';

const FRIEND = nodeId(3);
const OTHER = nodeId(4);

/** Node 1 leans above, node 2 below; 3 and 4 are friends in between. */
const CHANNELS: readonly OwnChannel[] = [
  channel(1, '100x1x0', 900_000),
  channel(2, '100x2x0', 100_000),
  channel(3, '100x3x0', 500_000),
  channel(4, '100x4x0', 500_000),
];

class World {
  settings: AnswerSettings = {
    share: 'friends',
    allow: new Set(),
    deny: new Set(),
    minDepth: 0,
    answerTtlMs: 300_000,
    questionBudget: 8,
    omitPercent: 0,
  };
  readonly channels = new FakeChannels(CHANNELS);
  readonly clock = new ManualClock();
  readonly sent: { to: string; reply: FoafReply }[] = [];
  /** What other plugins would be told of. */
  readonly answered: string[] = [];
  sendFailure: Error | undefined;
  readonly answerer = new Answerer({
    chainHash: CHAIN_HASH,
    settings: () => this.settings,
    hash: keyedHash(Buffer.alloc(32)),
    channels: this.channels,
    send: (to, message) => this.#send(to, message),
    clock: this.clock,
    budget: new QuestionBudget(),
    onAnswered: peerId => this.answered.push(peerId),
  });

  ask(changes: Partial<FoafQuery> = {}, peer = FRIEND) {
    return this.answerer.answer(peer, { ...QUERY, ...changes });
  }

  async #send(to: string, message: FoafMessage): Promise<void> {
    if (this.sendFailure !== undefined) throw this.sendFailure;
    assert.ok(message.name === 'reply_foaf_balances');
    this.sent.push({ to, reply: message });
  }

  /** The channels of the newest reply. */
  get named(): string[] {
    return this.sent.at(-1)?.reply.shortChannelIds.map(formatShortChannelId) ?? [];
  }
}

test('a friend is answered with its id, the rung, the snapshot and what would move', async () => {
  const world = new World();
  assert.equal(await world.ask({ amountMsat: 49_000_001n }), 'answered');
  assert.deepEqual(world.sent, [
    {
      to: FRIEND,
      reply: {
        name: 'reply_foaf_balances',
        chainHash: CHAIN_HASH,
        queryId: QUERY.queryId,
        flow: 1,
        amountMsat: 50_000_000n,
        timestampMs: 1_795_327_680_000n,
        shortChannelIds: [(100n << 40n) | (1n << 16n)],
      },
    },
  ]);
  assert.equal(await world.ask({ flow: 0 }), 'answered');
  assert.deepEqual(world.named, ['100x2x0']);
});

test('a query without an id is answered without one; nothing eligible is an answer too', async () => {
  const world = new World();
  const { queryId: _, ...query } = QUERY;
  assert.equal(await world.answerer.answer(FRIEND, { ...query, amountMsat: 1_000_000_000_000n }), 'answered');
  assert.ok(world.sent[0] && !('queryId' in world.sent[0].reply));
  assert.deepEqual(world.named, []);
});

test('who may not ask gets silence', async () => {
  const friend = CHANNELS[2];
  assert.ok(friend);
  const cases: [string, Partial<OwnChannel>, Partial<AnswerSettings>, string][] = [
    ['not connected', { peerConnected: false, usable: false }, {}, 'stranger'],
    ['no normal channel', { state: 'splicing' }, {}, 'stranger'],
    ['not deep enough', { shortChannelId: 900n << 40n }, { minDepth: BLOCK_HEIGHT - 900 + 2 }, 'stranger'],
    ['denied', {}, { deny: new Set([FRIEND]) }, 'not_allowed'],
    ['not among those allowed', {}, { allow: new Set([OTHER]) }, 'not_allowed'],
    ['denied though allowed', {}, { allow: new Set([FRIEND]), deny: new Set([FRIEND]) }, 'not_allowed'],
    ['sharing with nobody', {}, { share: 'none' }, 'not_sharing'],
  ];
  for (const [why, change, settings, outcome] of cases) {
    const world = new World();
    world.settings = { ...world.settings, ...settings };
    world.channels.view = { ...world.channels.view, channels: [{ ...friend, ...change }] };
    assert.equal(await world.ask(), outcome, why);
    assert.deepEqual(world.sent, [], why);
  }
  const world = new World();
  assert.equal(await world.ask({}, nodeId(77)), 'stranger');
  assert.equal(await world.ask({ chainHash: '00'.repeat(32) }), 'foreign_chain');
  assert.deepEqual(world.sent, []);
});

test('who may ask: exactly deep enough, by a private channel, when allowed', async () => {
  const world = new World();
  const friend = { ...channel(3, '900x1x0', 500_000), isPublic: false };
  world.channels.view = { ...world.channels.view, channels: [friend] };
  world.settings = { ...world.settings, minDepth: BLOCK_HEIGHT - 900 + 1, allow: new Set([FRIEND]) };
  assert.equal(await world.ask(), 'answered');
});

test('all answers of a lifetime come from one reading, whatever moves and whoever asks', async () => {
  const world = new World();
  await world.ask();
  const before = world.sent.at(-1)?.reply;
  // The balances turn round.
  const turned = [channel(1, '100x1x0', 100_000), channel(2, '100x2x0', 900_000), ...CHANNELS.slice(2)];
  world.channels.view = { ...world.channels.view, channels: turned };
  await world.clock.advance(299_999);
  await world.ask();
  assert.deepEqual(world.sent.at(-1)?.reply, before);
  await world.ask({}, OTHER);
  assert.deepEqual(world.sent.at(-1)?.reply, before);
  await world.ask({ amountMsat: 10_000_000n });
  assert.deepEqual(world.named, ['100x1x0']);
  // The lifetime has ended.
  await world.clock.advance(1);
  await world.ask({}, OTHER);
  assert.deepEqual(world.named, ['100x2x0']);
  assert.ok((world.sent.at(-1)?.reply.timestampMs ?? 0n) > (before?.timestampMs ?? 0n));
});

test('the lifetime begins with the reading, and questions that come before it share it', async () => {
  const world = new World();
  let open = () => {};
  world.channels.gate = new Promise(resolve => {
    open = resolve;
  });
  const asked = [world.ask(), world.ask({ flow: 0 }), world.ask({}, OTHER)];
  await world.clock.advance(400_000);
  open();
  assert.deepEqual(await Promise.all(asked), ['answered', 'answered', 'answered']);
  const reads = world.channels.reads;
  await world.clock.advance(299_000);
  await world.ask();
  assert.equal(world.channels.reads, reads + 1, 'only the live view is read again');
  assert.equal(new Set(world.sent.map(({ reply }) => reply.timestampMs)).size, 1);
});

test('at most 4 replies to a peer in 10 s; others are not touched; silence uses up none', async () => {
  const world = new World();
  world.channels.failure = new Error('gone');
  for (let index = 0; index < 10; index++) assert.equal(await world.ask(), 'node_unavailable');
  world.channels.failure = undefined;
  world.sendFailure = new Error('not connected');
  for (let index = 0; index < 10; index++) assert.equal(await world.ask(), 'send_failed');
  world.sendFailure = undefined;
  for (let index = 0; index < 4; index++) assert.equal(await world.ask(), 'answered');
  assert.equal(await world.ask(), 'too_often');
  assert.equal(await world.ask({}, OTHER), 'answered');
  await world.clock.advance(9_999);
  assert.equal(await world.ask(), 'too_often');
  await world.clock.advance(1);
  assert.equal(await world.ask(), 'answered');
});

test('the timestamp is never later than the balances', async () => {
  const world = new World();
  // Each reading takes 25 s: first who asks, then the balances.
  let openings: (() => void)[] = [];
  world.channels.gate = undefined;
  const plain = world.channels.read.bind(world.channels);
  world.channels.read = async maxAgeMs => {
    await new Promise<void>(resolve => openings.push(resolve));
    return plain(maxAgeMs);
  };
  const asked = world.ask();
  for (let reading = 0; reading < 2; reading++) {
    await world.clock.advance(25_000);
    for (const open of openings) open();
    openings = [];
    await settled();
  }
  assert.equal(await asked, 'answered');
  // The balances were asked for after 25 s of the fifty.
  assert.equal(
    world.sent[0]?.reply.timestampMs,
    BigInt(Math.floor((world.clock.wall - 25_000) / 10_000) * 10_000),
  );
});

test('a reading that fails is not kept: the next question reads again', async () => {
  const world = new World();
  world.channels.failure = new Error('gone');
  assert.equal(await world.ask(), 'node_unavailable');
  world.channels.failure = undefined;
  assert.equal(await world.ask(), 'answered');
});

test('a budget of questions: by hour and by day, repeats within a snapshot are free', async () => {
  const world = new World();
  world.settings = { ...world.settings, questionBudget: 2 };
  const ask = async (amountMsat: bigint, flow: 0 | 1 = 1, peer = FRIEND) => {
    await world.clock.advance(10_000);
    return world.ask({ amountMsat, flow }, peer);
  };
  assert.equal(await ask(10_000_000n), 'answered');
  assert.equal(await ask(10_000_000n, 0), 'answered', 'the other flow is another question');
  assert.equal(await ask(9_000_000n), 'answered', 'the same rung is none');
  for (let index = 0; index < 5; index++) assert.equal(await ask(20_000_000n), 'budget_spent');
  assert.equal(await ask(10_000_000n), 'answered', 'what was told may be told again');
  assert.equal(await ask(20_000_000n, 1, OTHER), 'answered', 'another friend has its own');
  // A new snapshot is a new question.
  await world.clock.advance(300_000);
  assert.equal(await ask(10_000_000n), 'budget_spent');
  for (const hour of [1, 2]) {
    await world.clock.advance(3_600_000);
    assert.equal(await ask(10_000_000n), 'answered', `hour ${hour}`);
    assert.equal(await ask(20_000_000n), 'answered', `hour ${hour}`);
  }
  // Six within the day is three times two.
  await world.clock.advance(3_600_000);
  assert.equal(await ask(10_000_000n), 'budget_spent');
  await world.clock.advance(22 * 3_600_000);
  assert.equal(await ask(10_000_000n), 'answered');
});

test('what waits for lightningd is bounded: four per friend, sixteen of all strangers together', async () => {
  const world = new World();
  let open = () => {};
  world.channels.gate = new Promise(resolve => {
    open = resolve;
  });
  const outcomes: string[] = [];
  const note = (outcome: string) => void outcomes.push(outcome);
  for (let index = 0; index < 10; index++) world.ask().then(note);
  for (let index = 0; index < 50; index++) world.ask({}, nodeId(1000 + index)).then(note);
  world.ask({}, OTHER).then(note);
  await settled();
  assert.equal(outcomes.filter(outcome => outcome === 'busy').length, 6 + 34);
  assert.equal(outcomes.length, 40);
  open();
  await settled();
  assert.equal(outcomes.filter(outcome => outcome === 'answered').length, 5);
  assert.equal(outcomes.filter(outcome => outcome === 'stranger').length, 16);
  assert.equal(await world.ask({}, nodeId(2000)), 'stranger', 'all places are free again');
});
