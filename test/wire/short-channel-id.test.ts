import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { blockHeightOf, formatShortChannelId, parseShortChannelId } from '../../src/wire/short-channel-id.ts';
import { U64_MAX } from '../../src/wire/tu64.ts';

test('the example of BOLT 7: 539268x845x1 is 0x083a8400034d0001', () => {
  assert.equal(parseShortChannelId('539268x845x1'), 0x083a8400034d0001n);
  assert.equal(formatShortChannelId(0x083a8400034d0001n), '539268x845x1');
  assert.equal(blockHeightOf(0x083a8400034d0001n), 539268);
});

test('property: every u64 is written so that it is read again', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: U64_MAX }), id => {
      assert.equal(parseShortChannelId(formatShortChannelId(id)), id);
    }),
  );
});

test('what is none', () => {
  const texts = [
    '',
    '1x2',
    '1x2x3x4',
    '01x2x3',
    '1x2x65536',
    '16777216x0x0',
    '0x16777216x0',
    '-1x0x0',
    '1X2X3',
    ' 1x2x3',
    '1x2x3\n',
  ];
  for (const text of texts) assert.equal(parseShortChannelId(text), undefined, text);
  assert.equal(parseShortChannelId('16777215x16777215x65535'), U64_MAX);
});
