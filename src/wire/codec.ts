/**
 * The messages of type 347 (docs/protocol.md): a query asks a friend on which channels it would willingly forward an
 * amount, a reply names them. One type carries both: a message with record 8 is a reply.
 *
 * Hazard: whatever a peer sends comes through `decodeMessage`. It returns a message that obeys every rule of the
 * protocol or throws a `WireError`, nothing else, in time linear in the message's length. And lightningd itself dies
 * when told to send an empty message or one over 65,535 bytes, so nothing that `encodeMessage` returns is either.
 */
import type { ShortChannelId } from './short-channel-id.ts';
import { decodeTlvStream, encodeTlvRecords } from './tlv.ts';
import { decodeTu64, encodeTu64, U64_MAX } from './tu64.ts';
import { WireError } from './wire-error.ts';

/** The type number under which the idea was published in 2020 (lightning/bolts pull request 780). */
export const FOAF_MESSAGE_TYPE = 347;
/** The longest Lightning message, its two-byte type included (BOLT 8: a u16 length). */
export const MAX_MESSAGE_BYTES = 65_535;
/** The most channels one reply may name (docs/protocol.md, after the draft of 2020). */
export const MAX_REPLY_CHANNELS = 1000;
/** The largest amount a message may carry: 20 million bitcoin in millisatoshi. */
export const MAX_AMOUNT_MSAT = 2_000_000_000_000_000_000n;

/** 1: out, the asker would send through the friend. 0: in, the asker would receive from the friend. */
export type Flow = 0 | 1;

/** *On which of your channels would you pass this on (flow 1), or take this in (flow 0)?* */
export interface FoafQuery {
  readonly name: 'query_foaf_balances';
  /** 64 lower-case hex digits, the genesis block's hash in wire order. */
  readonly chainHash: string;
  /** 16 lower-case hex digits; absent in queries from senders that need no answer told apart. */
  readonly queryId?: string;
  readonly flow: Flow;
  /** 1 to `MAX_AMOUNT_MSAT`. */
  readonly amountMsat: bigint;
}

/** *On these, at that time, for this amount.* Without `queryId` nobody asked for it. */
export interface FoafReply extends Omit<FoafQuery, 'name'> {
  readonly name: 'reply_foaf_balances';
  /** Milliseconds since the Unix epoch, any u64. */
  readonly timestampMs: bigint;
  /** Strictly ascending, at most `MAX_REPLY_CHANNELS`. */
  readonly shortChannelIds: readonly ShortChannelId[];
}

export type FoafMessage = FoafQuery | FoafReply;

const CHAIN_HASH = 0;
const QUERY_ID = 1;
const FLOW_VALUE = 2;
const AMOUNT_MSAT = 4;
const TIMESTAMP = 6;
const SHORT_CHANNEL_IDS = 8;
const KNOWN_RECORDS: ReadonlySet<number> = new Set([
  CHAIN_HASH,
  QUERY_ID,
  FLOW_VALUE,
  AMOUNT_MSAT,
  TIMESTAMP,
  SHORT_CHANNEL_IDS,
]);

const TYPE_BYTES = 2;
const TYPE_HEX = FOAF_MESSAGE_TYPE.toString(16).padStart(TYPE_BYTES * 2, '0');
const CHAIN_HASH_PATTERN = /^[0-9a-f]{64}$/;
const QUERY_ID_PATTERN = /^[0-9a-f]{16}$/;

/**
 * Reads one message.
 *
 * @param hex the message as lightningd's `custommsg` hook gives it: its two-byte type and its body
 * @throws WireError, and nothing else, whatever the text
 */
export function decodeMessage(hex: string): FoafMessage {
  if (hex.length > MAX_MESSAGE_BYTES * 2) {
    throw new WireError(
      'oversized',
      `a message has at most ${MAX_MESSAGE_BYTES} bytes, got ${hex.length / 2}`,
    );
  }
  const bytes = Buffer.from(hex, 'hex');
  // Buffer.from stops silently at the first digit that is none.
  if (bytes.length * 2 !== hex.length) throw new WireError('not_hex', 'not hexadecimal of even length');
  if (bytes.length < TYPE_BYTES) throw new WireError('truncated', 'the message ends inside its type');
  const type = bytes.readUInt16BE(0);
  if (type !== FOAF_MESSAGE_TYPE) throw new WireError('other_type', `message type ${type}, not 347`);

  const values = new Map<number, Buffer>();
  for (const record of decodeTlvStream(hex, TYPE_BYTES, KNOWN_RECORDS)) {
    values.set(record.type, bytes.subarray(record.start, record.end));
  }
  const queryId = values.get(QUERY_ID);
  const common = {
    chainHash: exactly(32, 'chain_hash', required(values, CHAIN_HASH, 'chain_hash')).toString('hex'),
    ...(queryId === undefined ? {} : { queryId: exactly(8, 'query_id', queryId).toString('hex') }),
    flow: decodeFlow(required(values, FLOW_VALUE, 'flow_value')),
    amountMsat: checkAmount(decodeTu64(required(values, AMOUNT_MSAT, 'amount_msat'))),
  };
  const shortChannelIds = values.get(SHORT_CHANNEL_IDS);
  if (shortChannelIds === undefined) {
    if (values.has(TIMESTAMP)) throw new WireError('stray_record', 'a query has no timestamp');
    return { name: 'query_foaf_balances', ...common };
  }
  return {
    name: 'reply_foaf_balances',
    ...common,
    timestampMs: decodeTu64(required(values, TIMESTAMP, 'timestamp')),
    shortChannelIds: decodeShortChannelIds(shortChannelIds),
  };
}

