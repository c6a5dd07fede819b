/** Facts for pictures: a small network with names, and one of any size, as random as node and channel ids are. */
import { createHash } from 'node:crypto';
import type { CircleFact, OfferFact, PictureFacts } from '../../src/picture/picture.ts';
import type { Flow } from '../../src/wire/codec.ts';

const DRAWN_AT_MS = Date.UTC(2026, 10, 22, 20, 0, 0);

export function nodeId(text: string): string {
  return `02${createHash('sha256').update(text).digest('hex')}`;
}

function scid(block: number, transaction: number, output = 0): bigint {
  return (BigInt(block) << 40n) | (BigInt(transaction) << 16n) | BigInt(output);
}

const [US, ALICE, BOB, CAROL, DAVE, ERIN, FRANK, GRACE, HEIDI] = [
  'us',
  'alice',
  'bob',
  'carol',
  'dave',
  'erin',
  'frank',
  'grace',
  'heidi',
].map(nodeId) as [string, string, string, string, string, string, string, string, string];

export const CIRCLE: CircleFact<string> = {
  amountSat: 200_000,
  feeMsat: 41_004,
  feePpm: 206,
  probability: 0.81,
  helps: true,
  hops: [
    { to: BOB, shortChannelId: '840100x12x0', amountSat: 200_041, known: 'own' },
    { to: ERIN, shortChannelId: '790001x5x1', amountSat: 200_020, known: 'offered' },
    { to: ALICE, shortChannelId: '790001x7x0', amountSat: 200_000, known: 'offered' },
    { to: US, shortChannelId: '840000x1x0', amountSat: 200_000, known: 'own' },
  ],
};

/** Five friends, eleven offers, two circles. */
export function smallFacts(): PictureFacts {
  const offer = (
    peerId: string,
    flow: Flow,
    otherId: string,
    channel: bigint,
    amountSat: number,
    ageS: number,
  ): OfferFact => ({ peerId, otherId, flow, shortChannelId: channel, amountSat, ageS });
  return {
    drawnAtMs: DRAWN_AT_MS,
    network: 'bitcoin',
    nodeId: US,
    names: new Map([
      [US, 'our-node'],
      [ALICE, 'alice'],
      [BOB, 'bob'],
      [CAROL, 'carol & sons'],
      [DAVE, 'dave'],
      [FRANK, 'frank'],
      [GRACE, 'GRACE ⚡ routing'],
      [HEIDI, 'heidi'],
    ]),
    channels: [
      { peerId: ALICE, shortChannelId: '840000x1x0', oursSat: 120_000, totalSat: 2_000_000, isUsable: true },
      { peerId: BOB, shortChannelId: '840100x12x0', oursSat: 1_700_000, totalSat: 2_000_000, isUsable: true },
      { peerId: BOB, shortChannelId: '841000x3x1', oursSat: 400_000, totalSat: 500_000, isUsable: true },
      {
        peerId: CAROL,
        shortChannelId: '842000x9x0',
        oursSat: 2_600_000,
        totalSat: 5_000_000,
        isUsable: true,
      },
      { peerId: DAVE, shortChannelId: '843000x4x2', oursSat: 50_000, totalSat: 1_000_000, isUsable: false },
      { peerId: ERIN, shortChannelId: '844000x8x0', oursSat: 900_000, totalSat: 1_200_000, isUsable: true },
    ],
    offers: [
      offer(ALICE, 0, ERIN, scid(790_001, 7), 200_000, 44),
      offer(ALICE, 0, FRANK, scid(790_002, 7), 500_000, 44),
      offer(ALICE, 1, GRACE, scid(790_003, 8), 100_000, 190),
      offer(BOB, 1, ERIN, scid(790_001, 5, 1), 500_000, 12),
      offer(BOB, 1, FRANK, scid(790_005, 2), 200_000, 12),
      offer(BOB, 0, HEIDI, scid(790_006, 2), 1_000_000, 12),
      offer(CAROL, 1, ALICE, scid(790_007, 2), 200_000, 71),
      offer(CAROL, 1, HEIDI, scid(790_008, 2), 2_000_000, 71),
      offer(CAROL, 0, GRACE, scid(790_009, 2), 1_000_000, 71),
      offer(ERIN, 0, BOB, scid(790_001, 5, 1), 200_000, 340),
      offer(ERIN, 1, nodeId('nameless'), scid(790_010, 2), 50_000, 340),
    ],
    circles: [
      CIRCLE,
      {
        ...CIRCLE,
        feeMsat: 150_200,
        feePpm: 751,
        probability: 0.34,
        helps: false,
        hops: [
          { to: BOB, shortChannelId: '840100x12x0', amountSat: 200_150, known: 'own' },
          { to: FRANK, shortChannelId: '790005x2x0', amountSat: 200_070, known: 'offered' },
          { to: ALICE, shortChannelId: '790002x7x0', amountSat: 200_000, known: 'offered' },
          { to: US, shortChannelId: '840000x1x0', amountSat: 200_000, known: 'own' },
        ],
      },
    ],
    changes: [
      { kind: 'learned', from: BOB, flow: 1, amountSat: 200_000, channels: 2, ageS: 12 },
      { kind: 'learned', from: ALICE, flow: 0, amountSat: 200_000, channels: 2, ageS: 44 },
      { kind: 'failed', channel: '790003x8x0/1', amountSat: 400_000, ageS: 62 },
      { kind: 'learned', from: CAROL, flow: 1, amountSat: 200_000, channels: 0, ageS: 71 },
      { kind: 'rebalance', status: 'complete', amountSat: 200_000, feeMsat: 41_004, attempts: 2, ageS: 600 },
    ],
  };
}

