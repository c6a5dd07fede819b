import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { CommandError } from '../../src/lightningd/errors.ts';
import {
  bindParameters,
  invalidParameter,
  parseAmount,
  parseBoolean,
  parseNodeId,
  parseWholeNumber,
  shown,
} from '../../src/lightningd/parameters.ts';

describe('amounts', () => {
  const accepted: readonly (readonly [value: unknown, msat: bigint])[] = [
    [50_000, 50_000_000n],
    ['50000', 50_000_000n],
    ['50000sat', 50_000_000n],
    ['50000000msat', 50_000_000n],
    ['0.0005btc', 50_000_000n],
    [1, 1000n],
    ['1msat', 1n],
    ['1500msat', 1500n],
    ['1btc', 100_000_000_000n],
    ['1.5btc', 150_000_000_000n],
    ['0.00000000001btc', 1n],
    ['0.00000001btc', 1000n],
    ['1.00000000000btc', 100_000_000_000n],
    ['007sat', 7000n],
    [2_000_000_000_000_000, 2_000_000_000_000_000_000n],
    ['20000000btc', 2_000_000_000_000_000_000n],
    ['2000000000000000000msat', 2_000_000_000_000_000_000n],
  ];
  for (const [value, msat] of accepted) {
    test(`${JSON.stringify(value)} is ${msat} msat`, () => assert.equal(parseAmount(value), msat));
  }

  const notPositive = [
    0,
    '0',
    '0sat',
    '0msat',
    '0.0btc',
    '0.00000000000btc',
    -5,
    '-5',
    '-5sat',
    -0.5,
    '-0.1btc',
  ];
  for (const value of notPositive) {
    test(`${JSON.stringify(value)} is not positive`, () => {
      assert.equal(parseAmount(value), `must be a positive amount, got ${value}`);
    });
  }

  const tooLarge = [
    ...[2_000_000_000_000_001, '2000000000000001', '20000000.00000000001btc', '20000001btc'],
    ...['2000000000000000001msat', '9999999999999999999btc', 1e16],
  ];
  for (const value of tooLarge) {
    test(`${JSON.stringify(value)} is more than there will ever be`, () => {
      assert.equal(parseAmount(value), `must be at most 20000000btc, got ${value}`);
    });
  }

  const others: readonly (readonly [value: unknown, got: string])[] = [
    ...['abc', '', ' 5', '5 sat', '5SAT', '5 ', '+5', '5sats', '5mbtc', '5,000', '0x10', '1e3', '1e3sat'].map(
      text => [text, text] as const,
    ),
    // Satoshis and millisatoshis have no decimals, and btc no more than eleven.
    ...['1.5', '1.5sat', '1.0msat', '0.000000000001btc', '.5btc', '5.btc', '1.2.3btc', 'msat', 'btc'].map(
      text => [text, text] as const,
    ),
    ['5sat\n', '5sat\n'],
    ['٥', '٥'],
    [1.5, '1.5'],
    [true, 'true'],
    [[5], '[5]'],
    [{ msat: 5 }, '{"msat":5}'],
    [{ toString: 0 }, '{"toString":0}'],
    [undefined, 'nothing'],
  ];
  for (const [value, got] of others) {
    test(`${JSON.stringify(value)} is no amount`, () => {
      const expected = 'must be satoshis or an amount like 50000sat, 50000000msat or 0.0005btc';
      assert.equal(parseAmount(value), `${expected}, got ${got}`);
    });
  }

  test('what is too long to be an amount is refused whatever its digits', () => {
    for (const value of ['1'.repeat(20), '9'.repeat(1000), `${'9'.repeat(30)}btc`, 1e21, 1e300, Infinity]) {
      assert.match(String(parseAmount(value)), /^must be .+, got .{1,81}$/);
    }
  });

  const MAX_MSAT = 2_000_000_000_000_000_000n;

  test('any amount reads back as what it was written for, in every unit', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: MAX_MSAT }), msat => {
        const whole = msat / 10n ** 11n;
        const decimals = String(msat % 10n ** 11n).padStart(11, '0');
        assert.equal(parseAmount(`${msat}msat`), msat);
        assert.equal(parseAmount(`${whole}.${decimals}btc`), msat);
        assert.equal(parseAmount(`${whole}.${decimals}`.replace(/\.?0+$/, '').concat('btc')), msat);
      }),
    );
  });

  test('any whole number of satoshis reads back, with and without its unit and as a number', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: MAX_MSAT / 1000n }), sat => {
        for (const written of [`${sat}`, `${sat}sat`, Number(sat)]) {
          assert.equal(parseAmount(written), sat * 1000n);
        }
      }),
    );
  });

  test('any text is an amount in range or is refused in words', () => {
    const nearly = fc.stringMatching(/^-?[0-9]{0,22}\.?[0-9]{0,13}(msat|sat|btc|bitcoin)?$/);
    fc.assert(
      fc.property(fc.oneof(fc.string(), nearly, fc.double(), fc.jsonValue()), value => {
        const parsed = parseAmount(value);
        if (typeof parsed === 'bigint') assert.ok(parsed >= 1n && parsed <= MAX_MSAT);
        else assert.match(parsed, /^must be .+, got /s);
      }),
    );
  });
});

