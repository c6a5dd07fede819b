/** One rebalance in a network small enough to be reckoned by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { forward, Ledger } from '../../src/simulation/forwarding.ts';
import { NetworkGossip, viewOf } from '../../src/simulation/gossip.ts';
import { at, Network } from '../../src/simulation/network.ts';
import { canMove, cheapestFee, runCase, type Speech } from '../../src/simulation/rebalance-case.ts';
import { World } from '../../src/simulation/world.ts';
import { parseShortChannelId } from '../../src/wire/short-channel-id.ts';
import { DETOUR, DETOUR_BALANCES, DETOUR_RECORDS, idOf } from './sample-network.ts';

const AMOUNT_MSAT = 1_000_000_000n;
const gossip = new NetworkGossip(DETOUR);
const ofDetour = (channel: number) => DETOUR_BALANCES[channel] ?? 0;

/**
 * 2 → us carries 10^9, for which 2 takes 1000 + 50,000; 3 → 2 so 1,000,051,000, for which 3 takes 200,010; 1 → 3 so
 * 1,000,251,010, for which 1 takes 1000 + 100,025.
 */
const DETOUR_FEE = 51_000 + 200_010 + 101_025;

function detour(isSharing: (node: number) => boolean, speech: Speech, changes: object = {}) {
  const world = new World(DETOUR, gossip, { at: ofDetour });
  const init = {
    node: 0,
    amountMsat: AMOUNT_MSAT,
    maxFeePpm: 500n,
    speech,
    asks: 'as needed' as const,
    isSharing,
    ageMs: 60_000,
    maxTries: 9,
  };
  return { world, init: { ...init, ...changes } };
}

test('blind, the cheap channel fails first; then the detour is paid with the fee reckoned by hand', async () => {
  const { world, init } = detour(() => false, 'shipped');
  assert.equal(canMove(world, 0, AMOUNT_MSAT, 500n), true);
  assert.equal(await cheapestFee(world, init), DETOUR_FEE);
  assert.deepEqual(await runCase(world, init), {
    isComplete: true,
    tries: 2,
    feeMsat: DETOUR_FEE,
    answers: 0,
  });
});

for (const speech of ['ideal', 'shipped'] as const) {
  test(`with friends that share the detour is tried first (${speech})`, async () => {
    const { world, init } = detour(() => true, speech);
    assert.deepEqual(await runCase(world, init), {
      isComplete: true,
      tries: 1,
      feeMsat: DETOUR_FEE,
      // The two friends of the circle: each about its own hop, or both ways unasked.
      answers: speech === 'shipped' ? 2 : 4,
    });
  });
}

test('nothing works where the way is too dear, or a hop has an htlc limit below the amount', async () => {
  const dear = detour(() => true, 'shipped', { maxFeePpm: 352n });
  assert.equal(await cheapestFee(dear.world, dear.init), undefined);
  assert.deepEqual(await runCase(dear.world, dear.init), {
    isComplete: false,
    tries: 1,
    feeMsat: 0,
    answers: 2,
  });
  const narrow = new Network(
    DETOUR_RECORDS.map((one, channel) =>
      channel === 4
        ? { ...one, terms: [one.terms[0], { ...one.terms[1], htlcMaximum: 1_000_000_000 }] }
        : one,
    ),
  );
  const world = new World(narrow, new NetworkGossip(narrow), { at: ofDetour });
  // With the fee of 2 on top it carries 51 sat too much.
  assert.equal(await cheapestFee(world, detour(() => true, 'shipped').init), undefined);
});

test('word that has aged: what was offered has moved away, and the try fails', async () => {
  const { init } = detour(() => true, 'shipped');
  const emptied = 3;
  const world = new World(DETOUR, gossip, {
    at: (channel, atMs) => (channel === emptied && atMs >= 30_000 ? 0 : ofDetour(channel)),
  });
  const result = await runCase(world, init);
  assert.equal(result.isComplete, false);
  assert.equal(result.tries, 2);
});

test('a view shows both sides without the reserve, and the terms of the right end', () => {
  const view = viewOf(gossip, DETOUR, 1, ofDetour);
  const channel = view.channels.find(({ peerId }) => peerId === idOf(3));
  assert.equal(channel?.toUsMsat, 10_000_000_000n);
  assert.equal(channel?.spendableMsat, 9_900_000_000n);
  assert.equal(channel?.receivableMsat, 0n);
  const toUs = viewOf(gossip, DETOUR, 0, ofDetour).channels.find(({ peerId }) => peerId === idOf(2));
  assert.deepEqual(toUs?.remoteTerms, { baseFeeMsat: 1000n, feePpm: 50n, cltvExpiryDelta: 34 });
});

test('property: whatever is sent, a channel keeps its capacity, no side falls below 0, and a failure moves nothing', () => {
  const step = fc.record({
    channel: fc.integer({ min: 0, max: 4 }),
    direction: fc.constantFrom(0 as const, 1 as const),
    amount: fc.integer({ min: 1, max: 6_000_000_000 }),
  });
  let moves = 0;
  let failures = 0;
  fc.assert(
    fc.property(fc.array(fc.array(step, { minLength: 1, maxLength: 3 }), { maxLength: 20 }), payments => {
      const ledger = new Ledger(DETOUR, ofDetour);
      const balances = () => DETOUR_BALANCES.map((_, channel) => ledger.balance(channel));
      for (const steps of payments) {
        const before = balances();
        const ids = new Set(steps.map(({ channel }) => channel));
        if (ids.size < steps.length) continue;
        const hops = steps.map(({ channel, direction, amount }) => ({
          id: idOf(0),
          shortChannelId: DETOUR.shortChannelId(channel),
          direction,
          amountMsat: BigInt(amount),
          delay: 40,
        }));
        const blamed = forward(DETOUR, gossip, ledger, hops);
        if (blamed !== undefined) {
          failures++;
          assert.deepEqual(balances(), before);
          continue;
        }
        moves++;
        for (const [channel, balance] of balances().entries()) {
          const own = steps.find(other => other.channel === channel);
          const change = own === undefined ? 0 : own.direction === 0 ? -own.amount : own.amount;
          assert.equal(balance, at(Float64Array.from(before), channel) + change);
          assert.ok(balance >= 0 && balance <= DETOUR.capacity(channel));
        }
      }
    }),
  );
  assert.ok(moves > 0 && failures > 0);
});

test('a node forwards up to its reserve and its maximum, and blames the first hop that cannot', () => {
  const ledger = new Ledger(DETOUR, ofDetour);
  const hop = (id: string, direction: 0 | 1, amountMsat: bigint) => ({
    id: idOf(0),
    shortChannelId: parseShortChannelId(id) ?? 0n,
    direction,
    amountMsat,
    delay: 40,
  });
  const over = [hop('100x1x0', 0, 9_900_000_000n), hop('100x4x0', 0, 9_900_000_001n), hop('100x5x0', 1, 1n)];
  const { shortChannelId, direction } = hop('100x4x0', 0, 1n);
  assert.deepEqual(forward(DETOUR, gossip, ledger, over), { shortChannelId, direction, failcode: 0x1007 });
  assert.equal(forward(DETOUR, gossip, ledger, [hop('100x4x0', 0, 9_900_000_000n)]), undefined);
  assert.equal(ledger.balance(3), 100_000_000);
  assert.deepEqual([...ledger.moved], [3]);
});
