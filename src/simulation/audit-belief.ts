/**
 * What an observer believes of one balance: chances over a grid, changed by what it hears and by time.
 *
 * Hazard: an audit is worth what its adversary is worth. A belief that forgets too fast, or that takes one secret margin
 * for a new one at every answer, knows less than it could, and the rules look good. So the grid's lines lie where
 * answers turn, margins are believed together with the balance, and time goes by the law that moves the balances.
 */
import { RUNGS_MSAT } from '../sharing/rungs.ts';
import type { Flow } from '../wire/codec.ts';

/** The part of a channel that each side keeps as its reserve (BOLT 2, "Rationale" of `channel_reserve_satoshis`). */
export const RESERVE = 0.01;
/** No cell is wider, as a share of the capacity. */
const WIDEST_CELL = 0.025;
/** The outer part of a channel in which a worn balance lies, and how many channels in a hundred are worn. */
export const WORN_PART = 0.1;
export const WORN_SHARE = 0.9;

/** The rungs in satoshis that anybody asks about here: up to 20 million. */
export const AUDIT_RUNGS: readonly number[] = RUNGS_MSAT.slice(0, 11).map(rung => Number(rung) / 1000);

/** `anywhere`: each split as likely. `low`, `high`: the fees say that our side is worn, or the other. */
export type Leaning = 'anywhere' | 'low' | 'high';

/** How likely a balance at a share of the capacity is before anything is known, as a density. */
export function densityAt(share: number, leaning: Leaning): number {
  if (share < RESERVE || share > 1 - RESERVE) return 0;
  const flat = 1 / (1 - 2 * RESERVE);
  if (leaning === 'anywhere') return flat;
  const isOuter = leaning === 'low' ? share < WORN_PART : share > 1 - WORN_PART;
  return (1 - WORN_SHARE) * flat + (isOuter ? WORN_SHARE / (WORN_PART - RESERVE) : 0);
}

/** From which share on the rung can be spent; the same from the other end for what can be received. */
export function shareFor(amountSat: number, capacitySat: number): number {
  return amountSat / capacitySat + RESERVE;
}

/** Cells of our share of one channel, with what is likely before anything is known. */
export class Grid {
  readonly capacitySat: number;
  readonly leaning: Leaning;
  /** Ascending, one more than cells. */
  readonly edges: readonly number[];
  readonly middles: readonly number[];
  readonly prior: Float64Array;
  /** By rung: how many cells at an end hold enough for it. */
  readonly carrying: readonly number[];

  constructor(capacitySat: number, leaning: Leaning) {
    this.capacitySat = capacitySat;
    this.leaning = leaning;
    const turns = AUDIT_RUNGS.map(rung => shareFor(rung, capacitySat)).filter(share => share < 1 - RESERVE);
    const lines = [
      RESERVE,
      WORN_PART,
      1 - WORN_PART,
      1 - RESERVE,
      ...turns,
      ...turns.map(share => 1 - share),
    ];
    this.edges = filled([...new Set(lines.map(line => Math.round(line * 1e9) / 1e9))].sort((a, b) => a - b));
    this.middles = this.edges.slice(1).map((edge, index) => (edge + (this.edges[index] ?? 0)) / 2);
    const prior = this.middles.map(
      (middle, index) =>
        densityAt(middle, leaning) * ((this.edges[index + 1] ?? 0) - (this.edges[index] ?? 0)),
    );
    const all = prior.reduce((sum, chance) => sum + chance, 0);
    this.prior = Float64Array.from(prior, chance => chance / all);
    this.carrying = AUDIT_RUNGS.map(
      rung => this.middles.filter(middle => middle > shareFor(rung, capacitySat)).length,
    );
  }

  get size(): number {
    return this.middles.length;
  }

  /** The cell of a share; the outermost for what lies outside. */
  cellOf(share: number): number {
    let [low, high] = [0, this.size - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.edges[middle] ?? 0) <= share) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

function filled(lines: readonly number[]): number[] {
  const edges: number[] = [];
  for (const [index, line] of lines.entries()) {
    const next = lines[index + 1];
    if (next === undefined) {
      edges.push(line);
      continue;
    }
    const parts = Math.ceil((next - line) / WIDEST_CELL - 1e-9);
    for (let part = 0; part < parts; part++) edges.push(line + ((next - line) * part) / parts);
  }
  return edges;
}

/**
 * The margins of one node and side lie anywhere between 0.02 and 0.10 for a week (docs/protocol.md): four of them stand
 * for all. One level stands for both sides; a channel that changes sides within the week is believed a little wrongly.
 */
const MARGIN_LEVELS = [0.03, 0.05, 0.07, 0.09] as const;
const LEVEL_WIDTH = 0.02;
/** No answer is taken to be impossible: cells are not points. */
const DOUBT = 0.0005;

/** How surely a channel in each cell, with each margin, leans above or below, if ν lies within `width` around `nu`. */
export class Naming {
  readonly #grid: Grid;
  readonly #nu: number;
  readonly #blur: number;
  readonly #leans: [Float64Array?, Float64Array?] = [];

  constructor(grid: Grid, nu: number, width: number) {
    this.#grid = grid;
    this.#nu = nu;
    this.#blur = Math.hypot(width, LEVEL_WIDTH, WIDEST_CELL / 2) / Math.sqrt(12);
  }

