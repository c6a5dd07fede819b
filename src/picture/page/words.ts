/** Amounts, ages and nodes in words. */
import type { NodeIndex, Picture } from '../picture.ts';

const whole = new Intl.NumberFormat('en-US');
const short = new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 1 });

export function sat(amount: number): string {
  return `${whole.format(amount)} sat`;
}

export function number(value: number): string {
  return whole.format(value);
}

/** `1.5M`, for where there is little room. */
export function shortSat(amount: number): string {
  return short.format(amount);
}

export function age(seconds: number): string {
  if (seconds < 100) return `${Math.round(seconds)} s`;
  if (seconds < 100 * 60) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}

export function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

/** The name, or the id's beginning. */
export function nameOf({ nodes }: Picture, index: NodeIndex): string {
  const node = nodes[index];
  if (index === 0) return node?.name || 'our node';
  return node?.name || shortId(node?.id ?? '');
}

function shortId(id: string): string {
  return id.length > 14 ? `${id.slice(0, 12)}…` : id;
}

/** For canvas and table alike; empty where the file had no room for it. */
export function channelOf({ offers }: Picture, row: number): string {
  const block = offers.block[row] ?? 0;
  return block === 0 ? '' : `${block}x${offers.transaction[row]}x${offers.output[row]}`;
}
