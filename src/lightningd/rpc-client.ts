/**
 * Calls to lightningd over its unix socket: one kept connection, many calls at once, answers in any order.
 *
 * Hazard: lightningd may be slow, restart its socket or answer with errors at any moment. Every call ends: with its
 * answer, with a typed error, at its timeout or by its signal; a closed connection ends all calls on it and the next
 * call opens a new one. Nothing is sent twice: whether a call without an answer was carried out is for its caller.
 */
import { connect, type Socket } from 'node:net';
import { RpcConnectionError, RpcError, RpcTimeoutError } from './errors.ts';
import { JsonFramer, parseFrame } from './json-framer.ts';
import { jsonText } from './json-text.ts';
import { LineWriter } from './line-writer.ts';

/** How long a call waits for its answer unless it says otherwise. */
const DEFAULT_TIMEOUT_MS = 30_000;

export interface CallOptions {
  /** @default 30000 */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** What the readers and senders need of a connection to lightningd. */
export interface Rpc {
  call(method: string, params?: object, options?: CallOptions): Promise<unknown>;
}

interface PendingCall {
  readonly method: string;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export class RpcClient implements Rpc {
  readonly #path: string;
  readonly #name: string;
  readonly #pending = new Map<string, PendingCall>();
  #connection: { readonly socket: Socket; readonly writer: LineWriter } | undefined;
  #lastId = 0;

  /**
   * @param path lightningd's RPC socket
   * @param name who calls, for the ids that lightningd logs
   */
  constructor(path: string, name: string) {
    this.#path = path;
    this.#name = name;
  }

  /**
   * Calls a command with named parameters. Integers of 16 digits and more in the answer are strings of their digits.
   *
   * @throws RpcError when lightningd answers with an error
   * @throws RpcTimeoutError after `timeoutMs`
   * @throws RpcConnectionError when there is no connection, or it closes before the answer
   * @throws the signal's reason when it aborts
   */
  call(
    method: string,
    params: object = {},
    { timeoutMs = DEFAULT_TIMEOUT_MS, signal }: CallOptions = {},
  ): Promise<unknown> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      this.#lastId++;
      const id = `${this.#name}:${method}#${this.#lastId}`;
      const settle = <T>(finish: (value: T) => void) => {
        return (value: T) => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', onAbort);
          this.#pending.delete(id);
          finish(value);
        };
      };
      const fail = settle<unknown>(reject);
      const onAbort = () => fail(signal?.reason);
      const timer = setTimeout(
        () => fail(new RpcTimeoutError(`lightningd did not answer ${method} within ${timeoutMs} ms`)),
        timeoutMs,
      );
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#pending.set(id, { method, resolve: settle(resolve), reject: fail });
      // Two line ends, as lightning-cli and its likes write them.
      this.#connect().write(`${jsonText({ jsonrpc: '2.0', id, method, params })}\n`);
    });
  }

  /** Ends the connection; calls under way fail with an RpcConnectionError. */
  close(): void {
    this.#connection?.socket.destroy();
  }

  /** The kept connection, or a new one. Calls of one turn leave together: each write of its own would cost a system call. */
  #connect(): LineWriter {
    if (this.#connection !== undefined) return this.#connection.writer;
    const socket = connect(this.#path);
    const framer = new JsonFramer();
    let reason = 'the connection to lightningd closed';
    socket.on('data', (chunk: Buffer) => {
      try {
        for (const frame of framer.push(chunk)) this.#answer(parseFrame(frame));
      } catch (error) {
        // No JSON: whatever follows cannot be trusted to begin where an answer does.
        socket.destroy(error instanceof Error ? error : undefined);
      }
    });
    socket.on('error', error => {
      reason = `the connection to lightningd failed: ${error.message}`;
    });
    // lightningd half-closes when it stops: nothing more will come.
    socket.on('end', () => socket.destroy());
    socket.on('close', () => {
      if (this.#connection?.socket === socket) this.#connection = undefined;
      for (const call of [...this.#pending.values()])
        call.reject(new RpcConnectionError(`${call.method}: ${reason}`));
    });
    const writer = new LineWriter(socket);
    this.#connection = { socket, writer };
    return writer;
  }

  #answer(answer: unknown): void {
    if (typeof answer !== 'object' || answer === null || !('id' in answer) || typeof answer.id !== 'string')
      return;
    const call = this.#pending.get(answer.id);
    // Nobody waits any longer: it timed out or was aborted.
    if (call === undefined) return;
    if ('error' in answer) call.reject(rpcError(call.method, answer.error));
    else call.resolve('result' in answer ? answer.result : undefined);
  }
}

function rpcError(method: string, error: unknown): RpcError {
  const fields: { code?: unknown; message?: unknown; data?: unknown } =
    typeof error === 'object' && error !== null ? error : {};
  const code = Number(fields.code ?? 0);
  return new RpcError(method, code, String(fields.message ?? 'no message'), fields.data);
}
