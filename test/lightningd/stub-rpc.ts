/** The RPC socket of the stand-in for lightningd: a test sets what each method answers and sees what was called. */
import { createServer, type Server, type Socket } from 'node:net';
import { Watch } from './watch.ts';

/** Answers a call: with what it returns, with the `StubError` that it throws, or never. */
export type RpcMethod = (params: Readonly<Record<string, unknown>>) => unknown;

export interface RpcCall {
  readonly id: unknown;
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** Thrown by a method: what lightningd answers as an error. */
export class StubError extends Error {
  readonly code: number;
  readonly data: unknown;

  constructor(code: number, message: string, data?: unknown) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

/** Returned by a method whose answer JavaScript's numbers cannot hold: its JSON. */
export class RawJson {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Returned by a method that does not answer. */
export function never(): Promise<never> {
  return new Promise(() => {});
}

/** As a release says it that does not have the command. */
export function unknownCommand(method: string): StubError {
  return new StubError(-32601, `Unknown command '${method}'`);
}

export class StubRpc {
  readonly path: string;
  /** Every call so far, in the order in which they came. */
  readonly calls: RpcCall[] = [];
  readonly methods: Map<string, RpcMethod>;
  readonly #watch = new Watch();
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;

  constructor(path: string, methods: Readonly<Record<string, RpcMethod>>) {
    this.path = path;
    this.methods = new Map(Object.entries(methods));
  }

  listen(): Promise<void> {
    const server = createServer(socket => this.#serve(socket));
    this.#server = server;
    return new Promise((resolve, reject) => server.once('error', reject).listen(this.path, resolve));
  }

  /** Closes the connections, but takes new ones. */
  hangUp(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Is gone: the connections are closed and the socket's file too. */
  async close(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = new Promise(resolve => server.close(resolve));
    this.hangUp();
    await closed;
  }

  /** The parameters of the `nth` call of a method, as soon as it has been made. */
  async called(method: string, nth = 1): Promise<RpcCall['params']> {
    const what = `call ${nth} of ${method}`;
    const call = await this.#watch.until(what, () => this.callsOf(method)[nth - 1]);
    return call.params;
  }

  callsOf(method: string): RpcCall[] {
    return this.calls.filter(call => call.method === method);
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => {});
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const requests = text.split('\n\n');
      text = requests.pop() ?? '';
      for (const request of requests) this.#answer(socket, JSON.parse(request) as RpcCall);
    });
  }

  async #answer(socket: Socket, call: RpcCall): Promise<void> {
    this.calls.push(call);
    let outcome: string;
    try {
      const method = this.methods.get(call.method);
      if (method === undefined) throw unknownCommand(call.method);
      const answer = method(call.params);
      this.#watch.changed();
      const result = await answer;
      outcome = `"result":${result instanceof RawJson ? result.text : JSON.stringify(result)}`;
    } catch (error) {
      this.#watch.changed();
      const { code, message, data } = error instanceof StubError ? error : new StubError(-1, String(error));
      outcome = `"error":${JSON.stringify({ code, message, data })}`;
    }
    if (socket.writable) socket.write(`{"jsonrpc":"2.0","id":${JSON.stringify(call.id)},${outcome}}\n\n`);
  }
}
