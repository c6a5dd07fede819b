/** What is shown and where it stands. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { applyFilter, NO_FILTER } from '../../src/picture/filter.ts';
import { meanAngle, placeOuter, spread } from '../../src/picture/layout.ts';
import { pack } from '../../src/picture/pack.ts';
import { sceneOf } from '../../src/picture/scene.ts';
import { unpack } from '../../src/picture/unpack.ts';
import { BREAKS } from './draw.ts';
import { largeFacts, nodeId, smallFacts } from './samples.ts';

const pictureOf = async (facts: ReturnType<typeof smallFacts>) =>
  unpack((await pack(facts, Number.POSITIVE_INFINITY, BREAKS)).pieces.join(''));
const TURN = 2 * Math.PI;

test('angles are moved apart, keep their order and move as a whole no further than they must', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: -7, max: 7, noNaN: true }), { minLength: 1, maxLength: 40 }),
      wanted => {
        const separation = Math.min(0.1, TURN / wanted.length / 1.5);
        const angles = spread(wanted, separation);
        assert.equal(angles.length, wanted.length);
        const sorted = angles.map(angle => ((angle % TURN) + TURN) % TURN).sort((a, b) => a - b);
        for (const [place, angle] of sorted.entries()) {
          if (sorted.length === 1) break;
          const next = sorted[(place + 1) % sorted.length] ?? 0;
          assert.ok((next - angle + TURN) % TURN > separation - 1e-6);
        }
      },
    ),
  );
  assert.deepEqual(
    spread([1, 2, 3], 0.1).map(angle => angle.toFixed(3)),
    ['1.000', '2.000', '3.000'],
  );
  assert.ok(Math.abs(meanAngle([TURN - 0.1, 0.1])) < 1e-9);
  assert.ok(placeOuter(Array.from({ length: 300 }, () => 1)).radius > 490);
});

test('few friends: each channel is a bar, each offer an arrow the way the amount flows', async () => {
  const picture = await pictureOf(smallFacts());
  const shown = applyFilter(picture, NO_FILTER);
  const { nodes, lines, bars, isEachOffer } = sceneOf(picture, shown, 'share', undefined);
  const count = (kind: string) => [...nodes, ...lines, ...bars].filter(one => one.kind === kind).length;
  assert.deepEqual(
    ['us', 'friend', 'outer', 'balance', 'offer', 'stroke', 'hop'].map(count),
    [1, 5, 4, 6, 11, 0, 0],
  );
  assert.ok(isEachOffer);
  const indexOf = (name: string) => picture.nodes.findIndex(({ id }) => id === nodeId(name));
  const [alice, frank] = [indexOf('alice'), indexOf('frank')];
  const taken = lines.find(({ source, flow }) => source === `n${frank}` && flow === 0);
  assert.equal(taken?.target, `n${alice}`);
});

test('many friends: a bar and two strokes each; what is chosen stands out and the rest back', async () => {
  const picture = await pictureOf(largeFacts(100, 50, 500));
  const shown = applyFilter(picture, NO_FILTER);
  const all = sceneOf(picture, shown, 'capacity', undefined);
  assert.equal(all.isEachOffer, false);
  assert.equal(all.bars.filter(({ kind }) => kind === 'balance').length, 100);
  assert.ok(all.bars.filter(({ kind }) => kind === 'stroke').length <= 200);
  const chosen = sceneOf(picture, shown, 'capacity', { kind: 'friend', friend: 5 });
  const offers = chosen.lines.filter(({ kind }) => kind === 'offer');
  assert.ok(offers.length > 10 && offers.every(({ isFaded }) => !isFaded));
  assert.equal(chosen.nodes.filter(({ kind, isFaded }) => kind === 'friend' && !isFaded).length, 1);
  for (const circle of picture.circles) {
    const { lines, friends } = sceneOf(picture, shown, 'capacity', { kind: 'circle', circle });
    assert.ok(friends < 4);
    assert.equal(lines.filter(({ kind }) => kind === 'hop').length, circle.hops.length);
  }
});

test("a friend's whole id shows that friend alone", async () => {
  const picture = await pictureOf(largeFacts(50, 50, 100));
  const { friends, offers } = applyFilter(picture, { ...NO_FILTER, text: nodeId('friend 7') });
  assert.deepEqual([friends.length, offers.length], [1, 50]);
});
