/** Arbitrary JSON texts with what they mean, and arbitrary ways to cut bytes. */
import fc from 'fast-check';

/** A JSON text, and the value that it stands for once long integers are strings of their digits. */
export interface Sample {
  readonly text: string;
  readonly value: unknown;
}

const whiteSpace = fc.constantFrom('', '', ' ', '\n', '\r\n', '\t', '\n\n', ' \n\n ', '    ');

/** Pieces of the inside of strings: escapes, runs of backslashes, text that looks like structure, long stretches. */
const stringPiece = fc.oneof(
  fc.constantFrom(
    ...[
      '\\"',
      '\\\\',
      '\\/',
      '\\n',
      '\\n\\n',
      '\\u00e9',
      '\\ud83d\\ude00',
      '\\u0000',
      '\\\\\\"',
      '\\\\'.repeat(9),
    ],
    ...[
      'é',
      '😀',
      'ÿ',
      '中',
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      ' ',
      '-',
      '1234567890123456789',
      '-9007199254740993',
    ],
    ...['1.5', 'null', 'x'.repeat(23), 'x'.repeat(24), 'x'.repeat(25), 'y'.repeat(100)],
  ),
  fc.string({ unit: 'binary', maxLength: 8 }).map(text => JSON.stringify(text).slice(1, -1)),
);

const string: fc.Arbitrary<Sample> = fc.array(stringPiece, { maxLength: 6 }).map(pieces => {
  const text = `"${pieces.join('')}"`;
  return { text, value: JSON.parse(text) as unknown };
});

/** Digits of an integer without leading zeros. */
function integer(minLength: number, maxLength: number): fc.Arbitrary<string> {
  return fc
    .tuple(fc.boolean(), fc.stringMatching(new RegExp(`^[1-9][0-9]{${minLength - 1},${maxLength - 1}}$`)))
    .map(([negative, digits]) => (negative ? `-${digits}` : digits));
}

const short: fc.Arbitrary<Sample> = fc
  .oneof(integer(1, 15), fc.constantFrom('0', '-0', '999999999999999', '-999999999999999'))
  .map(text => ({ text, value: Number(text) }));

/** 2^53 has 16 digits. */
const long: fc.Arbitrary<Sample> = fc
  .oneof(integer(16, 25), fc.constantFrom('9007199254740993', '18446744073709551615', '-1000000000000000'))
  .map(text => ({ text, value: text }));

const float: fc.Arbitrary<Sample> = fc
  .tuple(
    fc.oneof(integer(1, 20), fc.constant('0')),
    fc.stringMatching(/^(\.[0-9]{1,20})([eE][+-]?[0-9]{1,2})?$|^[eE][+-]?[0-9]{1,2}$/),
  )
  .map(([whole, rest]) => ({ text: whole + rest, value: Number(whole + rest) }));

const word: fc.Arbitrary<Sample> = fc
  .constantFrom(true, false, null)
  .map(value => ({ text: String(value), value }));

/** Any array or object, whatever is in it. */
export const structure: fc.Arbitrary<Sample> = fc.letrec<{ any: Sample; array: Sample; object: Sample }>(
  tie => ({
    any: fc.oneof({ depthSize: 'small' }, string, long, short, float, word, tie('array'), tie('object')),
    array: fc.array(fc.tuple(whiteSpace, tie('any'), whiteSpace), { maxLength: 5 }).map(members => ({
      text: `[${members.map(([before, { text }, after]) => before + text + after).join(',')}]`,
      value: members.map(([, { value }]) => value),
    })),
    object: fc
      .uniqueArray(fc.tuple(whiteSpace, string, whiteSpace, tie('any'), whiteSpace), {
        maxLength: 5,
        selector: ([, key]) => key.value,
      })
      .map(members => ({
        text: `{${members.map(([a, key, b, { text }, c]) => `${a}${key.text}${b}:${c}${text}${a}`).join(',')}}`,
        value: Object.fromEntries(members.map(([, key, , { value }]) => [key.value, value])),
      })),
  }),
).object;

/** Several of them as a stream, between white space. */
export const stream: fc.Arbitrary<{ readonly bytes: Buffer; readonly samples: readonly Sample[] }> = fc
  .tuple(whiteSpace, fc.array(fc.tuple(structure, whiteSpace), { minLength: 1, maxLength: 6 }))
  .map(([first, members]) => ({
    bytes: Buffer.from(first + members.map(([{ text }, space]) => text + space).join('')),
    samples: members.map(([sample]) => sample),
  }));

/** Where to cut, as shares of the length, so that it shrinks well whatever is cut. */
export const cuts: fc.Arbitrary<readonly number[]> = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), {
  maxLength: 12,
});

/** Cuts bytes, inside characters as well; a cut in the same place twice makes an empty piece. */
export function cut(bytes: Buffer, where: readonly number[]): Buffer[] {
  const places = where.map(share => Math.floor(share * bytes.length)).sort((a, b) => a - b);
  return [0, ...places].map((place, index) => bytes.subarray(place, places[index] ?? bytes.length));
}
