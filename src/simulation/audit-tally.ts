/**
 * What an observer learned, in two measures.
 *
 * Error: the distance between the median of what is believed and the balance, as a share of the capacity.
 *
 * Bits: log2 of how much likelier the true cell of the grid is held than before. Its mean is the reduction of the
 * belief's entropy if the belief is right, and less if it is wrong: nobody is credited with being sure of what is not so.
 * `held` compares with what is known without asking, at any moment; `learned` adds up what each answer changed, day by
 * day, also of what has moved on since.
 */
import { type Grid, medianCell } from './audit-belief.ts';
import { quantile } from './statistics.ts';

export interface TallyFigures {
  readonly errorMedian: number;
  readonly error90: number;
  /** The same for who asks nothing. */
  readonly priorErrorMedian: number;
  readonly priorError90: number;
  /** Bits per channel at any moment. */
  readonly heldBits: number;
  /** Bits per channel and day. */
  readonly learnedBits: number;
}

/** Holds back no more than this in one look: a belief that excludes the truth would be infinitely wrong. */
const LEAST_CHANCE = 1e-6;

export class Tally {
  readonly #errors: number[] = [];
  readonly #priorErrors: number[] = [];
  #held = 0;
  #learned = 0;

  /** An answer changed the chance of the true cell. */
  learned(before: number, after: number): void {
    this.#learned += Math.log2(Math.max(LEAST_CHANCE, after) / Math.max(LEAST_CHANCE, before));
  }

  /** One channel at one moment. @param truth our share of it */
  look(grid: Grid, believed: Float64Array, truth: number): void {
    const middle = (cell: number) => grid.middles[cell] ?? 0;
    this.#errors.push(Math.abs(middle(medianCell(believed)) - truth));
    this.#priorErrors.push(Math.abs(middle(medianCell(grid.prior)) - truth));
    const cell = grid.cellOf(truth);
    this.#held += Math.log2(Math.max(LEAST_CHANCE, believed[cell] ?? 0) / (grid.prior[cell] ?? 1));
  }

  figures(channelDays: number): TallyFigures {
    return {
      errorMedian: quantile(this.#errors, 0.5),
      error90: quantile(this.#errors, 0.9),
      priorErrorMedian: quantile(this.#priorErrors, 0.5),
      priorError90: quantile(this.#priorErrors, 0.9),
      heldBits: this.#held / this.#errors.length,
      learnedBits: this.#learned / channelDays,
    };
  }
}
