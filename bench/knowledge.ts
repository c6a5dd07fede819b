/**
 * What friends say on a large node: channels to the 500 largest nodes of a real network, each of which names all it can
 * (42,610 channels, at most 1000 in a reply), and then 500,000 channels that do not exist. Against what it must hold
 * (issue 4) instead of a floor. Memory is that of the plugin itself, spoken to as lightningd and the friends would;
 * times are taken here, on the same modules, whose gossip comes through the reader and whose replies come through the
 * asker as real ones do.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import * as v from 'valibot';
import { Knowledge, type Word } from '../src/knowledge/knowledge.ts';
import { planLayer, wantedWords } from '../src/knowledge/layer-plan.ts';
import { systemClock } from '../src/lightningd/clock.ts';
import { GossipReader } from '../src/lightningd/gossip-reader.ts';
import { JsonFramer, parseFrame } from '../src/lightningd/json-framer.ts';
import { Asker } from '../src/sharing/asker.ts';
import { Breaches } from '../src/sharing/breaches.ts';
import type { OwnChannel } from '../src/sharing/node-view.ts';
import { PeerLog } from '../src/sharing/peer-log.ts';
import type { GossipChannel } from '../src/sharing/ports.ts';
import { SilentPeers } from '../src/sharing/silent-peers.ts';
import { chainHashOf } from '../src/wire/chain-hash.ts';
import {
  decodeMessage,
  encodeMessage,
  type FoafMessage,
  type FoafReply,
  MAX_REPLY_CHANNELS,
} from '../src/wire/codec.ts';
import {
  compareShortChannelIds,
  parseShortChannelId,
  type ShortChannelId,
} from '../src/wire/short-channel-id.ts';
import { Child } from './child.ts';
import { interleave, type Row, row, type Samples, type Skipped, timed } from './measure.ts';
import { PLUGIN, ROOT } from './paths.ts';

const DATA = join(ROOT, '..', 'shared', 'data', 'ln-2026-02-03.channels.json.gz');
const FRIENDS = 500;
const US = `03${'f'.repeat(64)}`;
const CHAIN_HASH = String(chainHashOf('regtest'));
const SAT_MSAT = 1000n;
/** The lowest rung, at which nearly all that is named can carry the amount; and the one at which all is false. */
const TRUE_RUNG_SAT = 10_000;
const FALSE_RUNG_SAT = 20_000;
/** Blocks that no channel of the network lies in: the data begin at 700,000. */
const FALSE_BLOCK = 500_000;
/** A peer's gossip is read again for unknown channels when it is older than 5 s: then everything is done twice. */
const GOSSIP_AGES_MS = 5_500;
/** Until what the last call set off has come to rest: the layer is told a quarter of a second after a change. */
const SETTLE_MS = 1_500;
const ROUNDS = 21;
/** A look-up is one of a channel; a recalled word has up to 1000 channels, each of which is looked at. */
const ALLOWED = { mb: 150, lookUpUs: 10, recallUs: 100, stretchMs: 20, learnMs: 5 };
/** By how much what must not change may differ: memory by what the collector leaves over, a look-up by where things lie. */
const UNCHANGED = { mb: 1.25, us: 1.5 };

export async function knowledge(): Promise<(Row | Skipped)[]> {
  if (!existsSync(DATA)) return [{ name: 'knowledge', skipped: `no ${DATA}` }];
  const network = readNetwork();
  const named = network.friends.reduce((sum, id) => sum + trueNames(network, id).length, 0);
  return [...(await times(network, named)), ...(await memory(network, named))];
}

const LISTED = v.object({
  source: v.string(),
  destination: v.string(),
  short_channel_id: v.string(),
  active: v.boolean(),
});
type Listed = v.InferOutput<typeof LISTED>;

interface Network {
  /** The nodes with the most channels that they can send through. */
  readonly friends: readonly string[];
  readonly from: ReadonlyMap<string, readonly Listed[]>;
  readonly to: ReadonlyMap<string, readonly Listed[]>;
  readonly byId: ReadonlyMap<string, readonly Listed[]>;
}

function readNetwork(): Network {
  const { channels } = v.parse(
    v.object({ channels: v.array(v.looseObject(LISTED.entries)) }),
    JSON.parse(gunzipSync(readFileSync(DATA)).toString()),
  );
  const from = grouped(channels, channel => channel.source);
  const activeOf = (id: string) => (from.get(id) ?? []).filter(({ active }) => active).length;
  const friends = [...from.keys()]
    .map(id => ({ id, active: activeOf(id) }))
    .sort((a, b) => b.active - a.active || (a.id < b.id ? -1 : 1))
    .slice(0, FRIENDS)
    .map(({ id }) => id);
  const to = grouped(channels, channel => channel.destination);
  return { friends, from, to, byId: grouped(channels, channel => channel.short_channel_id) };
}

