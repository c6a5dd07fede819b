import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Knowledge, type Word } from '../../src/knowledge/knowledge.ts';
import { Asker } from '../../src/sharing/asker.ts';
import { type AskRequest, NoChannelsInTimeError, NotAFriendError } from '../../src/sharing/asking.ts';
import { Breaches } from '../../src/sharing/breaches.ts';
import { PeerLog } from '../../src/sharing/peer-log.ts';
import type { GossipChannels } from '../../src/sharing/ports.ts';
import { SilentPeers } from '../../src/sharing/silent-peers.ts';
import type { FoafMessage, FoafQuery, FoafReply } from '../../src/wire/codec.ts';
import { formatShortChannelId, type ShortChannelId } from '../../src/wire/short-channel-id.ts';
import { CHAIN_HASH } from '../wire/messages.ts';
import { channel, FakeChannels, gossip, ManualClock, nodeId, scid, settled } from './world.ts';

const [ALICE, BOB] = [nodeId(1), nodeId(2)];
const RUNG = 50_000_000n;

class World {
  readonly channels = new FakeChannels([channel(1, '100x1x0', 500_000), channel(2, '100x2x0', 500_000)]);
  readonly clock = new ManualClock();
  readonly sent: { to: string; query: FoafQuery }[] = [];
  readonly gossipReads: { peerId: string; flow: number; maxAgeMs: number | undefined }[] = [];
  /** What the gossip knows of every peer. */
  gossip: GossipChannels = new Map([
    gossip('200x1x0', 1, 7),
    gossip('200x2x0', 1, 8),
    gossip('100x1x0', 1, 0),
    gossip('200x3x0', 2, 7),
  ]);
  /** Whose channels the gossip knows that are not in `gossip`. */
  readonly ends = new Map<ShortChannelId, [string, string]>();
  endsFailure: Error | undefined;
  readonly knowledge = new Knowledge();
  readonly breaches = new Breaches();
  readonly learned: { peerId: string; word: Word }[] = [];
  gossipFailure: Error | undefined;
  /** Whether gossip that is asked for at a lower age is read again. */
  gossipReadsAnew = false;
  sendFailure: Error | undefined;
  /** When set, lightningd does not say whether it took the query. */
  sendGate: Promise<void> | undefined;
  #ids = 0;
  readonly asker = new Asker({
    chainHash: CHAIN_HASH,
    channels: this.channels,
    gossip: {
      read: async (peerId, flow, maxAgeMs) => {
        this.gossipReads.push({ peerId, flow, maxAgeMs });
        if (this.gossipFailure !== undefined) throw this.gossipFailure;
        return maxAgeMs !== undefined && this.gossipReadsAnew ? new Map(this.gossip) : this.gossip;
      },
      endsOf: async id => {
        if (this.endsFailure !== undefined) throw this.endsFailure;
        return this.ends.get(id);
      },
    },
    knowledge: this.knowledge,
    silentPeers: new SilentPeers(),
    peerLog: new PeerLog(),
    breaches: this.breaches,
    onLearned: (peerId, word) => this.learned.push({ peerId, word }),
    cacheTtlMs: () => 1_200_000,
    send: (to, message) => this.#send(to, message),
    clock: this.clock,
    newQueryId: () => (++this.#ids).toString(16).padStart(16, '0'),
  });

  async #send(to: string, message: FoafMessage): Promise<void> {
    assert.ok(message.name === 'query_foaf_balances');
    this.sent.push({ to, query: message });
    await this.sendGate;
    if (this.sendFailure !== undefined) throw this.sendFailure;
  }

  ask(changes: Partial<AskRequest> = {}) {
    return this.asker.ask({ flow: 1, amountMsat: RUNG, timeoutMs: 5000, fresh: false, ...changes });
  }

  /** The reply of a peer to the newest query that it got. */
  reply(peer: string, ids: readonly string[], changes: Partial<FoafReply> = {}): FoafReply {
    const { query } = this.sent.findLast(({ to }) => to === peer) ?? assert.fail('not asked');
    return {
      ...query,
      name: 'reply_foaf_balances',
      timestampMs: BigInt(this.clock.wall - 4_000),
      shortChannelIds: ids.map(scid),
      ...changes,
    };
  }

