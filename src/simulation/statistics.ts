/** Means, shares and how sure they are. */

/** 97.5 % of a normal distribution lie below this many standard deviations: both tails leave 95 %. */
const Z95 = 1.959964;

/** A figure with its 95 % interval. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** A share of `count`, by Wilson's score interval, which holds near 0 and 1 as well. `NaN` of nothing. */
export function share(hits: number, count: number): Estimate {
  const p = hits / count;
  const z2 = Z95 * Z95;
  const centre = (p + z2 / (2 * count)) / (1 + z2 / count);
  const half = (Z95 / (1 + z2 / count)) * Math.sqrt((p * (1 - p)) / count + z2 / (4 * count * count));
  return { value: p, low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}

/** A mean, by the normal approximation: of hundreds of values. */
export function mean(values: readonly number[]): Estimate {
  const average = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - average) ** 2, 0) / (values.length - 1);
  const half = values.length > 1 ? Z95 * Math.sqrt(variance / values.length) : 0;
  return { value: average, low: average - half, high: average + half };
}

/** The least value that at least `part` (0 to 1) of all do not exceed. `NaN` of nothing. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? Number.NaN;
}

/** In percent, with one digit. */
export function percent(value: number): string {
  return `${(100 * value).toFixed(1)} %`;
}
