/** The plugin as lightningd meets it: one process, its stdin and its stdout. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { cut, cuts } from './json-samples.ts';
import { sampleMethods } from './sample-node.ts';
import { StubLightningd } from './stub-lightningd.ts';
import { never } from './stub-rpc.ts';

function isManifest(result: unknown): boolean {
  return typeof result === 'object' && result !== null && 'nonnumericids' in result;
}

test('requests and their answers', async t => {
  const stub = await StubLightningd.start(t, { methods: sampleMethods() });

  await t.test('ids come back as they came', async () => {
    const others = [0, -7, 17.5, '', '0', 'Zoë "\\\n\u0001😀', '\u000117', null];
    const ids = ['cli:plugin#23533/cln:getmanifest#697', ...others];
    const replies = await Promise.all(ids.map(id => stub.request('getmanifest', {}, id)));
    assert.deepEqual(
      replies.map(reply => reply.id),
      ids,
    );
  });

  await t.test('each gets its own answer, however many are written together and wherever cut', async () => {
    let lastId = 0;
    const method = fc.constantFrom('getmanifest', 'nonsense-é', 'check');
    const space = fc.constantFrom('', '\n', '\n\n', ' \r\n\t');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(method, space), { minLength: 1, maxLength: 12 }),
        cuts,
        async (requests, where) => {
          const sent = requests.map(([name, after]) => ({ name, after, id: `😀/${name}#${++lastId}` }));
          const text = sent.map(({ name, after, id }) => {
            return `{"id":${JSON.stringify(id)},\n\n"method":"${name}","params":["x}\\"é"]}${after}`;
          });
          for (const { id } of sent) stub.expect(id);
          for (const piece of cut(Buffer.from(text.join('')), where)) {
            await new Promise(written => stub.stdin.write(piece, written));
          }
          for (const { id, name } of sent) {
            const { result, error } = await stub.answerTo(id);
            if (name === 'getmanifest') assert.ok(isManifest(result));
            else if (name === 'check') assert.deepEqual(result, { command_to_check: 'x}"é' });
            else assert.deepEqual(error, { code: -32601, message: 'unknown method nonsense-é' });
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  await t.test('one that comes byte by byte is answered', async () => {
    const request = Buffer.from(
      '{"jsonrpc":"2.0","id":"é😀","method":"getmanifest","params":{"a":"\\\\\\"}"}}',
    );
    stub.expect('é😀');
    for (const byte of request) await new Promise(written => stub.stdin.write(Uint8Array.of(byte), written));
    assert.ok(isManifest((await stub.answerTo('é😀')).result));
  });

  await t.test('an unknown method is -32601', async () => {
    for (const method of ['foafcirclez', '', 'constructor', '__proto__', 'toString']) {
      const error = await stub.refusal(method, {});
      assert.deepEqual(error, { code: -32601, message: `unknown method ${method}` });
    }
  });

  await t.test('a command before init is an error, and init still works', async () => {
    const { code, message } = await stub.refusal('foafbalance', [1, 50_000]);
    assert.equal(code, -32603);
    assert.match(message, /^foafbalance: .*before init/);
    assert.deepEqual(await stub.init(), {});
  });

  await t.test('one of 5 MB is answered, its text shown in short', async () => {
    const { code, message } = await stub.refusal('foafbalance', [1, 'x'.repeat(5_000_000)]);
    assert.equal(code, -32602);
    assert.ok(message.length < 300);
  });
});

test('what is no request gets no answer and does no harm', async t => {
  const stub = await (await StubLightningd.start(t, { methods: sampleMethods() })).ready();

  await t.test('a line of text, which is skipped to its end with a word in the log', async () => {
    stub.write('hello {"id":1,"method":"getmanifest"}\n');
    assert.match(await stub.logged(/no JSON/), /^unusual /);
    await stub.call('getmanifest', {});
    assert.equal(stub.log.length, 1);
  });

  const nonsense: readonly (readonly [name: string, text: string])[] = [
    ['a number and a string', '17\n"getmanifest"\n'],
    ['broken JSON', '{"id":1,"method":oops}\n'],
    ['an array', '[{"id":1,"method":"getmanifest"}]\n'],
    ['no method', '{"id":1}\n{}\n'],
    ['a method that is no string', '{"id":1,"method":["getmanifest"]}\n'],
    ['bytes that are no text', '\u0000\u0007\ufffd\n'],
    ['a notification that nobody subscribed to', '{"method":"coin_movement","params":{}}\n'],
    ['a notification without parameters', '{"method":"disconnect"}\n{"method":"connect","params":null}\n'],
    ['a notification with odd parameters', '{"method":"disconnect","params":{"disconnect":null}}\n'],
    ['a notification named like a part of every object', '{"method":"constructor","params":{}}\n'],
  ];
  for (const [name, text] of nonsense) {
    await t.test(name, async () => {
      const answers = stub.replies.length;
      stub.write(text);
      await stub.call('getmanifest', {});
      assert.equal(stub.replies.length, answers + 1);
    });
  }
});

describe('the end of stdin ends the plugin with status 0', () => {
  test('before anything was said', async t => {
    const stub = await StubLightningd.start(t);
    stub.stdin.end();
    assert.deepEqual(await stub.ended(), { code: 0, signal: null });
  });

  test('in the middle of a request', async t => {
    const stub = await StubLightningd.start(t);
    stub.stdin.end('{"id":1,"method":"getmani');
    assert.deepEqual(await stub.ended(), { code: 0, signal: null });
  });

  test('with a connection to lightningd open and a command under way', async t => {
    const stub = await StubLightningd.start(t, { methods: { ...sampleMethods(), sendcustommsg: never } });
    await stub.ready();
    const asked = stub.request('foafbalance', [1, 50_000]);
    await stub.rpc.called('sendcustommsg');
    stub.stdin.end();
    assert.deepEqual(await stub.ended(), { code: 0, signal: null });
    await assert.rejects(asked, /ended with 0/);
  });

  test('and so does a reader of stdout that is gone', async t => {
    const stub = await StubLightningd.start(t);
    await stub.call('getmanifest', {});
    stub.stdout.destroy();
    stub.write('{"id":1,"method":"getmanifest"}');
    assert.deepEqual(await stub.ended(), { code: 0, signal: null });
  });
});

test('a lightningd that does not read for a while gets every answer in order afterwards', async t => {
  const stub = await StubLightningd.start(t);
  await stub.call('getmanifest', {});
  stub.stdout.pause();
  const count = 2000;
  const ids = Array.from({ length: count }, (_, n) => `cln:getmanifest#${n}/${'x'.repeat(200)}`);
  let written = Promise.resolve<unknown>(undefined);
  for (const id of ids) {
    stub.expect(id);
    written = new Promise(done => stub.stdin.write(`{"id":"${id}","method":"getmanifest"}\n`, done));
  }
  while (stub.stdout.readableLength < stub.stdout.readableHighWaterMark) await setImmediate();
  stub.stdout.resume();
  await written;
  await stub.answered(count + 1);
  assert.deepEqual(
    stub.replies.slice(1).map(reply => reply.id),
    ids,
  );
});
