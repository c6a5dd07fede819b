/** A stand-in for lightningd's RPC: a node with one channel, enough for a plugin's `init` and for its first questions. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { JsonFramer, parseFrame } from '../src/lightningd/json-framer.ts';

const LIMITS = {
  htlc_minimum_msat: 0,
  htlc_maximum_msat: 990_000_000,
  fee_base_msat: 1000,
  fee_proportional_millionths: 10,
  cltv_expiry_delta: 34,
};
const CHANNEL = {
  peer_id: `02${'11'.repeat(32)}`,
  peer_connected: true,
  reestablished: true,
  state: 'CHANNELD_NORMAL',
  private: false,
  short_channel_id: '103x1x0',
  to_us_msat: 600_000_000,
  total_msat: 1_000_000_000,
  spendable_msat: 580_000_000,
  receivable_msat: 380_000_000,
  updates: { local: LIMITS, remote: LIMITS },
};
/** What a method answers: always the same, or by its parameters; nothing where it does not answer. */
export type Result = object | ((params: Readonly<Record<string, unknown>>) => object | undefined);

const RESULTS: Readonly<Record<string, Result>> = {
  getinfo: { id: `03${'22'.repeat(32)}`, blockheight: 200 },
  listpeerchannels: { channels: [CHANNEL] },
  listchannels: { channels: [] },
  listdatastore: { datastore: [] },
  makesecret: { secret: '33'.repeat(32) },
};

export class StubRpc {
  /** The socket. */
  readonly path: string;
  readonly #folder: string;
  readonly #server: Server;

  private constructor(results: Readonly<Record<string, Result>>) {
    // Long ones are written again and again.
    const written = new Map(
      Object.entries(results).flatMap(([method, result]) =>
        typeof result === 'function' ? [] : [[method, JSON.stringify(result)] as const],
      ),
    );
    this.#folder = mkdtempSync(join(tmpdir(), 'bs-bench-'));
    this.path = join(this.#folder, 'lightning-rpc');
    this.#server = createServer(socket => {
      const framer = new JsonFramer();
      socket.on('data', (chunk: Buffer) => {
        for (const frame of framer.push(chunk)) {
          const { id, method, params } = parseFrame(frame) as { id: unknown; method: string; params: object };
          const result = results[method];
          const text =
            typeof result === 'function'
              ? JSON.stringify(result({ ...params }))
              : (written.get(method) ?? '{}');
          if (text !== undefined)
            socket.write(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${text}}\n\n`);
        }
      });
      socket.on('error', () => {}); // A plugin that ends does not say goodbye.
    });
  }

  /** @param results more answers, by method, or others than the usual */
  static start(results: Readonly<Record<string, Result>> = {}): Promise<StubRpc> {
    const stub = new StubRpc({ ...RESULTS, ...results });
    return new Promise((resolve, reject) => {
      stub.#server.once('error', reject).listen(stub.path, () => resolve(stub));
    });
  }

  /** Closes and removes the socket. */
  [Symbol.dispose](): void {
    this.#server.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
