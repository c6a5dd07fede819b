/**
 * Two friends who look for ν, our share of all our channels: they pay one another through us, which leaves ν as it is,
 * and each asks where the other's channel turns from unnamed to named.
 *
 * A turn lies at ν + m for out and at ν − m' for in. The margins are secret, but lie between 0.02 and 0.10, so that each
 * turn leaves an interval for ν, and new margins leave another one: with time the intervals leave little in common.
 */
import type { KeyedHash } from '../sharing/keyed-hash.ts';
import { type AuditChannel, AuditWorld, DAY_MS, MINUTE_MS } from './audit-world.ts';
import type { Random } from './random.ts';

/** Halvings of a search: to a 500th of the capacity. */
const HALVINGS = 9;
/** Slow enough for 8 questions an hour, and longer than a snapshot lives. */
const BETWEEN_MS = 8 * MINUTE_MS;
const WATCHER_SAT = 5_000_000;
const LEAST_MARGIN = 0.02;
const MOST_MARGIN = 0.1;
const NU_STEPS = 2000;

/** For how long a margin lasts: the rule, or another one. */
export type MarginRule = 'a week' | 'for ever';

/** What the rule makes of the hash that chooses margins; the shipped one as it is. */
export function marginsBy(rule: MarginRule): (shipped: KeyedHash) => KeyedHash {
  if (rule === 'a week') return shipped => shipped;
  return shipped =>
    (label, ...parts) =>
      // Of node, week and side the week is left out.
      shipped(label, ...(label === 'margin' ? parts.filter((_, place) => place !== 1) : parts));
}

export interface NuSearchFigures {
  /** After each week's search. */
  readonly errors: readonly number[];
  readonly questions: number;
  /** What was paid through us, in satoshis. */
  readonly shiftedSat: number;
}

/** @param weeks how many weeks they search, a day in each */
export async function searchNu(
  random: Random,
  channels: number,
  weeks: number,
  rule: MarginRule,
): Promise<NuSearchFigures> {
  const world = new AuditWorld({
    random,
    channels,
    balances: 'anywhere',
    // Forwards would move balances, and leave ν as it is.
    moves: false,
    watchersSat: [WATCHER_SAT, WATCHER_SAT],
    hash: marginsBy(rule),
  });
  const [a, b] = world.watchers;
  if (a === undefined || b === undefined) throw new RangeError('two watchers are needed');
  let possible = Float64Array.from({ length: NU_STEPS }, () => 1);
  const errors: number[] = [];
  let [questions, shiftedSat] = [0, 0];
  for (let week = 0; week < weeks; week++) {
    world.passTo(week * 7 * DAY_MS);
    for (const [subject, asker] of [
      [a, b],
      [b, a],
    ] as const) {
      for (const flow of [1, 0] as const) {
        const turn = await turnOf(world, subject, asker, flow);
        questions += HALVINGS;
        shiftedSat += turn.shiftedSat;
        const [low, high] =
          flow === 1
            ? [turn.share - MOST_MARGIN, turn.share - LEAST_MARGIN]
            : [turn.share + LEAST_MARGIN, turn.share + MOST_MARGIN];
        possible = possible.map((chance, step) => {
          const nu = (step + 0.5) / NU_STEPS;
          // The search itself leaves a 500th open at either end.
          return nu > low - 2 ** -HALVINGS && nu < high + 2 ** -HALVINGS ? chance : chance * 1e-3;
        });
      }
    }
    errors.push(Math.abs(meanOf(possible) - world.nu));
  }
  return { errors, questions, shiftedSat };
}

/** By halving; where the subject's channel begins to be named. */
async function turnOf(
  world: AuditWorld,
  subject: AuditChannel,
  asker: AuditChannel,
  flow: 0 | 1,
): Promise<{ share: number; shiftedSat: number }> {
  let [low, high] = [0.01, 0.99];
  let shiftedSat = 0;
  for (let halving = 0; halving < HALVINGS; halving++) {
    const middle = (low + high) / 2;
    const amount = Math.round(middle * subject.capacitySat) - subject.oursSat;
    world.shift(subject, asker, amount);
    shiftedSat += Math.abs(amount);
    world.passTo(world.nowMs + BETWEEN_MS);
    const named = await world.ask(asker, flow, 10_000);
    if (named === undefined) throw new Error('the search is slower than the budget of questions');
    if (named.has(subject.index) === (flow === 1)) high = middle;
    else low = middle;
  }
  return { share: (low + high) / 2, shiftedSat };
}

function meanOf(chances: Float64Array): number {
  let [sum, all] = [0, 0];
  for (const [step, chance] of chances.entries()) {
    sum += (chance * (step + 0.5)) / NU_STEPS;
    all += chance;
  }
  return sum / all;
}
