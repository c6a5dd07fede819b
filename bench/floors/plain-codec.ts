/**
 * The messages of type 347 as plain Buffer code writes them when nothing has to be general or safe: every record at a
 * fixed place, amounts of 4 bytes, timestamps of 6, and of all rules only the lengths are checked.
 */
import type { FoafQuery, FoafReply } from '../../src/wire/codec.ts';

/** Records 0, 1, 2 and 4 of a query with an id and an amount of 4 bytes. */
const QUERY_BYTES = 55;
/** The same and record 6 of 6 bytes, then the header of record 8: its type, 0xfd and a length of two bytes. */
const REPLY_BYTES = QUERY_BYTES + 8 + 4;

export function encodeQuery(query: FoafQuery): string {
  const bytes = Buffer.allocUnsafe(QUERY_BYTES);
  writeQuestion(bytes, query.chainHash, query.queryId ?? '', query.flow, query.amountMsat);
  return bytes.toString('hex');
}

export function decodeQuery(hex: string): FoafQuery {
  const bytes = Buffer.from(hex, 'hex');
  if (bytes.length !== QUERY_BYTES) throw new RangeError('length');
  return { name: 'query_foaf_balances', ...readQuestion(bytes) };
}

export function encodeReply(reply: FoafReply): string {
  const { shortChannelIds } = reply;
  const bytes = Buffer.allocUnsafe(REPLY_BYTES + shortChannelIds.length * 8);
  writeQuestion(bytes, reply.chainHash, reply.queryId ?? '', reply.flow, reply.amountMsat);
  bytes.writeUInt16BE(0x0606, 55);
  bytes.writeUIntBE(Number(reply.timestampMs), 57, 6);
  bytes.writeUInt16BE(0x08fd, 63);
  bytes.writeUInt16BE(shortChannelIds.length * 8, 65);
  let offset = REPLY_BYTES;
  for (const id of shortChannelIds) {
    bytes.writeBigUInt64BE(id, offset);
    offset += 8;
  }
  return bytes.toString('hex');
}

export function decodeReply(hex: string): FoafReply {
  const bytes = Buffer.from(hex, 'hex');
  if (bytes.length < REPLY_BYTES || bytes.length !== REPLY_BYTES + bytes.readUInt16BE(65)) {
    throw new RangeError('length');
  }
  const shortChannelIds: bigint[] = [];
  for (let offset = REPLY_BYTES; offset < bytes.length; offset += 8) {
    shortChannelIds.push(bytes.readBigUInt64BE(offset));
  }
  return {
    name: 'reply_foaf_balances',
    ...readQuestion(bytes),
    timestampMs: BigInt(bytes.readUIntBE(57, 6)),
    shortChannelIds,
  };
}

function writeQuestion(
  bytes: Buffer,
  chainHash: string,
  queryId: string,
  flow: number,
  amountMsat: bigint,
): void {
  bytes.writeUInt32BE(0x015b0020, 0);
  bytes.write(chainHash, 4, 'hex');
  bytes.writeUInt16BE(0x0108, 36);
  bytes.write(queryId, 38, 'hex');
  bytes.writeUInt16BE(0x0201, 46);
  bytes[48] = flow;
  bytes.writeUInt16BE(0x0404, 49);
  bytes.writeUInt32BE(Number(amountMsat), 51);
}

function readQuestion(bytes: Buffer): Omit<FoafQuery, 'name'> {
  return {
    chainHash: bytes.toString('hex', 4, 36),
    queryId: bytes.toString('hex', 38, 46),
    flow: bytes[48] === 1 ? 1 : 0,
    amountMsat: BigInt(bytes.readUInt32BE(51)),
  };
}
