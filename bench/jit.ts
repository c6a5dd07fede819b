/**
 * HTLCs through jitrouting on a node with 1,000 channels: those that need nothing against a bare loop that looks at
 * nothing, and how long those that are held wait at most. Alone, and while balancesharing searches circles and is flooded.
 */
import { once } from 'node:events';
import * as v from 'valibot';
import { Child } from './child.ts';
import { answers, CHANNELS, EMPTY, htlc, lackingHtlc } from './jit-node.ts';
import { interleave, median, type Row, row, type Samples } from './measure.ts';
import { floorScript, JIT_PLUGIN, PLUGIN } from './paths.ts';
import { StubRpc } from './stub-rpc.ts';

const CALLS = 2_000;
const ROUNDS = 15;
const BOUND = 1.5;
const HOLD_MS = 500;
/** An HTLC is held no longer than the option says and this (issue 6). */
const ALLOWED_MS = 100;
/** As many are held at once as the plugin holds. */
const HELD_ROUNDS = 5;

const SEARCH = { amount: 100_000, maxfeeppm: 100_000, limit: 10 };

const SEARCH_ID = '"bench:search"';

let lastId = 0;

const foafjit = v.object({ outcomes: v.record(v.string(), v.number()) });

export async function jit(): Promise<Row[]> {
  using stub = await StubRpc.start(answers(JIT_PLUGIN));
  const ours = new Child(JIT_PLUGIN);
  const bareLoop = new Child('node', [floorScript('bare-loop.mjs')]);
  for (const child of [ours, bareLoop]) {
    await child.getManifest();
    await child.init(stub.path);
  }
  // An error where it has disabled itself: then it would be measured at doing nothing.
  await ours.request('bench:foafjit#3', 'foafjit', {});
  const rows = await measured(`jit, one HTLC at a time, ${CHANNELS} channels`, ours, bareLoop);
  const alone = await longestHold(stub.path, false);
  const sharing = new Child(PLUGIN);
  await sharing.getManifest();
  await sharing.init(stub.path);
  // The first search reads all friends' gossip.
  v.parse(
    v.object({ circles: v.pipe(v.array(v.unknown()), v.minLength(1)) }),
    await sharing.request('bench:foafcircles#0', 'foafcircles', SEARCH),
  );
  const stop = new AbortController();
  const load = [flood(sharing, stop.signal), search(sharing, stop.signal)];
  rows.push(
    ...(await measured(
      'jit, the same while circles are searched and balancesharing is flooded',
      ours,
      bareLoop,
    )),
  );
  const busy = await longestHold(stub.path, true);
  stop.abort();
  const [, searches = 0] = await Promise.all(load);
  for (const child of [ours, bareLoop]) await child.end();
  sharing.process.kill('SIGKILL');
  const floor = HOLD_MS + ALLOWED_MS;
  const held = `jit, longest of ${HELD_ROUNDS * EMPTY} holds, foaf-jit-hold-ms=${HOLD_MS}`;
  return [
    ...rows,
    { name: held, unit: 'ms', ours: alone, floor, bound: 1 },
    { name: `${held}, under that load (${searches} searches)`, unit: 'ms', ours: busy, floor, bound: 1 },
  ];
}

/**
 * Holds as many HTLCs as are held at once, again and again; none of the circles ends.
 *
 * @param isBusy whether HTLCs that need nothing come all the while
 * @returns milliseconds
 */
async function longestHold(rpcPath: string, isBusy: boolean): Promise<number> {
  let longestMs = 0;
  for (let round = 0; round < HELD_ROUNDS; round++) {
    const holding = new Child(JIT_PLUGIN);
    await holding.getManifest();
    await holding.init(rpcPath, {
      'foaf-jit': 'active',
      'foaf-jit-hold-ms': HOLD_MS,
      'foaf-jit-allowance': 1_000_000,
      'foaf-jit-allowance-total': 1_000_000,
    });
    const took = await holdAll(holding, isBusy);
    const { outcomes } = v.parse(foafjit, await holding.request('bench:foafjit#4', 'foafjit', {}));
    if (outcomes['late'] !== EMPTY) throw new Error(`not all were held: ${JSON.stringify(outcomes)}`);
    longestMs = Math.max(longestMs, ...took);
    await holding.end();
  }
  return longestMs;
}

const NEEDLESS = 'cln:htlc_accepted#needless';

