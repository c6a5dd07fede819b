/** Whom a rebalance asks, how often, and for how long, by the plugin's own asker, knowledge and search. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Circle, Exclusions } from '../../src/circles/types.ts';
import { Knowledge } from '../../src/knowledge/knowledge.ts';
import { CircleFinder, NOTHING_EXCLUDED } from '../../src/lightningd/circle-finder.ts';
import { AskAsNeeded, MAX_QUESTIONS } from '../../src/rebalance/ask-as-needed.ts';
import { findMove, type MoveWish } from '../../src/rebalance/find-move.ts';
import { Asker } from '../../src/sharing/asker.ts';
import { Breaches } from '../../src/sharing/breaches.ts';
import type { OwnChannel } from '../../src/sharing/node-view.ts';
import { PeerLog } from '../../src/sharing/peer-log.ts';
import type { GossipChannel, GossipChannels, GossipSource } from '../../src/sharing/ports.ts';
import { SilentPeers } from '../../src/sharing/silent-peers.ts';
import type { FoafQuery } from '../../src/wire/codec.ts';
import type { ShortChannelId } from '../../src/wire/short-channel-id.ts';
import { channel, FakeChannels, gossip, ManualClock, nodeId, scid, settled } from '../sharing/world.ts';
import { CHAIN_HASH } from '../wire/messages.ts';

const BUDGET_MS = 5_000;
const WISH: MoveWish = { amountMsat: 90_000_000n, maxFeePpm: 5_000n, maxDelay: 500 };

const numberOf = (peerId: string) => Number.parseInt(peerId.slice(2), 16);

/** How long a friend takes, and what it names then; `silent` for ever. */
type Answer = 'silent' | { readonly afterMs: number; readonly names: readonly ShortChannelId[] };

/** A channel between two others, with the rate that both ends ask. */
interface Way {
  readonly id: string;
  readonly ends: readonly [number, number];
  readonly feePpm: bigint;
}

class World {
  readonly clock = new ManualClock();
  readonly knowledge = new Knowledge();
  readonly silentPeers = new SilentPeers();
  readonly asked: string[] = [];
  readonly answers = new Map<string, Answer>();
  /** Friends on the circles that were looked at. */
  readonly looked = new Set<string>();
  sendFailure: Error | undefined;
  /** How long one search takes. */
  searchMs = 0;
  readonly asker: Asker;
  readonly asking: AskAsNeeded;
  readonly finder: CircleFinder;
  #ids = 0;