describe('whole numbers', () => {
  for (const value of [1, '1', 300, '300', '007']) {
    test(`${JSON.stringify(value)} is one of 1 to 300`, () => {
      assert.equal(parseWholeNumber(value, 1, 300), Number(value));
    });
  }
  const refused = [0, 301, '0', '301', -1, '-1', 1.5, '1.5', '', ' 1', '1 ', '0x1', '1e2', 'abc', true, null];
  for (const value of [...refused, [1], {}, undefined, Number.NaN, Infinity, '1\n', '1'.repeat(400)]) {
    test(`${typeof value} ${JSON.stringify(value)} is not`, () => {
      assert.equal(parseWholeNumber(value, 1, 300), undefined);
    });
  }

  test('both ends count, and so do negative ones', () => {
    assert.deepEqual(
      ['-3', -2, '2', 3].map(value => parseWholeNumber(value, -2, 2)),
      [undefined, -2, 2, undefined],
    );
  });
});

describe('truth and node ids', () => {
  test('true and false are read from themselves and their text only', () => {
    assert.deepEqual([true, 'true', false, 'false'].map(parseBoolean), [true, true, false, false]);
    for (const value of [1, 0, '1', 'yes', 'TRUE', '', null, undefined, [], {}]) {
      assert.equal(parseBoolean(value), undefined, JSON.stringify(value));
    }
  });

  test('a node id is a compressed public key, lower-cased', () => {
    const id = `02${'ab'.repeat(32)}`;
    assert.equal(parseNodeId(id), id);
    assert.equal(parseNodeId(`03${'AB'.repeat(32)}`), `03${'ab'.repeat(32)}`);
    const wrong = [
      id.slice(1),
      `${id}0`,
      ` ${id}`,
      `${id}\n`,
      `04${id.slice(2)}`,
      id.replace('a', 'g'),
      '',
      2,
      [id],
    ];
    for (const value of [...wrong, null, undefined]) assert.equal(parseNodeId(value), undefined);
  });
});

describe('binding', () => {
  const NAMES = ['first', 'second'];

  function refusal(params: unknown): string {
    try {
      bindParameters('command', NAMES, params);
    } catch (error) {
      assert.ok(error instanceof CommandError);
      assert.equal(error.code, -32602);
      return error.message;
    }
    assert.fail(`${JSON.stringify(params)} was bound`);
  }

  test('positions and names mean the same, and null means left out', () => {
    assert.deepEqual(bindParameters('command', NAMES, ['a', 0]), { first: 'a', second: 0 });
    assert.deepEqual(bindParameters('command', NAMES, { second: 0, first: 'a' }), { first: 'a', second: 0 });
    for (const params of [['a'], ['a', null], { first: 'a' }, { first: 'a', second: null }]) {
      assert.deepEqual(bindParameters('command', NAMES, params), { first: 'a' });
    }
    assert.deepEqual(bindParameters('command', NAMES, [null, false]), { second: false });
  });

  test('no parameters at all bind nothing', () => {
    for (const params of [[], {}, null, undefined]) {
      assert.deepEqual(bindParameters('command', NAMES, params), {});
    }
  });

  test('one too many is refused with the names that there are', () => {
    assert.equal(refusal([1, 2, 3]), 'command: too many parameters: at most 2 (first, second), got 3');
  });

  test('an unknown name is refused with the names that there are', () => {
    assert.equal(
      refusal({ first: 1, third: 2 }),
      'command: third: unknown parameter, expected first, second',
    );
    assert.equal(refusal({ third: null }), 'command: third: unknown parameter, expected first, second');
    assert.match(refusal(JSON.parse('{"__proto__":1}')), /^command: __proto__: unknown parameter/);
  });
});

test('a refusal names command, parameter, problem and what came', () => {
  const error = invalidParameter('foafbalance', 'amount', `must be a positive amount, got ${shown(0)}`);
  assert.equal(error.message, 'foafbalance: amount: must be a positive amount, got 0');
  assert.equal(error.code, -32602);
});

test('whatever came is shown in at most 80 characters and a sign that there was more', () => {
  assert.equal(shown('a'.repeat(80)), 'a'.repeat(80));
  assert.equal(shown('a'.repeat(81)), `${'a'.repeat(80)}…`);
  assert.equal(shown(Array(100).fill(7)), `${`[${'7,'.repeat(100)}`.slice(0, 80)}…`);
  assert.equal(shown({ a: [1, 'b'] }), '{"a":[1,"b"]}');
  assert.equal(shown(undefined), 'nothing');
});
