/** The facts in the file: all of them come back, whatever strangers called themselves, and the file never grows too large. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { factsBudget, pageOf } from '../../src/picture/html.ts';
import { pack } from '../../src/picture/pack.ts';
import type { OfferFact, Picture, PictureFacts } from '../../src/picture/picture.ts';
import { unpack } from '../../src/picture/unpack.ts';
import { BREAKS } from './draw.ts';
import { largeFacts, nodeId, smallFacts } from './samples.ts';

const PARTS = { script: 'void 0;', style: 'b{}' };
const packed = async (facts: PictureFacts, budget = Number.POSITIVE_INFINITY) => {
  const { pieces, length } = await pack(facts, budget, BREAKS);
  const text = pieces.join('');
  assert.equal(text.length, length);
  return text;
};
const page = (text: string) => pageOf(PARTS, [text]).join('');

/** The offers of a picture in the words of the facts. */
function offersOf({ nodes, offers }: Picture): OfferFact[] {
  return Array.from(offers.friend, (friend, row) => ({
    peerId: nodes[friend]?.id ?? '',
    otherId: nodes[offers.other[row] ?? 0]?.id ?? '',
    flow: offers.flow[row] === 1 ? 1 : 0,
    shortChannelId:
      (BigInt(offers.block[row] ?? 0) << 40n) |
      (BigInt(offers.transaction[row] ?? 0) << 16n) |
      BigInt(offers.output[row] ?? 0),
    amountSat: offers.amountSat[row] ?? 0,
    ageS: offers.ageS[row] ?? 0,
  }));
}

const sortedOffers = (offers: readonly OfferFact[]) =>
  offers.map(offer => JSON.stringify({ ...offer, shortChannelId: String(offer.shortChannelId) })).sort();

const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('</script>', '<!--', ']]>', '\u2028', '\u202e', '\0', '&lt;', '"\'`'),
);

test('whatever the facts are, they come back, and none of them is part of the markup', async () => {
  const empty = page('');
  const node = fc.integer({ min: 0, max: 12 }).map(index => nodeId(String(index)));
  const offer = fc.record({
    peerId: node,
    otherId: node,
    flow: fc.constantFrom<0 | 1>(0, 1),
    shortChannelId: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    amountSat: fc.integer({ min: 0, max: 2 ** 51 }),
    ageS: fc.integer({ min: 0, max: 86_400 }),
  });
  const channel = fc.record({
    peerId: node.filter(id => id !== nodeId('0')),
    shortChannelId: fc.string(),
    oursSat: fc.nat(),
    totalSat: fc.nat(),
    isUsable: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyText, { minLength: 13, maxLength: 13 }),
      fc.array(offer, { maxLength: 40 }),
      fc.array(channel, { maxLength: 8 }),
      anyText,
      async (names, offers, channels, noCircle) => {
        const facts: PictureFacts = {
          ...smallFacts(),
          nodeId: nodeId('0'),
          names: new Map(names.map((name, index) => [nodeId(String(index)), name])),
          channels,
          offers,
          circles: [],
          noCircle,
          changes: [],
        };
        const text = await packed(facts);
        assert.match(text, /^[A-Za-z0-9+/]*=*$/);
        assert.equal(page(text).replace(text, ''), empty);
        const picture = await unpack(text);
        assert.equal(picture.noCircle, noCircle);
        for (const { id, name } of picture.nodes) assert.equal(name, facts.names.get(id));
        assert.deepEqual(
          picture.channels.map(({ friend, ...rest }) => ({ peerId: picture.nodes[friend]?.id, ...rest })),
          channels.map(({ peerId, ...rest }) => ({ peerId, ...rest })),
        );
        const friends = new Set(channels.map(({ peerId }) => peerId));
        assert.deepEqual(
          sortedOffers(offersOf(picture)),
          sortedOffers(offers.filter(({ peerId }) => friends.has(peerId))),
        );
        assert.deepEqual(picture.leftOut, { offers: 0, shortChannelIds: 0 });
      },
    ),
  );
});

test('the policy has the hashes of what is there, and lets nothing load', () => {
  const html = page('AAAA');
  const policy = /Content-Security-Policy" content="([^"]*)"/.exec(html)?.[1] ?? '';
  const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  assert.deepEqual(policy.split('; ').slice(0, 3), [
    "default-src 'none'",
    `script-src ${hash(PARTS.script)}`,
    `style-src ${hash(PARTS.style)}`,
  ]);
  assert.ok(html.indexOf('Content-Security-Policy') < html.indexOf('<style'));
  assert.doesNotMatch(html, /(src|href)=|url\(|https?:/);
});

test('where the budget does not suffice the largest offers of each friend keep most', async () => {
  const facts = largeFacts(20, 200, 3_000);
  const whole = await packed(facts);
  let before = Number.POSITIVE_INFINITY;
  for (const share of [0.8, 0.5, 0.3, 0.15]) {
    const budget = Math.floor(whole.length * share);
    const text = await packed(facts, budget);
    assert.ok(text.length <= budget, `${text.length} within ${budget}`);
    const picture = await unpack(text);
    const { leftOut } = picture;
    const offers = offersOf(picture);
    assert.equal(offers.length + leftOut.offers, facts.offers.length);
    assert.equal(
      offers.filter(({ shortChannelId }) => shortChannelId === 0n).length,
      leftOut.shortChannelIds,
    );
    const kept = offers.filter(({ shortChannelId }) => shortChannelId !== 0n).length;
    assert.ok(kept <= before);
    before = kept;
    for (const { peerId } of facts.channels) {
      const own = offers.filter(offer => offer.peerId === peerId);
      assert.equal(own.length, offers.length / 20, 'each friend as many');
      const least = Math.min(
        ...own.filter(({ shortChannelId }) => shortChannelId !== 0n).map(({ amountSat }) => amountSat),
      );
      for (const { shortChannelId, amountSat } of own) {
        if (shortChannelId === 0n) assert.ok(amountSat <= least, 'only smaller ones have lost theirs');
      }
    }
    for (const { id } of picture.nodes) assert.match(id, /^02([0-9a-f]{14}|[0-9a-f]{64})$/);
  }
});

test('half a million offers to as many nodes, all at random, still fit', async () => {
  const facts = largeFacts(500, 1000, 500_000);
  const parts = { ...PARTS, script: ' '.repeat(480_000) };
  const { pieces } = await pack(facts, factsBudget(parts), BREAKS);
  assert.ok(Buffer.byteLength(pageOf(parts, pieces).join('')) < 3_000_000);
});

test('what others wait for while it is packed is short: the work rests often, and the text is in pieces', async () => {
  let pauses = 0;
  // A clock by which every step takes long, so that the work rests wherever it can.
  let now = 0;
  const breaks = {
    nowMs: () => {
      now += 1_000;
      return now;
    },
    pause: async () => {
      pauses++;
    },
  };
  const { pieces } = await pack(largeFacts(50, 1_000, 5_000), Number.POSITIVE_INFINITY, breaks);
  assert.ok(pieces.length > 10);
  for (const piece of pieces) assert.ok(piece.length < 100_000);
  assert.ok(pauses > 1_000, `${pauses} pauses`);
});
