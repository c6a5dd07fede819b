/**
 * Who asks nobody and sends payments that must fail: the amount that a channel carries halves what is possible at each
 * (Tikhomirov, Pickhardt, Biryukov, Nowostawski, arXiv 2004.00333). Believed on the same grid as answers are.
 */
import { Belief } from './audit-belief.ts';
import type { Movement } from './audit-movement.ts';
import { Tally, type TallyFigures } from './audit-tally.ts';
import { type AuditWorld, DAY_MS, HOUR_MS, MINUTE_MS } from './audit-world.ts';

/** 1600 channels in 14 hours (reference: the literature's rate), each measured to the end. */
const LITERATURE_MS_PER_CHANNEL = (14 * HOUR_MS) / 1600;
const LOOK_EVERY_MS = 6 * HOUR_MS;
const LOOK_AFTER_MS = 30 * MINUTE_MS;
const REVIEW_EVERY_MS = HOUR_MS;

/** `literature`: one channel after the other to the end. A number: so many payments a day, where most is open. */
export type ProbingRate = 'literature' | number;

export interface ProberFigures extends TallyFigures {
  readonly probesADay: number;
  /** The amounts of all payments of a day, in satoshis: what it locks on the way, each time for seconds. */
  readonly amountADaySat: number;
}

interface Watched {
  belief: Belief;
  believedAtMs: number;
}

export function probe(world: AuditWorld, movement: Movement, days: number, rate: ProbingRate): ProberFigures {
  const tally = new Tally();
  const states: Watched[] = world.watched.map(({ capacitySat, leaning }) => ({
    belief: new Belief(movement.grid(capacitySat, leaning), 1),
    believedAtMs: 0,
  }));
  const aged = ({ belief, believedAtMs }: Watched, atMs: number): Belief => {
    const minutes = Math.floor(atMs / MINUTE_MS) - Math.floor(believedAtMs / MINUTE_MS);
    const steps = movement.steps(belief.grid, minutes);
    if (steps === undefined) return belief;
    const copy = belief.copy();
    copy.pass(steps);
    return copy;
  };
  const age = (state: Watched, atMs: number) => {
    state.belief = aged(state, atMs);
    state.believedAtMs = atMs;
  };
  const look = (atMs: number) => {
    world.passTo(atMs);
    for (const [index, state] of states.entries()) {
      const channel = world.watched[index];
      if (channel === undefined) continue;
      const later = aged(state, atMs);
      tally.look(later.grid, later.chances, channel.oursSat / channel.capacitySat);
    }
  };
  let [probes, amountSat] = [0, 0];
  /** One payment, at the line that halves best. @returns whether anything was open */
  const probeOnce = (index: number): boolean => {
    const channel = world.watched[index];
    const belief = states[index]?.belief;
    const line = belief && halvingLine(belief);
    if (channel === undefined || belief === undefined || line === undefined) return false;
    const truth = channel.oursSat / channel.capacitySat;
    const cell = belief.grid.cellOf(truth);
    const before = belief.chanceOf(cell);
    belief.probe(line, cell >= belief.grid.cellOf(line));
    tally.learned(before, belief.chanceOf(cell));
    probes++;
    amountSat += line * channel.capacitySat;
    return true;
  };
  const everyMs = rate === 'literature' ? LITERATURE_MS_PER_CHANNEL : DAY_MS / rate;
  let nextLookMs = LOOK_AFTER_MS;
  let turn = 0;
  let nextReviewMs = 0;
  for (let atMs = 0; atMs < days * DAY_MS; atMs += everyMs) {
    for (; nextLookMs < atMs; nextLookMs += LOOK_EVERY_MS) look(nextLookMs);
    world.passTo(atMs);
    // What was known once is not known for ever: so often all are thought over.
    if (rate !== 'literature' && atMs >= nextReviewMs) {
      for (const state of states) age(state, atMs);
      nextReviewMs = atMs + REVIEW_EVERY_MS;
    }
    const index = rate === 'literature' ? turn++ % states.length : leastKnown(states);
    const state = states[index];
    if (state === undefined) continue;
    age(state, atMs);
    if (rate === 'literature') while (probeOnce(index));
    else probeOnce(index);
  }
  for (; nextLookMs < days * DAY_MS; nextLookMs += LOOK_EVERY_MS) look(nextLookMs);
  return {
    ...tally.figures(world.watched.length * days),
    probesADay: probes / days,
    amountADaySat: amountSat / days,
  };
}

/** The line between cells that leaves as much on either side as can be; `undefined` when one cell is left. */
export function halvingLine(belief: Belief): number | undefined {
  const chances = belief.marginal();
  let below = 0;
  let best: { line: number; off: number } | undefined;
  for (let cell = 1; cell < chances.length; cell++) {
    below += chances[cell - 1] ?? 0;
    const off = Math.abs(below - 0.5);
    if (off < 0.4999 && (best === undefined || off < best.off))
      best = { line: belief.grid.edges[cell] ?? 0, off };
  }
  return best?.line;
}

function leastKnown(states: readonly Watched[]): number {
  const variances = states.map(({ belief }) => belief.moments().variance);
  return variances.indexOf(Math.max(...variances));
}
