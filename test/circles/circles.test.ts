import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findCircles } from '../../src/circles/circles.ts';
import type { CircleQuery, CircleSources, HopKnowledge } from '../../src/circles/types.ts';
import type { OwnChannel } from '../../src/sharing/node-view.ts';
import type { GossipChannel } from '../../src/sharing/ports.ts';
import { formatShortChannelId } from '../../src/wire/short-channel-id.ts';
import { channel, gossip, nodeId, view } from '../sharing/world.ts';
import { NO_BREAKS } from './network.ts';

const SAT = 1000n;
const NOTHING: HopKnowledge = { offer: () => undefined, failedMsat: () => undefined, odds: () => 1 };
const QUERY: CircleQuery = { amountMsat: 200_000n * SAT, maxFeePpm: 5000n, maxDelay: 500, limit: 10 };

const terms = (base: bigint, ppm: bigint, delta: number) => ({
  terms: { baseFeeMsat: base, feePpm: ppm, cltvExpiryDelta: delta },
});

// We have sent nothing over 1 and everything over 3: 1 → 3 directly, and 1 → 2 → 3.
const OWN = [
  channel(1, '100x1x0', 900_000),
  channel(3, '100x3x0', 100_000, {
    remoteTerms: { baseFeeMsat: 2000n, feePpm: 300n, cltvExpiryDelta: 80 },
  }),
];
const ONE_THREE = gossip('200x13x0', 1, 3, terms(1000n, 1000n, 40))[1];
const ONE_TWO = gossip('200x12x0', 1, 2, terms(0n, 111n, 34))[1];
const TWO_THREE = gossip('200x23x0', 2, 3, terms(5n, 7n, 6))[1];

function sources(
  own: readonly OwnChannel[],
  channels: readonly GossipChannel[],
  knowledge = NOTHING,
): CircleSources {
  const only = (which: (channel: GossipChannel) => boolean) =>
    new Map(channels.filter(which).map(each => [each.shortChannelId, each]));
  const friends = [...new Set(own.map(({ peerId }) => peerId))];
  return {
    view: view(own),
    gossip: new Map(
      friends.map(id => [
        id,
        { from: only(({ source }) => source === id), to: only(c => c.destination === id) },
      ]),
    ),
    knowledge,
  };
}

const find = (
  query: Partial<CircleQuery> = {},
  channels: readonly GossipChannel[] = [ONE_THREE, ONE_TWO, TWO_THREE],
  knowledge = NOTHING,
  own: readonly OwnChannel[] = OWN,
) => findCircles(sources(own, channels, knowledge), { ...QUERY, ...query }, NO_BREAKS);

const paths = async (found: ReturnType<typeof find>) =>
  (await found).circles.map(({ hops }) => hops.map(h => formatShortChannelId(h.shortChannelId)).join(' '));

const DIRECT = '100x1x0 200x13x0 100x3x0';
const AROUND = '100x1x0 200x12x0 200x23x0 100x3x0';

test('two circles reckoned by hand', async () => {
  const { circles, missing } = await find();
  assert.equal(missing, undefined);
  const readable = circles.map(({ hops, probability, ...rest }) => ({
    ...rest,
    probability: probability.toFixed(6),
    hops: hops.map(hop => {
      const { id, shortChannelId, direction, amountMsat, delay, known } = hop;
      return `${id.at(-1)} ${formatShortChannelId(shortChannelId)}/${direction} ${amountMsat} ${delay} ${known}`;
    }),
  }));
  assert.deepEqual(readable, [
    {
      // 1 keeps 1000 + 200,062,000 × 1000 / 10^6 = 201,062.
      feeMsat: 263_062n,
      feePpm: 1316n,
      probability: '0.479963',
      expectedCostMsat: 371_411n,
      delay: 160,
      hops: [
        '1 100x1x0/0 200263062 160 own',
        '3 200x13x0/0 200062000 120 unknown',
        '0 100x3x0/1 200000000 40 own',
      ],
    },
    {
      // 3 keeps 2000 + 200,000,000 × 300 / 10^6 = 62,000, 2 keeps 5 + 200,062,000 × 7 / 10^6 = 1405.434, and 1 keeps
      // 200,063,405 × 111 / 10^6 = 22,207.04.
      feeMsat: 85_612n,
      feePpm: 429n,
      // 0.6² and 200,063,405 and 200,062,000 of 1,000,000,000; (1 − p) / p = 3.340958 of 20,000 + 400 ppm, that is 100,000.
      probability: '0.230364',
      expectedCostMsat: 419_708n,
      delay: 160,
      hops: [
        '1 100x1x0/0 200085612 160 own',
        '2 200x12x0/0 200063405 126 unknown',
        '3 200x23x0/0 200062000 120 unknown',
        '0 100x3x0/1 200000000 40 own',
      ],
    },
  ]);
});