/** The same for the same seed. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** How many nodes the real network had in 2026, about. */
const NETWORK_NODES = 17_000;

/** @param others how many friends' friends there are */
export function largeFacts(friends = 500, offersEach = 1000, others = NETWORK_NODES): PictureFacts {
  const next = random(7);
  const below = (limit: number) => Math.floor(next() * limit);
  const friendIds = Array.from({ length: friends }, (_, index) => nodeId(`friend ${index}`));
  const otherIds = Array.from({ length: others }, (_, index) => nodeId(`other ${index}`));
  const names = new Map<string, string>([[US, 'our-node']]);
  for (const [index, id] of friendIds.entries()) names.set(id, `${WORDS[index % WORDS.length]}-${index}`);
  for (const id of otherIds.slice(0, 500)) names.set(id, `node ${id.slice(2, 8)}`);
  const rungs = [10_000, 50_000, 100_000, 200_000, 500_000, 1_000_000, 2_000_000, 5_000_000];
  const offers: OfferFact[] = [];
  for (const [index, peerId] of friendIds.entries()) {
    const answers = Array.from(
      { length: 4 },
      (_, answer) =>
        ({
          flow: next() < 0.2 + (0.6 * index) / friends ? 1 : 0,
          rungSat: rungs[Math.min(below(rungs.length), below(2 * rungs.length))] ?? 10_000,
          ageS: below(answer === 0 ? 60 : 1200),
        }) as const,
    );
    const own: OfferFact[] = [];
    for (let count = 0; count < offersEach; count++) {
      const { flow, rungSat, ageS } = answers[below(4)] ?? { flow: 1, rungSat: 10_000, ageS: 0 };
      own.push({
        peerId,
        otherId: next() < 0.1 ? (friendIds[below(friends)] ?? US) : (otherIds[below(others)] ?? US),
        flow,
        shortChannelId: scid(500_000 + below(430_000), below(4_000), below(3)),
        // Some channels are smaller than what was asked about.
        amountSat: next() < 0.15 ? below(rungSat) : rungSat,
        ageS,
      });
    }
    own.sort((a, b) => a.flow - b.flow || a.ageS - b.ageS || (a.shortChannelId < b.shortChannelId ? -1 : 1));
    offers.push(...own);
  }
  const channels = friendIds.map((peerId, index) => {
    const totalSat = Math.round(10 ** (6 + 2 * next()));
    return {
      peerId,
      shortChannelId: `${840_000 + index}x1x0`,
      oursSat: Math.floor(totalSat * next()),
      totalSat,
      isUsable: next() > 0.06,
    };
  });
  const [a = US, b = US, c = US, d = US] = [friendIds[3], otherIds[5], friendIds[250], friendIds[77]];
  return {
    drawnAtMs: DRAWN_AT_MS,
    network: 'bitcoin',
    nodeId: US,
    names,
    channels,
    offers,
    circles: [
      { ...CIRCLE, hops: CIRCLE.hops.map((hop, at) => ({ ...hop, to: [a, b, c, US][at] ?? US })) },
      { ...CIRCLE, hops: CIRCLE.hops.map((hop, at) => ({ ...hop, to: [d, c, a, US][at] ?? US })) },
    ],
    changes: friendIds.slice(0, 60).map((from, index) => ({
      kind: 'learned',
      from,
      flow: index % 2 === 0 ? 1 : 0,
      amountSat: 200_000,
      channels: 1 + below(900),
      ageS: index * 7,
    })),
  };
}

const WORDS = [
  'harbour',
  'lantern',
  'copper',
  'meadow',
  'quartz',
  'willow',
  'falcon',
  'ember',
  'granite',
  'juniper',
];