/** @returns how long each that lacked something waited for its answer, in milliseconds */
function holdAll({ process: { stdin, stdout } }: Child, isBusy: boolean): Promise<number[]> {
  const sentMs = new Map<string, number>();
  const took: number[] = [];
  const send = (id: string, params: object) =>
    stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method: 'htlc_accepted', params })}\n\n`);
  return new Promise(resolve => {
    let tail = '';
    const onData = (chunk: Buffer) => {
      const lines = (tail + chunk.toString('latin1')).split('\n');
      tail = lines.pop() ?? '';
      for (const line of lines) {
        const id = /"id":"([^"]+)"/.exec(line)?.[1] ?? '';
        if (id === NEEDLESS) send(NEEDLESS, htlc(++lastId));
        const startedMs = sentMs.get(id);
        if (startedMs === undefined) continue;
        took.push(performance.now() - startedMs);
        if (took.length < EMPTY) continue;
        stdout.off('data', onData);
        resolve(took);
      }
    };
    stdout.on('data', onData);
    if (isBusy) send(NEEDLESS, htlc(++lastId));
    for (let n = 0; n < EMPTY; n++) {
      const id = `cln:htlc_accepted#${++lastId}`;
      sentMs.set(id, performance.now());
      send(id, lackingHtlc(n));
    }
  });
}

async function measured(name: string, ours: Child, floor: Child): Promise<Row[]> {
  const tails: { ours: number[]; floor: number[] } = { ours: [], floor: [] };
  const samples: Samples = await interleave(
    ROUNDS,
    2,
    () => oneByOne(ours, tails.ours),
    () => oneByOne(floor, tails.floor),
  );
  return [row(`${name}, median`, 'µs', samples, BOUND), row(`${name}, 99th percentile`, 'µs', tails)];
}

/** Messages of strangers, as fast as the plugin takes them. */
async function flood({ process: { stdin, stdout } }: Child, signal: AbortSignal): Promise<void> {
  stdout.resume();
  const params = { payload: `015b${'00'.repeat(1000)}`, peer_id: `02${'44'.repeat(32)}` };
  const call = `${JSON.stringify({ jsonrpc: '2.0', id: 'cln:custommsg#0', method: 'custommsg', params })}\n\n`;
  const piece = call.repeat(100);
  while (!signal.aborted) {
    if (!stdin.write(piece)) await once(stdin, 'drain');
  }
}

/** Circles, one search after the other. @returns how many */
async function search({ process: { stdin, stdout } }: Child, signal: AbortSignal): Promise<number> {
  let searches = 0;
  let answered = () => {};
  let tail = '';
  const onData = (chunk: Buffer) => {
    const text = tail + chunk.toString('latin1');
    const found = text.lastIndexOf(SEARCH_ID);
    if (found >= 0) answered();
    tail = text.slice(Math.max(found + 1, text.length - SEARCH_ID.length));
  };
  stdout.on('data', onData);
  const request = { jsonrpc: '2.0', id: 'bench:search', method: 'foafcircles', params: SEARCH };
  const aborted = once(signal, 'abort');
  while (!signal.aborted) {
    const answer = new Promise<void>(resolve => {
      answered = resolve;
    });
    stdin.write(`${JSON.stringify(request)}\n\n`);
    await Promise.race([answer, aborted]);
    if (!signal.aborted) searches++;
  }
  stdout.off('data', onData);
  return searches;
}

/** HTLCs one after the other, each answered before the next. @returns the median in microseconds */
async function oneByOne({ process: { stdin, stdout } }: Child, tails: number[]): Promise<number> {
  const took: number[] = [];
  let answered = (_text: string) => {};
  const onData = (chunk: Buffer) => answered(chunk.toString('latin1'));
  stdout.on('data', onData);
  for (let call = 0; call < CALLS; call++) {
    const id = `cln:htlc_accepted#${++lastId}`;
    const request = `${JSON.stringify({ jsonrpc: '2.0', id, method: 'htlc_accepted', params: htlc(lastId) })}\n\n`;
    const answer = new Promise<void>((resolve, reject) => {
      answered = text => {
        if (text.includes(`"${id}"`)) resolve();
        else if (text.includes('htlc_accepted#')) reject(new Error(`another answer: ${text}`));
      };
    });
    const startedMs = performance.now();
    stdin.write(request);
    await answer;
    took.push((performance.now() - startedMs) * 1000);
  }
  stdout.off('data', onData);
  took.sort((a, b) => a - b);
  tails.push(took[Math.floor(took.length * 0.99)] ?? 0);
  return median(took);
}
