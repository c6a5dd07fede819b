import { toBigIntBE, toBufferBE } from 'bigint-buffer';
import { WireError } from './wire-error.ts';

/** The largest u64. */
export const U64_MAX = 0xffff_ffff_ffff_ffffn;

/**
 * Reads a truncated u64 (BOLT 1, "Fundamental Types"): 0 to 8 bytes, big-endian, no leading zero byte.
 *
 * @throws WireError `bad_length` over 8 bytes, `not_minimal` with a leading zero
 */
export function decodeTu64(bytes: Buffer): bigint {
  if (bytes.length > 8) throw new WireError('bad_length', `a tu64 has at most 8 bytes, got ${bytes.length}`);
  if (bytes[0] === 0) throw new WireError('not_minimal', 'a tu64 begins with a zero byte');
  return toBigIntBE(bytes);
}

/**
 * Writes a truncated u64.
 *
 * @throws WireError `bad_value` outside 0 to 2^64 - 1; bigint-buffer itself would cut an overflow silently
 */
export function encodeTu64(value: bigint): Buffer {
  if (value < 0n || value > U64_MAX) throw new WireError('bad_value', `no u64: ${value}`);
  let width = 0;
  for (let rest = value; rest > 0n; rest >>= 8n) width++;
  return width === 0 ? Buffer.alloc(0) : toBufferBE(value, width);
}
