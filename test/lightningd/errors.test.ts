import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  asCommandError,
  CommandError,
  ErrorCode,
  RpcConnectionError,
  RpcError,
  RpcTimeoutError,
  UnexpectedAnswerError,
} from '../../src/lightningd/errors.ts';

describe('what a caller is told', () => {
  test('the codes are these: others read them', () => {
    assert.deepEqual(ErrorCode, {
      methodNotFound: -32601,
      invalidParams: -32602,
      internal: -32603,
      nodeUnreachable: 3470,
      nodeTimeout: 3471,
      nodeRefused: 3472,
      nodeAnswer: 3473,
      pictureNotWritten: 3474,
    });
  });

  test('a call that lightningd refused comes with its whole error', () => {
    const error = asCommandError(new RpcError('getinfo', -32600, 'no', { why: 1 }));
    assert.ok(error instanceof CommandError);
    assert.equal(error.code, 3472);
    assert.equal(error.message, 'lightningd refused getinfo: no');
    assert.deepEqual(error.data, { method: 'getinfo', code: -32600, message: 'no', data: { why: 1 } });
  });

  test('without data of its own the error has none inside', () => {
    const error = asCommandError(new RpcError('getinfo', -1, 'no'));
    assert.ok(error instanceof CommandError);
    assert.deepEqual(error.data, { method: 'getinfo', code: -1, message: 'no' });
  });

  const others = [
    [new RpcConnectionError('gone'), 3470],
    [new RpcTimeoutError('slow'), 3471],
    [new UnexpectedAnswerError('odd'), 3473],
  ] as const;
  for (const [cause, code] of others) {
    test(`${cause.name} is ${code}, in its own words`, () => {
      const error = asCommandError(cause);
      assert.ok(error instanceof CommandError);
      assert.deepEqual([error.code, error.message, error.data], [code, cause.message, undefined]);
    });
  }

  test('anything else stays what it is: our own fault is no fault of lightningd', () => {
    for (const other of [new TypeError('x'), new CommandError(-32602, 'x'), 'x', undefined]) {
      assert.equal(asCommandError(other), other);
    }
  });
});
