/** JSON-RPC over a unix socket, as lightningd speaks it; written apart from the plugin's own, which it helps to test. */
import { createConnection, type Socket } from 'node:net';

/** An error that lightningd (or a plugin behind it) answered. */
export class RpcFailure extends Error {
  override readonly name = 'RpcFailure';
  readonly method: string;
  readonly code: number;
  readonly data: unknown;

  constructor(method: string, error: { code: number; message: string; data?: unknown }) {
    super(error.message);
    this.method = method;
    this.code = error.code;
    this.data = error.data;
  }
}

/** The connection could not be made, or ended before the answer. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
}

interface Pending {
  readonly method: string;
  readonly socket: Socket;
  resolve(result: unknown): void;
  reject(reason: Error): void;
}

interface Answer {
  id?: unknown;
  result?: unknown;
  error?: { code: number; message: string; data?: unknown };
}

/** Cuts a stream into JSON objects by their structure: a blank line between two is a habit, and may stand inside one. */
export class ObjectSplitter {
  #begun: string[] = [];
  #depth = 0;
  #inString = false;
  #escaped = false;

  /** Takes the next piece of the stream and gives the objects that it completes. */
  push(piece: string): string[] {
    const complete: string[] = [];
    let start = 0;
    for (let index = 0; index < piece.length; index++) {
      if (!this.#closesObject(piece.charAt(index))) continue;
      this.#begun.push(piece.slice(start, index + 1));
      complete.push(this.#begun.join(''));
      this.#begun = [];
      start = index + 1;
    }
    if (start < piece.length) this.#begun.push(piece.slice(start));
    return complete;
  }

  #closesObject(character: string): boolean {
    if (this.#escaped) {
      this.#escaped = false;
    } else if (this.#inString) {
      if (character === '"') this.#inString = false;
      else if (character === '\\') this.#escaped = true;
    } else if (character === '"') {
      this.#inString = true;
    } else if (character === '{') {
      this.#depth += 1;
    } else if (character === '}') {
      this.#depth -= 1;
      return this.#depth === 0;
    }
    return false;
  }
}

/** One kept connection, made at the first call and again after it was lost. Any number of calls may be under way. */
export class RpcConnection {
  readonly #path: string;
  readonly #pending = new Map<number, Pending>();
  #socket: Socket | undefined;
  #lastId = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /**
   * Calls a method.
   *
   * @param params by name (an object) or by position (an array).
   * @returns the result; integers above 2^53 in it have lost their last digits.
   * @throws RpcFailure if an error is answered, ConnectionLost, or Error after `timeoutMs` milliseconds.
   */
  call(method: string, params: object, timeoutMs: number): Promise<unknown> {
    this.#lastId += 1;
    const id = this.#lastId;
    const socket = this.#connection();
    return new Promise((resolve, reject) => {
      const finish = () => {
        clearTimeout(timer);
        this.#pending.delete(id);
      };
      const pending: Pending = {
        method,
        socket,
        resolve: result => {
          finish();
          resolve(result);
        },
        reject: reason => {
          finish();
          reject(reason);
        },
      };
      const timer = setTimeout(
        () => pending.reject(new Error(`${method} was not answered within ${timeoutMs} ms`)),
        timeoutMs,
      );
      this.#pending.set(id, pending);
      socket.write(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    });
  }

  /** Ends the connection; calls under way fail. */
  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  #connection(): Socket {
    if (this.#socket) return this.#socket;
    const splitter = new ObjectSplitter();
    const socket = createConnection(this.#path).setEncoding('utf8');
    let reason = 'the connection was closed';
    socket.on('data', (piece: string) => {
      for (const text of splitter.push(piece)) this.#take(JSON.parse(text));
    });
    socket.on('error', error => {
      reason = error.message;
    });
    socket.on('close', () => {
      if (this.#socket === socket) this.#socket = undefined;
      for (const pending of [...this.#pending.values()]) {
        if (pending.socket === socket) pending.reject(new ConnectionLost(`${pending.method}: ${reason}`));
      }
    });
    socket.unref(); // Whoever waits for an answer holds a timer; an idle connection keeps nobody alive.
    this.#socket = socket;
    return socket;
  }

  #take(answer: Answer): void {
    const pending = this.#pending.get(Number(answer.id));
    if (!pending) return; // A notification, or the answer to a call that nobody waits for any more.
    if (answer.error) pending.reject(new RpcFailure(pending.method, answer.error));
    else pending.resolve(answer.result);
  }
}
