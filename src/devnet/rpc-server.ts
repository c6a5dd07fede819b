/**
 * The node's JSON-RPC on a unix socket, as lightning-cli and plugins speak it: many requests at once on a connection,
 * answers in the order in which they are ready.
 *
 * Hazard: requests come split and joined anywhere, and a node that has stopped must answer nobody: its connections
 * end, so that whoever waits for an answer learns it.
 */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { type JsonFrame, JsonFramer } from '../lightningd/json-framer.ts';
import { jsonText } from '../lightningd/json-text.ts';
import { parseExactly } from './exact-json.ts';
import { fieldsOf, Misconduct } from './misconduct.ts';
import { FaultCode, RpcFault } from './rpc-fault.ts';

export interface RpcRequest {
  readonly method: string;
  readonly params: unknown;
  /** The JSON of the request's id. */
  readonly id: string;
}

export class RpcServer {
  readonly #serve: (request: RpcRequest) => Promise<unknown>;
  readonly #server: Server;
  readonly #connections = new Set<Socket>();

  /** @param serve answers a request, or rejects with an RpcFault, or with a Misconduct if the node stops over it */
  constructor(serve: (request: RpcRequest) => Promise<unknown>) {
    this.#serve = serve;
    this.#server = createServer(socket => this.#accept(socket));
  }

  async listen(path: string): Promise<void> {
    this.#server.listen(path);
    await once(this.#server, 'listening');
  }

  /** Ends all connections, once what was answered has been sent, and removes the socket. */
  close(): void {
    this.#server.close();
    for (const socket of this.#connections) socket.destroySoon();
  }

  #accept(socket: Socket): void {
    this.#connections.add(socket);
    socket.on('close', () => this.#connections.delete(socket));
    socket.on('error', () => {}); // The client has gone; its requests are carried out all the same.
    const framer = new JsonFramer(() => refuse(socket));
    socket.on('data', (chunk: Buffer) => {
      for (const frame of framer.push(chunk)) this.#take(socket, frame);
    });
  }

  #take(socket: Socket, frame: JsonFrame): void {
    let request: Readonly<Record<string, unknown>>;
    try {
      request = fieldsOf(parseExactly(frame));
    } catch {
      refuse(socket);
      return;
    }
    const { id = null, method, params } = request;
    const served =
      typeof method === 'string'
        ? this.#serve({ method, params, id: jsonText(id) })
        : Promise.reject(new RpcFault(FaultCode.invalidRequest, 'Expected a method'));
    served.then(
      result => reply(socket, id, { result }),
      (error: unknown) => {
        // The node stops: its connections end, and that is the answer.
        if (error instanceof Misconduct) return;
        if (!(error instanceof RpcFault)) throw error;
        const { code, message, data } = error;
        reply(socket, id, { error: { code, message, ...(data === undefined ? {} : { data }) } });
      },
    );
  }
}

function reply(socket: Socket, id: unknown, outcome: object): void {
  if (socket.writable) socket.write(`${jsonText({ jsonrpc: '2.0', id, ...outcome })}\n\n`);
}

/** No JSON: what follows cannot be trusted to begin where a request does. */
function refuse(socket: Socket): void {
  reply(socket, null, { error: { code: FaultCode.parse, message: 'Invalid JSON' } });
  socket.destroySoon();
}
