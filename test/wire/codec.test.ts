import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { chainHashOf } from '../../src/wire/chain-hash.ts';
import { decodeMessage, encodeMessage, MAX_AMOUNT_MSAT, MAX_MESSAGE_BYTES } from '../../src/wire/codec.ts';
import { parseShortChannelId } from '../../src/wire/short-channel-id.ts';
import { WireError } from '../../src/wire/wire-error.ts';
import { anyMessage, CHAIN_HASH, QUERY, QUERY_HEX, REPLY, REPLY_HEX, record } from './messages.ts';

const refusedAs = (reason: string) => (error: unknown) =>
  error instanceof WireError && error.reason === reason;

/** The query's records, each to be left out, changed or joined by others. */
const RECORDS = {
  chain: record(0, CHAIN_HASH),
  id: record(1, '0102030405060708'),
  flow: record(2, '01'),
  amount: record(4, '02faf080'),
  time: record(6, '01a201de5e00'),
  ids: record(8, '0000670000020000'),
};

test('the query of the protocol, byte by byte', () => {
  assert.equal(encodeMessage(QUERY), QUERY_HEX);
  assert.deepEqual(decodeMessage(QUERY_HEX), QUERY);
});

test('a reply, byte by byte', () => {
  assert.equal(encodeMessage(REPLY), REPLY_HEX);
  assert.deepEqual(decodeMessage(REPLY_HEX), REPLY);
  assert.equal(parseShortChannelId('103x2x0'), REPLY.shortChannelIds[0]);
});

test('a query without an id, a reply without one, a reply that names nothing, upper-case hex', () => {
  const bare = `015b${RECORDS.chain}${RECORDS.flow}${RECORDS.amount}`;
  const { queryId: _q, ...query } = QUERY;
  assert.deepEqual(decodeMessage(bare), query);
  const { queryId: _r, ...reply } = REPLY;
  const empty = { ...reply, shortChannelIds: [] };
  assert.deepEqual(decodeMessage(`${bare}${RECORDS.time}0800`), empty);
  assert.equal(encodeMessage(empty), `${bare}${RECORDS.time}0800`);
  assert.deepEqual(decodeMessage(QUERY_HEX.toUpperCase()), QUERY);
});

test('unknown odd records are skipped wherever they stand', () => {
  const { chain, id, flow, amount } = RECORDS;
  const odd = (type: number) => record(type, 'beef');
  const message = `015b${chain}${id}${flow}${odd(3)}${amount}${odd(5)}${odd(7)}${odd(9)}${odd(65_537)}`;
  assert.deepEqual(decodeMessage(message), QUERY);
});

test('what makes a message void, and why', () => {
  const { chain, id, flow, amount, time, ids } = RECORDS;
  const start = `015b${chain}${id}`;
  const cases: [why: string, hex: string, reason: string][] = [
    ['empty', '', 'truncated'],
    ['one byte', '01', 'truncated'],
    ['odd number of digits', '015b0', 'not_hex'],
    ['no digits', 'zz5b', 'not_hex'],
    ['digits that stop', '015b00zz', 'not_hex'],
    ['another type', `015c${chain}${flow}${amount}`, 'other_type'],
    ['nothing but the type', '015b', 'missing_record'],
    ['no chain_hash', `015b${id}${flow}${amount}`, 'missing_record'],
    ['no flow_value', `${start}${amount}`, 'missing_record'],
    ['no amount_msat', `${start}${flow}`, 'missing_record'],
    ['short chain_hash', `015b${record(0, CHAIN_HASH.slice(2))}${flow}${amount}`, 'bad_length'],
    ['short query_id', `015b${chain}${record(1, '01020304050607')}${flow}${amount}`, 'bad_length'],
    ['long query_id', `015b${chain}${record(1, '010203040506070809')}${flow}${amount}`, 'bad_length'],
    ['flow 2', `${start}${record(2, '02')}${amount}`, 'bad_value'],
    ['empty flow', `${start}${record(2, '')}${amount}`, 'bad_length'],
    ['long flow', `${start}${record(2, '0001')}${amount}`, 'bad_length'],
    ['amount 0', `${start}${flow}${record(4, '')}`, 'bad_value'],
    ['amount with a leading zero', `${start}${flow}${record(4, '0001')}`, 'not_minimal'],
    ['amount of nine bytes', `${start}${flow}${record(4, '010000000000000000')}`, 'bad_length'],
    ['amount over 20 million btc', `${start}${flow}${record(4, '1bc16d674ec80001')}`, 'bad_value'],
    ['timestamp without ids', `${start}${flow}${amount}${time}`, 'stray_record'],
    ['ids without a timestamp', `${start}${flow}${amount}${ids}`, 'missing_record'],
    ['timestamp of nine bytes', `${start}${flow}${amount}${record(6, '01'.repeat(9))}${ids}`, 'bad_length'],
    ['ids of 12 bytes', `${start}${flow}${amount}${time}${record(8, '00'.repeat(12))}`, 'bad_length'],
    ['ids twice', `${start}${flow}${amount}${time}${record(8, '0000670000020000'.repeat(2))}`, 'bad_value'],
    [
      'ids descending',
      `${start}${flow}${amount}${time}${record(8, '00000000000000020000000000000001')}`,
      'bad_value',
    ],
    ['1001 ids', `${start}${flow}${amount}${time}${record(8, manyIds(1001))}`, 'bad_length'],
    ['an unknown even record', `${start}${flow}${amount}${record(10, '')}`, 'unknown_even'],
    [
      'an unknown even record between',
      `${start}${flow}${record(3, '')}${amount}${record(12, '00')}`,
      'unknown_even',
    ],
    ['a record twice', `${start}${flow}${flow}${amount}`, 'out_of_order'],
    ['records out of order', `015b${id}${chain}${flow}${amount}`, 'out_of_order'],
    ['a trailing byte', `${QUERY_HEX}00`, 'out_of_order'],
    ['a trailing odd type', `${QUERY_HEX}09`, 'truncated'],
    ['65,536 bytes', `${QUERY_HEX}${'00'.repeat(MAX_MESSAGE_BYTES + 1 - QUERY_HEX.length / 2)}`, 'oversized'],
  ];
  for (const [why, hex, reason] of cases) assert.throws(() => decodeMessage(hex), refusedAs(reason), why);
});