  constructor(own: readonly OwnChannel[], ways: readonly Way[]) {
    const directed: GossipChannel[] = ways.flatMap(({ id, ends: [a, b], feePpm }) => {
      const terms = { baseFeeMsat: 0n, feePpm, cltvExpiryDelta: 34 };
      return [gossip(id, a, b, { terms })[1], gossip(id, b, a, { terms })[1]];
    });
    const channelsOf = (peerId: string, flow: number): GossipChannels =>
      new Map(
        directed
          .filter(({ source, destination }) => (flow === 1 ? source : destination) === peerId)
          .map(each => [each.shortChannelId, each]),
      );
    const source: GossipSource = {
      read: async (peerId, flow) => channelsOf(peerId, flow),
      endsOf: async id => {
        const found = directed.find(({ shortChannelId }) => shortChannelId === id);
        return found && [found.source, found.destination];
      },
    };
    const { clock, knowledge, silentPeers } = this;
    const channels = new FakeChannels(own);
    const cacheTtlMs = 1_200_000;
    this.asker = new Asker({
      chainHash: CHAIN_HASH,
      channels,
      gossip: source,
      knowledge,
      silentPeers,
      peerLog: new PeerLog(),
      breaches: new Breaches(),
      onLearned: () => {},
      cacheTtlMs: () => cacheTtlMs,
      send: async (peerId, message) => {
        assert.ok(message.name === 'query_foaf_balances');
        this.asked.push(`${numberOf(peerId)} ${message.flow === 1 ? 'out' : 'in'}`);
        if (this.sendFailure !== undefined) throw this.sendFailure;
        this.#answer(peerId, message);
      },
      clock,
      newQueryId: () => (++this.#ids).toString(16).padStart(16, '0'),
    });
    this.finder = new CircleFinder({
      channels,
      gossip: source,
      knowledge,
      clock,
      finalDelay: 40,
      saidSinceMs: () => clock.monotonicMs() - cacheTtlMs,
    });
    this.asking = new AskAsNeeded({
      find: async (exclusions, hope) => {
        const search = await findMove(this.finder, WISH, exclusions, hope);
        await this.clock.advance(this.searchMs);
        for (const { id } of search.circles[0]?.hops ?? []) this.looked.add(String(numberOf(id)));
        return search;
      },
      asker: this.asker,
      clock,
      budgetMs: BUDGET_MS,
      progress: () => {},
    });
  }

  /** What a friend says of what it would pass on, or take in; left out, it names nothing. */
  says(peer: number, flow: 'out' | 'in', ids: readonly string[], afterMs = 0): void {
    this.answers.set(`${nodeId(peer)} ${flow}`, { afterMs, names: ids.map(scid) });
  }

  isSilent(peer: number): void {
    for (const flow of ['out', 'in']) this.answers.set(`${nodeId(peer)} ${flow}`, 'silent');
  }

  /** The circle that would be paid, and the time that finding it took. */
  async find(
    exclusions: Exclusions = NOTHING_EXCLUDED,
  ): Promise<{ best: Circle | undefined; tookMs: number }> {
    const startedMs = this.clock.monotonicMs();
    let best: { circle: Circle | undefined } | undefined;
    const finding = this.asking.find(exclusions).then(({ circles }) => {
      best = { circle: circles[0] };
    });
    const isDone = () => best !== undefined;
    for (let turn = 0; turn < 10_000 && !isDone(); turn++) {
      for (let each = 0; each < 20 && !isDone(); each++) await settled();
      if (!isDone()) await this.clock.advance(100);
    }
    await finding;
    return { best: best?.circle, tookMs: this.clock.monotonicMs() - startedMs };
  }

  /** The best circle by what is known now. */
  async plain(): Promise<Circle | undefined> {
    return (await findMove(this.finder, WISH, NOTHING_EXCLUDED)).circles[0];
  }

  #answer(peerId: string, query: FoafQuery): void {
    const answer = this.answers.get(`${peerId} ${query.flow === 1 ? 'out' : 'in'}`) ?? {
      afterMs: 0,
      names: [],
    };
    if (answer === 'silent') return;
    const reply = () =>
      this.asker.onReply(peerId, {
        ...query,
        name: 'reply_foaf_balances',
        timestampMs: BigInt(this.clock.wall),
        shortChannelIds: [...new Set(answer.names)].sort((a, b) => (a < b ? -1 : 1)),
      });
    this.asker.onSpoken(peerId);
    if (answer.afterMs === 0) reply();
    else this.clock.after(answer.afterMs, reply);
  }
}

/** 1 and 2 have too much with us, 3 and 4 too little. */
const OWN = [
  channel(1, '100x1x0', 900_000),
  channel(2, '100x2x0', 900_000),
  channel(3, '100x3x0', 100_000),
  channel(4, '100x4x0', 100_000),
];
/** Over 8 from 1 to 3 is cheapest, then over 9 from 2 to 3; from 2 to 4 it is dear. */
const WAYS: readonly Way[] = [
  { id: '200x1x0', ends: [1, 8], feePpm: 10n },
  { id: '200x2x0', ends: [8, 3], feePpm: 10n },
  { id: '200x3x0', ends: [2, 9], feePpm: 50n },
  { id: '200x4x0', ends: [9, 3], feePpm: 50n },
  { id: '200x5x0', ends: [2, 4], feePpm: 3_000n },
];
const FIRST = ['100x1x0', '200x1x0', '200x2x0', '100x3x0'];
const SECOND = ['100x2x0', '200x3x0', '200x4x0', '100x3x0'];
const DEAR = ['100x2x0', '200x5x0', '100x4x0'];
const idsOf = (circle: Circle | undefined) => circle?.hops.map(({ shortChannelId }) => shortChannelId);
const known = (circle: Circle | undefined) => circle?.hops.map(hop => hop.known);

test('who is on the best circle is asked, each about its own hop, and nobody else', async () => {
  const world = new World(OWN, WAYS);
  world.says(1, 'out', ['200x1x0']);
  world.says(3, 'in', ['200x2x0']);
  world.says(2, 'out', ['200x3x0', '200x5x0']);
  const { best, tookMs } = await world.find();
  assert.deepEqual(idsOf(best), FIRST.map(scid));
  assert.deepEqual(known(best), ['own', 'offered', 'offered', 'own']);
  assert.deepEqual(world.asked, ['1 out', '3 in']);
  assert.equal(tookMs, 0);
});

