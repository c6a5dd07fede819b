/**
 * Finds the circle to pay, and asks friends for it: only those on the best circle, each about its own hop, one circle
 * after another, until all that the best one rests on has been said.
 *
 * The best circle is looked for as if every friend that may still be asked had offered all it can. Who stands on it is
 * asked; who then names the hop not, or says nothing, is hoped of no more. Once nothing on the best circle is hoped for,
 * it is the one that asking everybody would have brought, and what the others could have said does not matter, but for
 * what it would tell of channels of which nobody spoke (wear.ts).
 *
 * Hazard: each question tells a friend what we are about to do, and each answer tells us of all of its channels, so
 * nobody is asked without need. Friends may be silent, slow, hostile or gone: asking takes no longer, all together and
 * with the searches for whom to ask, than one call to everybody may take, and they are asked a bounded number of
 * questions whatever they answer.
 */
import type { Hope } from '../circles/hope.ts';
import type { Circle, CircleSearch, Exclusions } from '../circles/types.ts';
import { messageOf } from '../error-message.ts';
import type { AskRequest } from '../sharing/asking.ts';
import type { Clock } from '../sharing/ports.ts';
import { rungFor } from '../sharing/rungs.ts';
import type { Flow } from '../wire/codec.ts';

/**
 * Questions of one rebalance, its later tries included. Measured on the real network (docs/simulation.md): with 12 first
 * tries are half a point fewer than without a bound, with 8 three points.
 */
export const MAX_QUESTIONS = 16;
/** A friend that has not answered after this part of the time for asking keeps nobody else from being asked. */
const PATIENCE_PART = 5;

interface Question {
  readonly peerId: string;
  readonly flow: Flow;
  readonly amountMsat: bigint;
}

export interface AskAsNeededInit {
  /** The best circle; with `hope` the best one if those friends offered theirs. */
  readonly find: (exclusions: Exclusions, hope?: Hope) => Promise<CircleSearch>;
  readonly asker: {
    mayTell(peerId: string, flow: Flow, amountMsat: bigint): boolean;
    ask(request: AskRequest): Promise<unknown>;
  };
  readonly clock: Clock;
  /** How long asking may take, all together: waiting for friends and looking for whom to ask. */
  readonly budgetMs: number;
  readonly progress: (message: string) => void;
}

/** The asking of one rebalance. */
export class AskAsNeeded {
  readonly #init: AskAsNeededInit;
  readonly #asked = new Set<string>();
  /** Questions that may still be answered; the promise is kept when they are, or will not be. */
  readonly #pending = new Map<string, Promise<void>>();
  #spentMs = 0;

  constructor(init: AskAsNeededInit) {
    this.#init = init;
  }

  /** The best circle by what is known, after friends were asked about it. Rejects as `find` does, for nothing else. */
  async find(exclusions: Exclusions): Promise<CircleSearch> {
    const { find, budgetMs, clock } = this.#init;
    const startedMs = clock.monotonicMs() - this.#spentMs;
    const hope: Hope = (peerId, flow, amountMsat) => this.#mayTell({ peerId, flow, amountMsat });
    while (this.#asked.size < MAX_QUESTIONS && this.#spentMs < budgetMs) {
      const search = await find(exclusions, hope);
      this.#spentMs = clock.monotonicMs() - startedMs;
      const [circle] = search.circles;
      if (circle === undefined) return search;
      const leftMs = budgetMs - this.#spentMs;
      const next = hopedOn(circle).flatMap(sides => sides.find(side => this.#mayTell(side)) ?? []);
      const room = next.slice(0, leftMs > 0 ? MAX_QUESTIONS - this.#asked.size : 0);
      for (const question of room) this.#ask(question);
      if (room.length > 0) {
        await this.#wait(room, Math.min(leftMs, budgetMs / PATIENCE_PART));
        this.#spentMs = clock.monotonicMs() - startedMs;
        continue;
      }
      // Somebody else has asked meanwhile, or our own limits are reached.
      if (hopedOn(circle).length > 0) break;
      const slow = unsaidOn(circle).filter(question => this.#pending.has(keyOf(question)));
      if (slow.length === 0) return search;
      // Nobody else is worth asking: who may yet speak of this circle has the time that is left.
      await this.#wait(slow, leftMs);
      this.#spentMs = clock.monotonicMs() - startedMs;
    }
    return find(exclusions);
  }

  /** Asked once, a friend is not hoped of any more: what it said is known. */
  #mayTell(question: Question): boolean {
    const { peerId, flow, amountMsat } = question;
    return !this.#asked.has(keyOf(question)) && this.#init.asker.mayTell(peerId, flow, amountMsat);
  }

  #ask(question: Question): void {
    const { asker, budgetMs, progress } = this.#init;
    const key = keyOf(question);
    const { peerId, flow, amountMsat } = question;
    progress(`ask ${peerId.slice(0, 8)} what it would ${flow === 1 ? 'pass on' : 'take in'}`);
    this.#asked.add(key);
    // Each has the whole time before it counts as silent, though nobody may be waiting for it any more.
    const ended = asker
      .ask({ flow, amountMsat, peers: [peerId], leavesSilent: true, timeoutMs: budgetMs, fresh: false })
      .then(
        () => {},
        // It can do without: what the friend would have said only makes a circle likelier.
        (error: unknown) => progress(`${peerId.slice(0, 8)} could not be asked: ${messageOf(error)}`),
      )
      .finally(() => this.#pending.delete(key));
    this.#pending.set(key, ended);
  }

  /** Until all these are answered, or will not be; for `mostMs` at most. */
  async #wait(questions: readonly Question[], mostMs: number): Promise<void> {
    let stop = () => {};
    const isLate = new Promise<void>(resolve => {
      stop = this.#init.clock.after(mostMs, resolve);
    });
    await Promise.race([Promise.all(questions.map(each => this.#pending.get(keyOf(each)))), isLate]);
    stop();
  }
}

/** By hop that is hoped for: what may be asked about it, first of the end that would forward, then of the other. */
function hopedOn(circle: Circle): Question[][] {
  return circle.hops.flatMap((hop, index) => (hop.isHoped ? [sidesOf(circle, index)] : []));
}

/** All that may have been asked about hops of which nobody has spoken. */
function unsaidOn(circle: Circle): Question[] {
  return circle.hops.flatMap((hop, index) => (hop.known === 'unknown' ? sidesOf(circle, index) : []));
}

function sidesOf({ hops }: Circle, index: number): Question[] {
  const amountMsat = hops.at(-1)?.amountMsat ?? 0n;
  const source = hops[index - 1]?.id;
  const destination = hops[index]?.id;
  return [
    ...(source === undefined ? [] : [{ peerId: source, flow: 1 as const, amountMsat }]),
    ...(destination === undefined ? [] : [{ peerId: destination, flow: 0 as const, amountMsat }]),
  ];
}

function keyOf({ peerId, flow, amountMsat }: Question): string {
  return `${peerId}|${flow}|${rungFor(amountMsat)}`;
}
