/**
 * Work in slices.
 *
 * Hazard: a hook must be answered at once, however large the graph; whoever works for long lets others in between.
 */

/** What a long search needs from the outside. */
export interface Breaks {
  /** Milliseconds that only ever grow. */
  nowMs(): number;
  /** Resolves after whatever waits had its turn, as `setImmediate` does. */
  pause(): Promise<void>;
}

/** A fifth of the longest stretch allowed: collections of garbage and slower machines take the rest. */
const SLICE_MS = 4;
/** How many small steps share one look at the clock. */
const STEPS_PER_LOOK = 64;

export class Pace {
  readonly #breaks: Breaks;
  #sliceEndsAtMs: number;
  #steps = 0;

  constructor(breaks: Breaks) {
    this.#breaks = breaks;
    this.#sliceEndsAtMs = breaks.nowMs() + SLICE_MS;
  }

  /** Whether to `rest` now, asked after each small step. Not a promise itself, since those cost more than the step. */
  due(): boolean {
    if (++this.#steps % STEPS_PER_LOOK !== 0) return false;
    return this.dueNow();
  }

  /** The same after a larger step. */
  dueNow(): boolean {
    return this.#breaks.nowMs() >= this.#sliceEndsAtMs;
  }

  async rest(): Promise<void> {
    await this.#breaks.pause();
    this.#sliceEndsAtMs = this.#breaks.nowMs() + SLICE_MS;
  }
}
