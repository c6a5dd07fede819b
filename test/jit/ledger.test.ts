/** What may be earned and spent, and the attack that the ledger bounds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Earnings, mayEarnMsat, postedFeeMsat } from '../../src/jit/earnings.ts';
import { type Booking, Ledger } from '../../src/jit/ledger.ts';
import { AMOUNT_MSAT, Clock, forward, hold, TERMS, World } from './world.ts';

const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;
const NOW = 1_800_000_000_000;
const X = '103x1x0';
const Y = '104x1x0';
const ALLOWANCES = { perChannelMsat: 100_000n, totalMsat: 150_000n };

test('a forward may earn the smaller fee, times the share that settles', () => {
  const posted = postedFeeMsat(TERMS, AMOUNT_MSAT);
  assert.equal(posted, 100_000n);
  const all = { settled: 20n, ended: 20n };
  const paying = (feeMsat: bigint) => ({ inMsat: AMOUNT_MSAT + feeMsat, outMsat: AMOUNT_MSAT });
  assert.equal(mayEarnMsat(paying(posted), TERMS, all), posted);
  assert.equal(mayEarnMsat(paying(1000n * posted), TERMS, all), posted, 'whoever overpays earns us no more');
  assert.equal(mayEarnMsat(paying(50_000n), TERMS, all), 50_000n);
  assert.equal(mayEarnMsat(paying(posted), TERMS, { settled: 1n, ended: 10n }), 10_000n);
  assert.equal(mayEarnMsat(paying(-5n), TERMS, all), 0n);
  assert.equal(mayEarnMsat(paying(posted), TERMS, { settled: 0n, ended: 20n }), 0n);
});

test('one in ten is taken to settle until 20 were seen, and only the last week counts', () => {
  const earnings = new Earnings();
  for (let n = 0; n < 19; n++) earnings.settled(X, 1000n, NOW);
  assert.deepEqual(earnings.share(X, NOW), { settled: 1n, ended: 10n });
  earnings.failed(X, NOW);
  assert.deepEqual(earnings.share(X, NOW), { settled: 19n, ended: 20n });
  assert.deepEqual(earnings.share(Y, NOW), { settled: 1n, ended: 10n });
  earnings.settled(Y, 500n, NOW + 3 * DAY_MS);
  assert.equal(earnings.earnedMsat(X, NOW + 3 * DAY_MS), 19_000n);
  assert.equal(earnings.earnedByAllMsat(NOW + 3 * DAY_MS), 19_500n);
  assert.equal(earnings.earnedByAllMsat(NOW + WEEK_MS), 500n);
  assert.equal(earnings.earnedByAllMsat(NOW - DAY_MS), 0n, 'what lies ahead');
  const again = new Earnings();
  again.restore(earnings.state(NOW + 3 * DAY_MS));
  assert.equal(again.earnedByAllMsat(NOW + 3 * DAY_MS), 19_500n);
  assert.deepEqual(earnings.state(NOW + 20 * DAY_MS), []);
});

test('a week never holds more than was earned in seven times 24 hours', () => {
  const event = fc.record({ atMs: fc.nat(20 * DAY_MS), feeMsat: fc.bigInt(0n, 10_000n) });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 50 }), fc.nat(10 * DAY_MS), (events, afterMs) => {
      const earnings = new Earnings();
      const sorted = events.sort((a, b) => a.atMs - b.atMs);
      for (const { atMs, feeMsat } of sorted) earnings.settled(X, feeMsat, NOW + atMs);
      const nowMs = NOW + (sorted.at(-1)?.atMs ?? 0) + afterMs;
      const really = events
        .filter(({ atMs }) => NOW + atMs > nowMs - WEEK_MS)
        .reduce((sum, { feeMsat }) => sum + feeMsat, 0n);
      assert.ok(earnings.earnedMsat(X, nowMs) <= really);
    }),
  );
});

test('what is booked is gone, what it did cost stays, and after a week it is free again', () => {
  const clock = new Clock();
  clock.nowMs = NOW;
  const ledger = new Ledger(new Earnings(), () => ALLOWANCES, clock);
  const booking = (id: string, channel: string, feeMsat: bigint): Booking => ({
    id,
    channel,
    atWallMs: NOW,
    feeMsat,
  });
  assert.ok(ledger.book(booking('1', X, 80_000n)));
  assert.equal(ledger.book(booking('1', X, 1n)), false, 'twice');
  assert.equal(ledger.book(booking('2', X, 20_001n)), false, 'above what the channel has left');
  assert.equal(ledger.remainingMsat(Y), 70_000n, 'above what all have left');
  assert.equal(ledger.settle('1', 30_000n)?.feeMsat, 30_000n);
  assert.equal(ledger.remainingMsat(X), 70_000n);
  assert.ok(ledger.book(booking('3', Y, 100_000n)));
  assert.equal(ledger.settle('3', 0n), undefined);
  assert.equal(ledger.remainingMsat(Y), 100_000n);
  clock.nowMs = NOW + WEEK_MS - 1;
  assert.equal(ledger.remainingMsat(X), 70_000n);
  clock.nowMs = NOW + WEEK_MS;
  assert.equal(ledger.remainingMsat(X), 100_000n);
  assert.deepEqual(ledger.prune(), ['1']);
});

test('a wall clock that leaps frees nothing, in whichever direction, before a restart and after it', () => {
  const booking = { id: '1', channel: X, atWallMs: NOW, feeMsat: 100_000n };
  let [wallMs, monotonicMs] = [NOW, 0];
  const clock = { wallMs: () => wallMs, monotonicMs: () => monotonicMs };
  const booked = new Ledger(new Earnings(), () => ALLOWANCES, clock);
  assert.ok(booked.book(booking));
  const restored = new Ledger(new Earnings(), () => ALLOWANCES, clock);
  monotonicMs += DAY_MS;
  wallMs += DAY_MS;
  restored.restore([booking], 0);
  for (const ledger of [booked, restored]) {
    for (const leapMs of [-DAY_MS, 30 * DAY_MS, 0]) {
      wallMs = NOW + DAY_MS + leapMs;
      assert.deepEqual([ledger.prune(), ledger.remainingMsat(X)], [[], 0n], String(leapMs));
    }
  }
  monotonicMs += 6 * DAY_MS;
  for (const ledger of [booked, restored]) assert.deepEqual(ledger.prune(), []);
  wallMs = NOW + WEEK_MS;
  for (const ledger of [booked, restored]) assert.deepEqual(ledger.prune(), ['1']);
});

test('with a record that nobody can read nothing is left, whatever is earned or allowed afterwards', () => {
  const earnings = new Earnings();
  const clock = new Clock();
  let allowances = { perChannelMsat: 0n, totalMsat: 0n };
  const ledger = new Ledger(earnings, () => allowances, clock);
  ledger.restore([], 1);
  earnings.settled(X, 1_000_000n, clock.wallMs());
  assert.equal(ledger.remainingMsat(X), 0n);
  allowances = { perChannelMsat: 100_000n, totalMsat: 100_000n };
  assert.equal(ledger.remainingMsat(X), 0n);
});

test('a look at the week of a thousand channels looks at each a few times only', () => {
  let looks = 0;
  class Counted extends Earnings {
    override earnedMsat(channel: string, wallMs: number): bigint {
      looks++;
      return super.earnedMsat(channel, wallMs);
    }
  }
  const earnings = new Counted();
  const clock = new Clock();
  const ledger = new Ledger(earnings, () => ALLOWANCES, clock);
  for (let n = 0; n < 1000; n++) earnings.settled(`${n}x1x0`, 1000n, clock.wallMs());
  const spent = ledger.spent();
  for (const channel of earnings.channels()) ledger.remainingMsat(channel, spent);
  assert.equal(looks, 1000);
  assert.equal(earnings.earnedByAllMsat(clock.wallMs()), 1_000_000n);
});

test('whatever is earned, booked, settled and lost in crashes: a week costs at most a quarter of it and the allowance', () => {
  const channel = fc.constantFrom(X, Y);
  const step = fc.oneof(
    fc.record({ kind: fc.constant('earn' as const), channel, msat: fc.bigInt(0n, 200_000n) }),
    fc.record({ kind: fc.constant('book' as const), channel, msat: fc.bigInt(0n, 60_000n) }),
    fc.record({
      kind: fc.constant('settle' as const),
      which: fc.nat(30),
      share: fc.integer({ min: 0, max: 100 }),
    }),
    fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(3 * DAY_MS) }),
    fc.record({ kind: fc.constant('crash' as const) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), steps => {
      let nowMs = NOW;
      const clock = { wallMs: () => nowMs, monotonicMs: () => nowMs };
      let earnings = new Earnings();
      let ledger = new Ledger(earnings, () => ALLOWANCES, clock);
      const disk = new Map<string, Booking>();
      const paid = new Map<string, { channel: string; atMs: number; msat: bigint }>();
      const earned: { channel: string; atMs: number; msat: bigint }[] = [];
      let lastId = 0;
      const week = (list: Iterable<(typeof earned)[number]>, of?: string) =>
        [...list]
          .filter(each => each.atMs > nowMs - WEEK_MS && (of === undefined || each.channel === of))
          .reduce((sum, { msat }) => sum + msat, 0n);
      // Looked at when something is booked: what was within bounds then need not be when less was earned since.
      for (const each of steps) {
        if (each.kind === 'wait') nowMs += each.ms;
        else if (each.kind === 'earn') {
          earnings.settled(each.channel, each.msat, nowMs);
          earned.push({ channel: each.channel, atMs: nowMs, msat: each.msat });
        } else if (each.kind === 'book') {
          const booking = {
            id: String(++lastId),
            channel: each.channel,
            atWallMs: nowMs,
            feeMsat: each.msat,
          };
          if (!ledger.book(booking)) continue;
          disk.set(booking.id, booking);
          // It may be paid from now on, whatever we hear of it.
          paid.set(booking.id, { channel: each.channel, atMs: nowMs, msat: each.msat });
          assert.ok(
            week(paid.values(), each.channel) <= ALLOWANCES.perChannelMsat + week(earned, each.channel) / 4n,
            'by channel',
          );
          assert.ok(week(paid.values()) <= ALLOWANCES.totalMsat + week(earned) / 4n, 'over all');
        } else if (each.kind === 'settle') {
          const id = String(each.which);
          const booked = disk.get(id);
          const entry = paid.get(id);
          if (booked === undefined || entry === undefined) continue;
          const msat = (booked.feeMsat * BigInt(each.share)) / 100n;
          const settled = ledger.settle(id, msat);
          entry.msat = msat;
          if (settled === undefined) disk.delete(id);
          else disk.set(id, settled);
        } else {
          const written = earnings.state(nowMs);
          earnings = new Earnings();
          earnings.restore(written);
          ledger = new Ledger(earnings, () => ALLOWANCES, clock);
          ledger.restore([...disk.values()], 0);
        }
      }
    }),
  );
});

for (const mode of ['active', 'passive'] as const) {
  test(`${mode}: 1,000 colluding forwards cost at most the allowance, kill -9 in between included`, async () => {
    const clock = new Clock();
    const disk = new Map<string, Booking>();
    let paidMsat = 0n;
    let circles = 0;
    const start = () => {
      const world = new World({ mode }, clock, disk);
      world.perform = async fill => {
        // Mallory's channel takes all that we would pay, and then she moves it out again.
        circles++;
        paidMsat += (fill.amountMsat * BigInt(fill.maxFeePpm)) / 1_000_000n;
        world.credit(fill.amountMsat);
        return circles % 3 === 0
          ? { status: 'unsettled' }
          : { status: 'complete', feeMsat: (fill.amountMsat * BigInt(fill.maxFeePpm)) / 1_000_000n };
      };
      return world;
    };
    let world = start();
    for (let n = 0; n < 1000; n++) {
      // She promises a fortune, and an hour passes now and then.
      const htlc = forward({ inMsat: AMOUNT_MSAT * 2n });
      await world.jit.decide(htlc, hold());
      if (mode === 'passive') {
        world.jit.localFailed(htlc.key, true);
        await new Promise(resolve => setImmediate(resolve));
      } else world.jit.failed(htlc.key, X);
      world.channels = world.channels.map(each => ({
        ...each,
        toUsMsat: 60_000_000n,
        spendableMsat: 50_000_000n,
      }));
      world.read();
      clock.nowMs += 500_000;
      if (n % 50 === 49) world = start();
    }
    assert.ok(circles > 0, 'the attack worked at all');
    assert.ok(1000 * 500_000 < WEEK_MS);
    assert.ok(paidMsat <= 100_000n, `${paidMsat} msat`);
  });
}
