/**
 * How many questions a friend may have answered (docs/protocol.md, "Answering").
 *
 * Hazard: each answer about another rung or flow tells a little more of where our balances lie, and a friend has all
 * day. So each costs one of a budget by hour and by day; asking the same again within a snapshot tells nothing new and
 * is free.
 */
import type { Flow } from '../wire/codec.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** The budget of a day is this many times that of an hour (docs/protocol.md, "Answering"). */
const HOURS_A_DAY = 3;

/** What identifies a snapshot: the same object as long as it lives. */
type SnapshotIdentity = object;

export class QuestionBudget {
  /** When each friend spent, monotonic milliseconds, ascending, of the last day. */
  readonly #spent = new Map<string, number[]>();
  /** What was asked of the current snapshot. */
  #asked = new Set<string>();
  #snapshot: SnapshotIdentity | undefined;
  readonly #onChange: () => void;

  /** @param onChange told when there is something new to remember */
  constructor(onChange: () => void = () => {}) {
    this.#onChange = onChange;
  }

  /** What has to survive a restart: when each friend spent, monotonic milliseconds. */
  state(): { readonly peerId: string; readonly times: readonly number[] }[] {
    return [...this.#spent].map(([peerId, times]) => ({ peerId, times }));
  }

  /** Takes up a state. What a clock that was set meanwhile puts into the future was spent just now. */
  restore(state: ReturnType<QuestionBudget['state']>, nowMs: number): void {
    for (const { peerId, times } of state) {
      this.#spent.set(
        peerId,
        times.map(time => Math.min(time, nowMs)).sort((a, b) => a - b),
      );
    }
  }

  /**
   * Spends one for a question, unless it was asked of this snapshot before.
   *
   * @param perHour the option `foaf-question-budget`
   * @returns whether it may be answered
   */
  spend(
    peerId: string,
    flow: Flow,
    rungMsat: bigint,
    snapshot: SnapshotIdentity,
    perHour: number,
    nowMs: number,
  ): boolean {
    if (snapshot !== this.#snapshot) {
      this.#snapshot = snapshot;
      this.#asked = new Set();
      this.#forgetOld(nowMs);
    }
    const question = `${peerId}|${flow}|${rungMsat}`;
    if (this.#asked.has(question)) return true;
    const spent = (this.#spent.get(peerId) ?? []).filter(time => time > nowMs - DAY_MS);
    const inLastHour = spent.filter(time => time > nowMs - HOUR_MS).length;
    if (inLastHour >= perHour || spent.length >= HOURS_A_DAY * perHour) return false;
    spent.push(nowMs);
    this.#spent.set(peerId, spent);
    this.#asked.add(question);
    this.#onChange();
    return true;
  }

  /** How many questions a friend has spent in the last hour. */
  spentInLastHour(peerId: string, nowMs: number): number {
    return (this.#spent.get(peerId) ?? []).filter(time => time > nowMs - HOUR_MS).length;
  }

  /** Whoever has not asked for a day leaves nothing behind. */
  #forgetOld(nowMs: number): void {
    for (const [peerId, times] of this.#spent) {
      const newest = times.at(-1);
      if (newest === undefined || newest <= nowMs - DAY_MS) this.#spent.delete(peerId);
    }
  }
}