test('what is known of a hop changes chance and rank, and is told', async () => {
  const knowing = (known: Partial<HopKnowledge>) =>
    find({ maxFeePpm: 5000n }, [ONE_THREE], { ...NOTHING, ...known }).then(({ circles }) => circles[0]);
  const amountMsat = 200_000n * SAT;
  const offered = await knowing({ offer: () => ({ amountMsat, reliability: 1 }) });
  assert.equal(offered?.hops[1]?.known, 'offered');
  // Up to the rung for certain; the 62,000 msat on top are little of what may be left.
  assert.equal(offered?.probability.toFixed(6), (1 - 62_000 / 800_000_001).toFixed(6));
  const doubted = await knowing({ offer: () => ({ amountMsat, reliability: 0.5 }) });
  assert.equal(doubted?.probability.toFixed(3), '0.740');
  const less = await knowing({ offer: () => ({ amountMsat: amountMsat / 2n, reliability: 1 }) });
  assert.equal(less?.hops[1]?.known, 'unknown');
  assert.ok(less && less.probability > 0.88 && less.probability < 0.89);
  const failed = await knowing({ failedMsat: () => 400_000n * SAT });
  assert.equal(failed?.hops[1]?.known, 'failed');
  assert.equal(failed?.probability.toFixed(3), '0.300');
  assert.equal(await knowing({ failedMsat: () => 200_062_000n }), undefined);
  assert.equal((await knowing({ failedMsat: () => 200_062_001n }))?.hops[1]?.known, 'failed');
});

test('an offer does not outrank what it does not pay for', async () => {
  const offer = ({ shortChannelId }: GossipChannel) =>
    shortChannelId === ONE_THREE.shortChannelId ? { amountMsat: 200_000n * SAT, reliability: 1 } : undefined;
  const all = [ONE_THREE, ONE_TWO, TWO_THREE];
  const knowing = { ...NOTHING, offer };
  // 177,450 msat dearer; a failed try is worth 40,000, and 3.34 of them are to be expected.
  assert.deepEqual(await paths(find({ failedTryCostMsat: 40_000n }, all, knowing)), [AROUND, DIRECT]);
  assert.deepEqual(await paths(find({ failedTryCostMsat: 400_000n }, all, knowing)), [DIRECT, AROUND]);
});

test('out, in and limit restrict', async () => {
  const own = [...OWN, channel(2, '100x2x0', 500_000), channel(1, '100x1x1', 800_000)];
  const among = (query: Partial<CircleQuery>) => paths(find(query, undefined, undefined, own));
  assert.equal((await among({})).length, 4);
  assert.deepEqual(await among({ out: { peerId: nodeId(2) } }), ['100x2x0 200x23x0 100x3x0']);
  assert.deepEqual(await among({ in: { peerId: nodeId(2) } }), ['100x1x0 200x12x0 100x2x0']);
  const { shortChannelId } = channel(1, '100x1x1', 0);
  assert.ok(shortChannelId !== undefined);
  assert.deepEqual(await among({ out: { shortChannelId }, in: { peerId: nodeId(2) } }), [
    '100x1x1 200x12x0 100x2x0',
  ]);
  assert.equal((await among({ limit: 1 })).length, 1);
});

test('of parallel channels with a friend one is used: the fullest first, the cheapest last', async () => {
  const dear = { remoteTerms: { baseFeeMsat: 2000n, feePpm: 301n, cltvExpiryDelta: 80 } };
  const own = [
    channel(1, '100x1x0', 300_000),
    channel(1, '100x1x1', 900_000),
    channel(3, '100x3x0', 0, dear),
    channel(3, '100x3x1', 300_000, { remoteTerms: { ...dear.remoteTerms, feePpm: 300n } }),
  ];
  assert.deepEqual(await paths(find({}, [ONE_THREE], NOTHING, own)), ['100x1x1 200x13x0 100x3x1']);
  // No two hops over them with one friend.
  const two = own.filter(({ peerId }) => peerId === nodeId(1));
  assert.deepEqual((await find({}, [ONE_THREE], NOTHING, two)).missing?.reasons, ['no_path', 'no_offer']);
});

