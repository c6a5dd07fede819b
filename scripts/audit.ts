// npm run audit: what our answers tell friends who do their best, beside what probing tells. Prints its tables and writes
// every figure as JSON. The same seed gives the same figures, whatever the number of processes.
import { fork } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type AuditOptions, type Part, type PartResult, partsOf } from '../src/simulation/audit.ts';
import { reportOf } from '../src/simulation/audit-report.ts';
import { readNetwork } from '../src/simulation/listed-network.ts';
import { madeUpNetwork } from '../src/simulation/made-up-network.ts';
import { Random } from '../src/simulation/random.ts';
import { progressBar, tableText } from '../src/simulation/report.ts';
import { runScript, whole } from './command-line.ts';

const USAGE = `Usage: npm run audit [-- [--days N] [--seed N] [--out DIR] [--channels FILE] [--nodes N] [--cases N] [--threads N]]

  --days N         how many days the observers have (1 to 365, default 30)
  --seed N         a whole number (default 1); the same seed gives the same figures
  --out DIR        where audit.json goes (default simulation)
  --channels FILE  what lightning-cli listchannels prints, plain or gzipped, for the rebalances; else a network is made up
  --nodes N        how many nodes are watched in each scenario (1 to 100, default 2)
  --cases N        how many rebalances of each kind (1 to 100000, default 30)
  --threads N      how many processes work (default: as many as the machine has cores); no figure depends on it`;

/** Channels of a watched node. */
const WATCHED_CHANNELS = 50;
const SEARCHES = 60;
const MADE_UP_CHANNELS = 5000;
/** Set for the processes that work for the first one. */
const IS_WORKER = process.send !== undefined;

interface Options extends AuditOptions {
  readonly out: string;
  readonly file: string | undefined;
  readonly threads: number;
}

function options(): Options | 'help' {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    options: {
      days: text,
      seed: text,
      out: text,
      channels: text,
      nodes: text,
      cases: text,
      threads: text,
      help: { type: 'boolean' },
    },
  });
  if (values.help) return 'help';
  return {
    seed: whole('seed', values.seed, 0, Number.MAX_SAFE_INTEGER) ?? 1,
    days: whole('days', values.days, 1, 365) ?? 30,
    channels: WATCHED_CHANNELS,
    nodes: whole('nodes', values.nodes, 1, 100) ?? 2,
    searches: SEARCHES,
    cases: whole('cases', values.cases, 1, 100_000) ?? 30,
    out: values.out ?? 'simulation',
    file: values.channels,
    threads: whole('threads', values.threads, 1, 256) ?? availableParallelism(),
  };
}

function auditOptions({ seed, days, channels, nodes, searches, cases }: Options): AuditOptions {
  return { seed, days, channels, nodes, searches, cases };
}

function parts(wanted: Options): Part[] {
  let network: ReturnType<typeof readNetwork> | undefined;
  return partsOf(auditOptions(wanted), () => {
    network ??=
      wanted.file === undefined
        ? madeUpNetwork(MADE_UP_CHANNELS, new Random(wanted.seed).fork('network'))
        : readNetwork(wanted.file);
    return network;
  });
}

/** Runs the parts whose numbers it is sent, until nobody sends any more. */
function work(wanted: Options): void {
  const all = parts(wanted);
  process.on('message', async (index: number) => {
    process.send?.(await all[index]?.run());
  });
  process.on('disconnect', () => process.exit());
}

/** All results in the order of the parts. */
async function runAll(wanted: Options, onDone: (done: number, name: string) => void): Promise<PartResult[]> {
  const all = parts(wanted);
  const results: PartResult[] = [];
  let next = 0;
  let done = 0;
  const worker = () =>
    new Promise<void>((resolve, reject) => {
      const child = fork(fileURLToPath(import.meta.url), process.argv.slice(2), {
        serialization: 'advanced',
      });
      let index = -1;
      const give = () => {
        index = next++;
        if (index < all.length) child.send(index);
        else child.disconnect();
      };
      child.on('message', (result: PartResult) => {
        results[index] = result;
        onDone(++done / all.length, all[index]?.name ?? '');
        give();
      });
      child.on('error', reject);
      child.on('exit', code => {
        if (index >= all.length) resolve();
        else reject(new Error(`a process of the audit ended with ${code} at ${all[index]?.name}`));
      });
      give();
    });
  await Promise.all(Array.from({ length: Math.min(wanted.threads, all.length) }, worker));
  return results;
}

async function audit(wanted: Options): Promise<void> {
  // What is wrong with the file is found before anything is started.
  if (wanted.file !== undefined) readNetwork(wanted.file);
  const startedMs = performance.now();
  const { progress, end } = progressBar(process.stderr, 'audit');
  const results = await runAll(wanted, progress).finally(end);
  const report = reportOf(auditOptions(wanted), results);
  for (const table of report.tables) process.stdout.write(`${tableText(table)}\n`);
  mkdirSync(wanted.out, { recursive: true });
  const path = join(wanted.out, 'audit.json');
  writeFileSync(path, `${JSON.stringify(report.figures, undefined, 2)}\n`);
  const tookS = (performance.now() - startedMs) / 1000;
  process.stdout.write(`audit, seed ${wanted.seed}: ${tookS.toFixed(1)} s; ${path}\n`);
}

await runScript(USAGE, options, wanted => (IS_WORKER ? work(wanted) : audit(wanted)));
