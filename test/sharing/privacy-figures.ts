/**
 * Computes the figures of docs/privacy.md, on the modules that answer:
 * `node --import tsx test/sharing/privacy-figures.ts`
 */
import { keyedHash } from '../../src/sharing/keyed-hash.ts';
import type { OwnChannel } from '../../src/sharing/node-view.ts';
import { RUNGS_MSAT } from '../../src/sharing/rungs.ts';
import { Snapshot } from '../../src/sharing/snapshot.ts';
import type { Flow } from '../../src/wire/codec.ts';
import { balances } from './privacy-world.ts';
import { BLOCK_HEIGHT, channel, nodeId, view } from './world.ts';

const WALL_MS = 1_795_327_687_123;
const OBSERVER = nodeId(9999);
const SAT = 1000;

/** The same figures at every run: mulberry32. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const print = (...columns: readonly (string | number)[]) =>
  process.stdout.write(`| ${columns.join(' | ')} |\n`);
const heading = (text: string) => process.stdout.write(`\n${text}\n`);
const sats = (amount: number) => Math.round(amount).toLocaleString('en');
const percent = (part: number) => `${Number((100 * part).toPrecision(2))} %`;
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const quantile = (values: readonly number[], part: number) =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(part * values.length))] ??
  Number.NaN;

const RUNGS = RUNGS_MSAT.slice(0, 16).map(rung => Number(rung) / SAT);
/** What a channel can move at most, in satoshis: 1 % stays as reserve. */
const most = (capacity: number) => capacity * 0.99;

/** What is left of a movable amount by the rungs: at least, and less than. */
function bounds(movable: number, capacity: number, rungs: readonly number[]): [number, number] {
  const asked = rungs.filter(rung => rung <= most(capacity));
  const low = asked.findLast(rung => rung <= movable) ?? 0;
  const high = asked.find(rung => rung > movable) ?? most(capacity);
  return [low, high];
}

heading('One channel, all questions asked that help');
print(
  'capacity, sat',
  'rungs below',
  'questions for it',
  'for all such',
  'narrowest',
  'widest',
  'bits learned',
  'of',
);
for (const capacity of [100_000, 1_000_000, 5_000_000, 16_777_215]) {
  const rungs = RUNGS.filter(rung => rung <= most(capacity));
  const widths = [0, ...rungs].map(low => {
    const [from, to] = bounds(low, capacity, RUNGS);
    return to - from;
  });
  // Out at the lowest rung, in at the lowest rung, then a binary search among the rungs above.
  const questions = 2 + Math.ceil(Math.log2(rungs.length));
  const bits = widths.map(width => (width / most(capacity)) * Math.log2(most(capacity) / width));
  print(
    sats(capacity),
    rungs.length,
    questions,
    2 * rungs.length,
    sats(Math.min(...widths)),
    sats(Math.max(...widths)),
    bits.reduce((sum, part) => sum + part, 0).toFixed(1),
    Math.log2(capacity).toFixed(1),
  );
}

const CAPACITIES = [1_000_000, 2_000_000, 5_000_000, 16_000_000];

function own(peer: number, capacity: number, part: number): OwnChannel {
  const totalMsat = BigInt(capacity * SAT);
  const limits = { minimumMsat: 1n, maximumMsat: (totalMsat * 99n) / 100n };
  return channel(peer, `100x${peer}x0`, 0, {
    totalMsat,
    ...balances(totalMsat, BigInt(Math.round(capacity * part * SAT))),
    localLimits: limits,
    remoteLimits: limits,
  });
}

/** A node with `count` friends, each with one channel, whose balances lie anywhere or nearly all on one side. */
function node(count: number, random: () => number, isDepleted: boolean): OwnChannel[] {
  return Array.from({ length: count }, (_, index) => {
    const capacity = CAPACITIES[Math.floor(random() * CAPACITIES.length)] ?? 0;
    const depleted = random() < 0.5 ? 0.1 * random() : 1 - 0.1 * random();
    return own(index + 1, capacity, isDepleted ? depleted : random());
  });
}

function snapshotOf(channels: readonly OwnChannel[], key: number) {
  const hash = keyedHash(Buffer.alloc(32, key));
  const snapshot = new Snapshot({ view: view(channels), minDepth: 0, omitPercent: 0, wallMs: WALL_MS, hash });
  return (flow: Flow, rung: number) =>
    new Set(snapshot.channelsFor(OBSERVER, flow, BigInt(rung * SAT), view(channels, BLOCK_HEIGHT)));
}

const trueNu = (channels: readonly OwnChannel[]) =>
  Number(channels.reduce((sum, one) => sum + one.toUsMsat, 0n)) /
  Number(channels.reduce((sum, one) => sum + one.totalMsat, 0n));

