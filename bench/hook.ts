/** Hook calls at full speed over real stdio, against a bare loop that looks at nothing. */
import { once } from 'node:events';
import { JsonFramer, parseFrame } from '../src/lightningd/json-framer.ts';
import { chainHashOf } from '../src/wire/chain-hash.ts';
import { encodeMessage } from '../src/wire/codec.ts';
import { Child } from './child.ts';
import { interleave, type Row, row } from './measure.ts';
import { floorScript, PLUGIN } from './paths.ts';
import { StubRpc } from './stub-rpc.ts';

const CALLS = 10_000;
const BOUND = 1.5;
/** No friend: it has no channel with the stub's node. */
const STRANGER = `02${'44'.repeat(32)}`;
/** Calls are written in pieces of about this many bytes. */
const PIECE = 1_000_000;

export async function hook(): Promise<Row[]> {
  using stub = await StubRpc.start();
  const ours = new Child(PLUGIN);
  const bareLoop = new Child('node', [floorScript('bare-loop.mjs')]);
  const gathering = new Child('node', [floorScript('bare-loop.mjs'), 'gather']);
  const children = [ours, bareLoop, gathering];
  for (const child of children) {
    await child.getManifest();
    await child.init(stub.path);
  }
  const rows: Row[] = [];
  for (const [name, payload, floor, rounds] of [
    ['100 B, a query', padded(100), bareLoop, 25],
    ['100 B, malformed', malformed(padded(100)), bareLoop, 25],
    ['100 B, a query, one write a read', padded(100), gathering, 25],
    ['100 B, malformed, one write a read', malformed(padded(100)), gathering, 25],
    ['30 kB, a query', padded(30_000), bareLoop, 7],
    ['30 kB, malformed', malformed(padded(30_000)), bareLoop, 7],
  ] as const) {
    const samples = await interleave(
      rounds,
      2,
      () => answerAll(ours, payload),
      () => answerAll(floor, payload),
    );
    rows.push(row(`hook, 10,000 calls, ${name}`, 'ms', samples, BOUND));
  }
  for (const child of children) await child.end();
  return rows;
}

/** A valid query of exactly that length, filled up by an unknown odd record. */
function padded(bytes: number): string {
  const query = encodeMessage({
    name: 'query_foaf_balances',
    chainHash: chainHashOf('regtest') ?? '',
    queryId: '0102030405060708',
    flow: 1,
    amountMsat: 50_000_000n,
  });
  const left = bytes - query.length / 2 - 2;
  // A BigSize of one byte, or 0xfd and two.
  if (left <= 0xfc) return `${query}09${hex(left, 1)}${'ab'.repeat(left)}`;
  return `${query}09fd${hex(left - 2, 2)}${'ab'.repeat(left - 2)}`;
}

/** The same without its last byte, so that only its very end shows that it is void. */
function malformed(message: string): string {
  return message.slice(0, -2);
}

function hex(value: number, bytes: number): string {
  return value.toString(16).padStart(bytes * 2, '0');
}

let lastId = 0;

/**
 * Writes all calls as fast as they are taken and waits for the last answer.
 *
 * @returns milliseconds from the first byte to the last
 * @throws Error unless each call got its own answer
 */
async function answerAll({ process: { stdin, stdout } }: Child, payload: string): Promise<number> {
  const first = lastId + 1;
  lastId += CALLS;
  const received: Buffer[] = [];
  const lastAnswer = `"cln:custommsg#${idText(lastId)}"`;
  let tail = '';
  let onData = (_chunk: Buffer) => {};
  const answered = new Promise<number>(resolve => {
    onData = chunk => {
      received.push(chunk);
      tail = tail.slice(-lastAnswer.length) + chunk.toString('latin1');
      if (tail.includes(lastAnswer)) resolve(performance.now());
    };
  });
  stdout.on('data', onData);
  const startedMs = performance.now();
  for (const piece of calls(first, payload)) {
    if (!stdin.write(piece)) await once(stdin, 'drain');
  }
  const tookMs = (await answered) - startedMs;
  // The last answer's end, and whatever else may still come.
  await new Promise(resolve => setTimeout(resolve, 20));
  stdout.off('data', onData);
  verify(Buffer.concat(received), first);
  return tookMs;
}

/** All calls in pieces; cheaply, lest it is the writer who is measured: copies of one piece, with other ids. */
function* calls(first: number, payload: string): Generator<Buffer> {
  const params = `{"payload":"${payload}","peer_id":"${STRANGER}"}`;
  const [before, after] = [
    '{"jsonrpc":"2.0","id":"cln:custommsg#',
    `","method":"custommsg","params":${params}}\n\n`,
  ];
  const one = Buffer.from(before + idText(0) + after, 'latin1');
  const perPiece = Math.ceil(PIECE / one.length);
  const template = Buffer.concat(Array<Buffer>(perPiece).fill(one));
  for (let next = first; next < first + CALLS; next += perPiece) {
    const count = Math.min(perPiece, first + CALLS - next);
    const piece = Buffer.from(template.subarray(0, count * one.length));
    for (let call = 0; call < count; call++) {
      piece.write(idText(next + call), call * one.length + before.length, 'latin1');
    }
    yield piece;
  }
}

function idText(id: number): string {
  return String(id).padStart(8, '0');
}

function verify(output: Buffer, first: number): void {
  const missing = new Set<unknown>();
  for (let id = first; id < first + CALLS; id++) missing.add(`cln:custommsg#${idText(id)}`);
  for (const frame of new JsonFramer().push(output)) {
    const { id, result } = parseFrame(frame) as { id?: unknown; result?: { result?: unknown } };
    if (id === undefined) continue; // A log line.
    if (!missing.delete(id) || result?.result !== 'continue') throw new Error(`a wrong answer to ${id}`);
  }
  if (missing.size > 0) throw new Error(`${missing.size} calls got no answer of their own`);
}
