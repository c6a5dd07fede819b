/**
 * How often a rebalance works at the first try where all share: five meshes of eight real nodes, random but the same
 * each time, ten rebalances on each. Of those that the true balances allow, nine in ten have to.
 *
 *     npm run test:meshes [SEED…]
 *
 * Nobody is asked beforehand: `foafrebalance` asks as it needs to. Balances are uniform over the capacity, but for the
 * reserves. Everybody answers truthfully, but only of what it would willingly move (docs/protocol.md), so that a circle
 * may well be possible that nobody offers.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { PLUGIN, SNAPSHOT_MS } from '../regtest/friends.ts';
import {
  missingPrograms,
  RegtestNetwork,
  type RegtestNode,
  RpcFailure,
  waitFor,
} from '../regtest/harness.ts';
import { type Rebalanced, rebalance, type Tried } from '../regtest/rebalancing.ts';
import { randomOf } from './random.ts';
import { type Edge, edgesOf, possible, type Wanted } from './truth.ts';

const SEEDS = [1, 2, 3, 4, 5];
const NODES = 8;
const CHANNELS = 18;
const REBALANCES = 10;
/** The plugin's defaults. */
const MAX_FEE_PPM = 500;
const MAX_DELAY = 500;
const WANTED_SHARE = 0.9;
/** In satoshis. */
const CAPACITIES = [500_000, 1_000_000, 2_000_000, 4_000_000];
const RUNGS = [50_000, 100_000, 200_000, 500_000];
/** What cannot be moved: 1 % each is reserve, and an opener keeps something for the commitment's fee. */
const RESERVE = 0.03;

type Random = ReturnType<typeof randomOf>;

async function openMesh(random: Random): Promise<RegtestNetwork> {
  const nodes = Array.from({ length: NODES }, () => ({
    plugin: PLUGIN,
    extraArgs: [
      '--foaf-answer-ttl=1',
      // A node's turn comes again later than that: it asks anew, as needed. Timestamps are rounded down to 10 s.
      '--foaf-cache-ttl=15',
      '--foaf-question-budget=1000',
      `--fee-base=${random.pick([0, 1, 1000])}`,
      `--fee-per-satoshi=${random.pick([0, 10, 50, 150])}`,
    ],
  }));
  const pairs = Array.from({ length: NODES }, (_, to) =>
    Array.from({ length: to }, (__, from) => ({ from, to })),
  ).flat();
  const channels = random.shuffle(pairs).slice(0, CHANNELS);
  const network = await RegtestNetwork.start({ nodes });
  await network.openChannels(
    channels.map(pair => {
      const amountSat = random.pick(CAPACITIES);
      const pushSat = Math.round(amountSat * (RESERVE + random.real() * (1 - 2 * RESERVE)));
      return { ...pair, amountSat, pushSat };
    }),
  );
  return network;
}

async function truth(network: RegtestNetwork): Promise<Edge[]> {
  return await waitFor('nothing to be on its way', () => edgesOf(network));
}

/** A move that helps a node: from a peer with more than its share to one with less, just under a rung with its fees. */
function drawMove(edges: readonly Edge[], { id: us }: RegtestNode, random: Random): Wanted | undefined {
  const own = edges.filter(edge => edge.from === us);
  const share = (list: readonly Edge[]) =>
    list.reduce((sum, edge) => sum + edge.ours, 0) / list.reduce((sum, edge) => sum + edge.total, 0);
  const nu = share(own);
  const outs = own.filter(edge => share([edge]) > nu);
  const ins = own.filter(edge => share([edge]) < nu);
  const moves = outs.flatMap(out => ins.map(home => ({ out, home })));
  const sized = moves.flatMap(({ out, home }) => {
    const back = edges.find(edge => edge.from === home.to && edge.scid === home.scid);
    const most = Math.min(out.spendable, back?.spendable ?? 0);
    return RUNGS.filter(rung => rung * 1000 <= most).map(rung => {
      const amount = Math.floor((rung * 1000) / (1 + MAX_FEE_PPM / 1e6));
      return { us, out: out.to, home: home.to, amount };
    });
  });
  return sized.length === 0 ? undefined : random.pick(sized);
}

interface Outcome {
  readonly isPossible: boolean;
  readonly isFirstTry: boolean;
  readonly words: string;
}

async function perform(
  network: RegtestNetwork,
  node: RegtestNode,
  wanted: Wanted,
  edges: readonly Edge[],
): Promise<Outcome> {
  const ways = possible(edges, wanted, MAX_FEE_PPM, MAX_DELAY);
  const amount = `${wanted.amount}msat`;
  const isPossible = ways.length > 0;
  const name = (id: string) => network.nodes.findIndex(each => each.id === id);
  const what = `${name(wanted.us)} → ${name(wanted.out)} … ${name(wanted.home)}, ${amount}, ${ways.length} ways`;
  try {
    const done = await rebalance(node, { amount, out: wanted.out, in: wanted.home });
    const isFirstTry = done.attempts === 1;
    return { isPossible, isFirstTry, words: `${what}: ${done.attempts} tries, ${describe(done)}` };
  } catch (error) {
    if (!(error instanceof RpcFailure)) throw error;
    const tries = (error.data as Tried | undefined)?.attempts.length ?? 0;
    return { isPossible, isFirstTry: false, words: `${what}: ${error.message} (${tries} tries)` };
  }
}

function describe({ fee_msat, hops }: Rebalanced): string {
  return `fee ${fee_msat} msat, ${hops.map(({ known }) => known).join(' ')}`;
}

/** Ten rebalances, by the nodes in turn. */
async function runMesh(seed: number): Promise<Outcome[]> {
  const random = randomOf(seed);
  await using network = await openMesh(random);
  const outcomes: Outcome[] = [];
  for (let turn = 0; outcomes.length < REBALANCES && turn < 10 * REBALANCES; turn++) {
    const node = network.node(turn % NODES);
    const edges = await truth(network);
    const wanted = drawMove(edges, node, random);
    if (wanted === undefined) continue;
    // Everybody's answers are from after the last rebalance.
    await delay(SNAPSHOT_MS);
    outcomes.push(await perform(network, node, wanted, edges));
  }
  return outcomes;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

const missing = missingPrograms();
if (missing !== undefined) {
  print(`The meshes cannot run here: ${missing}.`);
  process.exit(1);
}
const given = process.argv.slice(2).map(Number);
const all: Outcome[] = [];
for (const seed of given.length > 0 ? given : SEEDS) {
  const outcomes = await runMesh(seed);
  all.push(...outcomes);
  print(`mesh ${seed}: ${tally(outcomes)}`);
  for (const { isPossible, isFirstTry, words } of outcomes) {
    print(`  ${isFirstTry ? 'ok ' : isPossible ? 'NOT' : '-  '} ${words}`);
  }
}
print(`all meshes: ${tally(all)}`);
const possibleOnes = all.filter(({ isPossible }) => isPossible);
const firstTries = possibleOnes.filter(({ isFirstTry }) => isFirstTry);
if (firstTries.length < WANTED_SHARE * possibleOnes.length) process.exitCode = 1;

function tally(outcomes: readonly Outcome[]): string {
  const some = outcomes.filter(({ isPossible }) => isPossible);
  const first = some.filter(({ isFirstTry }) => isFirstTry);
  return `of ${outcomes.length} rebalances ${some.length} are possible, ${first.length} of these worked at the first try`;
}
