/** HTLCs that need nothing, through jitrouting on a node with 1,000 channels, against a bare loop that looks at nothing. */
import { once } from 'node:events';
import { Child } from './child.ts';
import { interleave, median, type Row, row, type Samples } from './measure.ts';
import { floorScript, JIT_PLUGIN, PLUGIN } from './paths.ts';
import { StubRpc } from './stub-rpc.ts';

const CHANNELS = 1_000;
const CALLS = 2_000;
const ROUNDS = 15;
const BOUND = 1.5;
/** What BOLT 4 makes of an onion, in hexadecimal. */
const NEXT_ONION = 'ab'.repeat(1366);

const channelId = (n: number) => n.toString(16).padStart(64, '0');
const LIMITS = {
  htlc_minimum_msat: 0,
  htlc_maximum_msat: 990_000_000_000,
  fee_base_msat: 1000,
  fee_proportional_millionths: 10,
  cltv_expiry_delta: 34,
};

function channel(n: number): object {
  return {
    channel_id: channelId(n),
    peer_id: `02${channelId(n)}`,
    peer_connected: true,
    reestablished: true,
    state: 'CHANNELD_NORMAL',
    short_channel_id: `${103 + n}x1x0`,
    to_us_msat: 900_000_000_000,
    total_msat: 1_000_000_000_000,
    spendable_msat: 890_000_000_000,
    our_reserve_msat: 10_000_000_000,
    opener: 'remote',
    updates: { local: LIMITS, remote: LIMITS },
    max_accepted_htlcs: 483,
    htlcs: [],
  };
}

function htlc(n: number): object {
  return {
    peer_id: `02${channelId(n % CHANNELS)}`,
    onion: {
      payload: '110202271004018406080000670000030000',
      type: 'tlv',
      short_channel_id: `${103 + ((n + 1) % CHANNELS)}x1x0`,
      forward_msat: 10_000,
      outgoing_cltv_value: 132,
      next_onion: NEXT_ONION,
      shared_secret: 'cd'.repeat(32),
    },
    forward_to: channelId((n + 1) % CHANNELS),
    htlc: {
      short_channel_id: `${103 + (n % CHANNELS)}x1x0`,
      id: n,
      amount_msat: 11_100,
      cltv_expiry: 166,
      cltv_expiry_relative: 60,
      payment_hash: 'ef'.repeat(32),
    },
  };
}

export async function jit(): Promise<Row[]> {
  using stub = await StubRpc.start({
    listpeerchannels: { channels: Array.from({ length: CHANNELS }, (_, n) => channel(n)) },
    help: { help: [{ command: 'foafrebalance [ask]' }] },
    listconfigs: { configs: { plugin: { values_str: [JIT_PLUGIN] } } },
  });
  const ours = new Child(JIT_PLUGIN);
  const bareLoop = new Child('node', [floorScript('bare-loop.mjs')]);
  for (const child of [ours, bareLoop]) {
    await child.getManifest();
    await child.init(stub.path);
  }
  // An error where it has disabled itself: then it would be measured at doing nothing.
  await ours.request('bench:foafjit#3', 'foafjit', {});
  const rows = await measured(`jit, one HTLC at a time, ${CHANNELS} channels`, ours, bareLoop);
  const flooded = new Child(PLUGIN);
  await flooded.getManifest();
  await flooded.init(stub.path);
  const stop = new AbortController();
  const flooding = flood(flooded, stop.signal);
  rows.push(...(await measured('jit, the same while balancesharing is flooded', ours, bareLoop)));
  stop.abort();
  await flooding;
  for (const child of [ours, bareLoop, flooded]) await child.end();
  return rows;
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

let lastId = 0;

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
