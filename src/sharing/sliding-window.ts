/**
 * Hazard: a limit that forgets at fixed moments lets twice its number through around them. This one looks back from
 * every moment over the whole window.
 */
export class SlidingWindow {
  readonly #limit: number;
  readonly #windowMs: number;
  readonly #taken = new Map<string, number[]>();

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
    if (times === undefined) this.#taken.set(key, [nowMs]);
    else times.push(nowMs);
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

  /** Gives the newest of `key` back: what it was taken for did not happen. */
  giveBack(key: string): void {
    const times = this.#taken.get(key);
    times?.pop();
    if (times?.length === 0) this.#taken.delete(key);
  }

  /** Forgets every key that has nothing left in its window: called now and then, so that gone peers cost nothing. */
  sweep(nowMs: number): void {
    for (const key of [...this.#taken.keys()]) this.allows(key, nowMs);
  }
}
