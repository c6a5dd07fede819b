/**
 * Friends who ask as cleverly as the rules allow, and put together what they hear.
 *
 * They know the rules, all capacities and fees, and the law by which balances move; not the margins, nor ν. Each
 * question is the one whose answers are least certain, which is what tells most: an answer is determined by what is
 * asked for, so that its entropy is what it can tell.
 */
import type { Flow } from '../wire/codec.ts';
import { AUDIT_RUNGS, type Belief, type Grid } from './audit-belief.ts';
import type { Movement } from './audit-movement.ts';
import { NuHypotheses } from './audit-nu-hypotheses.ts';
import { Tally, type TallyFigures } from './audit-tally.ts';
import { type AuditWorld, DAY_MS, HOUR_MS, MINUTE_MS } from './audit-world.ts';

/** Margins last a week of the Unix epoch (docs/protocol.md); the world begins with one. */
const WEEK_MS = 7 * DAY_MS;
/** When knowledge is looked at: four times a day, half an hour after a full hour. */
const LOOK_EVERY_MS = 6 * HOUR_MS;
const LOOK_AFTER_MS = 30 * MINUTE_MS;
/** A quarter of a reply's 10 s: an answerer gives 4 to a peer in that. */
const BETWEEN_QUESTIONS_MS = 2500;
/** How far the errors of a day's sum of balances are others than those of the days before. */
const NEW_IN_A_DAY = 0.3;

/** `spread`: one question after another, evenly. `bursts`: as many as there are in one snapshot, some times a day. */
export type Timing = 'spread' | 'bursts';

export interface FriendsPlan {
  readonly days: number;
  readonly timing: Timing;
  /** How many questions each friend has in a day, and how many bursts they are asked in. */
  readonly questionsADay: number;
  readonly bursts: number;
  /** Whether margins never change; else they do each week. */
  readonly marginsLast?: boolean;
  /** The amounts asked, in satoshis. */
  readonly rungs?: readonly number[];
}

export interface FriendsFigures extends TallyFigures {
  /** Right after a burst of questions. */
  readonly justAfter: TallyFigures | null;
  readonly questionsADay: number;
  /** How far the estimate of ν is off, each day. */
  readonly nuErrors: readonly number[];
}

/** Lets all watchers of a world ask for some days. */
export async function askAsFriends(
  world: AuditWorld,
  movement: Movement,
  plan: FriendsPlan,
): Promise<FriendsFigures> {
  const friends = new Friends(world, movement, plan.marginsLast === true);
  const moments = momentsOf(world.watchers.length, plan);
  const tally = new Tally();
  const justAfter = new Tally();
  const nuErrors: number[] = [];
  let nextLookMs = LOOK_AFTER_MS;
  let nextNuMs = DAY_MS;
  for (const { atMs, questions } of moments) {
    for (; nextLookMs < atMs; nextLookMs += LOOK_EVERY_MS) friends.look(nextLookMs, tally);
    friends.passTo(atMs);
    if (atMs >= nextNuMs) {
      nuErrors.push(friends.nuError());
      nextNuMs += DAY_MS;
    }
    for (let asked = 0; asked < questions; asked++) {
      await friends.ask(asked, plan.rungs ?? AUDIT_RUNGS, tally);
    }
    if (plan.timing === 'bursts') friends.look(world.nowMs, justAfter);
  }
  const endMs = plan.days * DAY_MS;
  for (; nextLookMs < endMs; nextLookMs += LOOK_EVERY_MS) friends.look(nextLookMs, tally);
  nuErrors.push(friends.nuError());
  const channelDays = world.watched.length * plan.days;
  return {
    ...tally.figures(channelDays),
    justAfter: plan.timing === 'bursts' ? justAfter.figures(channelDays) : null,
    questionsADay: friends.answered / plan.days,
    nuErrors,
  };
}

function momentsOf(friends: number, { days, timing, questionsADay, bursts }: FriendsPlan) {
  const aDay = timing === 'bursts' ? bursts : questionsADay * friends;
  const questions = timing === 'bursts' ? Math.floor((questionsADay * friends) / bursts) : 1;
  return Array.from({ length: days * aDay }, (_, index) => ({
    // On whole minutes, where payments move.
    atMs: Math.ceil((index * DAY_MS) / aDay / MINUTE_MS) * MINUTE_MS,
    questions,
  }));
}