function grouped(channels: readonly Listed[], keyOf: (channel: Listed) => string): Map<string, Listed[]> {
  const groups = new Map<string, Listed[]>();
  for (const channel of channels) {
    const group = groups.get(keyOf(channel));
    if (group === undefined) groups.set(keyOf(channel), [channel]);
    else group.push(channel);
  }
  return groups;
}

/** All that a friend can name: its active channels, as many as a reply holds. */
function trueNames({ from }: Network, id: string): ShortChannelId[] {
  return (from.get(id) ?? [])
    .filter(({ active }) => active)
    .slice(0, MAX_REPLY_CHANNELS)
    .map(({ short_channel_id }) => parseShortChannelId(short_channel_id) ?? 0n)
    .sort(compareShortChannelIds);
}

/** A full reply of channels that do not exist, other ones of each friend. */
function falseNames({ friends }: Network, id: string): ShortChannelId[] {
  const first = BigInt(FALSE_BLOCK + friends.indexOf(id)) << 40n;
  return Array.from({ length: MAX_REPLY_CHANNELS }, (_, index) => first | (BigInt(index) << 16n));
}

/** What a friend replies to a message of ours: all that it can name at one rung, nothing or lies at the other. */
function replyOf(network: Network, id: string, asked: FoafMessage, isLying = true): FoafReply {
  const isTrue = asked.amountMsat === BigInt(TRUE_RUNG_SAT) * SAT_MSAT;
  const others = isLying ? falseNames(network, id) : [];
  return {
    ...asked,
    name: 'reply_foaf_balances',
    timestampMs: BigInt(Date.now()),
    shortChannelIds: isTrue ? trueNames(network, id) : others,
  };
}

/** `listchannels` with one selector. */
function listchannels({ from, to, byId }: Network, params: Readonly<Record<string, unknown>>): object {
  const { source, destination, short_channel_id: id } = params;
  if (source !== undefined) return { channels: from.get(String(source)) ?? [] };
  if (destination !== undefined) return { channels: to.get(String(destination)) ?? [] };
  return { channels: byId.get(String(id)) ?? [] };
}

async function times(network: Network, named: number): Promise<Row[]> {
  const plain = await learnt(network, false);
  const lied = await learnt(network, true);
  const entries = plain.summary(Number.NEGATIVE_INFINITY).channels;
  if (entries !== lied.summary(Number.NEGATIVE_INFINITY).channels || entries < 0.95 * named)
    throw new Error(`${entries} of ${named} named channels are known`);
  const channels = [...plain.offers(Number.NEGATIVE_INFINITY)].map(({ channel }) => channel);
  const rows: Row[] = [];
  const add = (name: string, allowedUs: number, samples: Samples) => {
    const against = (floor: number) => ({ ours: samples.ours, floor: samples.ours.map(() => floor) });
    rows.push(
      row(`knowledge, ${name}: allowed`, 'µs', against(allowedUs), 1),
      row(`knowledge, ${name}: without the false names`, 'µs', samples, UNCHANGED.us),
    );
  };
  add(`offerOn among ${entries}`, ALLOWED.lookUpUs, await both(lied, plain, channels, offerOn));
  add('recall, all friends in turn', ALLOWED.lookUpUs, await both(lied, plain, network.friends, recall));
  add(
    'recall, the friend with most',
    ALLOWED.recallUs,
    await both(lied, plain, network.friends.slice(0, 1), recall),
  );

  const allowed = (ms: number) => () => ms;
  const planning = await interleave(ROUNDS, 3, () => msOf(() => plan(lied)), allowed(ALLOWED.stretchMs));
  rows.push(row('knowledge, the layer planned, one stretch: allowed', 'ms', planning, 1));
  const relearning = await interleave(
    ROUNDS,
    3,
    () => msOf(() => relearn(lied, network.friends[0] ?? '')),
    allowed(ALLOWED.learnMs),
  );
  rows.push(row('knowledge, a reply of 1000 channels learned: allowed', 'ms', relearning, 1));
  return rows;
}

type LookUp<T> = (knowledge: Knowledge, subject: T) => unknown;

const offerOn: LookUp<GossipChannel> = (known, channel) => known.offerOn(channel, Number.NEGATIVE_INFINITY);
const recall: LookUp<string> = (known, id) =>
  known.recall(id, 1, BigInt(TRUE_RUNG_SAT) * SAT_MSAT, Number.NEGATIVE_INFINITY);