  /** Level after level, cell after cell. */
  leans(flow: Flow): Float64Array {
    const known = this.#leans[flow];
    if (known !== undefined) return known;
    const { size, middles } = this.#grid;
    const sign = flow === 1 ? 1 : -1;
    const leans = Float64Array.from({ length: MARGIN_LEVELS.length * size }, (_, index) => {
      const margin = MARGIN_LEVELS[Math.floor(index / size)] ?? 0;
      const lean = sign * ((middles[index % size] ?? 0) - this.#nu) - margin;
      return Math.min(1 - DOUBT, Math.max(DOUBT, normalBelow(lean / this.#blur)));
    });
    this.#leans[flow] = leans;
    return leans;
  }
}

/** The chances to get from each cell to those around it. */
export interface Steps {
  /** By cell: the first one that can be reached, and the chances of it and those after it. */
  readonly first: readonly number[];
  readonly chances: readonly Float64Array[];
}

export class Belief {
  readonly grid: Grid;
  /** Level after level, cell after cell. */
  chances: Float64Array;
  readonly #levels: number;

  /** @param levels 1 for who learns without margins */
  constructor(grid: Grid, levels: number = MARGIN_LEVELS.length) {
    this.grid = grid;
    this.#levels = levels;
    this.chances = new Float64Array(levels * grid.size);
    for (let level = 0; level < levels; level++) {
      this.chances.set(
        grid.prior.map(chance => chance / levels),
        level * grid.size,
      );
    }
  }

  /** The same belief, to be changed by itself. */
  copy(): Belief {
    const copy = new Belief(this.grid, this.#levels);
    copy.chances = this.chances.slice();
    return copy;
  }

  /** Time passes. */
  pass({ first, chances }: Steps): void {
    const { size } = this.grid;
    const next = new Float64Array(this.chances.length);
    for (let at = 0; at < this.chances.length; at += size) {
      for (let from = 0; from < size; from++) {
        const chance = this.chances[at + from] ?? 0;
        const row = chances[from];
        if (chance < 1e-12 || row === undefined) continue;
        const base = at + (first[from] ?? 0);
        for (let to = 0; to < row.length; to++)
          next[base + to] = (next[base + to] ?? 0) + chance * (row[to] ?? 0);
      }
    }
    this.chances = next;
  }

  /** A new week has new margins. */
  forgetMargins(): void {
    const marginal = this.marginal();
    for (let level = 0; level < this.#levels; level++) {
      this.chances.set(
        marginal.map(chance => chance / this.#levels),
        level * this.grid.size,
      );
    }
  }

  /** The chances that the channel is named, by rung. */
  chancesNamed(flow: Flow, naming: Naming): number[] {
    const { size } = this.grid;
    const leans = naming.leans(flow);
    const sums = new Float64Array(size + 1);
    // From the end where the most can be moved: so many cells carry a rung.
    for (let count = 1; count <= size; count++) {
      const cell = flow === 1 ? size - count : count - 1;
      let chance = 0;
      for (let at = cell; at < leans.length; at += size) chance += (this.chances[at] ?? 0) * (leans[at] ?? 0);
      sums[count] = (sums[count - 1] ?? 0) + chance;
    }
    return this.grid.carrying.map(cells => sums[cells] ?? 0);
  }

  /** The channel was named, or not. @returns how likely that was */
  hear(flow: Flow, rung: number, isNamed: boolean, naming: Naming): number {
    const { size } = this.grid;
    const cells = this.grid.carrying[rung] ?? 0;
    const leans = naming.leans(flow);
    const likelihood = new Float64Array(leans.length);
    for (let at = 0; at < leans.length; at += size) {
      for (let cell = 0; cell < size; cell++) {
        const carries = (flow === 1 ? size - 1 - cell : cell) < cells;
        const named = carries ? (leans[at + cell] ?? 0) : 0;
        likelihood[at + cell] = isNamed ? named : 1 - named;
      }
    }
    return this.#weigh(likelihood);
  }

  /** A payment over the channel showed whether we have at least that share. @returns what it told, in bits */
  probe(share: number, passes: boolean): number {
    const { middles, size } = this.grid;
    const likelihood = this.chances.map((_, index) =>
      (middles[index % size] ?? 0) > share === passes ? 1 : 0,
    );
    return -Math.log2(this.#weigh(likelihood));
  }

  /** The chance of one cell. */
  chanceOf(cell: number): number {
    let chance = 0;
    for (let at = cell; at < this.chances.length; at += this.grid.size) chance += this.chances[at] ?? 0;
    return chance;
  }

  marginal(): Float64Array {
    const { size } = this.grid;
    const sum = new Float64Array(size);
    for (let index = 0; index < this.chances.length; index++) {
      sum[index % size] = (sum[index % size] ?? 0) + (this.chances[index] ?? 0);
    }
    return sum;
  }

  /** Of our share. */
  moments(): { readonly mean: number; readonly variance: number } {
    let [mean, square] = [0, 0];
    for (const [cell, chance] of this.marginal().entries()) {
      const middle = this.grid.middles[cell] ?? 0;
      mean += chance * middle;
      square += chance * middle * middle;
    }
    return { mean, variance: Math.max(0, square - mean * mean) };
  }

  /** @returns how likely it was that this happened */
  #weigh(likelihood: Float64Array): number {
    let all = 0;
    for (let index = 0; index < this.chances.length; index++) {
      const weighed = (this.chances[index] ?? 0) * (likelihood[index] ?? 0);
      this.chances[index] = weighed;
      all += weighed;
    }
    for (let index = 0; index < this.chances.length; index++)
      this.chances[index] = (this.chances[index] ?? 0) / all;
    return all;
  }
}

/** @param chances of cells, together 1 */
export function medianCell(chances: Float64Array): number {
  let below = 0;
  for (const [cell, chance] of chances.entries()) {
    below += chance;
    if (below >= 0.5) return cell;
  }
  return chances.length - 1;
}

/** The chance that a normal variable lies below `z`: the logistic approximation, off by less than 0.01. */
function normalBelow(z: number): number {
  return 1 / (1 + Math.exp(-1.702 * z));
}