test('a hop that is not named: the next circle, and only whom nobody has asked yet', async () => {
  const world = new World(OWN, WAYS);
  world.says(3, 'in', ['200x2x0', '200x4x0']);
  world.says(2, 'out', ['200x3x0']);
  const { best } = await world.find();
  assert.deepEqual(idsOf(best), SECOND.map(scid));
  assert.deepEqual(world.asked, ['1 out', '3 in', '2 out']);
});

test('after a try that failed the next best circle is treated likewise', async () => {
  const world = new World(OWN, WAYS);
  world.says(1, 'out', ['200x1x0']);
  world.says(3, 'in', ['200x2x0']);
  world.says(2, 'out', ['200x5x0']);
  await world.find();
  const channels = new Set([scid('200x1x0'), scid('200x2x0'), scid('200x4x0')]);
  const { best } = await world.find({ peers: new Set(), channels });
  assert.deepEqual(idsOf(best), DEAR.map(scid));
  // The one hop between friends is named by the first: the other need not be asked.
  assert.deepEqual(world.asked, ['1 out', '3 in', '2 out']);
});

test('what is remembered is not asked for; who never spoke is left alone as by every call', async () => {
  const world = new World(OWN, WAYS);
  world.says(1, 'out', ['200x1x0']);
  world.silentPeers.wasSilent(nodeId(3), world.clock.monotonicMs());
  await world.asker.ask({ flow: 1, amountMsat: 90_000_000n, peers: [nodeId(1)], timeoutMs: 1, fresh: false });
  assert.deepEqual(world.asked, ['1 out']);
  const { best } = await world.find();
  assert.ok(!world.asked.includes('3 in'));
  assert.equal(world.asked.filter(each => each === '1 out').length, 1);
  assert.ok(best !== undefined);
});

test('a silent friend costs no more than the time for asking, and keeps nobody else from being asked', async () => {
  const world = new World(OWN, WAYS);
  world.isSilent(1);
  world.says(3, 'in', ['200x2x0', '200x4x0']);
  world.says(2, 'out', ['200x3x0']);
  const { best, tookMs } = await world.find();
  assert.deepEqual(idsOf(best), SECOND.map(scid));
  assert.deepEqual(world.asked, ['1 out', '3 in', '2 out']);
  assert.equal(tookMs, BUDGET_MS / 5);
});

test('all silent: the time for asking is there once, however many tries follow', async () => {
  const world = new World(OWN, WAYS);
  for (const peer of [1, 2, 3, 4]) world.isSilent(peer);
  const first = await world.find();
  assert.ok(first.best !== undefined);
  assert.ok(first.tookMs <= BUDGET_MS);
  const again = await world.find({ peers: new Set(), channels: new Set([scid('200x1x0')]) });
  const last = await world.find({ peers: new Set([nodeId(1)]), channels: new Set([scid('200x3x0')]) });
  assert.ok(again.best !== undefined && last.best !== undefined);
  assert.ok(first.tookMs + again.tookMs + last.tookMs <= BUDGET_MS);
});

test('on a large node searches take long: they count into the time for asking', async () => {
  const world = new World(OWN, WAYS);
  world.searchMs = BUDGET_MS - 100;
  const { best, tookMs } = await world.find();
  assert.deepEqual(world.asked, ['1 out', '3 in']);
  assert.deepEqual(idsOf(best), FIRST.map(scid));
  assert.equal(tookMs, 3 * world.searchMs, 'one that asks, one too late to ask, the one to pay');
});

test('a slow friend on the circle that is still the best is waited for', async () => {
  const world = new World(OWN, WAYS.slice(0, 2));
  world.says(1, 'out', ['200x1x0'], 3_000);
  world.says(3, 'in', ['200x2x0']);
  const { best, tookMs } = await world.find();
  assert.deepEqual(known(best), ['own', 'offered', 'offered', 'own']);
  assert.equal(tookMs, 3_000);
});

test('friends that cannot be asked are done without', async () => {
  const world = new World(OWN, WAYS);
  world.sendFailure = new Error('peer not connected');
  const { best, tookMs } = await world.find();
  assert.deepEqual(known(best), ['own', 'unknown', 'unknown', 'own']);
  assert.equal(tookMs, 0);
  world.finder.view = () => Promise.reject(new Error('lightningd is gone'));
  await assert.rejects(world.asking.find(NOTHING_EXCLUDED), /lightningd is gone/);
});

// ---- Any network, any friends ----

