/** Runs cases at several levels, in threads: what `attempts` and `adoption` have in common. */
import type { BatchTask, CaseOutcome, Level } from './attempts-batch.ts';
import type { BalanceKind } from './balances.ts';
import type { Progress } from './experiment.ts';
import { type Figures, figuresOf } from './figures.ts';
import type { Network } from './network.ts';
import type { Random } from './random.ts';
import type { Asks, Speech } from './rebalance-case.ts';
import { inThreads } from './threads.ts';

/** Cases that share one draw of balances. */
const CASES_PER_BATCH = 200;
/** The plugin's default (`foaf-maxfeeppm`). */
export const MAX_FEE_PPM = 500n;
/** Whoever has not come through by then gives up. */
const MAX_TRIES = 50;
const SAT_MSAT = 1000n;
const MINUTE_MS = 60_000;

/** One kind of case at all its levels. */
export interface Run {
  /** What its chance is named by: another name draws other cases. */
  readonly name: string;
  readonly describe: string;
  readonly balances: BalanceKind;
  readonly speech: Speech;
  /** @default 'as needed' */
  readonly asks?: Asks;
  readonly amountSat: number;
  /** How old snapshots are when the first circle is searched for, in minutes: from and to. */
  readonly ageMinutes: readonly [number, number];
  readonly levels: readonly Level[];
}

export interface Measured {
  readonly run: Run;
  readonly levels: readonly Figures[];
}

export async function measure(
  network: Network,
  runs: readonly Run[],
  cases: number,
  threads: number,
  random: Random,
  progress: Progress,
): Promise<Measured[]> {
  const plan = runs.map(run => tasksOf(run, cases, random.fork(run.name)));
  const tasks = plan.flat();
  const records = Array.from(network.shortChannelIds, (_, channel) => network.record(channel));
  const worker = new URL('./attempts-worker.ts', import.meta.url);
  const outcomes = await inThreads<BatchTask, CaseOutcome[]>(worker, records, tasks, threads, done =>
    progress(done / tasks.length, `${done} of ${tasks.length} batches`),
  );
  let next = 0;
  return runs.map((run, index) => {
    const batches = plan[index]?.length ?? 0;
    const own = outcomes.slice(next, next + batches).flat();
    next += batches;
    return { run, levels: run.levels.map(({ name }, place) => figuresOf(name, own, place)) };
  });
}

function tasksOf(run: Run, cases: number, random: Random): BatchTask[] {
  const { balances, speech, asks = 'as needed', levels } = run;
  const [from, to] = run.ageMinutes;
  return Array.from({ length: Math.ceil(cases / CASES_PER_BATCH) }, (_, batch) => ({
    seed: random.fork(batch).path,
    cases: Math.min(CASES_PER_BATCH, cases - batch * CASES_PER_BATCH),
    balances,
    speech,
    asks,
    amountMsat: BigInt(run.amountSat) * SAT_MSAT,
    maxFeePpm: MAX_FEE_PPM,
    minAgeMs: from * MINUTE_MS,
    maxAgeMs: to * MINUTE_MS,
    levels,
    maxTries: MAX_TRIES,
  }));
}

/** What a run was, in words, for the head of its table. */
export function titleOf({ amountSat, balances, describe }: Run): string {
  return `${amountSat} sat at most ${MAX_FEE_PPM} ppm, balances ${balances}, ${describe}`;
}
