/**
 * How many payments fail on a mesh of six real nodes without just-in-time routing, with `passive` and with `active`: the
 * figures of docs/jit.md.
 *
 *     npm run test:jit-mesh -- [payments] [seed] [random|balance] [without|passive|active]
 *
 * The same random stream each time: channels with random balances, then payments one after the other, each
 * tried once, between nodes without a channel, over one node that is drawn. A sender that tries again elsewhere would hide
 * what is measured; so would payments that do not leave, for want of liquidity of the payer's own.
 *
 * Fees are `random`, or by `balance`: the emptier a channel is for whoever asks them, the dearer, as operators do that want to
 * keep what is left.
 */
import { createHash, randomUUID } from 'node:crypto';
import { PLUGIN } from '../regtest/friends.ts';
import { missingPrograms, RegtestNetwork, RpcFailure, waitFor } from '../regtest/harness.ts';
import { JIT_PLUGIN, type JitStatus, jitStatus } from '../regtest/just-in-time.ts';

const NODES = 6;
const CAPACITY_SAT = 1_000_000;
const FINAL_DELAY = 40;
const DELAY = 6;
/** All but opposite nodes have a channel. */
const PAIRS = Array.from({ length: NODES }, (_, a) => a).flatMap(a =>
  Array.from({ length: NODES }, (_, b) => [a, b] as const).filter(([, b]) => a < b && b - a !== NODES / 2),
);
const [count = '300', seed = '1', fees = 'random', ...modes] = process.argv.slice(2);
const payments = Number(count);

/** From 0 to 1, the same for the same words. */
function random(...words: readonly (string | number)[]): number {
  return (
    createHash('sha256')
      .update([seed, ...words].join('/'))
      .digest()
      .readUInt32BE() /
    2 ** 32
  );
}

/** Which share of the channel between two nodes is `from`'s at the beginning. */
function share(from: number, to: number): number {
  const second = 0.02 + 0.96 * random('balance', Math.min(from, to), Math.max(from, to));
  return from > to ? second : 1 - second;
}

/** What `from` asks for forwarding to `to`: from 1 to 2,000 ppm, each order of magnitude as often. */
function ppm(from: number, to: number): number {
  return Math.round(2000 ** (fees === 'balance' ? 1 - share(from, to) : random('fee', from, to)));
}

/** Nodes from one to the other, over one that is drawn. */
function route(from: number, to: number, n: number): number[] {
  const middles = Array.from({ length: NODES }, (_, node) => node).filter(
    node => node !== from && node !== to,
  );
  return [from, middles[Math.floor(random('middle', n) * middles.length)] ?? to, to];
}

async function run(mode: Mode): Promise<Outcome> {
  const extraArgs = [
    '--fee-base=0',
    ...(mode === 'without' ? [] : [`--plugin=${JIT_PLUGIN}`, `--foaf-jit=${mode}`]),
  ];
  await using network = await RegtestNetwork.start({
    nodes: Array.from({ length: NODES }, () => ({ plugin: PLUGIN, extraArgs })),
  });
  const ids = await network.openChannels(
    PAIRS.map(([from, to]) => ({
      from,
      to,
      amountSat: CAPACITY_SAT,
      pushSat: Math.round(CAPACITY_SAT * share(to, from)),
    })),
  );
  const scids = new Map(
    PAIRS.flatMap(([a, b], n) => [`${a}/${b}`, `${b}/${a}`].map(key => [key, ids[n] ?? ''])),
  );
  for (const [key, id] of scids) {
    const [from = 0, to = 0] = key.split('/').map(Number);
    await network.node(from).rpc('setchannel', { id, feebase: 0, feeppm: ppm(from, to), enforcedelay: 0 });
  }
  await waitFor('the new fees to be known', async () => {
    await network.shareGossip();
    for (const node of network.nodes) {
      const { channels } = await node.rpc<{
        channels: { source: string; short_channel_id: string; fee_per_millionth: number }[];
      }>('listchannels');
      const isNew = [...scids].every(([key, id]) => {
        const [from = 0, to = 0] = key.split('/').map(Number);
        const source = network.node(from).id;
        const known = channels.find(each => each.source === source && each.short_channel_id === id);
        return known?.fee_per_millionth === ppm(from, to);
      });
      if (!isNew) return undefined;
    }
    return true;
  });
  const startedMs = performance.now();
  let notSent = 0;
  let failed = 0;
  for (let n = 0; n < payments; n++) {
    const from = Math.floor(random('from', n) * NODES);
    const to = (from + NODES / 2) % NODES;
    const amountMsat = Math.round(10_000_000 * 20 ** random('amount', n));
    const end = await pay(network, scids, route(from, to, n), amountMsat);
    if (end === 'not sent') notSent++;
    else if (end === 'failed') failed++;
    if (mode !== 'without') await quiet(network);
  }
  const statuses = mode === 'without' ? [] : await Promise.all(network.nodes.map(jitStatus));
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  return { mode, sent: payments - notSent, failed, ...summed(statuses), seconds };
}

