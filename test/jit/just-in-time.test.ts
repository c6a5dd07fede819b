/** Which forwards are held, what for, and what becomes of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { MAX_HELD } from '../../src/jit/just-in-time.ts';
import type { FillOutcome } from '../../src/jit/ports.ts';
import type { Forward, JitChannel, Reason } from '../../src/jit/types.ts';
import {
  A,
  AMOUNT_MSAT,
  B,
  B_CHANNEL,
  C,
  C_CHANNEL,
  Clock,
  channel,
  forward,
  hold,
  SIBLING,
  TERMS,
  World,
} from './world.ts';

test('what its channel can carry is continued at once, without a look at lightningd', async () => {
  const world = new World();
  assert.equal(world.jit.decide(forward({ outMsat: 50_000_000n }), hold()), undefined);
  assert.deepEqual([world.reads, world.fills, world.jit.enough], [0, [], 1]);
});

test('what is continued is promised: the next one in the same moment sees less', () => {
  const world = new World({ mode: 'passive' });
  const first = forward({ outMsat: 30_000_000n });
  world.jit.decide(first, hold());
  world.jit.decide(first, hold());
  assert.equal(world.book.spendableMsat(first.channelId), 20_000_000n, 'a replay takes nothing more');
  world.jit.decide(forward({ outMsat: 30_000_000n }), hold());
  assert.equal(world.jit.enough, 2);
  world.jit.offered(first.key, '103x1x0', 30_000_000n);
  assert.equal(world.book.spendableMsat(first.channelId), 20_000_000n, 'offered, it is gone for good');
  world.clock.nowMs += 60_000;
  const other = forward({ outMsat: 20_000_000n });
  world.jit.decide(other, hold());
  world.jit.localFailed(other.key, false);
  assert.equal(world.book.spendableMsat(first.channelId), 20_000_000n, 'what did not leave is free again');
});

test('what came in for good is there, but not where it may be wrong on the rich side', () => {
  const world = new World();
  const spendable = () => world.book.spendableMsat(B_CHANNEL);
  world.book.left(B_CHANNEL, 30_000_000n);
  world.book.came(B_CHANNEL, 10_000_000n);
  assert.equal(spendable(), 30_000_000n);
  const reading = world.book.beginReading();
  world.book.came(B_CHANNEL, 10_000_000n);
  assert.equal(spendable(), 30_000_000n, 'what is being read may show it already');
  reading.take([channel({ spendableMsat: 0n })]);
  world.book.came(B_CHANNEL, 10_000_000n);
  assert.equal(spendable(), 0n, 'its reserve comes first');
  world.book.came('ee'.repeat(32), 1n);
});

test('passive: nothing is held; a failure fills the channel afterwards, once an hour', async () => {
  const world = new World({ mode: 'passive' });
  const fail = async () => {
    const htlc = forward();
    assert.equal(world.jit.decide(htlc, hold()), undefined);
    world.jit.localFailed(htlc.key, true);
    await setImmediate();
    world.channels = [channel()];
    world.read();
  };
  await fail();
  assert.equal(world.fills.length, 1);
  assert.equal(world.fills[0]?.channel, '103x1x0');
  // 100,000 sat, less the 50,000 that are there, and 1 % and 1,000 sat more.
  assert.equal(world.fills[0]?.amountMsat, 52_000_000n);
  world.clock.nowMs += 3_599_999;
  await fail();
  assert.deepEqual([world.fills.length, world.count('once_an_hour')], [1, 1]);
  world.clock.nowMs += 1;
  await fail();
  assert.deepEqual([world.fills.length, world.count('filled')], [2, 2]);
});

test('passive: failures for other reasons, and of HTLCs that nobody saw, fill nothing', async () => {
  const world = new World({ mode: 'passive' });
  const htlc = forward();
  world.jit.decide(htlc, hold());
  world.jit.localFailed(htlc.key, false);
  world.jit.localFailed('9x9x9/7', true);
  await setImmediate();
  assert.deepEqual(world.fills, []);
});

test('active: held, filled, continued; the ledger keeps what it did cost', async () => {
  const world = new World();
  const decided = world.jit.decide(forward(), hold());
  assert.ok(decided instanceof Promise);
  assert.equal(world.jit.held, 1);
  assert.equal(await decided, undefined);
  assert.deepEqual([world.jit.held, world.jit.underWay, world.count('filled')], [0, 0, 1]);
  assert.equal(world.ledger.spent().byAllMsat, 1000n);
  assert.deepEqual(
    [...world.disk.values()].map(({ feeMsat }) => feeMsat),
    [1000n],
  );
});

test('active: it is booked on the disk at the most that it can cost before it is sent', async () => {
  const world = new World();
  let booked: bigint[] = [];
  world.perform = async fill => {
    booked = [...world.disk.values()].map(({ feeMsat }) => feeMsat);
    assert.equal(booked[0], (fill.amountMsat * BigInt(fill.maxFeePpm)) / 1_000_000n);
    return { status: 'failed' };
  };
  await world.jit.decide(forward(), hold());
  // Half of a tenth of 100 sat, rounded down by the ppm.
  assert.ok((booked[0] ?? 0n) > 4_900n && (booked[0] ?? 0n) <= 5_000n, String(booked));
  assert.deepEqual([world.count('failed'), world.disk.size], [1, 0], 'what certainly failed cost nothing');
});

test('active: what is booked while the clock is set back counts after a restart with the right one', async () => {
  const world = new World();
  const rightMs = world.clock.nowMs;
  world.perform = async () => ({ status: 'unsettled' });
  world.clock.wallMs = () => rightMs - 30 * 86_400_000;
  await world.jit.decide(forward(), hold());
  const restarted = new World({}, new Clock(), world.disk);
  assert.ok(restarted.ledger.spent().byAllMsat > 4_900n);
});

test('active: a booking that cannot be written is no booking, and nothing is sent', async () => {
  const world = new World();
  world.write = () => Promise.reject(new Error('disk full'));
  await world.jit.decide(forward(), hold());
  assert.deepEqual([world.fills, world.count('ledger')], [[], 1]);
  assert.equal(world.ledger.spent().byAllMsat, 0n);
});

test('active: a circle of unknown end stays booked at its most', async () => {
  const world = new World();
  world.perform = async () => ({ status: 'unsettled' });
  await world.jit.decide(forward(), hold());
  assert.equal(world.count('unsettled'), 1);
  assert.ok(world.ledger.spent().byAllMsat > 4_900n);
  const restarted = new World({}, world.clock, world.disk);
  assert.equal(restarted.ledger.spent().byAllMsat, world.ledger.spent().byAllMsat);
});

test('active: the money is taken when it arrives, before the circle is told to be complete', async () => {
  const world = new World();
  let complete = (_outcome: FillOutcome) => {};
  world.perform = () =>
    new Promise(resolve => {
      complete = resolve;
    });
  const decided = world.jit.decide(forward(), hold());
  await setImmediate();
  assert.equal(world.fills.length, 1);
  world.jit.arrived('ff'.repeat(32));
  world.credit(1_000_000n);
  world.jit.arrived(forward().channelId);
  await setImmediate();
  assert.deepEqual([world.jit.held, world.count('filled')], [1, 0], 'too little of it');
  world.credit(60_000_000n);
  world.jit.arrived(forward().channelId);
  assert.equal(await decided, undefined);
  assert.deepEqual([world.count('filled'), world.jit.underWay], [1, 1]);
  complete({ status: 'complete', feeMsat: 7n });
  await setImmediate();
  assert.deepEqual([world.jit.underWay, world.ledger.spent().byAllMsat], [0, 7n]);
});

test('active: when the hold is over it is late, and the circle still counts', async () => {
  const world = new World();
  let complete = (_outcome: FillOutcome) => {};
  world.perform = () =>
    new Promise(resolve => {
      complete = resolve;
    });
  const call = hold();
  const decided = world.jit.decide(forward(), call);
  await setImmediate();
  call.end();
  assert.equal(await decided, undefined);
  assert.deepEqual([world.jit.held, world.jit.underWay, world.count('late')], [0, 1, 1]);
  world.credit(60_000_000n);
  complete({ status: 'complete', feeMsat: 1234n });
  await setImmediate();
  assert.deepEqual([world.jit.underWay, world.ledger.spent().byAllMsat], [0, 1234n]);
  assert.equal(world.count('filled'), 0, 'not for the forward');
});

test('active: over before the circle was sent, nothing is sent', async () => {
  const world = new World();
  const call = hold();
  world.denied = {
    has: () => {
      call.end();
      return false;
    },
  } as unknown as Set<string>;
  await world.jit.decide(forward(), call);
  await setImmediate();
  assert.deepEqual([world.fills, world.disk.size, world.count('late')], [[], 0, 1]);
});

test('active: over while the booking was written, nothing is sent and the booking is gone', async () => {
  const world = new World();
  const call = hold();
  const write = world.write;
  world.write = async booking => {
    await write(booking);
    call.end();
  };
  await world.jit.decide(forward(), call);
  await setImmediate();
  assert.deepEqual([world.fills, world.disk.size, world.count('late')], [[], 0, 1]);
  assert.equal(world.ledger.spent().byAllMsat, 0n);
});

test('active: a sibling that was filled, or has enough, is named only if it may carry the forward', async () => {
  const sibling = (changes: Partial<JitChannel> = {}) =>
    channel({ channelId: SIBLING, names: ['104x1x0'], ...changes });
  const cases: readonly (readonly [JitChannel, boolean])[] = [
    [sibling(), true],
    [sibling({ isNormal: false }), false],
    [sibling({ isUsable: false }), false],
    [sibling({ hasSlot: false }), false],
    [sibling({ terms: undefined }), false],
    [sibling({ terms: { ...TERMS, feePpm: 1001n } }), false],
    [sibling({ terms: { ...TERMS, cltvExpiryDelta: 11 } }), false],
    [sibling({ limits: { minimumMsat: 0n, maximumMsat: AMOUNT_MSAT - 1n } }), false],
    [sibling({ limits: { minimumMsat: AMOUNT_MSAT + 1n, maximumMsat: AMOUNT_MSAT * 2n } }), false],
    [sibling({ peerId: C }), false],
  ];
  for (const [each, isNamed] of cases) {
    for (const isThereBefore of [true, false]) {
      const world = new World();
      world.channels = [channel(), each];
      world.read();
      world.perform = async fill => {
        world.credit(fill.amountMsat, SIBLING);
        return { status: 'complete', feeMsat: 1n };
      };
      if (isThereBefore) world.credit(60_000_000n, SIBLING);
      const decision = await world.jit.decide(forward(), hold());
      assert.deepEqual(decision, isNamed ? { forwardTo: SIBLING } : undefined, JSON.stringify(each.names));
      const reason: Reason = !isNamed
        ? 'filled_but_gone'
        : isThereBefore
          ? 'sibling_had_enough'
          : 'filled_sibling';
      assert.equal(world.count(reason), 1, `${reason}: ${[...world.jit.counts]}`);
    }
  }
});

test('active: a book that was wrong on the poor side costs one look and nothing else', async () => {
  const world = new World();
  world.channels = [channel({ spendableMsat: AMOUNT_MSAT })];
  assert.equal(await world.jit.decide(forward(), hold()), undefined);
  assert.deepEqual([world.reads, world.fills, world.count('enough_after_all')], [1, [], 1]);
});

test('active: of forwards that look in the same moment one takes what is there, the next is filled for', async () => {
  const world = new World();
  world.channels = [channel({ spendableMsat: AMOUNT_MSAT })];
  const both = [forward(), forward()].map(htlc => world.jit.decide(htlc, hold()));
  await Promise.all(both);
  assert.deepEqual(
    [...world.jit.counts],
    [
      ['enough_after_all', 1],
      ['filled', 1],
    ],
  );
  assert.equal(world.fills[0]?.amountMsat, 102_000_000n);
});

test('active: a book that was wrong on the rich side is put right by the first failure', async () => {
  const world = new World();
  world.channels = [channel({ spendableMsat: 2n * AMOUNT_MSAT })];
  world.read();
  // A payment of our own has left, of which nothing is told before it ends.
  world.channels = [channel()];
  const first = forward();
  assert.equal(world.jit.decide(first, hold()), undefined);
  world.jit.localFailed(first.key, true);
  await setImmediate();
  assert.deepEqual([world.reads, world.jit.enough], [1, 1]);
  await world.jit.decide(forward(), hold());
  assert.equal(world.count('filled'), 1);
  // Failures of what the book says as well ask for nothing.
  const reads = world.reads;
  world.channels = [channel()];
  world.read();
  const large = forward();
  world.settings.mode = 'passive';
  world.jit.decide(large, hold());
  world.settings.mode = 'active';
  world.jit.localFailed(large.key, true);
  await setImmediate();
  assert.equal(world.reads, reads);
});

test('active: each refusal lets go, at once where it is certain, and is counted by its reason', async () => {
  const cases: readonly (readonly [Reason, Partial<JitChannel>, Partial<Forward>, (world: World) => void])[] =
    [
      ['unknown_channel', {}, { channelId: 'ee'.repeat(32) }, () => {}],
      ['not_normal', { isNormal: false }, {}, () => {}],
      ['not_connected', { isUsable: false }, {}, () => {}],
      ['would_fail', { hasSlot: false }, {}, () => {}],
      ['would_fail', { terms: undefined }, {}, () => {}],
      ['would_fail', { limits: { minimumMsat: 0n, maximumMsat: AMOUNT_MSAT - 1n } }, {}, () => {}],
      ['would_fail', {}, { inMsat: AMOUNT_MSAT + 99_999n }, () => {}],
      ['would_fail', {}, { inBlocks: 35 }, () => {}],
      ['expiry', {}, { inBlocks: 14, outBlocks: 8 }, () => {}],
      ['too_large', { totalMsat: 111_000_000n }, {}, () => {}],
      ['own_circle', {}, {}, world => world.jit.ownInvoice(forward().paymentHash)],
      ['cost', { terms: { ...TERMS, feePpm: 0n } }, {}, () => {}],
      ['ledger', {}, {}, world => world.ledger.restore([], 1)],
      [
        'budget',
        {},
        {},
        ({ ledger, clock }) =>
          ledger.restore([{ id: 'x', channel: '103x1x0', atWallMs: clock.wallMs(), feeMsat: 100_000n }], 0),
      ],
    ];
  for (const [reason, changes, htlc, prepare] of cases) {
    const world = new World();
    world.channels = [channel(changes)];
    world.read();
    prepare(world);
    const decided = world.jit.decide(forward(htlc), hold());
    // Of our own terms no notification tells, nor of a channel that is reestablished.
    const needsLook = reason === 'would_fail' || reason === 'cost' || reason === 'not_connected';
    assert.equal(decided instanceof Promise, needsLook, reason);
    assert.equal(await decided, undefined);
    assert.deepEqual([...world.jit.counts], [[reason, 1]]);
    assert.deepEqual([world.reads, world.fills], [needsLook ? 1 : 0, []]);
  }
});

test('fees that were lowered since the channel was read count as they are now', async () => {
  for (const mode of ['active', 'passive'] as const) {
    const world = new World({ mode });
    world.channels = [channel({ terms: { ...TERMS, feePpm: 5000n } })];
    world.read();
    world.channels = [channel()];
    const htlc = forward();
    await world.jit.decide(htlc, hold());
    world.jit.localFailed(htlc.key, true);
    await setImmediate();
    assert.equal(world.count('filled'), 1, mode);
  }
});

test('a channel that was reestablished long after its peer had connected counts as it is now', async () => {
  for (const mode of ['active', 'passive'] as const) {
    const world = new World({ mode });
    world.channels = [channel({ isUsable: false })];
    world.read();
    world.channels = [channel()];
    const htlc = forward();
    await world.jit.decide(htlc, hold());
    world.jit.localFailed(htlc.key, true);
    await setImmediate();
    assert.equal(world.count('filled'), 1, mode);
  }
});

test('passive: a failure that nothing could be done about does not use up the hour', async () => {
  const world = new World({ mode: 'passive' });
  for (const isUsable of [false, true]) {
    world.channels = [channel({ isUsable })];
    const htlc = forward();
    world.jit.decide(htlc, hold());
    world.jit.localFailed(htlc.key, true);
    await setImmediate();
  }
  assert.deepEqual(
    [...world.jit.counts],
    [
      ['not_connected', 1],
      ['filled', 1],
    ],
  );
});

test('passive: of failures in the same moment one asks lightningd, and fills', async () => {
  const world = new World({ mode: 'passive' });
  world.perform = async () => ({ status: 'failed' });
  const failed = Array.from({ length: 483 }, () => forward());
  for (const htlc of failed) world.jit.decide(htlc, hold());
  for (const { key } of failed) world.jit.localFailed(key, true);
  await setImmediate();
  assert.deepEqual([world.fills.length, world.reads, world.deniedAsked], [1, 1, 1]);
  assert.deepEqual([world.count('under_way'), world.count('failed')], [482, 1]);
});

test('active: denied peers, of whichever end', async () => {
  for (const peer of [A, B]) {
    const world = new World();
    world.denied = new Set([peer]);
    assert.equal(await world.jit.decide(forward(), hold()), undefined);
    assert.deepEqual([world.fills, [...world.jit.counts]], [[], [['denied', 1]]]);
  }
});

test('active: no circle, too dear a one, and no plugin to ask', async () => {
  for (const found of ['no_circle', 'too_dear', 'no_balancesharing', 'error'] as const) {
    const world = new World();
    world.found = found;
    await world.jit.decide(forward(), hold());
    assert.deepEqual([world.fills, [...world.jit.counts]], [[], [[found, 1]]]);
    assert.equal(world.jit.underWay, 0);
  }
});

test('active: one circle for each peer, none for what comes from those on it, and a bound on what is held', async () => {
  const world = new World();
  world.perform = () => new Promise(() => {});
  const other = channel({ channelId: C_CHANNEL, peerId: C, names: ['105x1x0'] });
  world.channels = [channel(), other];
  world.read();
  // In the same moment: all look, one fills.
  const first = [forward(), forward(), forward()].map(htlc => world.jit.decide(htlc, hold()));
  await setImmediate();
  assert.deepEqual([world.fills.length, world.jit.held, world.count('under_way')], [1, 1, 2]);
  assert.equal(await first[1], undefined);
  assert.equal(world.jit.decide(forward(), hold()), undefined);
  assert.equal(world.count('under_way'), 3);
  // C is on the circle: what it sends may be its answer to that.
  assert.equal(world.jit.decide(forward({ channelId: C_CHANNEL, inPeerId: C }), hold()), undefined);
  assert.equal(world.count('recursion'), 1);

  const busy = new World({ allowances: { perChannelMsat: 10n ** 9n, totalMsat: 10n ** 12n } });
  busy.perform = () => new Promise(() => {});
  busy.found = { outPeerId: C, peers: [C] };
  busy.channels = Array.from({ length: MAX_HELD + 5 }, (_, n) => {
    const id = (n + 16).toString(16).padStart(2, '0');
    return channel({ channelId: id.repeat(32), peerId: `03${id.repeat(32)}`, names: [`1x${n}x0`] });
  });
  busy.read();
  for (const { channelId } of busy.channels) busy.jit.decide(forward({ channelId }), hold());
  await setImmediate();
  assert.deepEqual([busy.jit.held, busy.count('too_many_held')], [MAX_HELD, 5]);
});

test('active: a look that ends after the hold promises nothing to what has gone on', async () => {
  for (const isFilled of [false, true]) {
    const world = new World();
    let answer = () => {};
    const readLater = () => {
      world.reading = new Promise(resolve => {
        answer = resolve;
      });
    };
    if (isFilled) {
      world.perform = async fill => {
        world.credit(fill.amountMsat);
        readLater();
        return { status: 'complete', feeMsat: 1n };
      };
    } else {
      world.channels = [channel({ spendableMsat: AMOUNT_MSAT })];
      readLater();
    }
    const call = hold();
    const htlc = forward();
    const decided = world.jit.decide(htlc, call);
    await setImmediate();
    call.end();
    await decided;
    assert.equal(world.count('late'), 1);
    world.jit.localFailed(htlc.key, true);
    answer();
    await setImmediate();
    const [read] = world.channels;
    assert.equal(world.book.spendableMsat(B_CHANNEL), read?.spendableMsat);
  }
});

test('active: lightningd that does not answer lets the forward go', async () => {
  const world = new World();
  world.denied = {
    has: () => {
      throw new Error('lightningd is gone');
    },
  } as unknown as Set<string>;
  assert.equal(await world.jit.decide(forward(), hold()), undefined);
  assert.deepEqual([world.jit.held, world.count('error')], [0, 1]);
});

test('a forward that we paid for and that did not leave after all counts as failed', async () => {
  const world = new World();
  const htlc = forward();
  await world.jit.decide(htlc, hold());
  for (let n = 0; n < 19; n++) world.jit.settled(`1x1x1/${n}`, '103x1x0', 1000n);
  world.jit.localFailed(htlc.key, true);
  assert.deepEqual(world.earnings.share('103x1x0', world.clock.nowMs), { settled: 19n, ended: 20n });
  world.jit.localFailed('1x1x1/77', true);
  assert.deepEqual(world.earnings.share('103x1x0', world.clock.nowMs), { settled: 19n, ended: 20n });
});

test('below its reserve a channel needs the rest of it, too', async () => {
  const world = new World();
  world.channels = [channel({ toUsMsat: 4_000_000n, spendableMsat: 0n, commitmentFeeMsat: 2_000_000n })];
  world.read();
  world.perform = async () => ({ status: 'failed' });
  await world.jit.decide(forward(), hold());
  // 100,000 sat, 2,000 of margin, 6,000 up to the reserve, three times the fee of 2,000.
  assert.equal(world.fills[0]?.amountMsat, 114_000_000n);
});

test('a circle may come home over a sibling with a larger reserve: it brings enough for that one', async () => {
  const world = new World();
  const empty = { toUsMsat: 0n, spendableMsat: 0n };
  world.channels = [
    channel(empty),
    channel({ ...empty, channelId: SIBLING, names: ['104x1x0'], reserveMsat: 80_000_000n }),
    channel({
      ...empty,
      channelId: C_CHANNEL,
      names: ['105x1x0'],
      reserveMsat: 900_000_000n,
      isNormal: false,
    }),
  ];
  world.read();
  world.perform = async () => ({ status: 'failed' });
  await world.jit.decide(forward(), hold());
  assert.equal(world.fills[0]?.amountMsat, 182_000_000n);
});

test('what nothing was heard of is forgotten after a while, and above a number', () => {
  const world = new World({ mode: 'passive' });
  const first = forward({ outMsat: 1000n });
  world.jit.decide(first, hold());
  world.clock.nowMs += 9_999;
  for (let n = 0; n < 9_999; n++) world.jit.decide(forward({ outMsat: 1n }), hold());
  assert.equal(world.book.spendableMsat(first.channelId), 50_000_000n - 1000n - 9_999n);
  world.jit.decide(forward({ outMsat: 1n }), hold());
  assert.equal(world.book.spendableMsat(first.channelId), 50_000_000n - 10_000n, 'the oldest gave way');
  world.clock.nowMs += 10_000;
  world.book.expire(world.clock.nowMs);
  assert.equal(world.book.spendableMsat(first.channelId), 50_000_000n);
  assert.equal(world.book.ended(first.key), undefined);
});