/**
 * Writes one message: hex, its two-byte type first, as `sendcustommsg` takes it.
 *
 * @throws WireError when a field is outside what the protocol allows
 */
export function encodeMessage(message: FoafMessage): string {
  if (!CHAIN_HASH_PATTERN.test(message.chainHash)) {
    throw new WireError(
      'bad_value',
      `chain_hash: 64 lower-case hex digits expected, got ${message.chainHash}`,
    );
  }
  const records = [
    { type: CHAIN_HASH, value: message.chainHash },
    { type: FLOW_VALUE, value: message.flow === 1 ? '01' : '00' },
    { type: AMOUNT_MSAT, value: encodeTu64(checkAmount(message.amountMsat)).toString('hex') },
  ];
  if (message.queryId !== undefined) {
    if (!QUERY_ID_PATTERN.test(message.queryId)) {
      throw new WireError('bad_value', `query_id: 16 lower-case hex digits expected, got ${message.queryId}`);
    }
    records.push({ type: QUERY_ID, value: message.queryId });
  }
  if (message.name === 'reply_foaf_balances') {
    records.push(
      { type: TIMESTAMP, value: encodeTu64(message.timestampMs).toString('hex') },
      { type: SHORT_CHANNEL_IDS, value: encodeShortChannelIds(message.shortChannelIds) },
    );
  }
  return TYPE_HEX + encodeTlvRecords(records);
}

function required(values: ReadonlyMap<number, Buffer>, type: number, name: string): Buffer {
  const value = values.get(type);
  if (value === undefined) throw new WireError('missing_record', `record ${type} (${name}) is missing`);
  return value;
}

function exactly(length: number, name: string, value: Buffer): Buffer {
  if (value.length !== length) {
    throw new WireError('bad_length', `${name} has ${length} bytes, got ${value.length}`);
  }
  return value;
}

function decodeFlow(value: Buffer): Flow {
  const flow = exactly(1, 'flow_value', value)[0];
  if (flow !== 0 && flow !== 1) throw new WireError('bad_value', `flow_value is 0 or 1, got ${flow}`);
  return flow;
}

function checkAmount(amountMsat: bigint): bigint {
  if (amountMsat < 1n || amountMsat > MAX_AMOUNT_MSAT) {
    throw new WireError('bad_value', `amount_msat is 1 to ${MAX_AMOUNT_MSAT}, got ${amountMsat}`);
  }
  return amountMsat;
}

function decodeShortChannelIds(value: Buffer): ShortChannelId[] {
  if (value.length % 8 !== 0 || value.length > MAX_REPLY_CHANNELS * 8) {
    throw new WireError('bad_length', `short_channel_ids has n × 8 bytes, n up to 1000, got ${value.length}`);
  }
  const ids: ShortChannelId[] = [];
  let previous = -1n;
  for (let offset = 0; offset < value.length; offset += 8) {
    const id = value.readBigUInt64BE(offset);
    if (id <= previous) throw new WireError('bad_value', 'short_channel_ids do not strictly ascend');
    ids.push(id);
    previous = id;
  }
  return ids;
}

function encodeShortChannelIds(ids: readonly ShortChannelId[]): string {
  if (ids.length > MAX_REPLY_CHANNELS) {
    throw new WireError(
      'bad_length',
      `a reply names at most ${MAX_REPLY_CHANNELS} channels, got ${ids.length}`,
    );
  }
  const value = Buffer.allocUnsafe(ids.length * 8);
  let previous = -1n;
  let offset = 0;
  for (const id of ids) {
    if (id <= previous || id > U64_MAX) {
      throw new WireError('bad_value', 'short_channel_ids are u64s in strictly ascending order');
    }
    value.writeBigUInt64BE(id, offset);
    offset += 8;
    previous = id;
  }
  return value.toString('hex');
}
