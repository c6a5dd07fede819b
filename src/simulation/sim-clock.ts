/** A clock that only moves when the simulation says so. */
import type { Clock } from '../sharing/ports.ts';

/** Any moment: 2026-02-03, 00:00 UTC, that of the network's data. */
const EPOCH_MS = 1_770_076_800_000;

export class SimClock implements Clock {
  #nowMs: number;
  #timers: { readonly atMs: number; readonly action: () => void }[] = [];

  /** @param nowMs the monotonic time to begin with */
  constructor(nowMs = 0) {
    this.#nowMs = nowMs;
  }

  wallMs = (): number => EPOCH_MS + this.#nowMs;

  monotonicMs = (): number => this.#nowMs;

  after = (delayMs: number, action: () => void): (() => void) => {
    const timer = { atMs: this.#nowMs + delayMs, action };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter(other => other !== timer);
    };
  };

  /** How long until something is due; `undefined` when nothing waits. */
  get untilNextMs(): number | undefined {
    if (this.#timers.length === 0) return undefined;
    return (
      this.#timers.reduce((least, { atMs }) => Math.min(least, atMs), Number.POSITIVE_INFINITY) - this.#nowMs
    );
  }

  /** Lets time pass; what is due by then is done. */
  advance(ms: number): void {
    this.#nowMs += ms;
    const due = this.#timers.filter(({ atMs }) => atMs <= this.#nowMs).sort((a, b) => a.atMs - b.atMs);
    this.#timers = this.#timers.filter(({ atMs }) => atMs > this.#nowMs);
    for (const { action } of due) action();
  }
}
