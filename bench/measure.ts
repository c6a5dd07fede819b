/** Measuring two things side by side, so that whatever else the machine does slows both alike. */

/** One measured thing beside its floor: medians of one run. */
export interface Row {
  readonly name: string;
  readonly unit: 'ms' | 'µs' | 'MB';
  readonly ours: number;
  readonly floor: number;
  /** The largest ratio of ours to the floor that is ok; a row without one is for information. */
  readonly bound?: number;
}

/** A bench that cannot run here, and why. */
export interface Skipped {
  readonly name: string;
  readonly skipped: string;
}

/** Takes one sample. */
export type Sample = () => number | Promise<number>;

export interface Samples {
  readonly ours: readonly number[];
  readonly floor: readonly number[];
}

/**
 * Takes samples in turns, ours, floor, ours, floor, …
 *
 * @param warmUp rounds before those that count
 */
export async function interleave(
  rounds: number,
  warmUp: number,
  ours: Sample,
  floor: Sample,
): Promise<Samples> {
  const samples = { ours: [] as number[], floor: [] as number[] };
  for (let round = -warmUp; round < rounds; round++) {
    const pair = { ours: await ours(), floor: await floor() };
    if (round < 0) continue;
    samples.ours.push(pair.ours);
    samples.floor.push(pair.floor);
  }
  return samples;
}

/** @throws RangeError when there are no values */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[sorted.length >> 1];
  const lower = sorted[(sorted.length - 1) >> 1];
  if (upper === undefined || lower === undefined) throw new RangeError('no samples');
  return (lower + upper) / 2;
}

export function row(name: string, unit: Row['unit'], samples: Samples, bound?: number): Row {
  const medians = { ours: median(samples.ours), floor: median(samples.floor) };
  return { name, unit, ...medians, ...(bound === undefined ? {} : { bound }) };
}

/** A sample of synchronous work: calls it `calls` times and gives the time of one call in microseconds. */
export function timed(calls: number, work: () => unknown): Sample {
  return () => {
    const startedMs = performance.now();
    for (let call = 0; call < calls; call++) work();
    return ((performance.now() - startedMs) * 1000) / calls;
  };
}

const HEADINGS = ['', 'ours', 'floor', 'ratio', 'bound', ''];

/** The table as text. */
export function table(results: readonly (Row | Skipped)[]): string {
  const lines = [HEADINGS, ...results.map(cells)];
  const widths = HEADINGS.map((_, column) => Math.max(...lines.map(line => line[column]?.length ?? 0)));
  const pad = (cell: string, column: number) =>
    column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0);
  const skipped = results.flatMap(result =>
    'skipped' in result ? `${result.name}: skipped, ${result.skipped}` : [],
  );
  return [
    ...lines.filter(line => line.length > 0).map(line => line.map(pad).join('  ').trimEnd()),
    ...skipped,
  ].join('\n');
}

function cells(result: Row | Skipped): string[] {
  if ('skipped' in result) return [];
  const { name, unit, ours, floor, bound } = result;
  const ratio = ours / floor;
  const verdict = bound === undefined ? ['', ''] : [String(bound), ratio <= bound ? 'ok' : 'over'];
  return [name, `${number(ours)} ${unit}`, `${number(floor)} ${unit}`, ratio.toFixed(2), ...verdict];
}

function number(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
