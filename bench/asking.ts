/**
 * `foafbalance` on six real nodes, each connected to every other, against a plugin that only lets its peers echo.
 *
 * No limit of ours is relaxed: four calls make a burst, and the next begins when the peers may be asked again. Each
 * node keeps its view of its channels for a minute, so the first call of some bursts waits for new views.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { missingPrograms, RegtestNetwork } from '../test/regtest/harness.ts';
import { type Row, row, type Skipped } from './measure.ts';
import { floorScript, PLUGIN } from './paths.ts';

const NODES = 6;
/** After one that warms up. */
const BURSTS = 14;
/** As many as our own limit on asking allows within 12 s. */
const CALLS_PER_BURST = 4;
const PAUSE_MS = 12_500;
const BOUND = 1.7;

export async function asking(): Promise<(Row | Skipped)[]> {
  const missing = missingPrograms();
  if (missing !== undefined) return [{ name: 'asking', skipped: missing }];
  const options = { plugin: PLUGIN, extraArgs: [`--plugin=${floorScript('echo-plugin.mjs')}`] };
  await using network = await RegtestNetwork.start({ nodes: Array.from({ length: NODES }, () => options) });
  await network.openChannels(mesh());
  const all = { ours: [] as number[], floor: [] as number[] };
  const first = { ours: [] as number[], floor: [] as number[] };
  for (let burst = 0; burst <= BURSTS; burst++) {
    for (let call = 0; call < CALLS_PER_BURST; call++) {
      const ours = await timeOf(network, 'foafbalance', { direction: 'out', amount: 50_000, fresh: true });
      const floor = await timeOf(network, 'echobalance', {});
      if (burst === 0) continue;
      for (const samples of call === 0 ? [all, first] : [all]) {
        samples.ours.push(ours);
        samples.floor.push(floor);
      }
    }
    if (burst < BURSTS) await delay(PAUSE_MS);
  }
  return [
    row('asking, five friends', 'ms', all, BOUND),
    row('asking, the first call after 12 s of rest', 'ms', first),
  ];
}

/** A channel between each two nodes, so balanced that each has some to offer. */
function mesh() {
  const channels = [];
  for (let from = 0; from < NODES; from++) {
    for (let to = from + 1; to < NODES; to++) {
      channels.push({ from, to, amountSat: 1_000_000, pushSat: (from + to) % 2 === 0 ? 200_000 : 700_000 });
    }
  }
  return channels;
}

/** One call over the harness's kept connection to the first node. @throws Error unless all five answered */
async function timeOf(network: RegtestNetwork, method: string, params: object): Promise<number> {
  const startedMs = performance.now();
  const result = await network.node(0).rpc<{ num_replies?: number; echoes?: number }>(method, params);
  const tookMs = performance.now() - startedMs;
  if ((result.num_replies ?? result.echoes) !== NODES - 1) {
    throw new Error(`${method}: not all answered: ${JSON.stringify(result)}`);
  }
  return tookMs;
}