/** One look-up after the other, over all subjects, on both in turns. */
function both<T>(
  ours: Knowledge,
  floor: Knowledge,
  subjects: readonly T[],
  lookUp: LookUp<T>,
): Promise<Samples> {
  const sampled = (known: Knowledge) => {
    let next = 0;
    return timed(Math.max(subjects.length, 1000), () => {
      const subject = subjects[next++ % subjects.length];
      if (subject === undefined || lookUp(known, subject) === undefined) throw new Error('nothing is known');
    });
  };
  return interleave(ROUNDS, 3, sampled(ours), sampled(floor));
}

function msOf(work: () => unknown): number {
  const startedMs = performance.now();
  work();
  return performance.now() - startedMs;
}

/** What the layer does with each change before it tells lightningd of it. */
function plan(known: Knowledge): number {
  const words = wantedWords(known, Number.NEGATIVE_INFINITY);
  return planLayer(words, words).tell.length;
}

/** The friend says the same again, a moment later. */
function relearn(known: Knowledge, id: string): void {
  const before = recall(known, id) as Word | undefined;
  if (before?.channels.length === undefined) throw new Error('nothing is known');
  const { timestampMs, saidAtMs } = before;
  known.learn(id, { ...before, timestampMs: timestampMs + 1n, saidAtMs: saidAtMs + 1 });
}

/** What is known after all friends have replied twice, at the second time with nothing or with what does not exist. */
async function learnt(network: Network, isLying: boolean): Promise<Knowledge> {
  const known = new Knowledge();
  // Time passes only where it has to: gossip that was read just now is not read again for what it does not know.
  let aheadMs = 0;
  const clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + aheadMs };
  const view = { nodeId: US, blockHeight: 900_000, channels: network.friends.map(ownChannel) };
  const asker = new Asker({
    chainHash: CHAIN_HASH,
    channels: { read: async () => view, isFriend: id => network.friends.includes(id) },
    gossip: new GossipReader(
      { call: async (_method, params = {}) => listchannels(network, { ...params }) },
      clock,
    ),
    knowledge: known,
    silentPeers: new SilentPeers(),
    peerLog: new PeerLog(),
    breaches: new Breaches(),
    onLearned: () => {},
    cacheTtlMs: () => 86_400_000,
    send: async (id, message) => {
      setImmediate(() => asker.onReply(id, replyOf(network, id, message, isLying)));
    },
    clock,
    newQueryId: () => Math.random().toString(16).slice(2, 10).padEnd(8, '0').repeat(2),
  });
  const ask = async (sat: number) => {
    const amountMsat = BigInt(sat) * SAT_MSAT;
    const { friends } = await asker.ask({ flow: 1, amountMsat, timeoutMs: 120_000, fresh: true });
    if (friends.some(({ status }) => status !== 'replied')) throw new Error('not all friends replied');
  };
  await ask(TRUE_RUNG_SAT);
  aheadMs += GOSSIP_AGES_MS;
  await ask(FALSE_RUNG_SAT);
  return known;
}

function ownChannel(peerId: string, index: number): OwnChannel {
  const limits = { minimumMsat: 0n, maximumMsat: 990_000_000n };
  return {
    peerId,
    shortChannelId: (800_000n << 40n) | BigInt(index << 16),
    state: 'normal',
    isPublic: true,
    peerConnected: true,
    usable: true,
    toUsMsat: 500_000_000n,
    totalMsat: 1_000_000_000n,
    spendableMsat: 490_000_000n,
    receivableMsat: 490_000_000n,
    localLimits: limits,
    remoteLimits: limits,
    remoteTerms: { baseFeeMsat: 1000n, feePpm: 10n, cltvExpiryDelta: 34 },
  };
}

async function memory(network: Network, named: number): Promise<(Row | Skipped)[]> {
  if (process.platform !== 'linux')
    return [{ name: 'knowledge, memory', skipped: 'only Linux has /proc/PID/status' }];
  using node = await LargeNode.start(network);
  const child = new Child(PLUGIN);
  node.deliver = (peerId, payload) => hook(child, peerId, payload);
  await child.getManifest();
  await child.init(node.path);
  await delay(SETTLE_MS);
  const before = memoryOf(child);
  const first = await askPlugin(child, TRUE_RUNG_SAT);
  await delay(GOSSIP_AGES_MS);
  const known = memoryOf(child);
  const second = await askPlugin(child, FALSE_RUNG_SAT);
  await delay(GOSSIP_AGES_MS);
  const lied = memoryOf(child);
  await child.end();
  const replies = [first.num_replies, second.num_replies];
  if (replies.some(count => count !== FRIENDS)) throw new Error(`${replies.join(' and ')} friends replied`);
  const mb = (name: string, ours: number, floor: number, bound?: number): Row => ({
    name: `knowledge, ${name}`,
    unit: 'MB',
    ours,
    floor,
    ...(bound === undefined ? {} : { bound }),
  });
  const found = first.friends.reduce((sum, { channels }) => sum + channels.length, 0);
  return [
    mb(`memory, ${named} channels named, ${found} believed: allowed`, known.now, ALLOWED.mb, 1),
    mb('memory, then 500,000 false names: allowed', lied.now, ALLOWED.mb, 1),
    mb('memory, then 500,000 false names: without them', lied.now, known.now, UNCHANGED.mb),
    mb('memory, the most that ever was', lied.peak, ALLOWED.mb),
    mb('memory, of it before anybody was asked', lied.now, before.now),
  ];
}