  /** Alice answers with these channels, Bob with none, and the call ends. */
  async conversation(ids: readonly string[], changes: Partial<AskRequest> = {}) {
    const asked = this.ask(changes);
    await settled();
    await this.asker.onReply(ALICE, this.reply(ALICE, ids));
    await this.asker.onReply(BOB, this.reply(BOB, []));
    return asked;
  }
}

const named = (friend: { channels: readonly { shortChannelId: bigint }[] } | undefined) =>
  friend?.channels.map(({ shortChannelId }) => formatShortChannelId(shortChannelId));

test('every friend is asked at the rung with an id of its own, and the call ends when all have answered', async () => {
  const world = new World();
  const result = await world.conversation(['200x1x0', '200x2x0'], { amountMsat: 40_000_000n });
  assert.deepEqual(
    world.sent.map(({ to, query }) => ({ to, ...query })),
    [ALICE, BOB].map((to, index) => ({
      to,
      name: 'query_foaf_balances',
      chainHash: CHAIN_HASH,
      queryId: `000000000000000${index + 1}`,
      flow: 1,
      amountMsat: RUNG,
    })),
  );
  assert.equal(result.sent, 2);
  assert.deepEqual(
    result.friends.map(({ peerId, status, said }) => ({ peerId, status, said })),
    [ALICE, BOB].map(peerId => ({
      peerId,
      status: 'replied',
      said: { amountMsat: RUNG, timestampMs: BigInt(world.clock.wall - 4_000), ageMs: 4_000 },
    })),
  );
  assert.deepEqual(named(result.friends[0]), ['200x1x0', '200x2x0']);
  assert.deepEqual(named(result.friends[1]), []);
});

test('a silent friend costs the timeout and nothing else', async () => {
  const world = new World();
  const asked = world.ask();
  await settled();
  await world.asker.onReply(BOB, world.reply(BOB, ['200x3x0']));
  await world.clock.advance(5_000);
  const result = await asked;
  assert.deepEqual(
    result.friends.map(({ status }) => status),
    ['timeout', 'replied'],
  );
  assert.deepEqual([result.sent, result.elapsedMs], [2, 5_000]);
});

test('a friend that disconnects is not waited for', async () => {
  const world = new World();
  const asked = world.ask();
  await settled();
  await world.asker.onReply(BOB, world.reply(BOB, []));
  world.asker.onDisconnect(ALICE);
  const [alice] = (await asked).friends;
  assert.deepEqual([alice?.status, alice?.reason], ['timeout', 'disconnected']);
});

test('a query that lightningd does not take: send_failed with its words, not counted', async () => {
  const world = new World();
  world.sendFailure = new Error('Peer is not connected');
  const { friends, sent } = await world.ask();
  assert.deepEqual(
    friends.map(({ status, reason }) => [status, reason]),
    [
      ['send_failed', 'Peer is not connected'],
      ['send_failed', 'Peer is not connected'],
    ],
  );
  assert.equal(sent, 0);
});

test('a reply that is here before lightningd has confirmed the sending counts', async () => {
  const world = new World();
  world.sendGate = new Promise(() => {});
  const result = await world.conversation(['200x1x0']);
  assert.deepEqual(named(result.friends[0]), ['200x1x0']);
  assert.equal(result.sent, 2);
});

test('what does not count as an answer: another peer, id, flow or chain, less than asked, the future', async () => {
  const world = new World();
  const asked = world.ask({ peers: [ALICE] });
  await settled();
  const ahead = { timestampMs: BigInt(world.clock.wall + 600_001) };
  const outcomes = [
    await world.asker.onReply(BOB, world.reply(ALICE, ['200x1x0'])),
    await world.asker.onReply(ALICE, world.reply(ALICE, ['200x1x0'], { queryId: 'ffffffffffffffff' })),
    await world.asker.onReply(ALICE, world.reply(ALICE, ['200x1x0'], { flow: 0 })),
    await world.asker.onReply(ALICE, world.reply(ALICE, ['200x1x0'], { chainHash: '00'.repeat(32) })),
    await world.asker.onReply(ALICE, world.reply(ALICE, ['200x1x0'], { amountMsat: RUNG - 1n })),
    await world.asker.onReply(ALICE, world.reply(ALICE, ['200x1x0'], ahead)),
  ];
  assert.deepEqual(outcomes, [
    'unwanted',
    'unasked',
    'unasked',
    'foreign_chain',
    'unasked',
    'from_the_future',
  ]);
  await world.clock.advance(5_000);
  const { friends } = await asked;
  assert.deepEqual(
    friends.map(({ peerId, status, channels }) => ({ peerId, status, channels })),
    [{ peerId: ALICE, status: 'timeout', channels: [] }],
  );
});

