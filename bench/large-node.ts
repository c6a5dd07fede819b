/**
 * The plugin itself as the node of a large operator: two channels with each of the 500 largest nodes of a real network,
 * each of which names all that it can at a million sat. Over a real socket, beside hook calls, which must not wait.
 *
 * What it must hold (issue 5) stands where other benches have a floor.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import * as v from 'valibot';
import { decodeMessage, encodeMessage } from '../src/wire/codec.ts';
import { compareShortChannelIds, parseShortChannelId } from '../src/wire/short-channel-id.ts';
import { Child } from './child.ts';
import { median, type Row, type Skipped } from './measure.ts';
import { PLUGIN, ROOT } from './paths.ts';

const DATA = join(ROOT, '..', 'shared', 'data', 'ln-2026-02-03.channels.json.gz');
const SERVER = join(ROOT, 'bench', 'network-server.mjs');
const FRIENDS = 500;
const WARM_CALLS = 7;
const ALLOWED = { ms: 250, stretchMs: 20, mb: 300, drawMs: 2_000, pictureMb: 3 };
/** How often a hook call is made while a command runs. */
const HOOK_EVERY_MS = 3;
/** No friend: what comes from it is dropped at once. */
const STRANGER = `02${'44'.repeat(32)}`;

const greeting = v.object({
  friends: v.array(v.object({ id: v.string(), channels: v.array(v.string()) })),
});
const drawn = v.object({ offers: v.number(), size: v.number() });
const sent = v.object({ node_id: v.string(), msg: v.string() });

export async function largeNode(): Promise<(Row | Skipped)[]> {
  if (!existsSync(DATA)) return [{ name: 'large node', skipped: `no ${DATA}` }];
  const folder = mkdtempSync(join(tmpdir(), 'bs-bench-'));
  const socket = join(folder, 'lightning-rpc');
  const server = spawn(process.execPath, [SERVER, socket, DATA, String(FRIENDS)]);
  server.stderr.pipe(process.stderr);
  const plugin = new Child(PLUGIN);
  try {
    const friends = await startServer(server, plugin);
    await plugin.getManifest();
    await plugin.init(socket);
    const asking = await timed(plugin, 'foafbalance', { direction: 'out', amount: 1_000_000, timeout: 60 });
    const named = [...friends.values()].reduce((sum, { length }) => sum + length, 0);
    const rows: Row[] = [];
    const add = (name: string, unit: 'ms' | 'MB', ours: number, floor: number, isBound = true) =>
      rows.push({ name: `large node, ${name}`, unit, ours, floor, ...(isBound ? { bound: 1 } : {}) });
    const circles = () => timed(plugin, 'foafcircles', { amount: 1_000_000 });
    const cold = await circles();
    const warm: Timed[] = [];
    for (let call = 0; call < WARM_CALLS; call++) warm.push(await circles());
    add(`foafbalance, ${named} channels named`, 'ms', asking.ms, ALLOWED.ms, false);
    add('foafbalance, longest wait of a hook', 'ms', asking.longestMs, ALLOWED.stretchMs, false);
    add('first foafcircles, gossip to friends unread', 'ms', cold.ms, ALLOWED.ms, false);
    add('first foafcircles, longest wait of a hook', 'ms', cold.longestMs, ALLOWED.stretchMs, false);
    add('foafcircles', 'ms', median(warm.map(({ ms }) => ms)), ALLOWED.ms);
    add(
      'foafcircles, longest wait of a hook',
      'ms',
      median(warm.map(({ longestMs }) => longestMs)),
      ALLOWED.stretchMs,
    );
    const choosing = await timed(plugin, 'foafrebalance', { dryrun: true });
    add('foafrebalance, what would help most', 'ms', choosing.ms, ALLOWED.ms, false);
    add('foafrebalance, longest wait of a hook', 'ms', choosing.longestMs, ALLOWED.stretchMs, false);
    const drawing = await timed(plugin, 'foafgraph', {});
    const { offers, size } = v.parse(drawn, drawing.result);
    add(`foafgraph, ${offers} offers`, 'ms', drawing.ms, ALLOWED.drawMs, false);
    add('foafgraph, longest wait of a hook', 'ms', drawing.longestMs, ALLOWED.stretchMs, false);
    add('foafgraph, size', 'MB', size / 1e6, ALLOWED.pictureMb);
    add('memory', 'MB', residentMb(plugin.process.pid), ALLOWED.mb);
    return rows;
  } finally {
    await plugin.end();
    server.stdin.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Waits for the server; from then on every friend answers what it is asked. */
async function startServer(
  server: ChildProcessWithoutNullStreams,
  plugin: Child,
): Promise<ReadonlyMap<string, readonly bigint[]>> {
  const friends = new Map<string, readonly bigint[]>();
  const lines = createInterface({ input: server.stdout });
  const listening = new Promise<void>(resolve => {
    lines.on('line', line => {
      if (line === 'listening') return resolve();
      const parsed: unknown = JSON.parse(line);
      if (v.is(sent, parsed)) return answer(parsed, friends, plugin);
      for (const { id, channels } of v.parse(greeting, parsed).friends) {
        friends.set(id, channels.map(text => parseShortChannelId(text) ?? 0n).sort(compareShortChannelIds));
      }
    });
  });
  server.once('exit', code => server.stdout.destroy(new Error(`the server ended with ${code}`)));
  await listening;
  return friends;
}

let lastId = 0;

function answer(
  { node_id, msg }: v.InferOutput<typeof sent>,
  friends: ReadonlyMap<string, readonly bigint[]>,
  plugin: Child,
): void {
  const query = decodeMessage(msg);
  if (query.name !== 'query_foaf_balances') return;
  const payload = encodeMessage({
    ...query,
    name: 'reply_foaf_balances',
    timestampMs: BigInt(Date.now()),
    shortChannelIds: friends.get(node_id) ?? [],
  });
  hookCall(plugin, node_id, payload);
}

function hookCall(plugin: Child, peer_id: string, payload: string): string {
  const id = `cln:custommsg#${++lastId}`;
  const request = { jsonrpc: '2.0', id, method: 'custommsg', params: { peer_id, payload } };
  plugin.process.stdin.write(`${JSON.stringify(request)}\n\n`);
  return id;
}

interface Timed {
  readonly result: unknown;
  readonly ms: number;
  /** The longest that a hook call waited for its answer meanwhile. */
  readonly longestMs: number;
}

/** Calls a command and, all the while, the hook. */
async function timed(plugin: Child, method: string, params: object): Promise<Timed> {
  const waiting = new Map<string, number>();
  let longestMs = 0;
  let tail = '';
  const onData = (chunk: Buffer) => {
    const lines = (tail + chunk.toString('utf8')).split('\n');
    tail = lines.pop() ?? '';
    for (const line of lines) {
      const id = /^\{"jsonrpc":"2.0","id":"([^"]+)"/.exec(line)?.[1] ?? '';
      const sinceMs = waiting.get(id);
      if (sinceMs === undefined) continue;
      waiting.delete(id);
      longestMs = Math.max(longestMs, performance.now() - sinceMs);
    }
  };
  plugin.process.stdout.on('data', onData);
  const hooks = setInterval(
    () => waiting.set(hookCall(plugin, STRANGER, '015b'), performance.now()),
    HOOK_EVERY_MS,
  );
  const startedMs = performance.now();
  const result = await plugin.request(`bench:${method}#${++lastId}`, method, params);
  const ms = performance.now() - startedMs;
  clearInterval(hooks);
  await delay(100);
  plugin.process.stdout.off('data', onData);
  return { result, ms, longestMs };
}

function residentMb(pid: number | undefined): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}
