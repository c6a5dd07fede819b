/**
 * Shares tasks among threads.
 *
 * Hazard: figures must not depend on how many threads there are or which is faster. So a task holds all that it depends
 * on, its seed among it, and results come back in the order of the tasks.
 */
import { Worker } from 'node:worker_threads';
import * as v from 'valibot';

/** What a thread answers. */
const answer = v.object({ index: v.number(), result: v.unknown() });

/** On Node 20 a thread does not take over the loader for TypeScript; so each makes its own before it loads its module. */
const START = `
  const { workerData } = require('node:worker_threads');
  import(workerData.loader)
    .then(({ register }) => { register(); return import(workerData.module); })
    .then(({ serve }) => serve(workerData.data));
`;

/**
 * @param worker the module that a thread runs: its `serve` is called with `data`
 * @param data what every thread is given once
 * @param onDone told after each task how many are done
 */
export async function inThreads<Task, Result>(
  worker: URL,
  data: unknown,
  tasks: readonly Task[],
  threads: number,
  onDone: (done: number) => void,
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  let done = 0;
  const workerData = { loader: import.meta.resolve('tsx/esm/api'), module: worker.href, data };
  const run = () =>
    new Promise<void>((resolve, reject) => {
      const thread = new Worker(START, { eval: true, workerData, execArgv: [] });
      const give = () => {
        if (next >= tasks.length) thread.postMessage(undefined);
        else thread.postMessage({ index: next, task: tasks[next++] });
      };
      thread.on('message', (message: unknown) => {
        const { index, result } = v.parse(answer, message);
        // Its type is the same module's, in another thread.
        results[index] = result as Result;
        onDone(++done);
        give();
      });
      thread.once('error', reject);
      thread.once('exit', () => resolve());
      give();
    });
  await Promise.all(Array.from({ length: Math.min(threads, tasks.length) }, run));
  return results;
}