/** What an observer makes of all answers at some rungs. */
function observe(channels: readonly OwnChannel[], key: number, rungs: readonly number[]) {
  const ask = snapshotOf(channels, key);
  const answers = ([1, 0] as const).map(flow => rungs.map(rung => ask(flow, rung)));
  let [low, high] = [0, 1];
  let [ours, total, bits, seen] = [0, 0, 0, 0];
  for (const { shortChannelId = 0n, totalMsat } of channels) {
    const capacity = Number(totalMsat) / SAT;
    for (const flow of [1, 0] as const) {
      const at = rungs.filter((_, index) => answers[1 - flow]?.[index]?.has(shortChannelId));
      const highest = at.at(-1);
      if (highest === undefined) continue;
      const [from, to] = bounds(highest, capacity, rungs);
      const reserve = capacity - most(capacity);
      // What lies above the last rung may reach to the capacity.
      const part: [number, number] = [from / capacity, Math.min(1, (to + reserve) / capacity)];
      if (flow === 1) high = Math.min(high, part[1] - 0.02);
      else low = Math.max(low, 1 - part[1] + 0.02);
      const middle = (part[0] + part[1]) / 2;
      ours += (flow === 1 ? middle : 1 - middle) * capacity;
      total += capacity;
      bits += Math.log2(capacity / (to - from));
      seen++;
    }
  }
  const nu = trueNu(channels);
  const named = answers.flat().map(ids => ids.size / channels.length);
  const error = total === 0 ? 0.5 : Math.abs(ours / total - nu);
  return { width: high - low, error, bits: bits / channels.length, seen: seen / channels.length, named };
}

const HOUR_RUNGS = [10_000, 100_000, 500_000, 2_000_000];
const DAY_RUNGS = RUNGS.filter(rung => rung <= 16_000_000);
heading(`All channels of a node: 4 rungs each way in an hour, ${DAY_RUNGS.length} in a day, 300 nodes each`);
print(
  'balances',
  'friends',
  'asked',
  'named at all',
  'bits each',
  'surely within: ν',
  'estimate of ν off by',
  'in 1 of 20 by',
);
for (const isDepleted of [false, true]) {
  for (const count of [10, 50, 200]) {
    for (const [name, rungs] of [
      ['hour', HOUR_RUNGS],
      ['day', DAY_RUNGS],
    ] as const) {
      const random = randomFrom(count);
      const runs = Array.from({ length: 300 }, (_, key) =>
        observe(node(count, random, isDepleted), key % 256, rungs),
      );
      print(
        isDepleted ? 'at one end' : 'anywhere',
        count,
        name,
        percent(mean(runs.map(run => run.seen))),
        mean(runs.map(run => run.bits)).toFixed(1),
        quantile(
          runs.map(run => run.width),
          0.5,
        ).toFixed(2),
        quantile(
          runs.map(run => run.error),
          0.5,
        ).toFixed(3),
        quantile(
          runs.map(run => run.error),
          0.95,
        ).toFixed(3),
      );
    }
  }
}

/**
 * Two friends move an amount from one to the other through us, and one asks where the other's channel turns: our total
 * stays, so the two turns lie at ν + m and ν − m.
 */
function searchNu(random: () => number, key: number, questions: number): number {
  const others = node(100, random, false);
  const capacity = 5_000_000;
  const at = (part: number) => [...others, own(201, capacity, part), own(202, capacity, 1 - part)];
  const turn = (flow: Flow) => {
    let [low, high] = [0.005, 0.995];
    for (let asked = 0; asked < questions / 2; asked++) {
      const middle = (low + high) / 2;
      const channels = at(middle);
      const isNamed = snapshotOf(channels, key)(flow, 10_000).has(channels[100]?.shortChannelId ?? 0n);
      if (isNamed === (flow === 1)) high = middle;
      else low = middle;
    }
    return (low + high) / 2;
  };
  return Math.abs((turn(1) + turn(0)) / 2 - trueNu(at(0.5)));
}

heading('Two friends who move an amount through us between questions: ν found, 200 nodes of 100 channels');
print('questions', 'off by, median', 'in 1 of 20', 'at most');
for (const questions of [8, 16, 24]) {
  const random = randomFrom(questions);
  const errors = Array.from({ length: 200 }, (_, key) => searchNu(random, key, questions));
  print(questions, ...[0.5, 0.95, 1].map(part => quantile(errors, part).toFixed(4)));
}

heading('Margins of their own for above and below: the same search, endlessly many questions');
{
  const random = randomFrom(1);
  const errors = Array.from({ length: 100_000 }, () => Math.abs(0.08 * (random() - random())) / 2);
  print(...[0.5, 0.95, 1].map(part => quantile(errors, part).toFixed(4)));
}

heading('A payment through one channel of 5,000,000 sat, anywhere in it, crosses a rung');
print('payment, sat', 'some rung', 'the rung 100,000');
for (const payment of [1_000, 10_000, 100_000, 1_000_000]) {
  const room = most(5_000_000) - payment;
  const steps = 200_000;
  const before = Array.from({ length: steps }, (_, index) => payment + (room * (index + 0.5)) / steps);
  const crosses = (rung: number) => (from: number) => from >= rung && from - payment < rung;
  print(
    sats(payment),
    percent(before.filter(from => RUNGS.some(rung => crosses(rung)(from))).length / steps),
    percent(before.filter(crosses(100_000)).length / steps),
  );
}

heading('Probing: failing payments to find a balance to the satoshi, one bit each');
print('capacity, sat', 'payments');
for (const capacity of [1_000_000, 5_000_000, 16_777_215])
  print(sats(capacity), Math.ceil(Math.log2(capacity)));