function memoryOf(child: Child): { readonly now: number; readonly peak: number } {
  const status = readFileSync(`/proc/${child.process.pid}/status`, 'utf8');
  const megabytes = (field: string) =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? Number.NaN) / 1024;
  return { now: megabytes('VmRSS'), peak: megabytes('VmHWM') };
}

const ANSWER = v.object({
  num_replies: v.number(),
  friends: v.array(v.object({ channels: v.array(v.unknown()) })),
});

/** Lets the plugin ask all its friends. */
async function askPlugin(child: Child, amount: number) {
  const id = `bench:foafbalance#${amount}`;
  const framer = new JsonFramer();
  const result = new Promise<unknown>(resolve => {
    child.process.stdout.on('data', (chunk: Buffer) => {
      for (const frame of framer.push(chunk)) {
        const answer = parseFrame(frame) as { id?: unknown; result?: unknown };
        if (answer.id === id) resolve(answer.result);
      }
    });
  });
  await child.request(id, 'foafbalance', { direction: 'out', amount, timeout: 120, fresh: true });
  return v.parse(ANSWER, await result);
}

let hooks = 0;

function hook(child: Child, peerId: string, payload: string): void {
  const params = { peer_id: peerId, payload };
  const id = `bench:hook#${++hooks}`;
  child.process.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method: 'custommsg', params })}\n\n`);
}

/** A stand-in for lightningd's RPC on a node with a channel to each friend, who answer what they are asked. */
class LargeNode {
  readonly path: string;
  deliver: (peerId: string, payload: string) => void = () => {};
  readonly #network: Network;
  readonly #folder = mkdtempSync(join(tmpdir(), 'bs-bench-'));
  readonly #server: Server;

  private constructor(network: Network) {
    this.#network = network;
    this.path = join(this.#folder, 'lightning-rpc');
    this.#server = createServer(socket => {
      const framer = new JsonFramer();
      socket.on('data', (chunk: Buffer) => {
        for (const frame of framer.push(chunk)) {
          const { id, method, params } = v.parse(REQUEST, parseFrame(frame));
          socket.write(`${JSON.stringify({ jsonrpc: '2.0', id, result: this.#answer(method, params) })}\n\n`);
        }
      });
      socket.on('error', () => {}); // A plugin that ends does not say goodbye.
    });
  }

  static start(network: Network): Promise<LargeNode> {
    const node = new LargeNode(network);
    return new Promise((resolve, reject) => {
      node.#server.once('error', reject).listen(node.path, () => resolve(node));
    });
  }

  [Symbol.dispose](): void {
    this.#server.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #answer(method: string, params: Readonly<Record<string, unknown>>): object {
    switch (method) {
      case 'getinfo':
        return { id: US, blockheight: 900_000 };
      case 'makesecret':
        return { secret: '33'.repeat(32) };
      case 'listdatastore':
        return { datastore: [] };
      case 'listpeerchannels':
        return { channels: this.#network.friends.map(peerChannel) };
      case 'listchannels':
        return listchannels(this.#network, params);
      case 'sendcustommsg': {
        const peerId = String(params['node_id']);
        const reply = replyOf(this.#network, peerId, decodeMessage(String(params['msg'])));
        setImmediate(() => this.deliver(peerId, encodeMessage(reply)));
        return { status: 'Message sent to connectd for delivery' };
      }
      default:
        return {};
    }
  }
}

const REQUEST = v.object({
  id: v.string(),
  method: v.string(),
  params: v.optional(v.record(v.string(), v.unknown()), {}),
});

function peerChannel(peerId: string, index: number): object {
  const limits = {
    htlc_minimum_msat: 0,
    htlc_maximum_msat: 990_000_000,
    fee_base_msat: 1000,
    fee_proportional_millionths: 10,
    cltv_expiry_delta: 34,
  };
  return {
    peer_id: peerId,
    peer_connected: true,
    reestablished: true,
    state: 'CHANNELD_NORMAL',
    private: false,
    short_channel_id: `800000x${index}x0`,
    to_us_msat: 500_000_000,
    total_msat: 1_000_000_000,
    spendable_msat: 490_000_000,
    receivable_msat: 490_000_000,
    updates: { local: limits, remote: limits },
  };
}
