/**
 * Secret but repeatable choices. The key comes from lightningd's `makesecret`, so that a restart chooses the same way
 * and nobody outside can predict it.
 */
import { createHmac } from 'node:crypto';

/** A uniformly distributed u32 for a label and its parts, by HMAC-SHA256. */
export type KeyedHash = (label: string, ...parts: readonly string[]) => number;

/** @param key 32 secret bytes */
export function keyedHash(key: Buffer): KeyedHash {
  // Parts are ids and numbers: none holds the separator.
  return (label, ...parts) =>
    createHmac('sha256', key)
      .update([label, ...parts].join('|'))
      .digest()
      .readUInt32BE(0);
}