test('a second reply with the same id changes nothing in the answer', async () => {
  const world = new World();
  const asked = world.ask();
  await settled();
  assert.equal(await world.asker.onReply(ALICE, world.reply(ALICE, ['200x1x0'])), 'answer');
  assert.equal(await world.asker.onReply(ALICE, world.reply(ALICE, ['200x2x0'])), 'late');
  await world.asker.onReply(BOB, world.reply(BOB, []));
  assert.deepEqual(named((await asked).friends[0]), ['200x1x0']);
});

test('a late reply is remembered; the next call uses it without asking', async () => {
  const world = new World();
  const asked = world.ask({ peers: [ALICE] });
  await settled();
  const reply = world.reply(ALICE, ['200x1x0']);
  await world.clock.advance(5_000);
  await asked;
  assert.equal(await world.asker.onReply(ALICE, reply), 'late');
  const { friends, sent } = await world.ask({ peers: [ALICE] });
  assert.deepEqual([friends[0]?.status, sent, world.sent.length], ['remembered', 0, 1]);
  assert.deepEqual(named(friends[0]), ['200x1x0']);
  assert.equal(friends[0]?.said?.ageMs, 9_000);
});

test('a reply that is too late is taken up to the largest rung that we asked, whatever its id', async () => {
  const world = new World();
  await world.conversation(['200x1x0'], { amountMsat: 10_000_000n });
  const pushed = world.reply(ALICE, ['200x2x0'], { amountMsat: RUNG });
  assert.equal(await world.asker.onReply(ALICE, pushed), 'unwanted');
  assert.equal(await world.asker.onReply(ALICE, { ...pushed, amountMsat: 10_000_000n }), 'late');
});

test('what is too old to count is no answer, and a newer word that came before is', async () => {
  const world = new World();
  const asked = world.ask({ peers: [ALICE] });
  await settled();
  await world.asker.onReply(ALICE, world.reply(ALICE, ['200x1x0'], { timestampMs: 1n }));
  const [alice] = (await asked).friends;
  assert.deepEqual(
    [alice?.status, alice?.reason, alice?.channels],
    ['replied', 'what it said is too old to count', []],
  );
  const [older, newer] = [world.clock.wall - 60_000, world.clock.wall - 1_000];
  const second = world.ask({ peers: [ALICE], fresh: true });
  await settled();
  const reply = world.reply(ALICE, ['200x1x0'], { timestampMs: BigInt(older) });
  const { queryId: _, ...unasked } = {
    ...reply,
    timestampMs: BigInt(newer),
    shortChannelIds: [scid('200x2x0')],
  };
  assert.equal(await world.asker.onReply(ALICE, unasked), 'unasked');
  await world.asker.onReply(ALICE, reply);
  assert.deepEqual(named((await second).friends[0]), ['200x2x0']);
});

test('while lightningd takes nothing, no more than four queries to a peer wait to leave in one burst', async () => {
  const world = new World();
  world.sendGate = new Promise(() => {});
  for (let index = 0; index < 4; index++) {
    const asked = world.ask({ peers: [ALICE] });
    await settled();
    await world.clock.advance(5_000);
    assert.equal((await asked).friends[0]?.status, 'timeout');
  }
  const [alice] = (await world.ask({ peers: [ALICE] })).friends;
  assert.deepEqual(
    [alice?.status, alice?.reason],
    ['skipped', 'lightningd has not taken earlier queries yet'],
  );
});

