/** Messages as values and as bytes, and an arbitrary one. */
import fc from 'fast-check';
import {
  type FoafMessage,
  type FoafQuery,
  type FoafReply,
  MAX_AMOUNT_MSAT,
  MAX_REPLY_CHANNELS,
} from '../../src/wire/codec.ts';
import { compareShortChannelIds } from '../../src/wire/short-channel-id.ts';
import { U64_MAX } from '../../src/wire/tu64.ts';

/** regtest's. */
export const CHAIN_HASH = '06226e46111a0b59caaf126043eb5bbf28c34f3a5e332a1fc7b2b73cf188910f';

/** The example of the protocol: out, 50,000 sat, on regtest. */
export const QUERY: FoafQuery = {
  name: 'query_foaf_balances',
  chainHash: CHAIN_HASH,
  queryId: '0102030405060708',
  flow: 1,
  amountMsat: 50_000_000n,
};
export const QUERY_HEX =
  '015b0020' +
  '06226e46111a0b59caaf126043eb5bbf28c34f3a5e332a1fc7b2b73cf188910f' +
  '01080102030405060708' +
  '020101' +
  '040402faf080';

/** Its answer: 103x2x0 and 103x3x1, said at 1795327680000. */
export const REPLY: FoafReply = {
  name: 'reply_foaf_balances',
  chainHash: CHAIN_HASH,
  queryId: '0102030405060708',
  flow: 1,
  amountMsat: 50_000_000n,
  timestampMs: 1_795_327_680_000n,
  shortChannelIds: [(103n << 40n) | (2n << 16n), (103n << 40n) | (3n << 16n) | 1n],
};
export const REPLY_HEX = `${QUERY_HEX}060601a201de5e00081000006700000200000000670000030001`;

/** One record with a type below 2^32, its length below 2^16. */
export function record(type: number, valueHex: string): string {
  return bigSize(type) + bigSize(valueHex.length / 2) + valueHex;
}

function bigSize(value: number): string {
  if (value < 0xfd) return value.toString(16).padStart(2, '0');
  return value <= 0xffff
    ? `fd${value.toString(16).padStart(4, '0')}`
    : `fe${value.toString(16).padStart(8, '0')}`;
}

const hexOf = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map(array => Buffer.from(array).toString('hex'));

const common = {
  chainHash: fc.oneof(fc.constant(CHAIN_HASH), hexOf(32)),
  flow: fc.constantFrom<0 | 1>(0, 1),
  amountMsat: fc.bigInt({ min: 1n, max: MAX_AMOUNT_MSAT }),
};
const optionalId = { queryId: hexOf(8) };

const anyQuery: fc.Arbitrary<FoafQuery> = fc.record(
  { name: fc.constant('query_foaf_balances' as const), ...common, ...optionalId },
  { requiredKeys: ['name', 'chainHash', 'flow', 'amountMsat'], noNullPrototype: true },
);
const anyReply: fc.Arbitrary<FoafReply> = fc.record(
  {
    name: fc.constant('reply_foaf_balances' as const),
    ...common,
    ...optionalId,
    timestampMs: fc.bigInt({ min: 0n, max: U64_MAX }),
    shortChannelIds: fc
      .uniqueArray(fc.bigInt({ min: 0n, max: U64_MAX }), { maxLength: MAX_REPLY_CHANNELS, size: 'large' })
      .map(ids => ids.sort(compareShortChannelIds)),
  },
  {
    requiredKeys: ['name', 'chainHash', 'flow', 'amountMsat', 'timestampMs', 'shortChannelIds'],
    noNullPrototype: true,
  },
);

/** Any message that may be written. */
export const anyMessage: fc.Arbitrary<FoafMessage> = fc.oneof(anyQuery, anyReply);
