/** A large answer of lightningd through our RPC client, against collecting its bytes and parsing them once. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { RpcClient } from '../src/lightningd/rpc-client.ts';
import { Child } from './child.ts';
import { interleave, type Row, row } from './measure.ts';
import { ANSWER_SERVER } from './paths.ts';

const ROUNDS = 21;
const BOUND = 1.5;
/** About 20 MB: a channel takes 430 bytes. */
const CHANNELS = 47_000;
const BLANK_LINE = Buffer.from('\n\n');

export async function framing(): Promise<Row[]> {
  setFlagsFromString('--expose-gc');
  const collectGarbage: () => void = runInNewContext('gc');
  const folder = mkdtempSync(join(tmpdir(), 'bs-bench-'));
  const path = join(folder, 'rpc');
  const server = new Child('node', [ANSWER_SERVER, path, String(CHANNELS)]);
  try {
    await once(server.process.stdout, 'data');
    return [await compare(path, collectGarbage)];
  } finally {
    await server.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function compare(path: string, collectGarbage: () => void): Promise<Row> {
  const client = new RpcClient(path, 'bench');
  const socket = connect(path);
  await once(socket, 'connect');
  let bytes = 0;
  const samples = await interleave(
    ROUNDS,
    3,
    async () => {
      collectGarbage();
      const startedMs = performance.now();
      check(await client.call('listchannels'));
      return performance.now() - startedMs;
    },
    async () => {
      collectGarbage();
      const startedMs = performance.now();
      socket.write('{"jsonrpc":"2.0","id":"bench:listchannels#1","method":"listchannels","params":{}}\n\n');
      const text = await readToBlankLine(socket);
      check(JSON.parse(text.toString('utf8')).result);
      bytes = text.length;
      return performance.now() - startedMs;
    },
  );
  client.close();
  socket.destroy();
  return row(`framing, an answer of ${(bytes / 1e6).toFixed(1)} MB`, 'ms', samples, BOUND);
}

function readToBlankLine(socket: Socket): Promise<Buffer> {
  return new Promise(resolve => {
    const chunks: Buffer[] = [];
    let lastTwo = Buffer.alloc(0);
    const onData = (chunk: Buffer) => {
      chunks.push(chunk);
      // The blank line may itself be split.
      lastTwo = Buffer.concat([lastTwo, chunk.subarray(-2)]).subarray(-2);
      if (!lastTwo.equals(BLANK_LINE)) return;
      socket.off('data', onData);
      resolve(Buffer.concat(chunks));
    };
    socket.on('data', onData);
  });
}

function check(result: unknown): void {
  const { channels } = result as { channels: unknown[] };
  if (channels.length !== CHANNELS) throw new Error(`${channels.length} channels, expected ${CHANNELS}`);
}
