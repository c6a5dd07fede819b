/** A thread of the experiments that count tries. */
import { parentPort, workerData } from 'node:worker_threads';
import { type BatchTask, runBatch } from './attempts-batch.ts';
import { NetworkGossip } from './gossip.ts';
import { type ChannelRecord, Network } from './network.ts';

const network = new Network(workerData as readonly ChannelRecord[]);
const gossip = new NetworkGossip(network);

/** Undefined: there is nothing more to do. */
parentPort?.on(
  'message',
  async (message: { readonly index: number; readonly task: BatchTask } | undefined) => {
    if (message === undefined) return parentPort?.close();
    const { index, task } = message;
    parentPort?.postMessage({ index, result: await runBatch(network, gossip, task) });
  },
);
