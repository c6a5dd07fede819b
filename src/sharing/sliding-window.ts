/**
 * Hazard: a limit that forgets at fixed moments lets twice its number through around them. This one looks back from
 * every moment over the whole window.
 */
/** Keys are looked through for empty ones at this many, then at twice as many as were left. */
const FIRST_SWEEP = 64;

export class SlidingWindow {
  readonly #limit: number;
  readonly #windowMs: number;
  readonly #taken = new Map<string, number[]>();
  #sweepAt = FIRST_SWEEP;

  /**
   * @param limit how many may be taken within any window
   * @param windowMs the window's length in milliseconds
   */
  constructor(limit: number, windowMs: number) {
    this.#limit = limit;
    this.#windowMs = windowMs;
  }

  /**
   * Takes one for `key` at `nowMs` (monotonic), if the limit allows.
   *
   * @returns whether it was taken
   */
  tryTake(key: string, nowMs: number): boolean {
    if (!this.allows(key, nowMs)) return false;
    const times = this.#taken.get(key);
    if (times !== undefined) {
      times.push(nowMs);
      return true;
    }
    if (this.#taken.size >= this.#sweepAt) this.#sweep(nowMs);
    this.#taken.set(key, [nowMs]);
    return true;
  }

  /** Whether `tryTake` would succeed. Forgets what lies behind the window. */
  allows(key: string, nowMs: number): boolean {
    const times = this.#taken.get(key);
    if (times === undefined) return true;
    while (times[0] !== undefined && times[0] <= nowMs - this.#windowMs) times.shift();
    if (times.length === 0) this.#taken.delete(key);
    return times.length < this.#limit;
  }

  /** Gives back what `tryTake` gave `key` at `atMs`: what it was taken for did not happen. */
  giveBack(key: string, atMs: number): void {
    const times = this.#taken.get(key);
    const index = times?.indexOf(atMs) ?? -1;
    if (index >= 0) times?.splice(index, 1);
  }

  /** Forgets every key that has nothing left in its window, so that gone peers cost nothing. */
  #sweep(nowMs: number): void {
    for (const key of [...this.#taken.keys()]) this.allows(key, nowMs);
    this.#sweepAt = Math.max(FIRST_SWEEP, 2 * this.#taken.size);
  }
}
