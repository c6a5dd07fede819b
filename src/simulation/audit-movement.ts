/**
 * How balances move in the audit, for the node that is watched and for who watches it.
 *
 * Each minute 1 % of the channels take part in a payment that is forwarded from one channel to another, of 1,000 to
 * 1,000,000 sat, each order of magnitude as likely. A payment is taken or not such that balances stay as they were
 * drawn (a Metropolis step): else worn channels would fill, and the prior would be wrong after a day. Our whole balance
 * stays as it is, fees apart, which helps the observer; our own payments would move it.
 */

import { densityAt, Grid, type Leaning, RESERVE, type Steps } from './audit-belief.ts';
import type { Random } from './random.ts';

/** How many channels in a hundred take part in a payment, each minute. */
const MOVED_A_MINUTE = 0.01;
const SMALLEST_SAT = 1000;
const LARGEST_SAT = 1_000_000;

/** Capacities in satoshis: the deciles of the two-way channels of the network of February 2026. */
export const CAPACITIES_SAT = [
  200_000, 1_000_000, 1_100_000, 2_000_000, 3_000_000, 5_000_000, 7_500_000, 10_000_000, 21_000_000,
] as const;

/** A channel whose balance moves; amounts in satoshis. */
export interface MovingChannel {
  readonly capacitySat: number;
  readonly leaning: Leaning;
  oursSat: number;
}

function amountAt(part: number): number {
  return Math.round(SMALLEST_SAT * (LARGEST_SAT / SMALLEST_SAT) ** part);
}

/** How much likelier a balance becomes; 0 where it would not fit. */
function gain({ capacitySat, leaning }: Omit<MovingChannel, 'oursSat'>, from: number, to: number): number {
  return densityAt(to / capacitySat, leaning) / densityAt(from / capacitySat, leaning);
}

/** One minute of payments. @returns whether anything moved */
export function moveForAMinute(channels: readonly MovingChannel[], random: Random): boolean {
  let hasMoved = false;
  for (const channel of channels) {
    if (random.real() >= MOVED_A_MINUTE / 2) continue;
    const amount = amountAt(random.real()) * (random.real() < 0.5 ? 1 : -1);
    const partner = random.pick(channels);
    const chance =
      gain(channel, channel.oursSat, channel.oursSat + amount) *
      gain(partner, partner.oursSat, partner.oursSat - amount);
    if (random.real() >= chance || partner === channel) continue;
    channel.oursSat += amount;
    partner.oursSat -= amount;
    hasMoved = true;
  }
  return hasMoved;
}

/** The chance of each cell of a grid to become another, for times in minutes; as an observer works them out. */
export class Movement {
  readonly #grids = new Map<string, Grid>();
  readonly #powers = new Map<Grid, Float64Array[]>();
  readonly #after = new Map<string, Steps>();
  readonly #partners: readonly number[];
  readonly moves: boolean;

  constructor(kind: 'anywhere' | 'depleted', moves: boolean) {
    this.moves = moves;
    const leanings: Leaning[] = kind === 'anywhere' ? ['anywhere'] : ['low', 'high'];
    const grids = CAPACITIES_SAT.flatMap(capacity => leanings.map(leaning => this.grid(capacity, leaning)));
    this.#partners = QUANTILES.map(part => {
      const willing = grids.map(grid => chanceToTake(grid, amountAt(part)));
      return willing.reduce((sum, one) => sum + one, 0) / willing.length;
    });
  }

  grid(capacitySat: number, leaning: Leaning): Grid {
    const key = `${capacitySat}|${leaning}`;
    let grid = this.#grids.get(key);
    if (grid === undefined) {
      grid = new Grid(capacitySat, leaning);
      this.#grids.set(key, grid);
    }
    return grid;
  }

  /** `undefined` when nothing moves. @param minutes a whole number */
  steps(grid: Grid, minutes: number): Steps | undefined {
    if (!this.moves || minutes === 0) return undefined;
    const key = `${grid.capacitySat}|${grid.leaning}|${minutes}`;
    let steps = this.#after.get(key);
    if (steps === undefined) {
      const parts: Float64Array[] = [];
      for (let power = 0; 2 ** power <= minutes; power++) {
        if (Math.floor(minutes / 2 ** power) % 2 === 1) parts.push(this.#powerOfTwo(grid, power));
      }
      steps = narrowed(
        parts.reduce((all, part) => product(all, part, grid.size)),
        grid.size,
      );
      this.#after.set(key, steps);
    }
    return steps;
  }

  /** After 2^power minutes. */
  #powerOfTwo(grid: Grid, power: number): Float64Array {
    const powers = this.#powers.get(grid) ?? [
      afterEvents(oneEvent(grid, this.#partners), grid.size, MOVED_A_MINUTE),
    ];
    this.#powers.set(grid, powers);
    for (let last = powers.at(-1); powers.length <= power && last !== undefined; last = powers.at(-1)) {
      powers.push(product(last, last, grid.size));
    }
    const wanted = powers[power];
    if (wanted === undefined) throw new RangeError(`no power ${power}`);
    return wanted;
  }
}