class Friends {
  readonly #world: AuditWorld;
  readonly #movement: Movement;
  readonly #beliefs: NuHypotheses;
  readonly #grids: readonly Grid[];
  readonly #marginsLast: boolean;
  /** The time that beliefs are of. */
  #believedAtMs = 0;
  #askedInSnapshot = new Set<string>();
  #turn = 0;
  answered = 0;

  constructor(world: AuditWorld, movement: Movement, marginsLast: boolean) {
    this.#world = world;
    this.#movement = movement;
    this.#marginsLast = marginsLast;
    this.#beliefs = new NuHypotheses(world.watched, world.watchers, movement);
    this.#grids = world.watched.map(({ capacitySat, leaning }) => movement.grid(capacitySat, leaning));
  }

  passTo(atMs: number): void {
    const isNew = (ms: number) => Math.floor(atMs / ms) > Math.floor(this.#believedAtMs / ms);
    if (isNew(DAY_MS) && this.#movement.moves) this.#beliefs.rememberSum(NEW_IN_A_DAY);
    this.#beliefs.focus();
    this.#world.passTo(atMs);
    this.#beliefs.change(belief => {
      this.#age(belief, atMs);
      if (isNew(WEEK_MS) && !this.#marginsLast) belief.forgetMargins();
    });
    this.#believedAtMs = atMs;
    this.#askedInSnapshot = new Set();
  }

  /** The best question that was not asked in this snapshot; friends take turns. */
  async ask(place: number, rungs: readonly number[], tally: Tally): Promise<void> {
    const { watchers, watched } = this.#world;
    const question = this.#best(rungs);
    const watcher = watchers[this.#turn++ % watchers.length];
    if (question === undefined || watcher === undefined) return;
    if (place > 0) this.#world.nowMs += BETWEEN_QUESTIONS_MS;
    const { flow, rung } = question;
    const named = await this.#world.ask(watcher, flow, AUDIT_RUNGS[rung] ?? 0);
    this.#askedInSnapshot.add(`${flow}|${rung}`);
    if (named === undefined) return;
    this.answered++;
    const truths = watched.map(({ oursSat, capacitySat }, index) => {
      const cell = this.#grids[index]?.cellOf(oursSat / capacitySat) ?? 0;
      return { index, cell, before: this.#beliefs.chanceOf(index, cell) };
    });
    this.#beliefs.hear(flow, rung, ({ index }) => named.has(index));
    for (const { index, cell, before } of truths) tally.learned(before, this.#beliefs.chanceOf(index, cell));
  }

  /** Compares what is believed of a later moment with what is. */
  look(atMs: number, tally: Tally): void {
    this.#world.passTo(atMs);
    for (const [index, grid] of this.#grids.entries()) {
      const channel = this.#world.watched[index];
      const believed = this.#beliefs.belief(index, grid, belief => this.#age(belief, atMs));
      if (channel !== undefined) tally.look(grid, believed, channel.oursSat / channel.capacitySat);
    }
  }

  nuError(): number {
    return Math.abs(this.#beliefs.nu - this.#world.nu);
  }

  #age(belief: Belief, atMs: number): void {
    const minutes = Math.floor((atMs - this.#believedAtMs) / MINUTE_MS);
    const steps = this.#movement.steps(belief.grid, minutes);
    if (steps !== undefined) belief.pass(steps);
  }

  #best(rungs: readonly number[]): { flow: Flow; rung: number } | undefined {
    let best: { flow: Flow; rung: number; entropy: number } | undefined;
    for (const flow of [1, 0] as const) {
      for (const [rung, entropy] of this.#beliefs.entropies(flow).entries()) {
        if (!rungs.includes(AUDIT_RUNGS[rung] ?? 0) || this.#askedInSnapshot.has(`${flow}|${rung}`)) continue;
        if (best === undefined || entropy > best.entropy) best = { flow, rung, entropy };
      }
    }
    return best;
  }
}
