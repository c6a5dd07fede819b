/**
 * `jit`: a stream of payments, what arrives of it without, with passive and with active just-in-time routing, and what
 * circles cost beside what forwards earn.
 */
import type { BalanceKind } from './balances.ts';
import type { Experiment, Json, Plot, Table } from './experiment.ts';
import { type JitFigures, jitFiguresOf, jitJsonOf, jitTable, reasonsTable } from './jit-figures.ts';
import type { JitWorld, StreamOutcome, StreamTask } from './jit-stream.ts';
import type { Network } from './network.ts';
import type { Random } from './random.ts';
import { inThreads } from './threads.ts';

const PAYMENTS = 3000;

const NOTHING: JitWorld = { name: 'nothing', mode: 'nothing', running: 0, isSharing: false };
const PASSIVE: JitWorld = { name: 'passive', mode: 'passive', running: 1, isSharing: true };
const ACTIVE: JitWorld = { name: 'active', mode: 'active', running: 1, isSharing: true };
const SETTLING: JitWorld = { ...ACTIVE, name: 'active, known to settle', isSeasoned: true };
const alone = (world: JitWorld): JitWorld => ({
  ...world,
  name: `${world.name}, nobody shares`,
  isSharing: false,
});

const FEW_WORLDS = [NOTHING, PASSIVE, ACTIVE, SETTLING];
const ALL_WORLDS = [
  NOTHING,
  PASSIVE,
  ACTIVE,
  alone(ACTIVE),
  { ...ACTIVE, name: 'active, on 10 % of nodes', running: 0.1 },
  SETTLING,
  alone(SETTLING),
];

interface Stream {
  readonly balances: BalanceKind;
  /** The first is what the others are compared with. */
  readonly worlds: readonly JitWorld[];
}

const STREAMS: readonly Stream[] = [
  { balances: 'depleted', worlds: ALL_WORLDS },
  { balances: 'priced', worlds: ALL_WORLDS },
  { balances: 'coin', worlds: FEW_WORLDS },
  { balances: 'uniform', worlds: FEW_WORLDS },
];

interface Measured {
  readonly balances: BalanceKind;
  readonly worlds: readonly JitFigures[];
}

export const jit: Experiment = {
  name: 'jit',
  describe: 'payments that arrive without, with passive and with active just-in-time routing',
  async run(network, { cases = PAYMENTS, threads }, random, progress) {
    const measured = await measureStreams(network, STREAMS, cases, threads, random, done =>
      progress(done, `${Math.round(100 * done)} % of the streams`),
    );
    return {
      tables: measured.flatMap(({ balances, worlds }): Table[] => [
        jitTable(`${cases} payments, balances ${balances}`, worlds),
        reasonsTable(`what was decided about forwards that lacked something, balances ${balances}`, worlds),
      ]),
      figures: measured.map(({ balances, worlds }): Json => ({ balances, worlds: worlds.map(jitJsonOf) })),
      plots: [plotOf(measured)],
    };
  },
};

export async function measureStreams(
  network: Network,
  streams: readonly Stream[],
  payments: number,
  threads: number,
  random: Random,
  onDone: (done: number) => void,
): Promise<Measured[]> {
  const tasks = streams.flatMap(({ balances, worlds }) =>
    worlds.map((world): StreamTask => ({ seed: random.fork(balances).path, balances, payments, world })),
  );
  const records = Array.from(network.shortChannelIds, (_, channel) => network.record(channel));
  const worker = new URL('./jit-worker.ts', import.meta.url);
  const outcomes = await inThreads<StreamTask, StreamOutcome>(worker, records, tasks, threads, done =>
    onDone(done / tasks.length),
  );
  return streams.map(({ balances, worlds }) => {
    const own = outcomes.splice(0, worlds.length);
    const [nothing] = own;
    return {
      balances,
      worlds: own.map((outcome, place) =>
        jitFiguresOf(worlds[place]?.name ?? '', outcome, nothing ?? outcome),
      ),
    };
  });
}

function plotOf(measured: readonly Measured[]): Plot {
  return {
    name: 'jit',
    title: 'Payments that arrive, by just-in-time routing on all nodes',
    kind: 'bar',
    x: { label: 'balances', names: measured.map(({ balances }) => balances) },
    y: { label: 'of all payments', minimum: 0, maximum: 1 },
    series: FEW_WORLDS.map(({ name }) => ({
      name,
      points: measured.flatMap(({ worlds }, x) =>
        worlds
          .filter(figures => figures.world === name)
          .map(({ arrived: { value, low, high } }) => ({ x, y: value, low, high })),
      ),
    })),
  };
}
