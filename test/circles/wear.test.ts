/** What answers tell of dear and cheap channels. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Lanes } from '../../src/circles/lanes.ts';
import { dearOdds, tallyOf, type WearTally, wornOdds } from '../../src/circles/wear.ts';
import type { GossipChannel } from '../../src/sharing/ports.ts';
import { gossip, nodeId, scid, US } from '../sharing/world.ts';

const AMOUNT_MSAT = 100_000_000n;
const terms = (baseFeeMsat: bigint, feePpm: bigint) => ({
  terms: { baseFeeMsat, feePpm, cltvExpiryDelta: 34 },
});
const tally = (
  dearNamed: number,
  dearLeftOut: number,
  cheapNamed: number,
  cheapLeftOut: number,
): WearTally => ({
  dearNamed,
  dearLeftOut,
  cheapNamed,
  cheapLeftOut,
});
const oddsOf = (...tallies: WearTally[]) => dearOdds(tallies.map(each => [each, 1]));

test('an answer is counted by which end asks more', () => {
  // What friend 1 asks, and what the other end asks: at this amount 1,000 msat are 10 ppm.
  const asked = new Map([
    gossip('500x0x0', 1, 2, terms(0n, 50n)),
    gossip('500x1x0', 1, 3, terms(0n, 50n)),
    gossip('500x2x0', 1, 4, terms(1000n, 10n)),
    gossip('500x3x0', 1, 5, terms(0n, 10n)),
    // As dear as the other end.
    gossip('500x4x0', 1, 6, terms(1000n, 10n)),
    // Cannot carry the amount, is disabled, is ours, is known one way only.
    gossip('500x5x0', 1, 7, { ...terms(0n, 50n), capacityMsat: 99_999_999n }),
    gossip('500x6x0', 1, 7, { ...terms(0n, 50n), active: false }),
    gossip('500x7x0', 1, 0, terms(0n, 50n)),
    gossip('500x8x0', 1, 7, terms(0n, 50n)),
  ]);
  const back = new Map([
    ...[2, 3, 4, 5, 6].map((peer, index) => gossip(`500x${index}x0`, peer, 1, terms(0n, 20n))),
    gossip('500x5x0', 7, 1, terms(0n, 20n)),
    gossip('500x6x0', 7, 1, terms(0n, 20n)),
    gossip('500x7x0', 0, 1, terms(0n, 20n)),
  ]);
  back.set(scid('500x2x0'), gossip('500x2x0', 4, 1, terms(0n, 30n))[1]);
  const named = ['500x0x0', '500x3x0', '500x4x0'].map(id => asked.get(scid(id)) as GossipChannel);
  const isOwn = ({ destination }: GossipChannel) => destination === US;
  assert.deepEqual(tallyOf(named, new Lanes().of(asked, back), AMOUNT_MSAT, isOwn), tally(1, 1, 1, 1));
});

test('odds of what nobody spoke of, by hand', () => {
  assert.equal(oddsOf(), 1);
  // As much of both: nothing is learned.
  assert.equal(oddsOf(tally(10, 10, 10, 10)), 1);
  assert.equal(oddsOf(tally(30, 0, 20, 0)), 1);
  // 8 × 8 / 20 more for, 2 × 2 / 20 against, and four of doubt: √(7.2 / 4.2).
  assert.equal(oddsOf(tally(8, 2, 2, 8)), Math.sqrt(7.2 / 4.2));
  // Where dear channels are the empty ones it is the other way round.
  assert.equal(oddsOf(tally(2, 8, 8, 2)), Math.sqrt(4.2 / 7.2));
  // Friends who name all and friends who name none say nothing of it, though together dear ones were named more often.
  assert.equal(oddsOf(tally(50, 0, 5, 0), tally(0, 5, 0, 50)), 1);
  // Four friends who say the most that a hundred channels can reach the bound, either way; nothing counted is nothing.
  assert.equal(oddsOf(...Array.from({ length: 4 }, () => tally(50, 0, 0, 50))), 4);
  assert.equal(oddsOf(...Array.from({ length: 4 }, () => tally(0, 50, 50, 0))), 0.25);
  assert.equal(oddsOf(tally(50, 0, 0, 50)), Math.sqrt(29 / 4));
  assert.equal(oddsOf(tally(0, 0, 0, 0)), 1);
  // A thousand channels count as a hundred; a friend in whom we believe half, half of that.
  assert.equal(oddsOf(tally(400, 100, 100, 400)), oddsOf(tally(40, 10, 10, 40)));
  assert.equal(dearOdds([[tally(40, 10, 10, 40), 0.5]]), Math.sqrt((4 + 8) / (4 + 0.5)));
});

test('odds go to the dearer end and against the cheaper one', () => {
  const [id, dear] = gossip('500x0x0', 1, 2, terms(0n, 50n));
  const [, cheap] = gossip('500x0x0', 2, 1, terms(1000n, 20n));
  const oddsFor = (channel: GossipChannel, back: readonly GossipChannel[], amount: number) => {
    const [lane] = new Lanes().of(new Map([[id, channel]]), new Map(back.map(each => [id, each])));
    return lane && wornOdds(lane, amount, 3);
  };
  assert.equal(oddsFor(dear, [cheap], 100_000_000), 3);
  assert.equal(oddsFor(cheap, [dear], 100_000_000), 1 / 3);
  // At a small amount the base fee makes the other end the dearer one.
  assert.equal(oddsFor(dear, [cheap], 1_000_000), 1 / 3);
  assert.equal(oddsFor(dear, [], 100_000_000), 1);
  assert.equal(oddsFor(dear, [{ ...dear, source: nodeId(2) }], 100_000_000), 1);
});

const counts = fc.nat({ max: 1000 });
const anyTally = fc.tuple(counts, counts, counts, counts).map(four => tally(...four));
const anyTallies = fc.array(fc.tuple(anyTally, fc.double({ min: 0, max: 1, noNaN: true })), {
  maxLength: 20,
});

test('property: whatever friends say, odds stay between a quarter and four, and turn with what is dear', () => {
  fc.assert(
    fc.property(anyTallies, tallies => {
      const odds = dearOdds(tallies);
      assert.ok(odds >= 0.25 && odds <= 4, String(odds));
      const turned = tallies.map(([each, weight]): [WearTally, number] => [
        tally(each.cheapNamed, each.cheapLeftOut, each.dearNamed, each.dearLeftOut),
        weight,
      ]);
      assert.ok(Math.abs(dearOdds(turned) * odds - 1) < 1e-9);
    }),
  );
});

test('property: one friend alone shifts the guess by no more than a hundred channels can', () => {
  fc.assert(
    fc.property(anyTallies, anyTally, (others, liar) => {
      const before = dearOdds(others);
      const after = dearOdds([...others, [liar, 1]]);
      // At most 25 for or against beside the doubt of 4, whatever was counted before.
      assert.ok(after / before <= Math.sqrt(29 / 4) + 1e-9 && before / after <= Math.sqrt(29 / 4) + 1e-9);
    }),
  );
});
