/** The codec against plain Buffer code, and what the worst message costs before it is refused. */
import { deepStrictEqual } from 'node:assert';
import { decodeBigSize } from 'bolt01';
import { chainHashOf } from '../src/wire/chain-hash.ts';
import { decodeMessage, encodeMessage, type FoafQuery, type FoafReply } from '../src/wire/codec.ts';
import { WireError } from '../src/wire/wire-error.ts';
import * as plain from './floors/plain-codec.ts';
import { hostileMessages } from './hostile-messages.ts';
import { interleave, type Row, row, timed } from './measure.ts';

const ROUNDS = 41;
/** At least a tenth of the plain code's speed. */
const QUERY_BOUND = 10;
/** At least 0.4 of it. */
const REPLY_BOUND = 2.5;
const REFUSAL_BOUND = 4;

const QUERY: FoafQuery = {
  name: 'query_foaf_balances',
  chainHash: chainHashOf('regtest') ?? '',
  queryId: '0102030405060708',
  flow: 1,
  amountMsat: 50_000_000n,
};
const REPLY: FoafReply = {
  ...QUERY,
  name: 'reply_foaf_balances',
  timestampMs: 1_795_327_680_000n,
  // Of blocks as high as mainnet's, each with another transaction and output.
  shortChannelIds: Array.from(
    { length: 1000 },
    (_, index) => (BigInt(700_000 + index * 150) << 40n) | (BigInt(index * 3) << 16n) | BigInt(index % 4),
  ),
};

export async function codec(): Promise<Row[]> {
  deepStrictEqual(encodeMessage(QUERY), plain.encodeQuery(QUERY));
  deepStrictEqual(decodeMessage(encodeMessage(QUERY)), plain.decodeQuery(plain.encodeQuery(QUERY)));
  deepStrictEqual(encodeMessage(REPLY), plain.encodeReply(REPLY));
  deepStrictEqual(decodeMessage(encodeMessage(REPLY)), plain.decodeReply(plain.encodeReply(REPLY)));
  const query = await interleave(
    ROUNDS,
    10,
    timed(5000, () => decodeMessage(encodeMessage(QUERY))),
    timed(20_000, () => plain.decodeQuery(plain.encodeQuery(QUERY))),
  );
  const reply = await interleave(
    ROUNDS,
    10,
    timed(100, () => decodeMessage(encodeMessage(REPLY))),
    timed(150, () => plain.decodeReply(plain.encodeReply(REPLY))),
  );
  return [
    row('codec, a query', 'µs', query, QUERY_BOUND),
    row('codec, a reply with 1000 channels', 'µs', reply, REPLY_BOUND),
    ...(await refusals()),
  ];
}

/** Refuses every candidate for the worst message, the one that takes longest first. */
async function refusals(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { name, hex, headers } of hostileMessages()) {
    const samples = await interleave(
      ROUNDS,
      5,
      timed(4, () => refuse(hex)),
      timed(4, () => {
        for (const encoded of headers) decodeBigSize({ encoded });
      }),
    );
    rows.push(row(`codec, refuse ${name}`, 'µs', samples, REFUSAL_BOUND));
  }
  return rows.sort((a, b) => b.ours - a.ours);
}

function refuse(hex: string): void {
  try {
    decodeMessage(hex);
  } catch (error) {
    if (error instanceof WireError) return;
    throw error;
  }
  throw new Error('a hostile message was accepted');
}