test('unasked word counts up to the largest rung that we ever asked that peer, and from nobody else', async () => {
  const world = new World();
  await world.conversation(['200x1x0']);
  const { queryId: _, ...unasked } = world.reply(ALICE, ['200x2x0'], {
    timestampMs: BigInt(world.clock.wall),
  });
  assert.equal(await world.asker.onReply(ALICE, { ...unasked, amountMsat: RUNG + 1n }), 'unwanted');
  assert.equal(await world.asker.onReply(nodeId(9), unasked), 'unwanted');
  assert.equal(await world.asker.onReply(ALICE, unasked), 'unasked');
  assert.deepEqual(named((await world.ask({ peers: [ALICE] })).friends[0]), ['200x2x0']);
  assert.equal(
    await world.asker.onReply(ALICE, { ...unasked, timestampMs: unasked.timestampMs - 1n }),
    'stale',
  );
});

test('remembered until it is too old, or fresh is asked for', async () => {
  const world = new World();
  await world.conversation(['200x1x0']);
  await world.clock.advance(60_000);
  const again = await world.ask();
  assert.deepEqual(
    again.friends.map(({ status }) => status),
    ['remembered', 'remembered'],
  );
  assert.equal(again.friends[0]?.said?.ageMs, 64_000);
  const fresh = await world.conversation(['200x2x0'], { fresh: true });
  assert.deepEqual([fresh.friends[0]?.status, named(fresh.friends[0])], ['replied', ['200x2x0']]);
  await world.clock.advance(1_196_001);
  assert.deepEqual((await world.conversation([])).friends[0]?.status, 'replied');
});

test('only what the gossip confirms is believed; a channel that it knows by now makes it be read again', async () => {
  const world = new World();
  world.gossip = new Map([
    gossip('200x1x0', 1, 7),
    gossip('200x2x0', 1, 8, { active: false }),
    gossip('200x4x0', 1, 8, { capacityMsat: RUNG - 1n }),
    gossip('200x5x0', 1, 8, { limits: { minimumMsat: RUNG + 1n, maximumMsat: 2n * RUNG } }),
    gossip('200x6x0', 1, 8, { limits: { minimumMsat: 0n, maximumMsat: RUNG - 1n } }),
    gossip('100x1x0', 1, 0), // leads to ourselves
  ]);
  const ids = ['100x1x0', '200x1x0', '200x2x0', '200x4x0', '200x5x0', '200x6x0'];
  assert.deepEqual(named((await world.conversation(ids)).friends[0]), ['200x1x0']);
  assert.deepEqual(
    world.gossipReads.map(({ maxAgeMs }) => maxAgeMs),
    [undefined, undefined, undefined, undefined],
  );
  const isReadAgain = () =>
    world.gossipReads.some(({ peerId, maxAgeMs }) => peerId === ALICE && maxAgeMs === 5_000);
  const madeUp = await world.conversation([...ids, '300x1x0'], { fresh: true });
  assert.deepEqual([named(madeUp.friends[0]), isReadAgain()], [['200x1x0'], false], 'nobody knows it');
  world.ends.set(scid('300x1x0'), [ALICE, nodeId(9)]);
  const unknown = await world.conversation([...ids, '300x1x0'], { fresh: true });
  assert.deepEqual([named(unknown.friends[0]), isReadAgain()], [['200x1x0'], true]);
});

test('a channel that gossip read just now does not know: the answer lacks it, and is not remembered as all', async () => {
  const world = new World();
  const known = world.gossip;
  world.ends.set(scid('300x1x0'), [ALICE, nodeId(9)]);
  assert.deepEqual(named((await world.conversation(['200x1x0', '300x1x0'])).friends[0]), ['200x1x0']);
  assert.equal((await world.conversation(['200x1x0'])).friends[0]?.status, 'replied');
  world.gossip = new Map([...known]);
  // Read again meanwhile, it still does not know the channel: so be it.
  world.gossipReadsAnew = true;
  await world.conversation(['200x1x0', '300x1x0'], { fresh: true });
  assert.equal((await world.ask({ peers: [ALICE] })).friends[0]?.status, 'remembered');
});

test('where lightningd does not say whose an unknown channel is, the answer has the others, and is not remembered', async () => {
  const world = new World();
  world.endsFailure = new Error('lightningd is busy');
  assert.deepEqual(named((await world.conversation(['200x1x0', '300x1x0'])).friends[0]), ['200x1x0']);
  assert.equal((await world.conversation(['200x1x0'])).friends[0]?.status, 'replied');
});