test('our own ends: what we can send and receive, htlc limits, the state, the peer', async () => {
  const [out, home] = OWN;
  assert.ok(out && home);
  const none = async (first: Partial<OwnChannel>, last: Partial<OwnChannel> = {}) =>
    (
      await find({}, [ONE_THREE], NOTHING, [
        { ...out, ...first },
        { ...home, ...last },
      ])
    ).missing?.reasons;
  const limits = (minimumMsat: bigint, maximumMsat: bigint) => ({ minimumMsat, maximumMsat });
  assert.equal(await none({ spendableMsat: 200_263_062n }), undefined);
  assert.deepEqual(await none({ spendableMsat: 200_263_061n }), ['no_path', 'no_offer']);
  assert.deepEqual(await none({ spendableMsat: 199_999_999n }), ['no_out_channel']);
  assert.equal(await none({ localLimits: limits(200_263_062n, 200_263_062n) }), undefined);
  assert.deepEqual(await none({ localLimits: limits(200_263_063n, 10n ** 12n) }), ['no_path', 'no_offer']);
  assert.deepEqual(await none({ usable: false }, { usable: false }), ['no_out_channel', 'no_in_channel']);
  assert.deepEqual(await none({ state: 'splicing' }), ['no_out_channel']);
  assert.deepEqual(await none({ shortChannelId: undefined }), ['no_out_channel']);
  assert.equal(await none({ isPublic: false }), undefined);
  assert.deepEqual(await none({}, { isPublic: false }), ['no_in_channel']);
  assert.equal(await none({}, { receivableMsat: 200_000_000n }), undefined);
  assert.deepEqual(await none({}, { receivableMsat: 199_999_999n }), ['no_in_channel']);
  assert.deepEqual(await none({}, { remoteLimits: limits(200_000_001n, 10n ** 12n) }), ['no_in_channel']);
  assert.deepEqual(await none({}, { remoteTerms: undefined }), ['no_in_channel']);
});

test('where there is no circle, what was missing', async () => {
  const missing = async (query: Partial<CircleQuery>, channels?: GossipChannel[], knowledge = NOTHING) =>
    (await find(query, channels, knowledge)).missing;
  const leftOut = { disabled: 0, unfit: 0, failed: 0 };
  assert.deepEqual(await missing({ maxFeePpm: 428n }), {
    reasons: ['fee', 'no_offer'],
    cheapestPpm: 429n,
    leftOut,
  });
  assert.deepEqual(await missing({ maxDelay: 159 }), { reasons: ['delay', 'no_offer'], delay: 160, leftOut });
  assert.deepEqual(await missing({ maxFeePpm: 0n, maxDelay: 0 }), {
    reasons: ['fee', 'delay', 'no_offer'],
    cheapestPpm: 429n,
    delay: 160,
    leftOut,
  });
  const offer = () => ({ amountMsat: 200_000n * SAT, reliability: 0.9 });
  assert.deepEqual((await missing({ maxFeePpm: 0n }, undefined, { ...NOTHING, offer }))?.reasons, ['fee']);
  const small = { ...ONE_THREE, capacityMsat: 199_999_999n };
  assert.deepEqual(await missing({}, [{ ...ONE_TWO, active: false }, TWO_THREE, small]), {
    reasons: ['no_path', 'no_offer'],
    leftOut: { disabled: 1, unfit: 1, failed: 0 },
  });
  const failedMsat = () => 1000n;
  assert.deepEqual((await missing({}, [ONE_THREE], { ...NOTHING, failedMsat }))?.leftOut, {
    ...leftOut,
    failed: 1,
  });
  assert.deepEqual((await missing({ amountMsat: 2n * 10n ** 18n }))?.reasons, [
    'no_out_channel',
    'no_in_channel',
  ]);
  assert.deepEqual((await missing({}, []))?.reasons, ['no_path', 'no_offer']);
});

test('the search rests when its slice of time is over', async () => {
  // Each look at the clock takes a millisecond.
  let nowMs = 0;
  let pauses = 0;
  const breaks = {
    nowMs: () => nowMs++,
    pause: async () => {
      pauses++;
    },
  };
  const many = Array.from({ length: 2000 }, (_, n) => gossip(`300x${n}x0`, n % 2 ? 1 : 5, n % 2 ? 5 : 3)[1]);
  const { circles } = await findCircles(sources(OWN, many), { ...QUERY, limit: 3 }, breaks);
  assert.equal(circles.length, 3);
  assert.ok(pauses >= 5, String(pauses));
});
