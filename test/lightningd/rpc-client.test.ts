import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import type { Socket } from 'node:net';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { RpcConnectionError, RpcError, RpcTimeoutError } from '../../src/lightningd/errors.ts';
import { cut, cuts } from './json-samples.ts';
import { answer, Harness } from './rpc-harness.ts';

function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve));
}

describe('calls', () => {
  test('a call is one JSON-RPC request with a string id that says who calls, and named parameters', async () => {
    const harness = await new Harness().listen();
    const call = harness.client.call('getinfo', { amount_msat: 2n ** 60n, note: 'é' });
    const request = await harness.request(1);
    const { socket: _socket, ...fields } = request;
    assert.deepEqual(fields, {
      jsonrpc: '2.0',
      id: 'tester:getinfo#1',
      method: 'getinfo',
      params: { amount_msat: Number(2n ** 60n), note: 'é' },
    });
    answer(request, { result: { id: '02' } });
    assert.deepEqual(await call, { id: '02' });
  });

  test('any number of calls at once get their own answers, in any order and cut anywhere', async () => {
    const harness = await new Harness().listen();
    let before = 0;
    const counts = fc.integer({ min: 1, max: 40 });
    await fc.assert(
      fc.asyncProperty(counts, fc.infiniteStream(fc.nat()), cuts, async (count, ranks, where) => {
        const calls = Array.from({ length: count }, (_, n) =>
          harness.client.call('echo', { n, text: 'é"\n\n' }),
        );
        const requests = (await harness.received(before + count)).slice(before);
        before += count;
        const order = requests
          .map(request => ({ request, rank: ranks.next().value ?? 0 }))
          .sort((a, b) => a.rank - b.rank);
        const bytes = Buffer.from(
          order.map(({ request: { id, params } }) => JSON.stringify({ id, result: params })).join('\n\n'),
        );
        for (const piece of cut(bytes, where)) {
          requests[0]?.socket.write(piece);
          await turn();
        }
        const wanted = Array.from({ length: count }, (_, n) => ({ n, text: 'é"\n\n' }));
        assert.deepEqual(await Promise.all(calls), wanted);
      }),
      { numRuns: 30 },
    );
    assert.equal(harness.connections, 1);
    const ids = harness.requests.map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
  });

  test('integers of 16 digits and more come as their digits', async () => {
    const harness = await new Harness().listen();
    const call = harness.client.call('get');
    const { id, socket } = await harness.request(1);
    socket.write(
      `{"id":"${id}","result":{"large":18446744073709551615,"small":17,"text":"18446744073709551615"}}`,
    );
    assert.deepEqual(await call, { large: '18446744073709551615', small: 17, text: '18446744073709551615' });
  });

  test('an error comes with its method, code, message and data', async () => {
    const harness = await new Harness().listen();
    const call = harness.client.call('pay');
    answer(await harness.request(1), { error: { code: 210, message: 'No route — é', data: { tried: [1] } } });
    await assert.rejects(call, error => {
      assert.ok(error instanceof RpcError);
      const { method, code, message, data } = error;
      assert.deepEqual(
        { method, code, message, data },
        { method: 'pay', code: 210, message: 'No route — é', data: { tried: [1] } },
      );
      return true;
    });
  });

  test('an error of any shape is an RpcError still', async () => {
    const harness = await new Harness().listen();
    for (const [nth, error] of [null, 'no', 17, {}, { code: '-1' }].entries()) {
      const call = harness.client.call('pay');
      answer(await harness.request(nth + 1), { error });
      await assert.rejects(call, RpcError);
    }
  });
});

describe('calls that are given up', () => {
  test('at the timeout, and the late answer is nobody else’s', async () => {
    const harness = await new Harness().listen();
    const slow = harness.client.call('slow', {}, { timeoutMs: 1 });
    await assert.rejects(slow, error => error instanceof RpcTimeoutError && /slow/.test(error.message));
    const late = await harness.request(1);
    const next = harness.client.call('next');
    const request = await harness.request(2);
    answer(late, { result: 'late' });
    answer(late, { error: { code: 1, message: 'late' } });
    answer(request, { result: 'mine' });
    assert.equal(await next, 'mine');
    assert.equal(harness.connections, 1);
  });

  test('by a signal, with its reason, and the answer that comes later is nobody else’s', async () => {
    const harness = await new Harness().listen();
    const controller = new AbortController();
    const aborted = harness.client.call('slow', {}, { signal: controller.signal });
    const other = harness.client.call('other');
    const [request, otherRequest] = await harness.received(2);
    assert.ok(request !== undefined && otherRequest !== undefined);
    const reason = new Error('the caller has left');
    controller.abort(reason);
    await assert.rejects(aborted, error => error === reason);
    answer(request, { result: 'late' });
    answer(otherRequest, { result: 'mine' });
    assert.equal(await other, 'mine');
  });

  test('a signal that was aborted before sends nothing', async () => {
    const harness = await new Harness().listen();
    const reason = new Error('never mind');
    const call = harness.client.call('unsent', {}, { signal: AbortSignal.abort(reason) });
    await assert.rejects(call, error => error === reason);
    const sent = harness.client.call('sent');
    answer(await harness.request(1), { result: 1 });
    await sent;
    assert.deepEqual(
      harness.requests.map(({ method }) => method),
      ['sent'],
    );
  });

  test('a signal that aborts after the answer changes nothing', async () => {
    const harness = await new Harness().listen();
    const controller = new AbortController();
    const call = harness.client.call('quick', {}, { signal: controller.signal });
    answer(await harness.request(1), { result: 1 });
    assert.equal(await call, 1);
    controller.abort();
    assert.equal(await call, 1);
  });
});