test('gossip that cannot be read leaves the reply without channels, with the reason', async () => {
  const world = new World();
  world.gossipFailure = new Error('lightningd is busy');
  const [alice] = (await world.conversation(['200x1x0'])).friends;
  assert.deepEqual(
    [alice?.status, alice?.reason, alice?.channels],
    ['replied', 'the gossip could not be read: lightningd is busy', []],
  );
});

test('our own limits: the fifth query within 12 s is skipped and says why', async () => {
  const world = new World();
  for (let index = 0; index < 4; index++) await world.conversation([], { fresh: true });
  const { friends, sent } = await world.ask({ fresh: true });
  assert.deepEqual(
    friends.map(({ status, reason }) => [status, reason]),
    [ALICE, BOB].map(() => ['skipped', 'asked 4 times within 12 s']),
  );
  assert.equal(sent, 0);
});

test('a peer that never spoke is left alone for ten minutes, then twice as long, up to a day', async () => {
  const world = new World();
  /** Asks everybody; Bob answers. */
  const statusOfAlice = async (request: Partial<AskRequest> = {}) => {
    const asked = world.ask({ fresh: true, ...request });
    await settled();
    if (world.sent.at(-1)?.to === BOB) await world.asker.onReply(BOB, world.reply(BOB, []));
    await world.clock.advance(5_000);
    return (await asked).friends.find(({ peerId }) => peerId === ALICE);
  };
  world.asker.onSpoken(BOB);
  for (const waitMs of [600_000, 1_200_000, 2_400_000, 4_800_000]) {
    assert.equal((await statusOfAlice())?.status, 'timeout');
    await world.clock.advance(waitMs - 10_001);
    const skipped = await statusOfAlice();
    assert.deepEqual(
      [skipped?.status, skipped?.reason],
      ['skipped', 'never spoke: asked again in 1 min, or when named in peers'],
    );
    await world.clock.advance(5_001);
  }
  assert.equal((await statusOfAlice())?.status, 'timeout');
  assert.equal((await statusOfAlice({ peers: [ALICE] }))?.status, 'timeout', 'naming it wakes it');
  await world.clock.advance(86_400_000);
  assert.equal((await statusOfAlice())?.status, 'timeout');
  await world.clock.advance(86_400_000);
  assert.equal((await statusOfAlice())?.status, 'timeout', 'never more than a day');
});

test('named, but left alone while it is silent: as if nobody had named it', async () => {
  const world = new World();
  const ask = async (changes: Partial<AskRequest>) => {
    const asked = world.ask({ peers: [ALICE], ...changes });
    await settled();
    await world.clock.advance(5_000);
    return (await asked).friends[0]?.status;
  };
  assert.equal(await ask({ leavesSilent: true }), 'timeout', 'nobody knows yet that it is silent');
  assert.equal(await ask({ leavesSilent: true }), 'skipped');
  assert.equal(world.asker.mayTell(ALICE, 1, RUNG), false);
  await world.clock.advance(600_000);
  assert.equal(world.asker.mayTell(ALICE, 1, RUNG), true);
  assert.equal(await ask({ leavesSilent: true }), 'timeout');
});

test('property: who may tell is sent a query, nobody else is, and to ask whether takes nothing up', async () => {
  const step = fc.record({
    peer: fc.constantFrom(ALICE, BOB, nodeId(9)),
    flow: fc.constantFrom(0 as const, 1 as const),
    amountMsat: fc.constantFrom(10_000_000n, 20_000_000n, 50_000_000n, 90_000_000n),
    waitMs: fc.constantFrom(0, 0, 1_000, 12_000, 300_000, 1_300_000),
    does: fc.constantFrom('answers', 'is silent', 'breaks the protocol'),
  });
  const seen = { true: 0, false: 0 };
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async steps => {
      const world = new World();
      for (const { peer, flow, amountMsat, waitMs, does } of steps) {
        await world.clock.advance(waitMs);
        const before = world.sent.length;
        const mayTell = world.asker.mayTell(peer, flow, amountMsat);
        for (let each = 0; each < 10; each++) {
          assert.equal(world.asker.mayTell(peer, flow, amountMsat), mayTell);
        }
        const asked = world.ask({ peers: [peer], flow, amountMsat, leavesSilent: true }).catch(error => {
          assert.ok(error instanceof NotAFriendError);
        });
        await settled();
        assert.equal(world.sent.length - before, mayTell ? 1 : 0);
        seen[`${mayTell}`]++;
        if (mayTell && does === 'answers') await world.asker.onReply(peer, world.reply(peer, []));
        if (does === 'breaks the protocol') world.breaches.strike(peer, 'flood', world.clock.monotonicMs());
        await world.clock.advance(5_000);
        await asked;
      }
    }),
    { numRuns: 60, includeErrorInReport: true },
  );
  assert.ok(seen.true > 50 && seen.false > 50);
});

