/** A thread of `paper`: the network's arrays come whole, a task is one rule. */
import { parentPort } from 'node:worker_threads';
import type { PaperNetwork } from './paper-network.ts';
import { type RuleTask, runRule } from './paper-rules.ts';

interface Message {
  readonly index: number;
  readonly task: RuleTask;
}

/** Works until there is nothing more to do, which an undefined task says. */
export function serve(network: PaperNetwork): void {
  parentPort?.on('message', async (message: Message | undefined) => {
    if (message === undefined) return parentPort?.close();
    const { index, task } = message;
    parentPort?.postMessage({ index, result: await runRule(network, task) });
  });
}