describe('connections that end', () => {
  const endings: readonly (readonly [string, (socket: Socket) => void])[] = [
    ['is closed', socket => socket.destroy()],
    ['is half-closed, as by a lightningd that stops', socket => socket.end()],
    ['brings what is no JSON', socket => socket.write('{"id": oops}\n\n')],
    ['ends inside an answer', socket => socket.end('{"id":"tester:a#1","resu')],
  ];
  for (const [name, end] of endings) {
    test(`one that ${name} fails every call on it, and the next call opens another`, async () => {
      const harness = await new Harness().listen();
      const calls = ['a', 'b', 'c'].map(method => harness.client.call(method));
      const { socket } = await harness.request(3);
      end(socket);
      for (const [nth, result] of (await Promise.allSettled(calls)).entries()) {
        assert.ok(result.status === 'rejected' && result.reason instanceof RpcConnectionError);
        assert.match(result.reason.message, new RegExp(`^${'abc'[nth]}: the connection to lightningd `));
      }
      const next = harness.client.call('next');
      answer(await harness.request(4), { result: 'again' });
      assert.equal(await next, 'again');
      assert.equal(harness.connections, 2);
    });
  }

  test('what was answered before the end counts', async () => {
    const harness = await new Harness().listen();
    const [first, second] = [harness.client.call('first'), harness.client.call('second')];
    const [request] = await harness.received(2);
    assert.ok(request !== undefined);
    request.socket.end(`${JSON.stringify({ id: request.id, result: 1 })}{"id"`);
    assert.equal(await first, 1);
    await assert.rejects(second, RpcConnectionError);
  });

  test('nothing is sent twice', async () => {
    const harness = await new Harness().listen();
    const call = harness.client.call('pay');
    (await harness.request(1)).socket.destroy();
    await assert.rejects(call, RpcConnectionError);
    const next = harness.client.call('next');
    answer(await harness.request(2), { result: 1 });
    await next;
    assert.deepEqual(
      harness.requests.map(({ method }) => method),
      ['pay', 'next'],
    );
  });

  test('a path without a socket fails the call, and works as soon as there is one', async () => {
    const harness = new Harness();
    await assert.rejects(harness.client.call('early'), error => {
      assert.ok(error instanceof RpcConnectionError);
      assert.match(error.message, /^early: the connection to lightningd failed: .*ENOENT/);
      return true;
    });
    assert.equal(existsSync(harness.path), false);
    await harness.listen();
    const call = harness.client.call('later');
    answer(await harness.request(1), { result: 1 });
    assert.equal(await call, 1);
  });

  test('close fails what is under way', async () => {
    const harness = await new Harness().listen();
    const call = harness.client.call('slow');
    await harness.request(1);
    harness.client.close();
    await assert.rejects(call, RpcConnectionError);
  });

  test('a call made while the connection is closing ends all the same', async () => {
    const harness = await new Harness().listen();
    const first = harness.client.call('first');
    await harness.request(1);
    harness.client.close();
    const second = harness.client.call('second');
    await assert.rejects(first, RpcConnectionError);
    await assert.rejects(second, RpcConnectionError);
  });
});

test('answers to nobody, notifications and lines of text are passed over', async () => {
  const harness = await new Harness().listen();
  const call = harness.client.call('get');
  const request = await harness.request(1);
  for (const other of ['[]', '[17]', '{}', '{"id":17,"result":1}', '{"id":null,"error":{}}', 'some text\n']) {
    request.socket.write(`${other}\n\n`);
  }
  request.socket.write('{"id":"tester:get#99","result":1}{"method":"message","params":{}}');
  answer(request, { result: 'mine' });
  assert.equal(await call, 'mine');
});
