import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { JsonFramer, parseFrame } from '../../src/lightningd/json-framer.ts';
import { cut, cuts, stream } from './json-samples.ts';

/** All that comes out of a framer for these chunks, parsed. */
function valuesOf(chunks: readonly Buffer[]): unknown[] {
  const framer = new JsonFramer();
  return chunks.flatMap(chunk => framer.push(chunk)).map(parseFrame);
}

function parsed(text: string): unknown {
  const values = valuesOf([Buffer.from(text)]);
  assert.equal(values.length, 1);
  return values[0];
}

/** Every byte on its own. */
function crumbs(bytes: Buffer): Buffer[] {
  return [...bytes].map(byte => Buffer.from([byte]));
}

describe('framing', () => {
  test('any texts between any white space come out the same, however they are cut', () => {
    fc.assert(
      fc.property(stream, cuts, ({ bytes, samples }, where) => {
        assert.deepEqual(
          valuesOf(cut(bytes, where)),
          samples.map(({ value }) => value),
        );
      }),
      { numRuns: 1000 },
    );
  });

  test('any texts come out the same byte by byte', () => {
    fc.assert(
      fc.property(stream, ({ bytes, samples }) => {
        assert.deepEqual(
          valuesOf(crumbs(bytes)),
          samples.map(({ value }) => value),
        );
      }),
    );
  });

  test('a frame holds the bytes of its text and no others', () => {
    fc.assert(
      fc.property(stream, cuts, ({ bytes, samples }, where) => {
        const framer = new JsonFramer();
        const frames = cut(bytes, where).flatMap(chunk => framer.push(chunk));
        assert.deepEqual(
          frames.map(frame => frame.bytes.toString('utf8')),
          samples.map(({ text }) => text),
        );
      }),
    );
  });

  test('every cut through a run of backslashes before a quote keeps the string whole', () => {
    for (let run = 0; run <= 9; run++) {
      // An even run leaves the quote to end the string, an odd one makes it part of it.
      const text = `{"a":"${'\\'.repeat(run)}"${run % 2 === 0 ? '' : '"'},"b":"}"}`;
      const bytes = Buffer.from(text);
      for (let at = 0; at <= bytes.length; at++) {
        for (const chunks of [[bytes.subarray(0, at), bytes.subarray(at)], crumbs(bytes)]) {
          assert.deepEqual(valuesOf(chunks), [JSON.parse(text)], `${run} backslashes, cut at ${at}`);
        }
      }
    }
  });

  test('a text comes out with its last byte, not later', () => {
    const framer = new JsonFramer();
    assert.deepEqual(framer.push(Buffer.from('{"a":[1,2]')), []);
    assert.deepEqual(framer.push(Buffer.from('}')).map(parseFrame), [{ a: [1, 2] }]);
  });

  test('texts need nothing between them', () => {
    assert.deepEqual(valuesOf([Buffer.from('{}[]{"a":1}[{}]')]), [{}, [], { a: 1 }, [{}]]);
  });

  test('line ends inside a string, which JSON forbids, do not end the text', () => {
    const [frame, ...others] = new JsonFramer().push(Buffer.from('{"a":"one\n\n}two"}\n\n'));
    assert.equal(frame?.bytes.toString(), '{"a":"one\n\n}two"}');
    assert.deepEqual(others, []);
  });

  test('a text that is no JSON is one frame, and what follows it is whole', () => {
    const [broken, whole, ...others] = new JsonFramer().push(Buffer.from('{"a":oops}{"b":1}'));
    assert.ok(broken !== undefined && whole !== undefined);
    assert.throws(() => parseFrame(broken), SyntaxError);
    assert.deepEqual(parseFrame(whole), { b: 1 });
    assert.deepEqual(others, []);
  });

  test('an answer of 20 MB in chunks of 64 KiB is one frame', () => {
    const channel = { id: '103x1x0', msat: 1_000_000, note: '"\\é}', on: true };
    const member = `${JSON.stringify(channel).slice(0, -1)},"long":18446744073709551615}`;
    const count = Math.ceil(20e6 / Buffer.byteLength(member));
    const bytes = Buffer.from(`{"result":{"channels":[${Array(count).fill(member).join(',')}]}}\n\n`);
    const chunks: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += 65_536) chunks.push(bytes.subarray(at, at + 65_536));
    const [answer, ...others] = valuesOf(chunks) as { result: { channels: unknown[] } }[];
    assert.deepEqual(others, []);
    assert.equal(answer?.result.channels.length, count);
    const wanted = { ...channel, long: '18446744073709551615' };
    for (const found of [answer.result.channels[0], answer.result.channels.at(-1)]) {
      assert.deepEqual(found, wanted);
    }
  });
});

describe('garbage', () => {
  /** The values, and how many times garbage was reported. */
  function read(chunks: readonly Buffer[]): [unknown[], number] {
    let reports = 0;
    const framer = new JsonFramer(() => reports++);
    const values = chunks.flatMap(chunk => framer.push(chunk)).map(parseFrame);
    return [values, reports];
  }

  const cases: readonly (readonly [name: string, text: string, values: unknown[], reports: number])[] = [
    ['a line of text', 'hello, {"world":1}\n{"a":1}', [{ a: 1 }], 1],
    ['two lines of text', 'hello\nworld 17\n{"a":1}', [{ a: 1 }], 2],
    ['text behind a frame', '{"a":1} and so on {}\n{"b":2}', [{ a: 1 }, { b: 2 }], 1],
    ['a stray closing brace', '}\n{"a":1}', [{ a: 1 }], 1],
    ['a bare string and a bare number', '"a"\n17\n[2]', [[2]], 2],
    ['nothing but white space', ' \t\r\n\n\n ', [], 0],
  ];
  for (const [name, text, values, reports] of cases) {
    test(`${name} is skipped to the end of its line and reported once a line, however it is cut`, () => {
      const bytes = Buffer.from(text);
      assert.deepEqual(read([bytes]), [values, reports]);
      assert.deepEqual(read(crumbs(bytes)), [values, reports]);
    });
  }
});

describe('long integers', () => {
  const cases: readonly (readonly [text: string, value: unknown])[] = [
    ['999999999999999', 999_999_999_999_999],
    ['-999999999999999', -999_999_999_999_999],
    ['1000000000000000', '1000000000000000'],
    ['-1000000000000000', '-1000000000000000'],
    ['9007199254740993', '9007199254740993'],
    ['18446744073709551615', '18446744073709551615'],
    ['-18446744073709551615', '-18446744073709551615'],
    ['9007199254740993.0', 9_007_199_254_740_992],
    ['9007199254740993e0', 9_007_199_254_740_992],
    ['1234567890123456E+3', 1_234_567_890_123_456_000],
    ['0.12345678901234567890', 0.123_456_789_012_345_68],
    ['1e-1234567890123456789', 0],
    ['"9007199254740993"', '9007199254740993'],
    ['"a 9007199254740993 b"', 'a 9007199254740993 b'],
    ['"\\"9007199254740993\\""', '"9007199254740993"'],
  ];
  for (const [text, value] of cases) {
    test(`${text} is ${typeof value === 'string' ? 'the string' : 'the number'} ${value}`, () => {
      assert.deepEqual(parsed(`{"a":${text},"b":[${text}]}`), { a: value, b: [value] });
      assert.deepEqual(parsed(`[ ${text} , ${text}\n]`), [value, value]);
    });
  }

  test('a key of digits stays what it is', () => {
    assert.deepEqual(parsed('{"9007199254740993":9007199254740993}'), {
      '9007199254740993': '9007199254740993',
    });
  });
});
