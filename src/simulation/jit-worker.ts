/** A thread of the experiment `jit`. */
import { parentPort } from 'node:worker_threads';
import { RouteFinder } from './cheapest-route.ts';
import { NetworkGossip } from './gossip.ts';
import { runStream, type StreamTask } from './jit-stream.ts';
import { type ChannelRecord, Network } from './network.ts';

interface Message {
  readonly index: number;
  readonly task: StreamTask;
}

/** Works until there is nothing more to do, which an undefined task says. */
export function serve(records: readonly ChannelRecord[]): void {
  const network = new Network(records);
  const gossip = new NetworkGossip(network);
  const finder = new RouteFinder(network);
  parentPort?.on('message', async (message: Message | undefined) => {
    if (message === undefined) return parentPort?.close();
    const { index, task } = message;
    const { outcome } = await runStream(network, gossip, finder, task);
    parentPort?.postMessage({ index, result: outcome });
  });
}
