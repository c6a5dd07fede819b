import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { BALANCE_KINDS, drawBalances } from '../../src/simulation/balances.ts';
import { BadNetworkError, networkOf, readNetwork } from '../../src/simulation/listed-network.ts';
import { madeUpNetwork } from '../../src/simulation/made-up-network.ts';
import { MovingBalances } from '../../src/simulation/moving-balances.ts';
import { at, type Network } from '../../src/simulation/network.ts';
import { Random } from '../../src/simulation/random.ts';
import { idOf } from './sample-network.ts';

function listed(source: number, destination: number, id: string, changes: object = {}) {
  return {
    source: idOf(source),
    destination: idOf(destination),
    short_channel_id: id,
    public: true,
    active: true,
    amount_msat: 5_000_000,
    base_fee_millisatoshi: 1000,
    fee_per_millionth: 10 * source,
    delay: 34,
    htlc_minimum_msat: 1,
    htlc_maximum_msat: 4_950_000,
    ...changes,
  };
}

test('channels active in both directions are read, by id and direction; others are not', () => {
  const network = networkOf({
    channels: [
      listed(2, 1, '101x1x0'),
      listed(1, 2, '101x1x0'),
      listed(1, 3, '100x1x0'),
      listed(3, 1, '100x1x0', { active: false }),
      listed(1, 4, '102x1x0'),
    ],
  });
  assert.deepEqual(network.nodeIds, [idOf(1), idOf(2)]);
  assert.equal(network.channelCount, 1);
  assert.equal(network.capacity(0), 5_000_000);
  assert.deepEqual([network.feePpm(0, 0), network.feePpm(0, 1)], [10, 20]);
  assert.equal(network.feeAt(0, 1, 1_000_000), 1020);
  assert.equal(network.htlcMaximum(0, 1), 4_950_000);
  assert.deepEqual([network.source(0, 1), network.destination(0, 1), network.peer(0, 0)], [1, 0, 1]);
});

test('a file is read plain and gzipped; what is wrong with one is said', t => {
  const folder = mkdtempSync(join(tmpdir(), 'bs-simulation-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'channels.json');
  const good = JSON.stringify({ channels: [listed(1, 2, '1x1x1'), listed(2, 1, '1x1x1')] });
  for (const bytes of [good, gzipSync(good)]) {
    writeFileSync(path, bytes);
    assert.equal(readNetwork(path).channelCount, 1);
  }
  const bad: readonly (readonly [string, RegExp])[] = [
    ['{', /channels\.json: .*JSON/],
    ['{"nodes": []}', /no list of channels/],
    ['{"channels": [{"source": 3}]}', /channels\.0\.source/],
    ['{"channels": []}', /active in both directions/],
    [
      JSON.stringify({ channels: [listed(1, 2, '1x1x1'), listed(3, 1, '1x1x1')] }),
      /channels\.1: not the other/,
    ],
    [
      JSON.stringify({
        channels: [listed(1, 2, '1x1x1', { htlc_minimum_msat: 4_950_001 }), listed(2, 1, '1x1x1')],
      }),
      /1 of 2 active directions have a maximum below their minimum/,
    ],
  ];
  for (const [text, message] of bad) {
    writeFileSync(path, text);
    assert.throws(
      () => readNetwork(path),
      error => error instanceof BadNetworkError && message.test(error.message),
    );
  }
  assert.throws(() => readNetwork(join(folder, 'none')), BadNetworkError);
});

function reachedFrom(start: number, network: Network): number {
  const reached = new Set([start]);
  // A set is walked on to what is added meanwhile.
  for (const node of reached) {
    for (const channel of network.channelsOf(node)) reached.add(network.peer(channel, node));
  }
  return reached.size;
}

test('a made-up network: as many channels as asked for, connected, the same by seed, with large and small nodes', () => {
  const network = madeUpNetwork(2000, new Random(7));
  assert.equal(network.channelCount, 2000);
  assert.equal(reachedFrom(0, network), network.nodeCount);
  const records = (seed: number) => {
    const made = madeUpNetwork(100, new Random(seed));
    return Array.from({ length: 100 }, (_, channel) => made.record(channel));
  };
  assert.deepEqual(records(7), records(7));
  assert.notDeepEqual(records(7), records(8));
  const degrees = network.nodeIds.map((_, node) => network.degree(node)).sort((a, b) => a - b);
  assert.ok((degrees[Math.floor(degrees.length / 2)] ?? 0) <= 4 && (degrees.at(-1) ?? 0) >= 100);
});

test('balances lie within the capacity; by kind all on one side, and worn where it is cheaper', () => {
  const network = madeUpNetwork(4000, new Random(1));
  for (const kind of BALANCE_KINDS) {
    const balances = drawBalances(network, kind, new Random(2));
    let sided = 0;
    let worn = 0;
    let unlike = 0;
    for (const [channel, balance] of balances.entries()) {
      assert.ok(Number.isInteger(balance) && balance >= 0 && balance <= network.capacity(channel));
      if (balance === 0 || balance === network.capacity(channel)) sided++;
      const fees = [network.feeAt(channel, 0, 1e8), network.feeAt(channel, 1, 1e8)] as const;
      if (fees[0] === fees[1]) continue;
      unlike++;
      if (fees[0] < fees[1] === balance < network.capacity(channel) / 2) worn++;
    }
    assert.equal(sided === network.channelCount, kind !== 'uniform');
    const [low, high] = kind === 'depleted' ? [0.88, 0.92] : [0.47, 0.53];
    assert.ok(worn / unlike > low && worn / unlike < high, `${kind}: ${worn / unlike}`);
  }
});

test('one balance in a hundred moves in a minute, once', () => {
  const network = madeUpNetwork(20_000, new Random(1));
  const moving = new MovingBalances(network, 'uniform', new Random(3));
  const moved = (fromMs: number, toMs: number) =>
    network.shortChannelIds.filter((_, channel) => moving.at(channel, fromMs) !== moving.at(channel, toMs))
      .length;
  assert.equal(moved(0, 0), 0);
  const minute = moved(0, 60_000) / network.channelCount;
  assert.ok(minute > 0.008 && minute < 0.012, String(minute));
  assert.equal(moved(0, 1e12), network.channelCount);
});

test('chance: a fork depends on its name alone, and the figures are the same on every machine', () => {
  const random = new Random(1);
  const before = random.fork('a').real();
  random.real();
  assert.equal(random.fork('a').real(), before);
  assert.notEqual(random.fork('b').real(), before);
  assert.equal(new Random(random.fork('a').path).real(), before);
  const pinned = new Random(1);
  assert.deepEqual(
    [pinned.real(), pinned.below(1000), pinned.shuffle([1, 2, 3, 4, 5])],
    [0.3081664853860775, 471, [2, 5, 1, 3, 4]],
  );
  assert.equal(at(Float64Array.of(3), 0), 3);
  assert.throws(() => at(Float64Array.of(3), 1), RangeError);
});
