import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findCircles } from '../../src/circles/circles.ts';
import type { Circle, CircleQuery, EndFilter, Worth } from '../../src/circles/types.ts';
import type { OwnChannel } from '../../src/sharing/node-view.ts';
import { formatShortChannelId } from '../../src/wire/short-channel-id.ts';
import { nodeId, scid, US } from '../sharing/world.ts';
import { everyCircle } from './brute-force.ts';
import { anyNetwork, anyQuery, Balances, NO_BREAKS, sourcesOf } from './network.ts';

const RUNS = { numRuns: 1500 };
const pathOf = ({ hops }: Circle) => hops.map(hop => formatShortChannelId(hop.shortChannelId)).join(' ');

const anyFilter: fc.Arbitrary<EndFilter | undefined> = fc.oneof(
  { weight: 4, arbitrary: fc.constant(undefined) },
  fc.integer({ min: 1, max: 3 }).map(peer => ({ peerId: nodeId(peer) })),
  fc.integer({ min: 2, max: 3 }).map(last => ({ peerIds: new Set([nodeId(1), nodeId(last)]) })),
  fc.integer({ min: 0, max: 4 }).map(index => ({ shortChannelId: scid(`900x${index}x0`) })),
);

/** What circles bring: of some friends more, of some less than nothing. */
const anyWorth: fc.Arbitrary<Worth | undefined> = fc.option(
  fc
    .tuple(
      fc.array(fc.integer({ min: -3, max: 5 }), { minLength: 4, maxLength: 4 }),
      fc.array(fc.integer({ min: -3, max: 5 }), { minLength: 4, maxLength: 4 }),
    )
    .map(([out, home]): Worth => {
      const byPeer = (all: readonly number[]) => new Map(all.map((gain, index) => [nodeId(index + 1), gain]));
      return { outs: byPeer(out), ins: byPeer(home), least: 1, most: Math.max(...out) + Math.max(...home) };
    }),
  { nil: undefined },
);

/** Queries that restrict where it leaves and comes back, too. */
const anyRestriction: fc.Arbitrary<CircleQuery> = fc
  .tuple(anyQuery, anyFilter, anyFilter, anyWorth)
  .map(([query, out, home, worth]) => ({
    ...query,
    ...(out && { out }),
    ...(home && { in: home }),
    ...(worth && { worth }),
  }));

function isChosen({ peerId, shortChannelId }: OwnChannel, filter: EndFilter | undefined): boolean {
  if (filter === undefined) return true;
  if ('peerIds' in filter) return filter.peerIds.has(peerId);
  return 'peerId' in filter ? peerId === filter.peerId : shortChannelId === filter.shortChannelId;
}

test('property: the fee is what hop-by-hop forwarding charges, and totals never change', async () => {
  let sent = 0;
  let moved = 0;
  await fc.assert(
    fc.asyncProperty(anyNetwork, anyQuery, async (network, query) => {
      const { circles } = await findCircles(sourcesOf(network), query, NO_BREAKS);
      for (const circle of circles) {
        const balances = new Balances(network);
        const totals = balances.totals();
        const before = circle.hops.map(hop => balances.of(hop));
        const result = balances.send(circle.hops);
        sent++;
        assert.deepEqual(balances.totals(), totals);
        const after = circle.hops.map(hop => balances.of(hop));
        if ('refused' in result) {
          // The one reason that no computation can know of.
          assert.equal(result.refused, 'temporary_channel_failure');
          assert.deepEqual(after, before);
          continue;
        }
        moved++;
        assert.ok(
          result.kept.every(more => more === 0n),
          'a node got more than it asks for',
        );
        const [first, last] = [circle.hops[0], circle.hops.at(-1)];
        assert.equal(first?.amountMsat, query.amountMsat + circle.feeMsat);
        assert.equal(last?.amountMsat, query.amountMsat);
        assert.equal(last?.id, US);
        assert.equal(last?.delay, query.finalDelay);
        circle.hops.forEach((hop, index) => {
          assert.equal(after[index], (before[index] ?? 0n) - hop.amountMsat);
        });
      }
    }),
    RUNS,
  );
  assert.ok(moved > 50 && sent > moved, `${moved} of ${sent}`);
});

test('property: no circle exceeds any limit given', async () => {
  await fc.assert(
    fc.asyncProperty(anyNetwork, anyRestriction, async (network, query) => {
      const { circles } = await findCircles(sourcesOf(network), query, NO_BREAKS);
      assert.ok(circles.length <= query.limit);
      for (const { feeMsat, feePpm, probability, expectedCostMsat, delay, hops } of circles) {
        assert.ok(feePpm <= query.maxFeePpm && feeMsat * 1_000_000n <= query.amountMsat * query.maxFeePpm);
        assert.ok(delay <= query.maxDelay && delay === hops[0]?.delay);
        assert.ok(probability > 0 && probability <= 1 && expectedCostMsat >= feeMsat);
        assert.ok(hops.length === 3 || hops.length === 4);
        assert.equal(new Set(hops.map(({ id }) => id)).size, hops.length);
        const [first, last] = [hops[0], hops.at(-1)];
        const [out, home] = [first, last].map(hop =>
          network.own.find(({ shortChannelId }) => shortChannelId === hop?.shortChannelId),
        );
        assert.ok(first && out && first.amountMsat <= out.spendableMsat);
        assert.ok(last && home && last.amountMsat <= home.receivableMsat);
        assert.ok(isChosen(out, query.out) && isChosen(home, query.in));
      }
    }),
    RUNS,
  );
});

test('property: the circles found are the best of all that there are', async () => {
  let several = 0;
  await fc.assert(
    fc.asyncProperty(anyNetwork, anyRestriction, async (network, query) => {
      const { circles, missing } = await findCircles(sourcesOf(network), query, NO_BREAKS);
      const best = everyCircle(network, query);
      const figures = circles.map(c => [Number(c.expectedCostMsat), c.feeMsat, c.delay]);
      assert.deepEqual(
        figures,
        best.map(({ cost, fee, delay }) => [cost, fee, delay]),
      );
      assert.equal(missing === undefined, circles.length > 0);
      // Where the limit cuts equals off, which ones is for the short channel ids to say.
      if (query.limit === 50)
        assert.deepEqual(circles.map(pathOf).sort(), best.map(({ path }) => path).sort());
      if (best.length > 3) several++;
    }),
    RUNS,
  );
  assert.ok(several > 50, String(several));
});

test('property: the order of what comes in changes nothing', async () => {
  await fc.assert(
    fc.asyncProperty(anyNetwork, anyQuery, fc.infiniteStream(fc.nat()), async (network, query, numbers) => {
      const shuffled = <T>(items: readonly T[]): T[] =>
        items
          .map(item => ({ item, key: Number(numbers.next().value) }))
          .sort((a, b) => a.key - b.key)
          .map(({ item }) => item);
      const plain = await findCircles(sourcesOf(network), query, NO_BREAKS);
      assert.deepEqual(await findCircles(sourcesOf(network, shuffled), query, NO_BREAKS), plain);
    }),
    RUNS,
  );
});
