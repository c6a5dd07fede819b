/** Messages of type 347, written and read by hand: what goes over the wire must not depend on the codec that is tested. */
import assert from 'node:assert/strict';
import type { RpcMethod } from './stub-rpc.ts';

/** Regtest's, in wire order. */
export const CHAIN_HASH = '06226e46111a0b59caaf126043eb5bbf28c34f3a5e332a1fc7b2b73cf188910f';

export interface Query {
  readonly flow: 0 | 1;
  readonly amountMsat: number;
  /** 16 hex digits. */
  readonly queryId: string;
}

export interface Reply extends Query {
  readonly timestampMs: number;
  readonly shortChannelIds: readonly string[];
}

function record(type: number, value: string): string {
  const length = value.length / 2;
  assert.ok(length < 0xfd, 'one byte of length is all that is done here');
  return byte(type) + byte(length) + value;
}

function byte(value: number): string {
  return value.toString(16).padStart(2, '0');
}

/** The shortest whole number of bytes. */
function tu64(value: number): string {
  const hex = value.toString(16);
  return hex.length % 2 === 0 ? hex : `0${hex}`;
}

function shortChannelId(text: string): string {
  const [block = 0, transaction = 0, output = 0] = text.split('x').map(Number);
  const hex = (number: number, digits: number) => number.toString(16).padStart(digits, '0');
  return hex(block, 6) + hex(transaction, 6) + hex(output, 4);
}

function common({ flow, amountMsat, queryId }: Query): string {
  return record(0, CHAIN_HASH) + record(1, queryId) + record(2, byte(flow)) + record(4, tu64(amountMsat));
}

export function queryHex(query: Query): string {
  return `015b${common(query)}`;
}

export function replyHex(reply: Reply): string {
  const ids = reply.shortChannelIds.map(shortChannelId).join('');
  return `015b${common(reply)}${record(6, tu64(reply.timestampMs))}${record(8, ids)}`;
}

/** The records of a message whose types and lengths are one byte each, by type, in hex. */
export function recordsOf(message: string): Map<number, string> {
  assert.equal(message.slice(0, 4), '015b');
  const records = new Map<number, string>();
  let rest = message.slice(4);
  while (rest !== '') {
    const end = 4 + Number.parseInt(rest.slice(2, 4), 16) * 2;
    records.set(Number.parseInt(rest.slice(0, 2), 16), rest.slice(4, end));
    rest = rest.slice(end);
  }
  return records;
}

export function readQuery(message: string): Query {
  const records = recordsOf(message);
  assert.deepEqual([...records.keys()], [0, 1, 2, 4], `no query: ${message}`);
  assert.equal(records.get(0), CHAIN_HASH);
  const value = (type: number) => records.get(type) ?? '';
  const flow = Number.parseInt(value(2), 16);
  assert.ok(flow === 0 || flow === 1);
  return { queryId: value(1), flow, amountMsat: Number.parseInt(value(4), 16) };
}

/** What friends do with the queries that the plugin sends them: hand their reply to the hook, or nothing. */
export function friends(
  deliver: (peerId: string, payload: string) => void,
  reply: (peerId: string, query: Query) => Partial<Reply> | undefined,
): RpcMethod {
  return ({ node_id: peerId, msg }) => {
    const query = readQuery(String(msg));
    const said = reply(String(peerId), query);
    if (said !== undefined) {
      deliver(String(peerId), replyHex({ ...query, timestampMs: Date.now(), shortChannelIds: [], ...said }));
    }
    return { status: 'Message sent to connectd for delivery' };
  };
}
