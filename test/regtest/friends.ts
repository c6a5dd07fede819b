/** What the cases on real nodes have in common: the plugin and its answers, friends played by hand, and clean logs. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chainHashOf } from '../../src/wire/chain-hash.ts';
import {
  decodeMessage,
  encodeMessage,
  type FoafMessage,
  type FoafQuery,
  type FoafReply,
} from '../../src/wire/codec.ts';
import { compareShortChannelIds, parseShortChannelId } from '../../src/wire/short-channel-id.ts';
import type { RegtestNetwork, RegtestNode } from './harness.ts';

export const PLUGIN = fileURLToPath(new URL('../../balancesharing.ts', import.meta.url));
/** For a node without the plugin, to see what arrives there. */
export const LISTENER = fileURLToPath(new URL('listener.ts', import.meta.url));
export const CHAIN_HASH = String(chainHashOf('regtest'));
/** A snapshot of a node with `--foaf-answer-ttl=1` has ended after this. */
export const SNAPSHOT_MS = 1_200;

/** What has been through the hook is taken up after this: the plugin may read its channels first, which nobody sees. */
export const TAKING_UP_MS = 250;

/** A channel as `foafbalance` names it. */
export interface Channel {
  short_channel_id: string;
  direction: number;
  source: string;
  destination: string;
}

export interface Friend {
  peer_id: string;
  status: string;
  reason?: string;
  amount_msat?: number;
  timestamp?: number;
  age_ms?: number;
  channels: Channel[];
}

/** What `foafbalance` answers. */
export interface Answer {
  id: string;
  direction: number;
  amount_msat: number;
  num_sent_queries: number;
  num_replies: number;
  elapsed_ms: number;
  friends: Friend[];
  warning_no_friends?: string;
}

/** Calls `foafbalance` with named parameters. Unless told otherwise it waits longer than any live friend needs. */
export function ask(node: RegtestNode, params: Record<string, unknown>): Promise<Answer> {
  return node.rpc<Answer>('foafbalance', { timeout: 20, ...params }, { timeoutMs: 60_000 });
}

/** A channel as it has to be named for an amount that flows from `source` to `destination`. */
export function channel(short_channel_id: string, source: RegtestNode, destination: RegtestNode): Channel {
  // BOLT 7: direction 0 goes out from the node whose id sorts first.
  const direction = source.id < destination.id ? 0 : 1;
  return { short_channel_id, direction, source: source.id, destination: destination.id };
}

/** Of an answer, what each friend said, friends in the answer's order. */
export function said({ friends }: Answer): Pick<Friend, 'peer_id' | 'status' | 'channels'>[] {
  return friends.map(({ peer_id, status, channels }) => ({ peer_id, status, channels }));
}

/** The same as it has to be: sorted by peer id. */
export function expected(
  ...friends: readonly (readonly [peer: RegtestNode, status: string, ...channels: Channel[]])[]
): Pick<Friend, 'peer_id' | 'status' | 'channels'>[] {
  return friends
    .map(([peer, status, ...channels]) => ({ peer_id: peer.id, status, channels }))
    .sort((a, b) => (a.peer_id < b.peer_id ? -1 : 1));
}

/** An answer's one friend. */
export function only({ friends }: Answer): Friend {
  assert.equal(friends.length, 1);
  const [friend] = friends;
  assert.ok(friend);
  return friend;
}

/** The numbers of short channel ids, in the order in which a reply names them. */
export function scids(...texts: readonly string[]): bigint[] {
  return texts
    .map(text => {
      const scid = parseShortChannelId(text);
      assert.ok(scid !== undefined, text);
      return scid;
    })
    .sort(compareShortChannelIds);
}

/** A query for 50,000 sat out, with changes. */
export function query(changes: Partial<FoafQuery> = {}): FoafQuery {
  const base = { name: 'query_foaf_balances', chainHash: CHAIN_HASH, queryId: '0102030405060708' } as const;
  return { ...base, flow: 1, amountMsat: 50_000_000n, ...changes };
}

