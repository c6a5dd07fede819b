/** A thread of `optimum`: a task is one rule or one plan, on one of the networks. */
import { parentPort } from 'node:worker_threads';
import { planFor } from './optimum-planner.ts';
import type { PaperNetwork } from './paper-network.ts';
import { type RuleTask, runRule } from './paper-rules.ts';

export interface OptimumTask {
  /** Which of the networks. */
  readonly world: number;
  /** A rule to run, or where a band begins that the planner is to plan for. */
  readonly what: { readonly rule: RuleTask } | { readonly bandFrom: number };
}

/** In the middle 40 to 60 % and the middle 10 to 90 %, as shares of all channels. */
export interface Bands {
  readonly within40To60: number;
  readonly within10To90: number;
}

export type OptimumResult =
  | {
      readonly before: Bands;
      readonly after: Bands;
      readonly operationsPerNode: number;
      readonly failedTriesPerNode: number;
    }
  | { readonly reached: number; readonly bound: number };

export async function solve(
  worlds: readonly PaperNetwork[],
  { world, what }: OptimumTask,
): Promise<OptimumResult> {
  const network = worlds[world];
  if (network === undefined) throw new RangeError(`no network ${world}`);
  if ('bandFrom' in what) {
    const { reached, bound } = await planFor(network, what.bandFrom);
    return { reached, bound };
  }
  const { measured, failedTriesPerNode } = await runRule(network, what.rule);
  const [before, after] = [measured[0], measured.at(-1)];
  if (before === undefined || after === undefined) throw new RangeError('nothing was measured');
  const bands = ({ within40To60, within10To90 }: Bands) => ({ within40To60, within10To90 });
  return {
    before: bands(before),
    after: bands(after),
    operationsPerNode: after.operationsPerNode,
    failedTriesPerNode,
  };
}

interface Message {
  readonly index: number;
  readonly task: OptimumTask;
}

/** Works until there is nothing more to do, which an undefined task says. */
export function serve(worlds: readonly PaperNetwork[]): void {
  parentPort?.on('message', async (message: Message | undefined) => {
    if (message === undefined) return parentPort?.close();
    const { index, task } = message;
    parentPort?.postMessage({ index, result: await solve(worlds, task) });
  });
}
