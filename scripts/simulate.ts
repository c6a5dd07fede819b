// npm run simulate: what sharing does in a whole network. Each experiment prints its tables and writes every figure as
// JSON and its plots as SVG. The same seed gives the same figures on any machine.
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { ExperimentOptions } from '../src/simulation/experiment.ts';
import { EXPERIMENTS } from '../src/simulation/experiments.ts';
import { readNetwork } from '../src/simulation/listed-network.ts';
import { madeUpNetwork } from '../src/simulation/made-up-network.ts';
import type { Network } from '../src/simulation/network.ts';
import { svgOf } from '../src/simulation/plot.ts';
import { Random } from '../src/simulation/random.ts';
import { progressBar, tableText } from '../src/simulation/report.ts';
import { runScript, UsageError, whole } from './command-line.ts';

const USAGE = `Usage: npm run simulate [-- [--channels FILE] [--experiment NAME] [--seed N] [--out DIR] [--cases N] [--size N] [--threads N]]

  --channels FILE    what lightning-cli listchannels prints, plain or gzipped; without it a network of like shape is made
  --size N           how many channels the made network has (10 to 1000000, default 5000)
  --experiment NAME  one of: ${EXPERIMENTS.map(({ name }) => name).join(', ')}; all when left out
  --seed N           a whole number (default 1); the same seed gives the same figures
  --out DIR          where JSON and SVG files go (default simulation)
  --cases N          how many cases, where an experiment draws cases (1 to 1000000)
  --threads N        how many threads work (default: as many as the machine has cores); no figure depends on it

${EXPERIMENTS.map(({ name, describe }) => `  ${name.padEnd(10)} ${describe}`).join('\n')}`;

interface Options extends ExperimentOptions {
  readonly channels: string | undefined;
  readonly size: number;
  readonly names: readonly string[];
  readonly seed: number;
  readonly out: string;
}

function options(): Options | 'help' {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    options: {
      channels: text,
      experiment: text,
      seed: text,
      out: text,
      cases: text,
      size: text,
      threads: text,
      help: { type: 'boolean' },
    },
  });
  if (values.help) return 'help';
  const names = EXPERIMENTS.map(({ name }) => name);
  const { experiment } = values;
  if (experiment !== undefined && !names.includes(experiment)) {
    throw new UsageError(`--experiment: must be one of ${names.join(', ')}, got ${experiment}`);
  }
  if (values.size !== undefined && values.channels !== undefined) {
    throw new UsageError('--size: only for a made network, not together with --channels');
  }
  const cases = whole('cases', values.cases, 1, 1_000_000);
  return {
    channels: values.channels,
    size: whole('size', values.size, 10, 1_000_000) ?? 5000,
    names: experiment === undefined ? names : [experiment],
    seed: whole('seed', values.seed, 0, Number.MAX_SAFE_INTEGER) ?? 1,
    out: values.out ?? 'simulation',
    ...(cases === undefined ? {} : { cases }),
    threads: whole('threads', values.threads, 1, 256) ?? availableParallelism(),
  };
}

function networkFor({ channels, size, seed }: Options): Network {
  if (channels !== undefined) return readNetwork(channels);
  return madeUpNetwork(size, new Random(seed).fork('network'));
}

async function simulate(wanted: Options): Promise<void> {
  const network = networkFor(wanted);
  const source = wanted.channels === undefined ? 'a made-up network' : 'the network of the file';
  process.stdout.write(
    `${network.channelCount} channels between ${network.nodeCount} nodes (${source}), seed ${wanted.seed}\n\n`,
  );
  mkdirSync(wanted.out, { recursive: true });
  for (const experiment of EXPERIMENTS.filter(({ name }) => wanted.names.includes(name))) {
    const { progress, end } = progressBar(process.stderr, experiment.name);
    const startedMs = performance.now();
    const random = new Random(wanted.seed).fork(experiment.name);
    const result = await experiment.run(network, wanted, random, progress).finally(end);
    const tookS = (performance.now() - startedMs) / 1000;
    for (const table of result.tables) process.stdout.write(`${tableText(table)}\n`);
    const { cases = null, seed } = wanted;
    const ran = {
      channels: network.channelCount,
      nodes: network.nodeCount,
      isMadeUp: wanted.channels === undefined,
    };
    const figures = { experiment: experiment.name, seed, cases, network: ran, figures: result.figures };
    const written = [`${experiment.name}.json`];
    writeFileSync(join(wanted.out, `${experiment.name}.json`), `${JSON.stringify(figures, undefined, 2)}\n`);
    for (const plot of result.plots) {
      writeFileSync(join(wanted.out, `${plot.name}.svg`), svgOf(plot));
      written.push(`${plot.name}.svg`);
    }
    process.stdout.write(
      `${experiment.name}: ${tookS.toFixed(1)} s; ${written.join(', ')} in ${wanted.out}\n\n`,
    );
  }
}

await runScript(USAGE, options, simulate);
