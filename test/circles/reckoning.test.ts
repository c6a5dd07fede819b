/** The small functions that the search rests on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { beliefOf, chanceOf, expectedCost, failedTryCost } from '../../src/circles/chance.ts';
import { feeLimit, feePpmOf, forwardingFee, forwardingFeeNumber } from '../../src/circles/fees.ts';

const U32 = 0xffff_ffff;
const anyChance = fc.double({ min: 1e-9, max: 1, noNaN: true });
const offers = fc.option(
  fc.record({
    amount: fc.integer({ min: 1, max: 3_000_000 }),
    reliability: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
  { nil: undefined },
);
const anyOdds = fc.double({ min: 0.25, max: 4, noNaN: true });
const failures = fc.option(fc.integer({ min: 0, max: 3_000_000 }), { nil: undefined });

test('property: fees in doubles are those in integers', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 0n, max: BigInt(Number.MAX_SAFE_INTEGER) }),
      fc.integer({ min: 0, max: U32 }),
      fc.integer({ min: 0, max: U32 }),
      (amount, base, ppm) => {
        const terms = { baseFeeMsat: BigInt(base), feePpm: BigInt(ppm), cltvExpiryDelta: 0 };
        const exact = forwardingFee(terms, amount);
        const fast = forwardingFeeNumber(base, ppm, Number(amount));
        if (exact <= BigInt(Number.MAX_SAFE_INTEGER)) assert.equal(BigInt(fast), exact);
        else assert.ok(fast >= Number.MAX_SAFE_INTEGER);
      },
    ),
    { numRuns: 20_000 },
  );
});

test('property: a fee in ppm is above a limit exactly when the fee is', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 1n, max: 10n ** 12n }),
      fc.bigInt({ min: 0n, max: 10n ** 9n }),
      fc.bigInt({ min: 0n, max: 100_000n }),
      (amount, fee, ppm) => assert.equal(feePpmOf(fee, amount) > ppm, fee > feeLimit(amount, ppm)),
    ),
  );
});

test('the chance of a hop, by hand', () => {
  const nothing = beliefOf(999, undefined, undefined, 1);
  assert.deepEqual(
    // 0.6 of what a uniform balance says.
    [500, 999, 1000].map(amount => chanceOf(nothing, amount)),
    [0.3, 0.0006, 0],
  );
  const offered = beliefOf(999, { amount: 500, reliability: 1 }, undefined, 1);
  assert.deepEqual(
    [500, 750, 999, 1000].map(amount => chanceOf(offered, amount)),
    [1, 0.5, 0.002, 0],
  );
  // Half of a certainty and half of 0.3.
  assert.equal(chanceOf(beliefOf(999, { amount: 500, reliability: 0.5 }, undefined, 1), 500), 0.65);
  const failed = beliefOf(999, undefined, 800, 1);
  assert.deepEqual(
    [400, 799, 800].map(amount => chanceOf(failed, amount)),
    [0.3, 0.6 / 800, 0],
  );
  // Offered 500, failed at 800; and an offer of 900, which can only be newer than the failure.
  assert.equal(chanceOf(beliefOf(999, { amount: 500, reliability: 1 }, 800, 1), 650), 0.5);
  assert.equal(chanceOf(beliefOf(999, { amount: 900, reliability: 1 }, 800, 1), 900), 1);
  // Half as likely is one to one; four times the odds are four to one, and a quarter one to four.
  assert.equal(chanceOf(beliefOf(1199, undefined, undefined, 4), 200), 0.8);
  assert.equal(chanceOf(beliefOf(1199, undefined, undefined, 0.25), 200), 0.2);
  assert.equal(chanceOf(beliefOf(1199, { amount: 200, reliability: 0.5 }, undefined, 4), 200), 0.9);
  // The channel as a whole was withdrawn.
  assert.equal(chanceOf(beliefOf(999, undefined, 0, 1), 1), 0);
});

test('property: the chance lies between 0 and 1 and never rises with the amount', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 2_000_000 }),
      offers,
      failures,
      fc.integer({ min: 1, max: 2_100_000 }),
      fc.integer({ min: 1, max: 100_000 }),
      anyOdds,
      (capacity, offer, failed, amount, more, odds) => {
        const belief = beliefOf(capacity, offer, failed, odds);
        const [small, large] = [chanceOf(belief, amount), chanceOf(belief, amount + more)];
        assert.ok(small >= 0 && small <= 1 && large <= small, `${small} ${large}`);
        assert.ok(amount <= capacity || small === 0);
      },
    ),
    { numRuns: 2000 },
  );
});

test('property: an offer never lowers the chance', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 2_000_000 }),
      offers,
      failures,
      fc.integer({ min: 1, max: 2_100_000 }),
      anyOdds,
      (capacity, offer, failed, amount, odds) => {
        const told = chanceOf(beliefOf(capacity, offer, failed, odds), amount);
        assert.ok(told >= chanceOf(beliefOf(capacity, undefined, failed, odds), amount) - 1e-12);
      },
    ),
    { numRuns: 2000 },
  );
});

test('property: the parts of a circle cost no more than the whole', () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(), anyChance, anyChance, fc.nat(), (feeA, feeB, a, b, failedTry) => {
      const parts = expectedCost(feeA, a, failedTry) + expectedCost(feeB, b, failedTry);
      const whole = expectedCost(feeA + feeB, a * b, failedTry);
      assert.ok(parts <= whole * (1 + 1e-12), `${parts} ${whole}`);
    }),
  );
});

test('the expected cost, by hand', () => {
  assert.equal(expectedCost(5000, 1, 50_000), 5000);
  // One failure on the average before a success.
  assert.equal(expectedCost(5000, 0.5, 50_000), 55_000);
  assert.equal(expectedCost(5000, 0.25, 50_000), 155_000);
  assert.equal(failedTryCost(200_000_000n), 100_000n);
});
