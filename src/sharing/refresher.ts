/**
 * Asks friends by itself, so that knowledge is there when it is needed (docs/protocol.md, "Asking").
 *
 * Hazard: a question that is followed at once by a payment tells the friend who pays. So this runs on a timer with
 * jitter, always with the same few questions, and nothing that a payment does sets it off.
 */
import type { Flow } from '../wire/codec.ts';
import type { Clock } from './ports.ts';
import { SlidingWindow } from './sliding-window.ts';

/** What is asked, both ways: small payments, and what a rebalance of a usual channel moves. */
const AMOUNTS_MSAT = [100_000_000n, 1_000_000_000n];
const FLOWS: readonly Flow[] = [1, 0];
/**
 * At most so many questions in an hour and in a day: half of what a friend answers (docs/protocol.md, "Answering"), so
 * that the operator's own are not met with silence.
 */
const PER_HOUR = 3;
const PER_DAY = 12;
const HOUR_MS = 3_600_000;
/** How often is looked whether a question is due. */
const TICK_MS = 15_000;
/** A question comes again after the period, give or take this share of it. */
const JITTER = 0.25;
/** All friends are asked alike, so one count serves for all. */
const ALL = '';

export interface RefresherInit {
  readonly clock: Clock;
  /** 0 when switched off; read at every tick: the option is dynamic. */
  readonly periodMs: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Never rejects. */
  readonly ask: (flow: Flow, amountMsat: bigint) => void;
}

interface Question {
  readonly flow: Flow;
  readonly amountMsat: bigint;
  /** When its current wait began, monotonic milliseconds. */
  sinceMs: number;
  /** How long it waits, in periods. */
  periods: number;
}

/** Starts asking. */
export function startRefreshing({ clock, periodMs, random, ask }: RefresherInit): void {
  const questions: Question[] = AMOUNTS_MSAT.flatMap(amountMsat =>
    // The first round is spread over the whole period.
    FLOWS.map(flow => ({ flow, amountMsat, sinceMs: clock.monotonicMs(), periods: random() })),
  );
  const hourly = new SlidingWindow(PER_HOUR, HOUR_MS);
  const daily = new SlidingWindow(PER_DAY, 24 * HOUR_MS);
  let isOn = periodMs() > 0;
  const tick = () => {
    const nowMs = clock.monotonicMs();
    if (periodMs() > 0 && !isOn) {
      for (const question of questions) Object.assign(question, { sinceMs: nowMs, periods: random() });
    }
    isOn = periodMs() > 0;
    const dueAtMs = (question: Question) => question.sinceMs + question.periods * periodMs();
    for (const question of questions.toSorted((a, b) => dueAtMs(a) - dueAtMs(b))) {
      if (!isOn || nowMs < dueAtMs(question)) break;
      if (!hourly.allows(ALL, nowMs) || !daily.allows(ALL, nowMs)) break;
      hourly.tryTake(ALL, nowMs);
      daily.tryTake(ALL, nowMs);
      question.sinceMs = nowMs;
      question.periods = 1 - JITTER + 2 * JITTER * random();
      ask(question.flow, question.amountMsat);
    }
    clock.after(TICK_MS, tick);
  };
  clock.after(TICK_MS, tick);
}
