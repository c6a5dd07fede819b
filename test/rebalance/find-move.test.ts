/** Which circle is looked for: how much, and between which ends. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Circle, CircleQuery } from '../../src/circles/types.ts';
import { type CircleSource, findMove } from '../../src/rebalance/find-move.ts';
import { channel, nodeId, scid, view } from '../sharing/world.ts';

const SAT = 1000n;
const WISH = { maxFeePpm: 0n, maxDelay: 500 };
const NOTHING = { peers: new Set<string>(), channels: new Set<bigint>() };
const CIRCLE: Circle = {
  feeMsat: 0n,
  feePpm: 0n,
  probability: 1,
  expectedCostMsat: 0n,
  delay: 40,
  hops: [],
};

const HOP = { shortChannelId: 1n, direction: 0, delay: 40, known: 'own' } as const;

/** Of 1,000,000 sat each: 1 and 2 have too much, 3 and 4 too little, 5 is even. ν is 0.5. */
const OURS = [
  channel(1, '100x1x0', 900_000),
  channel(2, '100x2x0', 700_000),
  channel(3, '100x3x0', 100_000),
  channel(4, '100x4x0', 300_000),
  channel(5, '100x5x0', 500_000),
];

/** Tells what was asked; there is a circle for what `has` says. */
function source(has: (query: CircleQuery) => boolean): CircleSource & { readonly asked: string[] } {
  const asked: string[] = [];
  const shown = (end: CircleQuery['out']) => {
    if (end === undefined) return 'any';
    if ('peerIds' in end) return [...end.peerIds].map(id => Number(id.slice(2))).join('+');
    return 'peerId' in end ? String(Number(end.peerId.slice(2))) : String(end.shortChannelId);
  };
  return {
    asked,
    view: async () => view(OURS),
    find: async query => {
      asked.push(`${query.amountMsat / SAT} sat ${shown(query.out)} to ${shown(query.in)}`);
      return { circles: has(query) ? [CIRCLE] : [] };
    },
  };
}

test('an amount goes between all peers that can give it and all that can take it, in one search', async () => {
  const all = source(() => true);
  await findMove(all, { ...WISH, amountMsat: 100_000n * SAT }, NOTHING);
  await findMove(all, { ...WISH, amountMsat: 300_000n * SAT }, NOTHING);
  assert.deepEqual(all.asked, ['100000 sat 1+2 to 3+4', '300000 sat 1 to 3']);
});

test('without an amount: those of the moves that help most, each between all that gain by it together', async () => {
  const small = source(({ amountMsat }) => amountMsat <= 200_000n * SAT);
  await findMove(small, WISH, NOTHING);
  // How much each pair gains is for the search to weigh.
  assert.deepEqual(small.asked, [
    '500000 sat 1+2 to 3+4',
    '200000 sat 1+2+5 to 3+4+5',
    '100000 sat 1+2+4+5 to 2+3+4+5',
  ]);
  const none = source(() => false);
  assert.deepEqual(await findMove(none, WISH, NOTHING), { circles: [] });
});

test('the choice of what to move rests when its slice of time is over', async () => {
  let clockMs = 0;
  let pauses = 0;
  // Each look at the clock takes longer than a slice.
  const nowMs = () => {
    clockMs += 10;
    return clockMs;
  };
  const pause = async () => {
    pauses++;
  };
  const [plain, paced] = [source(() => false), source(() => false)];
  await findMove(plain, WISH, NOTHING);
  await findMove({ ...paced, breaks: { nowMs, pause } }, WISH, NOTHING);
  assert.ok(pauses >= OURS.length, String(pauses));
  assert.deepEqual(paced.asked, plain.asked);
});

test('without an amount: of the circles found the one with the lowest cost for what it brings', async () => {
  const paid = async (costs: Readonly<Record<number, bigint>>) => {
    const at = source(({ amountMsat }) => costs[Number(amountMsat / SAT)] !== undefined);
    const find = async (query: CircleQuery) => {
      const { circles } = await at.find(query, NOTHING);
      const [circle] = circles;
      if (circle === undefined) return { circles };
      const hops = [1, 7, 3, 0].map(peer => ({ ...HOP, id: nodeId(peer), amountMsat: query.amountMsat }));
      const expectedCostMsat = costs[Number(query.amountMsat / SAT)] ?? 0n;
      return { circles: [{ ...circle, hops, expectedCostMsat }] };
    };
    const { circles } = await findMove({ ...at, find }, WISH, NOTHING);
    return Number(circles[0]?.hops[0]?.amountMsat ?? 0n) / 1000;
  };
  // From 1 to 3: 500,000 brings 0.3, 200,000 0.24.
  assert.equal(await paid({ 500000: 30_000n, 200000: 25_000n }), 500_000);
  assert.equal(await paid({ 500000: 30_000n, 200000: 23_000n }), 200_000);
  assert.equal(await paid({ 500000: 0n, 200000: 0n }), 500_000);
});

test('a side that is named stays; what is excluded is neither end', async () => {
  const all = source(() => true);
  const amountMsat = 100_000n * SAT;
  await findMove(all, { ...WISH, amountMsat, out: { peerId: nodeId(2) } }, NOTHING);
  await findMove(
    all,
    { ...WISH, amountMsat, out: { peerId: nodeId(2) }, in: { peerId: nodeId(1) } },
    NOTHING,
  );
  const exclusions = { peers: new Set([nodeId(1)]), channels: new Set([scid('100x3x0')]) };
  await findMove(all, { ...WISH, amountMsat }, exclusions);
  assert.deepEqual(all.asked, ['100000 sat 2 to 3+4', '100000 sat 2 to 1', '100000 sat 2 to 4']);
});

test('nothing that leans far enough: nothing is searched for', async () => {
  const all = source(() => true);
  assert.deepEqual(await findMove(all, { ...WISH, amountMsat: 500_000n * SAT }, NOTHING), { circles: [] });
  assert.deepEqual(all.asked, []);
});
