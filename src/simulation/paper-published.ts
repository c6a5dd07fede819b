/**
 * The published rules, as the program of arXiv 1912.09555 has them.
 *
 * A sweep looks at every channel that holds more than its source's ν, and tries the circles of at most four hops through it
 * along such channels. A hop moves at most c(ζ − ν); with `foaf` the initiator's own may pass ν, with `cycles4` not.
 * `mpp` is `foaf` with a twentieth of what could be moved at a time.
 */
import { at } from './network.ts';
import { back, channelOf, leavingFrom, type PaperNetwork } from './paper-network.ts';
import type { PaperRun } from './paper-run.ts';

export type PublishedRule = 'cycles4' | 'foaf' | 'mpp';

/** That many circles are looked at for a channel in a sweep. */
const CIRCLES_PER_CHANNEL = 5000;
const MPP_PARTS = 20;
/** 1 sat, in millisatoshi: the program moves whole satoshis. */
const UNIT = 1000;

/** One sweep over all channels; how many operations it made. */
export function sweep(run: PaperRun, rule: PublishedRule): number {
  const { network, holdings } = run;
  const { nodeCount, source } = network;
  const before = run.operations;
  // Which way a channel gives is decided before the sweep.
  const liquidity = excessOf(network, holdings);
  const isUsable = (edge: number) => at(liquidity, edge) >= UNIT;
  /** By node: its channel to the initiator, or -1. */
  const homeward = new Int32Array(nodeCount).fill(-1);
  for (let home = 0; home < nodeCount && !run.isOver; home++) {
    const own = leavingFrom(network, home);
    for (const edge of own) homeward[at(source, back(edge))] = back(edge);
    for (const first of own) {
      if (!isUsable(first)) continue;
      let left = CIRCLES_PER_CHANNEL;
      for (const onward of circlesBack(network, first, homeward, isUsable)) {
        const limit = at(rule === 'cycles4' ? liquidity : holdings, first);
        const most = onward.reduce((least, edge) => Math.min(least, at(liquidity, edge)), limit);
        const amount = Math.floor((rule === 'mpp' ? most / MPP_PARTS : most) / UNIT) * UNIT;
        if (amount >= UNIT) {
          const circle = [first, ...onward];
          for (const edge of circle) liquidity[edge] = at(liquidity, edge) - amount;
          run.move(circle, amount);
        }
        if (run.isOver || limit < UNIT || --left === 0) break;
      }
      if (run.isOver) break;
    }
    for (const edge of own) homeward[at(source, back(edge))] = -1;
  }
  return run.operations - before;
}

/** c(ζ − ν) by directed channel, in millisatoshi; 0 where it is not above. */
function excessOf(network: PaperNetwork, holdings: Float64Array): Float64Array {
  return holdings.map((held, edge) => {
    const fair = at(network.capacity, channelOf(edge)) * at(network.nu, at(network.source, edge));
    return Math.max(0, held - fair);
  });
}

/** Ways of two or three hops from where a directed channel leads back to its source, over channels usable at that moment. */
function* circlesBack(
  network: PaperNetwork,
  own: number,
  homeward: Int32Array,
  isUsable: (edge: number) => boolean,
): Generator<readonly number[]> {
  const { source } = network;
  const home = at(source, own);
  const friend = at(source, back(own));
  const closing = (node: number) => {
    const edge = at(homeward, node);
    return edge >= 0 && isUsable(edge) ? edge : undefined;
  };
  for (const first of leavingFrom(network, friend)) {
    const junction = at(source, back(first));
    if (junction === home || !isUsable(first)) continue;
    const direct = closing(junction);
    if (direct !== undefined) yield [first, direct];
    for (const second of leavingFrom(network, junction)) {
      const last = at(source, back(second));
      if (last === home || last === friend || !isUsable(second)) continue;
      const end = closing(last);
      if (end === undefined) continue;
      yield [first, second, end];
      if (!isUsable(first)) break;
    }
  }
}
