import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { keyedHash } from '../../src/sharing/keyed-hash.ts';
import type { OwnChannel } from '../../src/sharing/node-view.ts';
import { RUNGS_MSAT } from '../../src/sharing/rungs.ts';
import { Snapshot } from '../../src/sharing/snapshot.ts';
import { formatShortChannelId } from '../../src/wire/short-channel-id.ts';
import { channel, nodeId, view } from './world.ts';

const hash = keyedHash(Buffer.alloc(32, 7));
const WALL_MS = 1_795_327_687_123;
const RUNG = 50_000_000n;
const ASKER = nodeId(99_999);

function snapshotOf(channels: readonly OwnChannel[], wallMs = WALL_MS, omitPercent = 0): Snapshot {
  return new Snapshot({ view: view(channels), minDepth: 0, omitPercent, wallMs, hash });
}

/** What the snapshot of some channels tells while they are as they were, unless `live` says otherwise. */
function told(channels: readonly OwnChannel[], flow: 0 | 1, asker = ASKER, live = channels): string[] {
  return snapshotOf(channels).channelsFor(asker, flow, RUNG, view(live)).map(formatShortChannelId);
}

const FULL = channel(1, '100x1x0', 900_000);
const EMPTY = channel(2, '100x2x0', 100_000);

test('out names what is full, in names what is empty; the timestamp is rounded down to 10 s', () => {
  assert.deepEqual(told([FULL, EMPTY], 1), ['100x1x0']);
  assert.deepEqual(told([FULL, EMPTY], 0), ['100x2x0']);
  assert.equal(snapshotOf([]).timestampMs, 1_795_327_680_000n);
});

test('the asker is never told of its own channels, nor given another in their place', () => {
  assert.deepEqual(told([FULL, EMPTY], 1, nodeId(1)), []);
});

test('of parallel channels the eligible one with the lowest id is named', () => {
  const parallel = [
    channel(1, '100x9x0', 900_000),
    channel(1, '100x1x0', 10_000), // too little in it
    channel(1, '100x5x0', 900_000),
    EMPTY,
    channel(3, '100x3x0', 0),
  ];
  assert.deepEqual(told(parallel, 1), ['100x5x0']);
});

test('what closed or went offline is left out, and nothing takes its place', () => {
  const parallel = [channel(1, '100x5x0', 900_000), channel(1, '100x9x0', 900_000), EMPTY];
  assert.deepEqual(told(parallel, 1), ['100x5x0']);
  const offline = parallel.map((c, index) => (index === 0 ? { ...c, usable: false } : c));
  assert.deepEqual(told(parallel, 1, ASKER, offline), []);
  assert.deepEqual(told(parallel, 1, ASKER, parallel.slice(1)), []);
  const closing = parallel.map((c, index) => (index === 0 ? { ...c, state: 'other' as const } : c));
  assert.deepEqual(told(parallel, 1, ASKER, closing), []);
});

test('what came online or filled up since is not told', () => {
  const before = [FULL, { ...channel(3, '100x3x0', 900_000), usable: false }, EMPTY];
  const after = [FULL, channel(3, '100x3x0', 900_000), channel(2, '100x2x0', 900_000)];
  assert.deepEqual(told(before, 1, ASKER, after), ['100x1x0']);
});

test('over 1000 channels: the same 1000 for everybody, ascending, not simply the lowest', () => {
  const full = Array.from({ length: 1200 }, (_, index) => channel(index + 1, `100x${index + 1}x0`, 900_000));
  const empty = Array.from({ length: 1200 }, (_, index) =>
    channel(index + 5001, `200x${index + 1}x0`, 100_000),
  );
  const snapshot = snapshotOf([...full, ...empty]);
  const live = view([...full, ...empty]);
  const first = snapshot.channelsFor(ASKER, 1, RUNG, live);
  assert.equal(first.length, 1000);
  assert.deepEqual(
    first,
    first.toSorted((a, b) => (a < b ? -1 : 1)),
  );
  assert.deepEqual(snapshot.channelsFor(nodeId(7777), 1, RUNG, live), first);
  assert.ok(first.some(id => id >= (full[1100]?.shortChannelId ?? 0n)));
  // Asked by one of those whose channels are named, 999 are left: nobody moves up.
  const owner = full.find(c => c.shortChannelId === first[0]);
  assert.equal(snapshot.channelsFor(owner?.peerId ?? '', 1, RUNG, live).length, 999);
});