function manyIds(count: number): string {
  return Array.from({ length: count }, (_, index) => index.toString(16).padStart(16, '0')).join('');
}

test('1000 ids pass, and the largest amount', () => {
  const { chain, id, flow, time } = RECORDS;
  const amount = record(4, '1bc16d674ec80000');
  const message = decodeMessage(`015b${chain}${id}${flow}${amount}${time}${record(8, manyIds(1000))}`);
  assert.equal(message.amountMsat, MAX_AMOUNT_MSAT);
  assert.ok(message.name === 'reply_foaf_balances');
  assert.equal(message.shortChannelIds.length, 1000);
  assert.ok(encodeMessage(message).length / 2 < MAX_MESSAGE_BYTES);
});

test('what cannot be written is refused with the same error', () => {
  const bad = [
    { ...QUERY, amountMsat: 0n },
    { ...QUERY, amountMsat: MAX_AMOUNT_MSAT + 1n },
    { ...QUERY, queryId: '01' },
    { ...QUERY, chainHash: 'ab' },
    { ...REPLY, timestampMs: -1n },
    { ...REPLY, timestampMs: 1n << 64n },
    { ...REPLY, shortChannelIds: [2n, 1n] },
    { ...REPLY, shortChannelIds: [1n, 1n] },
    { ...REPLY, shortChannelIds: [1n << 64n] },
    { ...REPLY, shortChannelIds: Array.from({ length: 1001 }, (_, index) => BigInt(index)) },
  ];
  for (const message of bad) assert.throws(() => encodeMessage(message), WireError);
});

test('property: decode(encode(m)) = m, and no message is empty or too large', () => {
  fc.assert(
    fc.property(anyMessage, message => {
      const hex = encodeMessage(message);
      assert.deepEqual(decodeMessage(hex), message);
      assert.ok(hex.length > 0 && hex.length / 2 <= MAX_MESSAGE_BYTES);
    }),
    { numRuns: 300 },
  );
});

test('property: encode(decode(b)) = b for every valid b without unknown records', () => {
  // Valid messages with one byte changed, inserted or removed: many stay valid, and each that does must come back.
  const mutated = fc.tuple(
    anyMessage,
    fc.nat(),
    fc.nat({ max: 255 }),
    fc.constantFrom('set', 'insert', 'remove'),
  );
  let valid = 0;
  fc.assert(
    fc.property(mutated, ([message, where, byte, how]) => {
      const bytes = [...Buffer.from(encodeMessage(message), 'hex')];
      bytes.splice(where % bytes.length, how === 'insert' ? 0 : 1, ...(how === 'remove' ? [] : [byte]));
      const hex = Buffer.from(bytes).toString('hex');
      const decoded = decodedOrRefused(hex);
      if (decoded === undefined || hasUnknownRecords(hex)) return;
      valid++;
      assert.equal(encodeMessage(decoded), hex);
    }),
    { numRuns: 3000 },
  );
  assert.ok(valid > 300, `only ${valid} mutations stayed valid`);
});

test('property: any bytes at all decode or give a WireError', () => {
  const body = fc.uint8Array({ maxLength: 400 }).map(bytes => Buffer.from(bytes).toString('hex'));
  const prefix = fc.constantFrom('', '015b', `015b${RECORDS.chain}`, QUERY_HEX, REPLY_HEX);
  fc.assert(
    fc.property(prefix, body, (start, rest) => void decodedOrRefused(start + rest)),
    { numRuns: 3000 },
  );
  const large = fc.uint8Array({ minLength: 60_000, maxLength: MAX_MESSAGE_BYTES - 100, size: 'max' });
  fc.assert(
    fc.property(
      prefix,
      large,
      (start, bytes) => void decodedOrRefused(start + Buffer.from(bytes).toString('hex')),
    ),
    { numRuns: 20 },
  );
  fc.assert(fc.property(fc.string({ unit: 'binary' }), text => void decodedOrRefused(text)));
});

/** `undefined` when refused; anything thrown but a WireError fails the test. */
function decodedOrRefused(hex: string) {
  try {
    return decodeMessage(hex);
  } catch (error) {
    assert.ok(error instanceof WireError, String(error));
    return undefined;
  }
}

/** Whether a valid message has a record of a type that we do not know: a walk of its own, for types of one byte. */
function hasUnknownRecords(hex: string): boolean {
  const bytes = Buffer.from(hex, 'hex');
  const known = new Set([0, 1, 2, 4, 6, 8]);
  let at = 2;
  while (at < bytes.length) {
    if (!known.has(bytes[at] ?? -1)) return true;
    const first = bytes[at + 1] ?? 0;
    const [length, size] = first < 0xfd ? [first, 1] : [bytes.readUInt16BE(at + 2), 3];
    at += 1 + size + length;
  }
  return false;
}

test('the chains of lightningd have their hashes, others none', () => {
  assert.equal(chainHashOf('regtest'), CHAIN_HASH);
  assert.equal(chainHashOf('bitcoin'), '6fe28c0ab6f1b372c1a6a246ae63f74f931e8365e15a089c68d6190000000000');
  assert.equal(chainHashOf('liquid'), undefined);
  assert.equal(chainHashOf('toString'), undefined);
});
