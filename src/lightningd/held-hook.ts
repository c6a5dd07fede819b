/**
 * A hook whose answer may come later, but certainly comes: `htlc_accepted`.
 *
 * Hazard: lightningd waits for ever for the answer to a hook, an HTLC that waits past its expiry costs the channel, and
 * whatever other answer than a proper one aborts the node. So a call is answered exactly once, always with `continue`:
 * by what its handler decides, at the deadline at the latest, and as if there were no handler when that throws,
 * rejects or decides something malformed. What a handler decides afterwards changes nothing.
 */
import type { Clock } from '../sharing/ports.ts';

/** No call is held longer, whatever the deadline says. */
export const LONGEST_HOLD_MS = 30_000;

/** A channel's id: lightningd aborts at any other text. */
const CHANNEL_ID = /^[0-9a-f]{64}$/;

const CONTINUE = '"result":{"result":"continue"}';

/** What a handler may decide: to continue, perhaps over another channel than lightningd chose. */
export interface HookDecision {
  /** A channel id. */
  readonly forwardTo?: string | undefined;
}

/** A call that is being held, as its handler sees it. */
export interface Hold {
  /** Whether it has been answered already, by its deadline or because the plugin ends. */
  readonly isOver: boolean;
  /** Settles, without a value, once it has been answered. */
  readonly over: Promise<void>;
}

/** Decides at once or later; nothing means a plain `continue`. */
export type HeldHandler = (
  params: unknown,
  hold: Hold,
) => HookDecision | undefined | Promise<HookDecision | undefined>;

export interface HeldHookInit {
  readonly handler: HeldHandler;
  /** How long a call may be held; asked anew for each that is. */
  readonly deadlineMs: () => number;
  readonly clock: Pick<Clock, 'after'>;
  /** Told of a handler that failed or decided something malformed. */
  readonly onFailure: (error: unknown) => void;
}

export class HeldHook {
  readonly #init: HeldHookInit;
  readonly #held = new Set<HeldCall>();

  constructor(init: HeldHookInit) {
    this.#init = init;
  }

  /** How many calls wait for an answer. */
  get held(): number {
    return this.#held.size;
  }

  /**
   * Takes a call.
   *
   * @param answer gets the answer's member, `"result":…`, exactly once; it must not throw
   */
  take(params: unknown, answer: (member: string) => void): void {
    const { handler, onFailure, clock } = this.#init;
    const call = new HeldCall(answer, () => this.#held.delete(call));
    let decided: ReturnType<HeldHandler>;
    try {
      decided = handler(params, call);
    } catch (error) {
      call.end(CONTINUE);
      onFailure(error);
      return;
    }
    if (!isPromise(decided)) {
      this.#decide(call, decided);
      return;
    }
    this.#held.add(call);
    call.until(clock.after(this.#deadlineMs(), () => call.end(CONTINUE)));
    decided.then(
      decision => this.#decide(call, decision),
      (error: unknown) => {
        call.end(CONTINUE);
        onFailure(error);
      },
    );
  }

  /** Answers all that wait, at once. */
  releaseAll(): void {
    for (const call of [...this.#held]) call.end(CONTINUE);
  }

  #decide(call: HeldCall, decision: unknown): void {
    // From a handler that the compiler did not see, too.
    const forwardTo =
      typeof decision === 'object' && decision !== null && 'forwardTo' in decision
        ? decision.forwardTo
        : undefined;
    if (forwardTo === undefined) call.end(CONTINUE);
    else if (typeof forwardTo === 'string' && CHANNEL_ID.test(forwardTo)) {
      call.end(`"result":{"result":"continue","forward_to":"${forwardTo}"}`);
    } else {
      call.end(CONTINUE);
      this.#init.onFailure(new TypeError('forwardTo must be a channel id'));
    }
  }

  #deadlineMs(): number {
    const wanted = this.#init.deadlineMs();
    return wanted >= 0 ? Math.min(wanted, LONGEST_HOLD_MS) : 0;
  }
}

class HeldCall implements Hold {
  readonly #answer: (member: string) => void;
  readonly #onEnd: () => void;
  #isOver = false;
  #cancel: (() => void) | undefined;
  /** Made only when somebody wants it: most calls are answered at once. */
  #over: { readonly promise: Promise<void>; readonly settle: () => void } | undefined;

  constructor(answer: (member: string) => void, onEnd: () => void) {
    this.#answer = answer;
    this.#onEnd = onEnd;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get over(): Promise<void> {
    if (this.#isOver) return Promise.resolve();
    if (this.#over === undefined) {
      let settle = () => {};
      const promise = new Promise<void>(resolve => {
        settle = resolve;
      });
      this.#over = { promise, settle };
    }
    return this.#over.promise;
  }

  /** @param cancel stops the deadline */
  until(cancel: () => void): void {
    if (this.#isOver) cancel();
    else this.#cancel = cancel;
  }

  end(member: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#answer(member);
    this.#cancel?.();
    this.#onEnd();
    this.#over?.settle();
  }
}

function isPromise(value: unknown): value is Promise<HookDecision | undefined> {
  return value instanceof Promise;
}
