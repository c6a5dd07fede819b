/**
 * Makes pictures of 500 friends who offer a thousand channels each, in a process of its own, as the plugin does: from
 * what friends said to the file. Says how long the longest stretches were in which no hook would have been answered.
 *
 *     node --heap-growing-percent=30 --import tsx bench/picture-making.ts FOLDER
 */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Knowledge } from '../src/knowledge/knowledge.ts';
import { systemClock } from '../src/lightningd/clock.ts';
import { Painter } from '../src/lightningd/foafgraph.ts';
import type { GossipChannel } from '../src/sharing/ports.ts';
import type { Flow } from '../src/wire/codec.ts';
import { parseShortChannelId } from '../src/wire/short-channel-id.ts';
import { largeFacts } from '../test/picture/samples.ts';
import { ROOT } from './paths.ts';

const BTC_MSAT = 100_000_000_000n;
const LIMITS = { minimumMsat: 0n, maximumMsat: BTC_MSAT };
const TERMS = { baseFeeMsat: 0n, feePpm: 1n, cltvExpiryDelta: 34 };
/** The first one finds code that is not yet optimised, and bundles the page's script. */
const PICTURES = 4;

/** What each friend has said, one reply each way. */
function knowledgeOf({ offers }: ReturnType<typeof largeFacts>): Knowledge {
  const words = new Map<string, { flow: Flow; peerId: string; channels: GossipChannel[] }>();
  for (const { peerId, flow, otherId, shortChannelId, amountSat } of offers) {
    const word = words.get(`${flow}${peerId}`) ?? { flow, peerId, channels: [] };
    words.set(`${flow}${peerId}`, word);
    word.channels.push({
      shortChannelId,
      source: flow === 1 ? peerId : otherId,
      destination: flow === 1 ? otherId : peerId,
      direction: 0,
      active: true,
      capacityMsat: BigInt(amountSat) * 1000n,
      limits: LIMITS,
      terms: TERMS,
    });
  }
  const knowledge = new Knowledge();
  for (const { flow, peerId, channels } of words.values()) {
    channels.sort((a, b) => (a.shortChannelId < b.shortChannelId ? -1 : 1));
    knowledge.learn(peerId, {
      flow,
      amountMsat: BTC_MSAT,
      timestampMs: BigInt(Date.now()),
      saidAtMs: performance.now(),
      channels,
    });
  }
  return knowledge;
}

function painterOf(folder: string): Painter {
  const facts = largeFacts();
  const channels = facts.channels.map(({ peerId, shortChannelId, oursSat, totalSat, isUsable }) => ({
    peerId,
    peerConnected: true,
    shortChannelId: parseShortChannelId(shortChannelId),
    state: 'normal' as const,
    isPublic: true,
    usable: isUsable,
    toUsMsat: BigInt(oursSat) * 1000n,
    totalMsat: BigInt(totalSat) * 1000n,
    spendableMsat: BigInt(oursSat) * 1000n,
    receivableMsat: BigInt(totalSat - oursSat) * 1000n,
    localLimits: LIMITS,
    remoteLimits: LIMITS,
    remoteTerms: TERMS,
  }));
  const view = { nodeId: facts.nodeId, blockHeight: 900_000, channels };
  const { names } = facts;
  return new Painter(
    {
      // Circles have benches of their own.
      finder: { view: () => Promise.resolve(view), find: () => Promise.resolve({ circles: [] }) },
      knowledge: knowledgeOf(facts),
      names: { of: () => Promise.resolve(new Map(names)) },
      recent: [],
      clock: systemClock,
      network: 'bitcoin',
      saidSinceMs: () => Number.NEGATIVE_INFINITY,
      settings: () => ({ maxFeePpm: 500, maxDelay: 500 }),
    },
    ROOT,
    folder,
  );
}

/**
 * The longest time between two turns of the event loop, and the longest that this thread has worked for in one: what
 * else the machine does counts in the first only.
 */
async function watched(work: () => Promise<unknown>): Promise<Made> {
  const longest = { wallMs: 0, cpuMs: 0 };
  let before = { wallMs: performance.now(), cpuMs: threadMs() };
  const startedMs = before.wallMs;
  const timer = setInterval(() => {
    const now = { wallMs: performance.now(), cpuMs: threadMs() };
    longest.wallMs = Math.max(longest.wallMs, now.wallMs - before.wallMs);
    longest.cpuMs = Math.max(longest.cpuMs, now.cpuMs - before.cpuMs);
    before = now;
  }, 1);
  await work();
  const ms = performance.now() - startedMs;
  await delay(5);
  clearInterval(timer);
  return { ms, longest };
}

interface Made {
  readonly ms: number;
  readonly longest: { readonly wallMs: number; readonly cpuMs: number };
}

/** What the main thread has worked for so far. */
function threadMs(): number {
  const [nanoseconds] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ');
  return Number(nanoseconds) / 1e6;
}

function megabytes(field: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync('/proc/self/status', 'utf8');
  return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024;
}

const painter = painterOf(process.argv[2] ?? '.');
await delay(500);
const beforeMb = megabytes('VmRSS');
const made: Made[] = [];
for (let count = 0; count < PICTURES; count++) made.push(await watched(() => painter.paint('bench.html')));
console.log(JSON.stringify({ made, beforeMb, mostMb: megabytes('VmHWM') }));
