/** The test vectors of BOLT 1, appendices A and B (lightning/bolts, 01-messaging.md), without those of other types. */

export const BIG_SIZES: readonly { name: string; value: bigint; hex: string }[] = [
  { name: 'zero', value: 0n, hex: '00' },
  { name: 'one byte high', value: 252n, hex: 'fc' },
  { name: 'two byte low', value: 253n, hex: 'fd00fd' },
  { name: 'two byte high', value: 65535n, hex: 'fdffff' },
  { name: 'four byte low', value: 65536n, hex: 'fe00010000' },
  { name: 'four byte high', value: 4294967295n, hex: 'feffffffff' },
  { name: 'eight byte low', value: 4294967296n, hex: 'ff0000000100000000' },
  { name: 'eight byte high', value: 18446744073709551615n, hex: 'ffffffffffffffffff' },
];

export const BAD_BIG_SIZES: readonly { name: string; hex: string; reason: 'not_minimal' | 'truncated' }[] = [
  { name: 'two byte not canonical', hex: 'fd00fc', reason: 'not_minimal' },
  { name: 'four byte not canonical', hex: 'fe0000ffff', reason: 'not_minimal' },
  { name: 'eight byte not canonical', hex: 'ff00000000ffffffff', reason: 'not_minimal' },
  { name: 'two byte short read', hex: 'fd00', reason: 'truncated' },
  { name: 'four byte short read', hex: 'feffff', reason: 'truncated' },
  { name: 'eight byte short read', hex: 'ffffffffff', reason: 'truncated' },
  { name: 'two byte no read', hex: 'fd', reason: 'truncated' },
  { name: 'four byte no read', hex: 'fe', reason: 'truncated' },
  { name: 'eight byte no read', hex: 'ff', reason: 'truncated' },
];

/** Refused in any namespace. */
export const BAD_STREAMS: readonly { hex: string; why: string; reason: string }[] = [
  { hex: 'fd', why: 'type truncated', reason: 'truncated' },
  { hex: 'fd01', why: 'type truncated', reason: 'truncated' },
  { hex: 'fd000100', why: 'not minimally encoded type', reason: 'not_minimal' },
  { hex: 'fd0101', why: 'missing length', reason: 'truncated' },
  { hex: '0ffd', why: 'length truncated', reason: 'truncated' },
  { hex: '0ffd26', why: 'length truncated', reason: 'truncated' },
  { hex: '0ffd2602', why: 'missing value', reason: 'truncated' },
  { hex: '0ffd000100', why: 'not minimally encoded length', reason: 'not_minimal' },
  { hex: `0ffd0201${'00'.repeat(512)}`, why: 'value truncated', reason: 'truncated' },
  { hex: '1200', why: 'unknown even type', reason: 'unknown_even' },
  { hex: 'fd010200', why: 'unknown even type', reason: 'unknown_even' },
  { hex: 'fe0100000200', why: 'unknown even type', reason: 'unknown_even' },
  { hex: 'ff010000000000000200', why: 'unknown even type', reason: 'unknown_even' },
];

/** Namespace n1 knows the types 1, 2, 3 and 254; n2 knows 0 and 11. */
export const N1: ReadonlySet<number> = new Set([1, 2, 3, 254]);
export const N2: ReadonlySet<number> = new Set([0, 11]);

export const BAD_ORDER_N1: readonly { hex: string; why: string }[] = [
  { hex: '0208000000000000022601012a', why: 'valid records but invalid ordering' },
  { hex: '0208000000000000023102080000000000000451', why: 'duplicate type' },
  { hex: '1f000f012a', why: 'valid (ignored) records but invalid ordering' },
  { hex: '1f001f012a', why: 'duplicate type (ignored)' },
];
export const BAD_ORDER_N2 = { hex: 'ffffffffffffffffff000000', why: 'valid records but invalid ordering' };
export const UNKNOWN_EVEN_N1 = { hex: '0000', why: 'unknown even field for n1' };

/** Accepted in any namespace, each without a known record. */
export const IGNORED_STREAMS: readonly string[] = [
  '',
  '2100',
  'fd020100',
  'fd00fd00',
  'fd00ff00',
  'fe0200000100',
  'ff020000000000000100',
];

/** n1's tlv1 is one tu64. */
export const TU64S: readonly { hex: string; value: bigint }[] = [
  { hex: '0100', value: 0n },
  { hex: '010101', value: 1n },
  { hex: '01020100', value: 256n },
  { hex: '0103010000', value: 65536n },
  { hex: '010401000000', value: 16777216n },
  { hex: '01050100000000', value: 4294967296n },
  { hex: '0106010000000000', value: 1099511627776n },
  { hex: '010701000000000000', value: 281474976710656n },
  { hex: '01080100000000000000', value: 72057594037927936n },
];

export const BAD_TU64S: readonly { hex: string; reason: 'bad_length' | 'not_minimal' }[] = [
  { hex: '0109ffffffffffffffffff', reason: 'bad_length' },
  { hex: '010100', reason: 'not_minimal' },
  { hex: '01020001', reason: 'not_minimal' },
  { hex: '0103000100', reason: 'not_minimal' },
  { hex: '010400010000', reason: 'not_minimal' },
  { hex: '01050001000000', reason: 'not_minimal' },
  { hex: '0106000100000000', reason: 'not_minimal' },
  { hex: '010700010000000000', reason: 'not_minimal' },
  { hex: '01080001000000000000', reason: 'not_minimal' },
];
