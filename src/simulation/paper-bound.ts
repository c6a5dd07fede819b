/**
 * The shortest circle through each channel: what is on none of at most four hops no rule among friends' friends can move.
 */
import { at } from './network.ts';
import { back, leavingFrom, type PaperNetwork } from './paper-network.ts';

/** By channel: the hops of the shortest circle through it, 3 to 5; 6 for more, or none. */
export function reachOf(network: PaperNetwork): Uint8Array {
  const { source } = network;
  const near = new Int32Array(network.nodeCount).fill(-1);
  const far = new Int32Array(network.nodeCount).fill(-1);
  const peers = (node: number) => Array.from(leavingFrom(network, node), edge => at(source, back(edge)));
  const lists = Array.from({ length: network.nodeCount }, (_, node) => peers(node));
  const around = (node: number) => lists[node] ?? [];
  return Uint8Array.from({ length: network.channelCount }, (_, channel) => {
    const [a, b] = [at(source, 2 * channel), at(source, 2 * channel + 1)];
    const [one, other] = around(a).length < around(b).length ? [a, b] : [b, a];
    for (const peer of around(one)) if (peer !== other) near[peer] = channel;
    const ends = around(other).filter(peer => peer !== one);
    if (ends.some(peer => near[peer] === channel)) return 3;
    const meets = (marks: Int32Array) =>
      ends.some(peer => around(peer).some(next => next !== other && next !== one && marks[next] === channel));
    if (meets(near)) return 4;
    for (const peer of around(one)) {
      if (peer === other) continue;
      for (const next of around(peer)) if (next !== one && next !== other) far[next] = channel;
    }
    return meets(far) ? 5 : 6;
  });
}

/** Whether a channel is on a circle of at most so many hops. */
export function coveredBy(reach: Uint8Array, hops: number): (channel: number) => boolean {
  return channel => at(reach, channel) <= hops;
}