test('margins depend on the node, and never change', () => {
  // 5.5 % above ν: inside or outside the margin by chance.
  const channels = Array.from({ length: 40 }, (_, index) =>
    channel(index + 1, `100x${index + 1}x0`, index % 2 === 0 ? 555_000 : 445_000),
  );
  const at = (wallMs: number) =>
    snapshotOf(channels, wallMs).channelsFor(ASKER, 1, RUNG, view(channels)).join();
  const day = 24 * 3600 * 1000;
  for (const days of [1, 7, 30, 400]) assert.equal(at(WALL_MS), at(WALL_MS + days * day));
  const named = at(WALL_MS).split(',').length;
  assert.ok(named > 0 && named < 20, `${named} of 20 were named`);
});

test('property: two nodes whose balances differ only within a rung, on the same sides, answer identically', () => {
  // Sides far from ν, balances moved by less than what separates the rungs that they lie between.
  const amounts = fc.array(fc.tuple(fc.boolean(), fc.nat({ max: 9_999 }), fc.nat({ max: 9_999 })), {
    minLength: 6,
    maxLength: 20,
  });
  fc.assert(
    fc.property(amounts, entries => {
      const make = (which: 1 | 2) =>
        entries.map((entry, index) => {
          const lower = entry[0] ? 900_000 : 50_000;
          // Between 50,000 and 60,000 sat, or 900,000 and 910,000: no rung lies inside either on any side.
          return channel(index + 1, `100x${index + 1}x0`, lower + entry[which]);
        });
      const [one, other] = [make(1), make(2)];
      // With hardly any on one side, ν lies within a margin (0.1 at most) of the others: not what is claimed.
      const high = entries.filter(entry => entry[0]).length;
      fc.pre(high * 5 >= entries.length && high * 5 <= 4 * entries.length);
      for (const flow of [0, 1] as const) {
        for (const rung of RUNGS_MSAT.slice(0, 8)) {
          assert.deepEqual(
            snapshotOf(one).channelsFor(ASKER, flow, rung, view(one)),
            snapshotOf(other).channelsFor(ASKER, flow, rung, view(other)),
          );
        }
      }
    }),
  );
});

test('a share of the channels is left out, each by chance, the same for every asker and for 28 days', () => {
  const channels = Array.from({ length: 400 }, (_, index) =>
    channel(index + 10, `100x${index + 10}x0`, index % 2 === 0 ? 950_000 : 50_000),
  );
  const tell = (percent: number, wallMs = WALL_MS, asker = ASKER) =>
    snapshotOf(channels, wallMs, percent).channelsFor(asker, 1, RUNG, view(channels)).length;
  const all = tell(0);
  assert.equal(all, 200);
  const half = tell(50);
  assert.ok(half > 70 && half < 130, `${half} of ${all}`);
  const period = 28 * 86_400_000;
  const start = Math.floor(WALL_MS / period) * period;
  const names = (wallMs: number, asker: string) =>
    snapshotOf(channels, wallMs, 50).channelsFor(asker, 1, RUNG, view(channels));
  assert.deepEqual(names(start, ASKER), names(start + period - 1, nodeId(88_888)));
  assert.notDeepEqual(names(start, ASKER), names(start + period, ASKER));
});

test('a left-out channel is as if it were not there: its parallel one is named at every rung', () => {
  const channels = Array.from({ length: 100 }, (_, index) => [
    channel(index + 10, `100x${index + 10}x0`, 950_000),
    channel(index + 10, `101x${index + 10}x0`, 950_000),
  ]).flat();
  channels.push(...Array.from({ length: 200 }, (_, index) => channel(index + 500, `102x${index}x0`, 50_000)));
  const snapshot = snapshotOf(channels, WALL_MS, 50);
  const told = (rungMsat: bigint) =>
    snapshot.channelsFor(ASKER, 1, rungMsat, view(channels)).map(formatShortChannelId);
  const low = told(10_000_000n);
  const parallel = low.filter(id => id.startsWith('101x'));
  assert.ok(parallel.length > 10 && parallel.length < 40, `${parallel.length} of 100`);
  assert.deepEqual(told(500_000_000n), low);
});