const FRIENDS = Array.from({ length: 12 }, (_, index) => index + 1);
const OTHERS = [21, 22, 23, 24];
const ways: fc.Arbitrary<Way[]> = fc
  .array(
    fc.record({
      ends: fc.tuple(fc.constantFrom(...FRIENDS), fc.constantFrom(...OTHERS, ...FRIENDS)),
      feePpm: fc.bigInt({ min: 0n, max: 2_000n }),
    }),
    { minLength: 5, maxLength: 60 },
  )
  .map(all =>
    all
      .filter(({ ends: [a, b] }) => a !== b)
      .map(({ ends: [a, b], feePpm }, index) => ({
        id: `300x${index + 1}x0`,
        ends: a < b ? ([a, b] as const) : ([b, a] as const),
        feePpm,
      })),
  );
const OWN_OF_MANY = FRIENDS.map(peer => channel(peer, `100x${peer}x0`, peer % 2 === 1 ? 900_000 : 100_000));
const seeds = fc.array(fc.nat({ max: 9 }), { minLength: 200, maxLength: 200 });

test('property: hostile friends: few questions, none twice, none to who is on no circle, and in time', async () => {
  let most = 0;
  await fc.assert(
    fc.asyncProperty(ways, seeds, async (all, draws) => {
      const world = new World(OWN_OF_MANY, all);
      let next = 0;
      const draw = () => draws[next++ % draws.length] ?? 0;
      for (const peer of FRIENDS) {
        for (const flow of ['out', 'in'] as const) {
          const mood = draw();
          // Nothing, silence, late, all there is whosever it is, or any of it: one way what it denies the other.
          if (mood < 3) world.says(peer, flow, []);
          else if (mood < 5) world.answers.set(`${nodeId(peer)} ${flow}`, 'silent');
          else {
            const ids = all.filter(() => mood === 9 || draw() < 5).map(({ id }) => id);
            world.says(peer, flow, ids, mood === 5 ? 2_500 : 0);
          }
        }
      }
      let tookMs = 0;
      const channels = new Set<ShortChannelId>();
      // The first try, and others after each has failed.
      for (let turn = 0; turn < 4; turn++) {
        const found = await world.find({ peers: new Set(), channels });
        tookMs += found.tookMs;
        const { best } = found;
        assert.ok(best?.hops.every(hop => hop.isHoped === undefined) ?? true, 'nothing is paid on a hope');
        if (turn === 0 && best !== undefined) assert.deepEqual(best, await world.plain());
        for (const id of idsOf(best)?.slice(1, -1) ?? []) channels.add(id);
      }
      most = Math.max(most, world.asked.length);
      assert.ok(world.asked.length <= MAX_QUESTIONS);
      assert.equal(new Set(world.asked).size, world.asked.length);
      for (const each of world.asked) assert.ok(world.looked.has(each.split(' ')[0] ?? ''), each);
      assert.ok(tookMs <= BUDGET_MS, `${tookMs} ms`);
    }),
    { numRuns: 60, includeErrorInReport: true },
  );
  assert.ok(most > 4);
});

test('property: the circle is as good as if everybody had been asked', async () => {
  let [asked, saved] = [0, 0];
  await fc.assert(
    fc.asyncProperty(ways, seeds, async (all, draws) => {
      const [world, informed] = [new World(OWN_OF_MANY, all), new World(OWN_OF_MANY, all)];
      for (const peer of FRIENDS) {
        for (const [place, flow] of (['out', 'in'] as const).entries()) {
          const ids = all
            .filter(({ ends }, index) => ends.includes(peer) && (draws[(2 * index + place) % 200] ?? 0) < 4)
            .map(({ id }) => id);
          for (const each of [world, informed]) each.says(peer, flow, ids);
        }
      }
      for (const flow of [1, 0] as const) {
        await informed.asker.ask({ flow, amountMsat: 90_000_000n, timeoutMs: 1_000, fresh: false });
      }
      const { best } = await world.find();
      if (world.asked.length >= MAX_QUESTIONS) return;
      asked += world.asked.length;
      saved += informed.asked.length - world.asked.length;
      const { best: wanted } = await informed.find();
      assert.deepEqual(best?.expectedCostMsat, wanted?.expectedCostMsat);
      assert.deepEqual(idsOf(best), idsOf(wanted));
      assert.equal(informed.asked.length, 2 * FRIENDS.length);
    }),
    { numRuns: 60, includeErrorInReport: true },
  );
  assert.ok(saved > asked);
});
