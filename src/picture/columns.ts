/**
 * Columns of whole numbers as bytes: all lowest bytes, then all second ones, and so on, which deflate shrinks well.
 * Used on both sides, by the plugin and by the page.
 */

import type { OfferColumn } from './picture.ts';

/** A node id: a compressed public key. */
export const ID_BYTES = 33;
/** What is left of the ids of nodes that only shortened offers name: enough to find them by. */
export const SHORT_ID_BYTES = 8;
/** Columns of which each value is its `difference` to the one before. */
const DIFFERENCES: ReadonlySet<OfferColumn> = new Set(['other', 'block']);
/** A short channel id's block is below it, and so is the number of nodes: 500,000 offers name no more. */
const MODULUS = 2 ** 24;
const COUNT_BYTES = 4;
const HEAD_BYTES = COUNT_BYTES + 1;

/** How many values are written in one go. */
const VALUES_AT_ONCE = 2 ** 15;

/**
 * Piece by piece, so that whoever takes them can rest in between.
 *
 * @param values whole numbers, 0 to 2^53 - 1
 */
export function* packColumn(values: ArrayLike<number>): Generator<Uint8Array> {
  let largest = 0;
  for (let index = 0; index < values.length; index++) largest = Math.max(largest, values[index] ?? 0);
  let planes = 0;
  for (let rest = largest; rest > 0; rest = Math.floor(rest / 256)) planes++;
  const head = new Uint8Array(HEAD_BYTES);
  new DataView(head.buffer).setUint32(0, values.length, true);
  head[COUNT_BYTES] = planes;
  yield head;
  for (let plane = 0; plane < planes; plane++) {
    // Shifting takes 32 bits, and dividing ten times as long.
    const [scale, shift] = plane < 4 ? [1, 8 * plane] : [2 ** 32, 8 * (plane - 4)];
    for (let from = 0; from < values.length; from += VALUES_AT_ONCE) {
      const bytes = new Uint8Array(Math.min(VALUES_AT_ONCE, values.length - from));
      for (let index = 0; index < bytes.length; index++) {
        bytes[index] = ((values[from + index] ?? 0) / scale) >>> shift;
      }
      yield bytes;
    }
  }
}

/** Reads columns one after the other from where `at` stands. */
export class ColumnReader {
  readonly #bytes: Uint8Array;
  #at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  column(): Float64Array {
    const view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset + this.#at, HEAD_BYTES);
    const count = view.getUint32(0, true);
    const planes = view.getUint8(COUNT_BYTES);
    const values = new Float64Array(count);
    let at = this.#at + HEAD_BYTES;
    for (let plane = 0, scale = 1; plane < planes; plane++, scale *= 256) {
      const bytes = this.#bytes.subarray(at, at + count);
      for (let index = 0; index < count; index++) {
        values[index] = (values[index] ?? 0) + (bytes[index] ?? 0) * scale;
      }
      at += count;
    }
    this.#at = at;
    return values;
  }

  take(length: number): Uint8Array {
    const taken = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return taken;
  }
}

/** What stands in the file for a value of a column of which each holds its difference to the one before. */
export function difference(value: number, before: number): number {
  return (value - before + MODULUS) % MODULUS;
}

export function readOfferColumn(name: OfferColumn, reader: ColumnReader): Float64Array {
  const values = reader.column();
  return DIFFERENCES.has(name) ? fromDifferences(values) : values;
}

function fromDifferences(values: Float64Array): Float64Array {
  let before = 0;
  for (let index = 0; index < values.length; index++) {
    before += values[index] ?? 0;
    if (before >= MODULUS) before -= MODULUS;
    values[index] = before;
  }
  return values;
}