test('a peer that has ever spoken is always asked; a stranger that speaks leaves nothing behind', async () => {
  const world = new World();
  world.asker.onSpoken(ALICE);
  for (let round = 0; round < 3; round++) {
    const asked = world.ask({ fresh: true });
    await settled();
    await world.clock.advance(13_000);
    assert.equal((await asked).friends[0]?.status, 'timeout');
  }
  world.asker.onSpoken(nodeId(77));
});

test('whom to ask: friends only, each once', async () => {
  const world = new World();
  await assert.rejects(world.ask({ peers: [ALICE, nodeId(9)] }), new NotAFriendError(nodeId(9)));
  assert.deepEqual(world.sent, []);
  const asked = world.ask({ peers: [BOB, ALICE, BOB] });
  await settled();
  assert.deepEqual(
    world.sent.map(({ to }) => to),
    [ALICE, BOB],
  );
  await world.clock.advance(5_000);
  await asked;
  const lonely = new World();
  lonely.channels.view = {
    ...lonely.channels.view,
    channels: [channel(1, '100x1x0', 5, { state: 'other' })],
  };
  assert.deepEqual((await lonely.ask()).friends, []);
});

test('a lightningd that does not tell our channels: its error, or one of ours at the timeout', async () => {
  const world = new World();
  world.channels.failure = new Error('gone');
  await assert.rejects(world.ask(), /gone/);
  const slow = new World();
  slow.channels.gate = new Promise(() => {});
  const rejected = assert.rejects(slow.ask(), NoChannelsInTimeError);
  await slow.clock.advance(5_000);
  await rejected;
});

test('a channel of others is a breach, an unknown one or one of its own is none; what else the reply says counts', async () => {
  for (const [ends, strikes] of [
    [[nodeId(7), nodeId(8)], 1],
    [[ALICE, nodeId(8)], 0],
    [undefined, 0],
  ] as const) {
    const world = new World();
    if (ends !== undefined) world.ends.set(scid('300x1x0'), [ends[0], ends[1]]);
    const { friends } = await world.conversation(['200x1x0', '300x1x0']);
    await settled();
    assert.deepEqual(named(friends[0]), ['200x1x0']);
    assert.equal(world.breaches.of(ALICE, world.clock.now)?.strikes ?? 0, strikes, String(ends));
  }
});

test('a peer in breach is not asked, even when named, until its time is up', async () => {
  const world = new World();
  world.breaches.strike(ALICE, 'flood', world.clock.now);
  const asked = world.ask({ peers: [ALICE] });
  const { friends, sent } = await asked;
  assert.equal(sent, 0);
  assert.deepEqual(
    friends.map(({ status, reason }) => [status, reason]),
    [['skipped', 'ignored for 10 min after a breach of the protocol: flood']],
  );
  await world.clock.advance(600_000);
  world.ask({ peers: [ALICE] });
  await settled();
  assert.deepEqual(
    world.sent.map(({ to }) => to),
    [ALICE],
  );
});

test('what was learned is told of once; word that a mark of our own outdates is neither answered nor remembered', async () => {
  const world = new World();
  const first = await world.conversation(['200x1x0', '200x2x0']);
  assert.deepEqual(named(first.friends[0]), ['200x1x0', '200x2x0']);
  assert.deepEqual(
    world.learned.map(({ peerId, word }) => [peerId, word.channels.length]),
    [
      [ALICE, 2],
      [BOB, 0],
    ],
  );
  const failed = { shortChannelId: scid('200x1x0'), direction: 0 as const };
  world.knowledge.failed(failed, RUNG, world.clock.now);
  const again = await world.conversation(['200x1x0', '200x2x0'], { fresh: true });
  assert.deepEqual(named(again.friends[0]), ['200x2x0']);
  const remembered = await world.ask();
  assert.deepEqual(named(remembered.friends[0]), ['200x2x0']);
});
