/** A thread of the experiments that count tries. */
import { parentPort } from 'node:worker_threads';
import { type BatchTask, runBatch } from './attempts-batch.ts';
import { NetworkGossip } from './gossip.ts';
import { type ChannelRecord, Network } from './network.ts';

interface Message {
  readonly index: number;
  readonly task: BatchTask;
}

/** Works until there is nothing more to do, which an undefined task says. */
export function serve(records: readonly ChannelRecord[]): void {
  const network = new Network(records);
  const gossip = new NetworkGossip(network);
  parentPort?.on('message', async (message: Message | undefined) => {
    if (message === undefined) return parentPort?.close();
    const { index, task } = message;
    parentPort?.postMessage({ index, result: await runBatch(network, gossip, task) });
  });
}
