import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { JsonFramer, parseFrame } from '../../src/lightningd/json-framer.ts';
import { jsonText } from '../../src/lightningd/json-text.ts';

test('bigints become integers, however large', () => {
  const value = { a: 1n, b: [0n, -1n], c: { d: 9_007_199_254_740_993n }, e: -18_446_744_073_709_551_615n };
  assert.equal(jsonText(value), '{"a":1,"b":[0,-1],"c":{"d":9007199254740993},"e":-18446744073709551615}');
});

test('a bigint alone is JSON too', () => {
  assert.equal(jsonText(5n), '5');
  assert.equal(jsonText(2n ** 64n), '18446744073709551616');
});

test('any bigint keeps every digit', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }), amount => {
      assert.equal(jsonText({ amount, list: [amount, 'x'] }), `{"amount":${amount},"list":[${amount},"x"]}`);
    }),
  );
});

test('what JSON.stringify can write comes out as it does', () => {
  fc.assert(
    fc.property(fc.jsonValue(), value => {
      assert.equal(jsonText(value), JSON.stringify(value));
    }),
  );
});

test('what is left out of JSON stays left out', () => {
  assert.equal(jsonText({ a: undefined, b: 1n, c: () => 1 }), '{"b":1}');
});

test('any text beside a large bigint stays that text', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    // A text may be made to look like whatever marks a bigint on its way.
    fc
      .tuple(fc.constantFrom('\u0000', '\u0001', '\u0002', '\\u0001', '"', '\ufffe'), fc.integer())
      .map(parts => parts.join('')),
  );
  fc.assert(
    fc.property(text, string => {
      const value = { id: string, [string]: 1, amount: 2n ** 60n };
      const [frame] = new JsonFramer().push(Buffer.from(jsonText(value)));
      assert.ok(frame !== undefined);
      assert.deepEqual(parseFrame(frame), { ...value, amount: '1152921504606846976' });
    }),
    { examples: [['\u000117']] },
  );
});
