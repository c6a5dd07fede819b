/** A real RpcClient, and a server on a real unix socket that answers only what a test tells it to. */
import assert from 'node:assert/strict';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { after } from 'node:test';
import { RpcClient } from '../../src/lightningd/rpc-client.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { Watch } from './watch.ts';

export interface Request {
  readonly socket: Socket;
  readonly id: string;
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
}

const folder = temporaryFolder();
const running = new Set<Harness>();
after(() => Promise.all([...running].map(harness => harness.close())));
let lastPath = 0;

/** A client, and a server that only collects requests: what is answered is up to the test, byte for byte. */
export class Harness {
  readonly path = join(folder, `${++lastPath}`);
  readonly client = new RpcClient(this.path, 'tester');
  readonly requests: Request[] = [];
  connections = 0;
  readonly #watch = new Watch();
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;

  constructor() {
    this.#server = createServer(socket => {
      this.connections++;
      this.#sockets.add(socket);
      socket.on('error', () => {});
      let text = '';
      socket.setEncoding('utf8').on('data', (chunk: string) => {
        const whole = (text + chunk).split('\n\n');
        text = whole.pop() ?? '';
        for (const request of whole) this.requests.push({ ...JSON.parse(request), socket });
        this.#watch.changed();
      });
    });
    running.add(this);
  }

  listen(): Promise<this> {
    return new Promise(resolve => this.#server.listen(this.path, () => resolve(this)));
  }

  /** The first `count` requests, once they are there. */
  received(count: number): Promise<readonly Request[]> {
    const look = () => (this.requests.length < count ? undefined : this.requests.slice(0, count));
    return this.#watch.until(`${count} requests`, look);
  }

  /** The `nth` request, once it is there. */
  async request(nth: number): Promise<Request> {
    const request = (await this.received(nth)).at(-1);
    assert.ok(request !== undefined);
    return request;
  }

  close(): Promise<unknown> {
    running.delete(this);
    this.client.close();
    for (const socket of this.#sockets) socket.destroy();
    return new Promise(resolve => this.#server.close(resolve));
  }
}

export function answer({ id, socket }: Request, outcome: object): void {
  socket.write(`${JSON.stringify({ jsonrpc: '2.0', id, ...outcome })}\n\n`);
}