async function pay(
  network: RegtestNetwork,
  scids: ReadonlyMap<string, string>,
  nodes: readonly number[],
  amountMsat: number,
): Promise<'arrived' | 'failed' | 'not sent'> {
  const last = network.node(nodes.at(-1) ?? 0);
  const { payment_hash, payment_secret } = await last.rpc<{ payment_hash: string; payment_secret: string }>(
    'invoice',
    { amount_msat: amountMsat, label: randomUUID(), description: 'mesh', cltv: FINAL_DELAY },
  );
  const hops: object[] = [];
  let [amount, delay] = [amountMsat, FINAL_DELAY];
  for (let n = nodes.length - 1; n > 0; n--) {
    const [from = 0, to = 0] = nodes.slice(n - 1, n + 1);
    const [source, target] = [network.node(from), network.node(to)];
    const direction = source.id < target.id ? 0 : 1;
    hops.unshift({
      id: target.id,
      channel: scids.get(`${from}/${to}`),
      direction,
      amount_msat: amount,
      delay,
    });
    amount += Math.floor((amount * ppm(from, to)) / 1e6);
    delay += DELAY;
  }
  const payer = network.node(nodes[0] ?? 0);
  try {
    await payer.rpc('sendpay', { route: hops, payment_hash, payment_secret });
    await payer.rpc('waitsendpay', { payment_hash, timeout: 60 }, { timeoutMs: 70_000 });
    return 'arrived';
  } catch (error) {
    if (!(error instanceof RpcFailure)) throw error;
    return (error.data as { erring_index?: number } | undefined)?.erring_index ? 'failed' : 'not sent';
  }
}

/** Waits until no node has a circle under way. */
async function quiet({ nodes }: RegtestNetwork): Promise<void> {
  await waitFor('the circles to end', async () => {
    const all = await Promise.all(nodes.map(jitStatus));
    return all.every(({ circles_under_way }) => circles_under_way === 0) ? true : undefined;
  });
}

function summed(statuses: readonly JitStatus[]): Summed {
  const outcomes: Record<string, number> = {};
  let [spentMsat, earnedMsat] = [0, 0];
  for (const { week, outcomes: some } of statuses) {
    spentMsat += week.spent_msat;
    earnedMsat += week.earned_msat;
    for (const [name, times] of Object.entries(some)) outcomes[name] = (outcomes[name] ?? 0) + times;
  }
  return { outcomes, spentMsat, earnedMsat };
}

const MODES = ['without', 'passive', 'active'] as const;
type Mode = (typeof MODES)[number];

interface Summed {
  readonly outcomes: Record<string, number>;
  readonly spentMsat: number;
  readonly earnedMsat: number;
}

interface Outcome extends Summed {
  readonly mode: Mode;
  /** What left the payer, and how much of that failed further on. */
  readonly sent: number;
  readonly failed: number;
  readonly seconds: number;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

const missing = missingPrograms();
if (missing !== undefined) {
  print(`The mesh cannot run here: ${missing}.`);
  process.exit(1);
}
if (!Number.isSafeInteger(payments) || payments < 1 || !['random', 'balance'].includes(fees)) {
  print('expected: [payments] [seed] [random|balance] [without|passive|active]');
  process.exit(2);
}
for (const mode of MODES) {
  if (modes.length === 0 || modes.includes(mode)) print(JSON.stringify(await run(mode)));
}
