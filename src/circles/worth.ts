/** What circles bring, beside what they cost. */
import type { Worth } from './types.ts';

/** What a circle out by one friend and in by another brings; 0 for too little. */
export function broughtBy({ outs, ins, least }: Worth, outPeerId: string, inPeerId: string): number {
  const [out, home] = [outs.get(outPeerId), ins.get(inPeerId)];
  if (out === undefined || home === undefined) return 0;
  const brought = out + home;
  return brought < least ? 0 : brought;
}

/** The cost of each unit brought; with a millisatoshi more, so that of what costs nothing the one comes first that brings most. */
export function priceFor(cost: number, brought: number): number {
  return (cost + 1) / brought;
}
