/** What a search takes from friends' answers beside their offers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Knowledge } from '../../src/knowledge/knowledge.ts';
import { CircleFinder } from '../../src/lightningd/circle-finder.ts';
import type { GossipSource } from '../../src/sharing/ports.ts';
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
  const says = (indexes: readonly number[], amountMsat = AMOUNT_MSAT) => {
    const ids = new Set(indexes.map(index => scid(`600x${index}x0`)));
    knowledge.learn(nodeId(3), {
      flow: 1,
      amountMsat,
      timestampMs: BigInt(clock.wallMs()),
      saidAtMs: clock.monotonicMs(),
      channels: directions.filter(each => each.source === nodeId(3) && ids.has(each.shortChannelId)),
    });
  };
  const best = async () => {
    const query = { amountMsat: AMOUNT_MSAT, maxFeePpm: 5000n, maxDelay: 500, limit: 1 };
    const [circle] = (await finder.find(query)).circles;
    return circle && { by: circle.hops.map(hop => formatShortChannelId(hop.shortChannelId))[1], ...circle };
  };
  return { clock, says, best };
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
  for (let rung = 2n; rung < 9n; rung++) says([0, 1, 2, 3, 4], (AMOUNT_MSAT * rung) / 10n);
  assert.deepEqual(await best(), once);
});