const QUANTILES = Array.from({ length: 24 }, (_, index) => (index + 0.5) / 24);
const PLACES = [0.125, 0.375, 0.625, 0.875];

/** What a channel with a balance as likely as any takes of an amount, either way. */
function chanceToTake(grid: Grid, amountSat: number): number {
  let chance = 0;
  for (const [cell, prior] of grid.prior.entries()) {
    const from = (grid.middles[cell] ?? 0) * grid.capacitySat;
    for (const amount of [amountSat, -amountSat])
      chance += (prior * Math.min(1, gain(grid, from, from + amount))) / 2;
  }
  return chance;
}

/** The chances after one payment. */
function oneEvent(grid: Grid, partners: readonly number[]): Float64Array {
  const { size, edges, prior, capacitySat } = grid;
  const flow = new Float64Array(size * size);
  for (let cell = 0; cell < size; cell++) {
    const low = edges[cell] ?? 0;
    const width = (edges[cell + 1] ?? 0) - low;
    for (const place of PLACES) {
      const from = (low + width * place) * capacitySat;
      for (const [index, part] of QUANTILES.entries()) {
        for (const sign of [1, -1]) {
          const to = from + sign * amountAt(part);
          const chance = Math.min(1, gain(grid, from, to)) * (partners[index] ?? 0);
          if (chance === 0 || to / capacitySat > 1 - RESERVE) continue;
          const at = cell * size + grid.cellOf(to / capacitySat);
          flow[at] = (flow[at] ?? 0) + ((prior[cell] ?? 0) * chance) / (PLACES.length * QUANTILES.length * 2);
        }
      }
    }
  }
  const steps = new Float64Array(size * size);
  for (let from = 0; from < size; from++) {
    let gone = 0;
    for (let to = 0; to < size; to++) {
      if (to === from) continue;
      // As much one way as the other: so that what is likely at first stays so, whatever the grid rounds.
      const both = ((flow[from * size + to] ?? 0) + (flow[to * size + from] ?? 0)) / 2;
      const chance = both / (prior[from] ?? 1);
      steps[from * size + to] = chance;
      gone += chance;
    }
    steps[from * size + from] = 1 - gone;
  }
  return steps;
}

/** The same after as many payments as come in a minute: a Poisson number with a mean far below 1. */
function afterEvents(once: Float64Array, size: number, mean: number): Float64Array {
  let power = new Float64Array(size * size);
  for (let cell = 0; cell < size; cell++) power[cell * size + cell] = 1;
  let weight = Math.exp(-mean);
  const sum = power.map(chance => chance * weight);
  for (let events = 1; events < 12; events++) {
    power = product(power, once, size);
    weight *= mean / events;
    for (let index = 0; index < sum.length; index++)
      sum[index] = (sum[index] ?? 0) + weight * (power[index] ?? 0);
  }
  return sum;
}

function product(a: Float64Array, b: Float64Array, size: number): Float64Array<ArrayBuffer> {
  const result = new Float64Array(size * size);
  for (let row = 0; row < size; row++) {
    for (let inner = 0; inner < size; inner++) {
      const factor = a[row * size + inner] ?? 0;
      if (factor === 0) continue;
      for (let column = 0; column < size; column++) {
        const at = row * size + column;
        result[at] = (result[at] ?? 0) + factor * (b[inner * size + column] ?? 0);
      }
    }
  }
  return result;
}

/** Without what hardly ever happens. */
const LEAST_STEP = 1e-7;

function narrowed(dense: Float64Array, size: number): Steps {
  const rows = Array.from({ length: size }, (_, from) => {
    const row = dense.subarray(from * size, (from + 1) * size);
    const first = row.findIndex(chance => chance > LEAST_STEP);
    const last = row.findLastIndex(chance => chance > LEAST_STEP);
    return { first, chances: row.slice(first, last + 1) };
  });
  return { first: rows.map(({ first }) => first), chances: rows.map(({ chances }) => chances) };
}
