/** What a search takes from friends' answers beside their offers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Exclusions } from '../../src/circles/types.ts';
import { Knowledge } from '../../src/knowledge/knowledge.ts';
import { CircleFinder } from '../../src/lightningd/circle-finder.ts';
import type { GossipSource } from '../../src/sharing/ports.ts';
import type { Flow } from '../../src/wire/codec.ts';
import { formatShortChannelId } from '../../src/wire/short-channel-id.ts';
import { channel, FakeChannels, gossip, ManualClock, nodeId, scid } from '../sharing/world.ts';

const AMOUNT_MSAT = 100_000_000n;
const TTL_MS = 1_200_000;

/** Two ways from friend 1 to friend 2, and ten channels of friend 3, five of them dearer on its side. */
function world() {
  const terms = (feePpm: bigint) => ({ terms: { baseFeeMsat: 0n, feePpm, cltvExpiryDelta: 34 } });
  const both = (id: string, a: number, b: number, ppmA: bigint, ppmB: bigint) => [
    gossip(id, a, b, terms(ppmA))[1],
    gossip(id, b, a, terms(ppmB))[1],
  ];
  const directions = [
    // Both ask 10 ppm of us; by 4 the other ends ask more, by 5 less.
    ...both('400x1x0', 1, 4, 10n, 500n),
    ...both('400x2x0', 4, 2, 10n, 500n),
    ...both('500x1x0', 1, 5, 10n, 0n),
    ...both('500x2x0', 5, 2, 11n, 0n),
    ...Array.from({ length: 10 }, (_, index) =>
      both(`600x${index}x0`, 3, 10 + index, index < 5 ? 50n : 5n, 20n),
    ).flat(),
  ];
  const source: GossipSource = {
    read: async (peerId, flow) =>
      new Map(
        directions
          .filter(each => (flow === 1 ? each.source : each.destination) === peerId)
          .map(each => [each.shortChannelId, each]),
      ),
    endsOf: async () => undefined,
  };
  const clock = new ManualClock();
  const knowledge = new Knowledge();
  const finder = new CircleFinder({
    channels: new FakeChannels([
      channel(1, '100x1x0', 900_000),
      channel(2, '100x2x0', 100_000),
      channel(3, '100x3x0', 1_000),
    ]),
    gossip: source,
    knowledge,
    clock,
    finalDelay: 40,
    saidSinceMs: () => clock.monotonicMs() - TTL_MS,
  });
  /** Friend 3 would pass the amount on over these of its channels. */
  const says = (indexes: readonly number[], amountMsat = AMOUNT_MSAT, flow: Flow = 1) => {
    const ids = new Set(indexes.map(index => scid(`600x${index}x0`)));
    knowledge.learn(nodeId(3), {
      flow,
      amountMsat,
      timestampMs: BigInt(clock.wallMs()),
      saidAtMs: clock.monotonicMs(),
      channels: directions.filter(each => each.source === nodeId(3) && ids.has(each.shortChannelId)),
    });
  };
  const best = async (exclusions?: Exclusions) => {
    const query = { amountMsat: AMOUNT_MSAT, maxFeePpm: 5000n, maxDelay: 500, limit: 1 };
    const [circle] = (await finder.find(query, exclusions)).circles;
    return circle && { by: circle.hops.map(hop => formatShortChannelId(hop.shortChannelId))[1], ...circle };
  };
  return { clock, knowledge, says, best };
}

test('what one friend names tells what to guess of channels of which nobody spoke', async () => {
  const { clock, says, best } = world();
  // Nothing known: the cheaper circle by one ppm.
  const before = await best();
  assert.equal(before?.by, '400x1x0');
  // The balance lies where it costs more: on the way by 5, which is the dearer end of both its channels.
  says([0, 1, 2, 3, 4]);
  const after = await best();
  assert.equal(after?.by, '500x1x0');
  assert.ok(after.probability > before.probability);
  // The same friend changes its mind.
  await clock.advance(1);
  says([5, 6, 7, 8, 9]);
  assert.equal((await best())?.by, '400x1x0');
  // Old word counts no longer.
  await clock.advance(1);
  says([0, 1, 2, 3, 4]);
  assert.equal((await best())?.by, '500x1x0');
  await clock.advance(TTL_MS + 1);
  const forgotten = await best();
  assert.equal(forgotten?.by, '400x1x0');
  assert.equal(forgotten.probability, before.probability);
});

test('a friend that names its dear and its cheap channels alike teaches nothing', async () => {
  const { says, best } = world();
  const before = await best();
  says([0, 1, 5, 6]);
  assert.deepEqual(await best(), before);
});

test('a friend that answers often counts no more than one that answered once', async () => {
  const { says, best } = world();
  says([0, 1, 2, 3, 4]);
  const once = await best();
  for (let times = 2n; times < 9n; times++) says([0, 1, 2, 3, 4], AMOUNT_MSAT * times);
  assert.deepEqual(await best(), once);
});

test('what a friend would take in counts from the other ends of its channels', async () => {
  const { says, best } = world();
  // 5 to 9 are the dearer at their other ends, where the flow comes from.
  says([5, 6, 7, 8, 9], AMOUNT_MSAT, 0);
  assert.equal((await best())?.by, '500x1x0');
  says([0, 1, 2, 3, 4], AMOUNT_MSAT, 1);
  assert.equal((await best())?.by, '500x1x0');
});

test('an answer about a smaller amount, or one that none of its channels could carry, counts for nothing', async () => {
  const { says, best } = world();
  const before = await best();
  says([0, 1, 2, 3, 4], AMOUNT_MSAT / 10n);
  assert.deepEqual(await best(), before);
  says([0, 1, 2, 3, 4]);
  const after = await best();
  says([], 10_000_000_000n);
  assert.deepEqual(await best(), after);
});

test('a friend counts by its record, also while it is itself left out', async () => {
  const { knowledge, says, best } = world();
  says([0, 1, 2, 3, 4]);
  const trusted = await best();
  const without = await best({ peers: new Set([nodeId(3)]), channels: new Set() });
  assert.equal(without?.probability, trusted?.probability);
  for (let times = 0; times < 20; times++) knowledge.records.note(nodeId(3), 'failed');
  const doubted = await best();
  assert.ok((doubted?.probability ?? 1) < (trusted?.probability ?? 0));
});
