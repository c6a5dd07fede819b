import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeBigSize, encodeBigSize, decodeTlvStream as laxTlvStream } from 'bolt01';
import fc from 'fast-check';
import { decodeTlvStream, encodeTlvRecords } from '../../src/wire/tlv.ts';
import { decodeTu64, encodeTu64, U64_MAX } from '../../src/wire/tu64.ts';
import { WireError } from '../../src/wire/wire-error.ts';
import * as bolt1 from './bolt1-vectors.ts';

const refusedAs = (reason: string) => (error: unknown) =>
  error instanceof WireError && error.reason === reason;

/** A stream of one record of an odd type that says itself how long its value is, by this BigSize. */
function streamWithLength(bigSizeHex: string): string {
  return `0f${bigSizeHex}`;
}

test('BOLT 1 BigSize vectors: each is read as a record type, and bolt01 agrees', () => {
  for (const { name, value, hex } of bolt1.BIG_SIZES) {
    assert.equal(decodeBigSize({ encoded: hex }).decoded, String(value), name);
    assert.equal(encodeBigSize({ number: String(value) }).encoded, hex, name);
    if (value % 2n === 1n) assert.deepEqual(decodeTlvStream(`${hex}00`, 0, new Set()), [], name);
    else assert.throws(() => decodeTlvStream(`${hex}00`, 0, new Set()), refusedAs('unknown_even'), name);
  }
});

test('BOLT 1 BigSize vectors that must be refused, as a type and as a length', () => {
  for (const { name, hex, reason } of bolt1.BAD_BIG_SIZES) {
    assert.throws(() => decodeTlvStream(hex, 0, new Set()), refusedAs(reason), name);
    assert.throws(() => decodeTlvStream(streamWithLength(hex), 0, new Set()), refusedAs(reason), name);
  }
});

test('BOLT 1 streams that any namespace refuses', () => {
  for (const { hex, why, reason } of bolt1.BAD_STREAMS) {
    assert.throws(() => decodeTlvStream(hex, 0, bolt1.N1), refusedAs(reason), `${hex}: ${why}`);
  }
});

test('BOLT 1 streams out of order or with a duplicate: refused, where bolt01 lets them pass', () => {
  for (const { hex, why } of bolt1.BAD_ORDER_N1) {
    assert.doesNotThrow(() => laxTlvStream({ encoded: hex }), why);
    assert.throws(() => decodeTlvStream(hex, 0, bolt1.N1), refusedAs('out_of_order'), why);
  }
  const { hex, why } = bolt1.BAD_ORDER_N2;
  assert.throws(() => decodeTlvStream(hex, 0, bolt1.N2), refusedAs('out_of_order'), why);
});

test('BOLT 1: an even type that the namespace does not know', () => {
  const { hex, why } = bolt1.UNKNOWN_EVEN_N1;
  assert.throws(() => decodeTlvStream(hex, 0, bolt1.N1), refusedAs('unknown_even'), why);
});

test('BOLT 1 streams of unknown odd records are passed over', () => {
  for (const hex of bolt1.IGNORED_STREAMS) assert.deepEqual(decodeTlvStream(hex, 0, bolt1.N1), [], hex);
});

test('BOLT 1 tu64 vectors', () => {
  for (const { hex, value } of bolt1.TU64S) {
    const [record] = decodeTlvStream(hex, 0, bolt1.N1);
    assert.ok(record);
    const bytes = Buffer.from(hex, 'hex').subarray(record.start, record.end);
    assert.equal(decodeTu64(bytes), value, hex);
    assert.equal(encodeTu64(value).toString('hex'), bytes.toString('hex'), hex);
  }
  for (const { hex, reason } of bolt1.BAD_TU64S) {
    const [record] = decodeTlvStream(hex, 0, bolt1.N1);
    assert.ok(record);
    const bytes = Buffer.from(hex, 'hex').subarray(record.start, record.end);
    assert.throws(() => decodeTu64(bytes), refusedAs(reason), hex);
  }
});

test('types that doubles cannot tell apart keep their order', () => {
  const [low, high] = ['ff0020000000000001', 'ff0020000000000003'];
  assert.deepEqual(decodeTlvStream(`${low}00${high}00`, 0, new Set()), []);
  assert.throws(() => decodeTlvStream(`${high}00${low}00`, 0, new Set()), refusedAs('out_of_order'));
  assert.throws(() => decodeTlvStream(`${low}00${low}00`, 0, new Set()), refusedAs('out_of_order'));
});

test('a length of 2^64 - 1 is truncated, not read', () => {
  assert.throws(() => decodeTlvStream('0fffffffffffffffffff00', 0, new Set()), refusedAs('truncated'));
});

test('property: a u64 survives tu64, in the fewest bytes', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: U64_MAX }), value => {
      const bytes = encodeTu64(value);
      assert.equal(decodeTu64(bytes), value);
      assert.equal(bytes.length, Math.ceil(value.toString(2).replace(/^0$/, '').length / 8));
    }),
  );
  for (const value of [-1n, U64_MAX + 1n]) assert.throws(() => encodeTu64(value), refusedAs('bad_value'));
});

test('property: records that were written are found again where they lie', () => {
  const records = fc.uniqueArray(
    fc.record({ type: fc.integer({ min: 0, max: 70_000 }), value: fc.uint8Array({ maxLength: 300 }) }),
    { selector: record => record.type, maxLength: 20 },
  );
  fc.assert(
    fc.property(records, written => {
      const hex = encodeTlvRecords(
        written.map(({ type, value }) => ({ type, value: Buffer.from(value).toString('hex') })),
      );
      const bytes = Buffer.from(hex, 'hex');
      const read = decodeTlvStream(hex, 0, new Set(written.map(({ type }) => type)));
      assert.deepEqual(
        read.map(({ type, start, end }) => ({ type, value: Uint8Array.from(bytes.subarray(start, end)) })),
        written.toSorted((a, b) => a.type - b.type).map(({ type, value }) => ({ type, value })),
      );
    }),
  );
});