/** A reply, said now, to a query. */
export function replyTo(asked: FoafQuery, changes: Partial<FoafReply> = {}): FoafReply {
  const timestampMs = BigInt(Date.now());
  return { ...asked, name: 'reply_foaf_balances', timestampMs, shortChannelIds: [], ...changes };
}

/** Sends a message by hand, from a node without the plugin: ours, or any bytes in hex. */
export async function tell(from: RegtestNode, to: RegtestNode, message: FoafMessage | string): Promise<void> {
  const msg = typeof message === 'string' ? message : encodeMessage(message);
  await from.rpc('sendcustommsg', { node_id: to.id, msg });
}

export interface Heard {
  readonly peerId: string;
  readonly message: FoafMessage;
}

/** How long a query may take to arrive: by far not as long as the longest call of these tests waits. */
const QUERY_TIMEOUT_MS = 10_000;
const HEARD = /listener\.ts: heard ([0-9a-f]{66}) ([0-9a-f]+)/;

function parseHeard(line: string): Heard[] {
  const [, peerId, payload] = HEARD.exec(line) ?? [];
  return peerId === undefined || payload === undefined ? [] : [{ peerId, message: decodeMessage(payload) }];
}

/** What a node with the listener has heard so far, from log line `from` on. */
export function heardBy(node: RegtestNode, from = 0): Heard[] {
  return node.logText(from).split('\n').flatMap(parseHeard);
}

/** The first query that a node with the listener hears from log line `from` on. */
export async function nextQuery(node: RegtestNode, from: number): Promise<FoafQuery> {
  const [heard] = parseHeard(await node.waitForLog(HEARD, { from, timeoutMs: QUERY_TIMEOUT_MS }));
  assert.ok(heard?.message.name === 'query_foaf_balances');
  return heard.message;
}

/**
 * Waits until all that `from` has sent to `to` so far has been through `to`'s hook, and all that `to` has sent back by
 * then has been through the hook of `from`.
 */
export async function flush(from: RegtestNode, to: RegtestNode): Promise<void> {
  await from.rpc('ping', { id: to.id });
}

/** How many messages of type 347 a node has taken up so far, whatever became of them. */
export async function takenUp(node: RegtestNode): Promise<number> {
  const { counters } = await node.rpc<{ counters: { received: Record<string, number> } }>('foafstatus');
  return Object.values(counters.received).reduce((sum, count) => sum + count, 0);
}

/** How many messages of type 347 a node has sent, to anybody. */
export function sentMessages(node: RegtestNode): number {
  return node.logText().match(/-connectd: peer_out UNKNOWN 347/g)?.length ?? 0;
}

/** The process of the plugin in its latest run. */
export function pluginPid(node: RegtestNode): number {
  const starts = [...node.logText().matchAll(/started\((\d+)\) \S*\/balancesharing\.ts/g)];
  const pid = Number(starts.at(-1)?.[1]);
  assert.ok(pid > 0, 'lightningd did not log the start of the plugin');
  return pid;
}

/** Whether a process runs; zombies that nobody reaps (containers without an init) do not count. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  if (!existsSync('/proc/self/stat')) return true;
  try {
    // "pid (name, which may hold anything) state …"
    const state = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.charAt(0);
    return state !== 'Z' && state !== 'X';
  } catch {
    return false; // It ended while we looked.
  }
}

/** What a log holds if something was wrong: with lightningd, with how our plugin uses it, or in the plugin itself. */
const COMPLAINTS = [
  /FATAL SIGNAL|\bBROKEN\b/,
  /deprecated/i,
  /Killing plugin: (?!stopped by lightningd via RPC)/,
  /^\s+at .*(:\d+:\d+|node:internal)/,
  /balancesharing.*(unhandled|skipped (a line|what)|log lines were dropped)/i,
];

/** No node has died, and no log holds a complaint. */
export function assertNoComplaints(network: RegtestNetwork): void {
  for (const node of network.nodes) {
    assert.equal(node.failure, undefined);
    const lines = node.logText().split('\n');
    assert.deepEqual(
      lines.filter(line => COMPLAINTS.some(pattern => pattern.test(line))),
      [],
    );
  }
}
