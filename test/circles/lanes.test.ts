/** What is kept of gossip between searches. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lanes, lanesForSearch } from '../../src/circles/lanes.ts';
import type { GossipChannel } from '../../src/sharing/ports.ts';
import { gossip } from '../sharing/world.ts';

const terms = (baseFeeMsat: bigint, feePpm: bigint) => ({
  terms: { baseFeeMsat, feePpm, cltvExpiryDelta: 34 },
});
const [, THERE] = gossip('500x0x0', 1, 2, terms(1000n, 50n));
const [, BACK] = gossip('500x0x0', 2, 1, terms(0n, 80n));
const only = (channel: GossipChannel) => new Map([[channel.shortChannelId, channel]]);

test('a lane in doubles, beside what the other end asks', () => {
  const limits = { minimumMsat: 1n, maximumMsat: 2n ** 60n };
  const channel = { ...THERE, capacityMsat: 5_000_000n, limits };
  const [lane] = new Lanes().of(only(channel), only(BACK));
  assert.deepEqual(lane, {
    channel,
    number: lane?.number,
    capacity: 5_000_000,
    minimum: 1,
    maximum: 5_000_000,
    base: 1000,
    ppm: 50,
    baseLead: 1000,
    ppmLead: -30,
  });
  const [alone] = new Lanes().of(only(THERE), new Map());
  assert.deepEqual([alone?.baseLead, alone?.ppmLead], [0, 0]);
});

test('lanes are made once of each reading, and anew when either direction was read again', () => {
  const lanes = new Lanes();
  const [from, to] = [only(THERE), only(BACK)];
  const made = lanes.of(from, to);
  assert.equal(lanes.of(from, to), made);
  const dearer = only({ ...BACK, terms: { ...BACK.terms, feePpm: 90n } });
  assert.equal(lanes.of(from, dearer)[0]?.ppmLead, -40);
  const again = only({ ...THERE, terms: { ...THERE.terms, feePpm: 60n } });
  assert.equal(lanes.of(again, dearer)[0]?.ppm, 60);
});

test('a direction has one number, whichever end told of it', () => {
  const lanes = new Lanes();
  const [there] = lanes.of(only(THERE), only(BACK));
  const [back] = lanes.of(only(BACK), only(THERE));
  const [other] = lanes.of(only(gossip('500x1x0', 1, 2)[1]), new Map());
  assert.equal(new Set([there?.number, back?.number, other?.number]).size, 3);
  assert.equal(lanes.numberOf({ ...THERE }), there?.number);
  assert.equal(lanes.numberOf(BACK), back?.number);
  assert.ok(Math.max(there?.number ?? 0, back?.number ?? 0, other?.number ?? 0) < lanes.size);
});

test('searches share lanes until very many channels have numbers', () => {
  const lanes = lanesForSearch();
  assert.equal(lanesForSearch(), lanes);
  for (let index = 0n; index <= 200_000n; index++) lanes.numberOf({ ...THERE, shortChannelId: index });
  assert.notEqual(lanesForSearch(), lanes);
  assert.equal(lanesForSearch(), lanesForSearch());
});
