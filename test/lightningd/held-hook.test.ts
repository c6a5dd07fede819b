/** Whatever its handler does, a held call is answered exactly once, by its deadline, and lets lightningd continue. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { type HeldHandler, HeldHook, LONGEST_HOLD_MS } from '../../src/lightningd/held-hook.ts';

const CONTINUE = '"result":{"result":"continue"}';
const CHANNEL = 'ab'.repeat(32);

/** A clock whose timers the test lets go. */
class Timers {
  readonly #waiting = new Map<number, { readonly atMs: number; readonly action: () => void }>();
  #nowMs = 0;
  #lastId = 0;

  readonly after = (delayMs: number, action: () => void) => {
    const id = ++this.#lastId;
    this.#waiting.set(id, { atMs: this.#nowMs + delayMs, action });
    return () => {
      this.#waiting.delete(id);
    };
  };

  get waiting(): number {
    return this.#waiting.size;
  }

  pass(ms: number): void {
    this.#nowMs += ms;
    for (const [id, { atMs, action }] of [...this.#waiting]) {
      if (atMs > this.#nowMs) continue;
      this.#waiting.delete(id);
      action();
    }
  }
}

function hooked(handler: HeldHandler, deadlineMs = 4000) {
  const clock = new Timers();
  const answers: string[] = [];
  const failures: unknown[] = [];
  const hook = new HeldHook({
    handler,
    deadlineMs: () => deadlineMs,
    clock,
    onFailure: error => failures.push(error),
  });
  const take = (params: unknown = {}) => hook.take(params, member => answers.push(member));
  return { clock, answers, failures, hook, take };
}

test('a decision at once is answered at once, without a timer', () => {
  const { clock, answers, take, hook } = hooked(() => undefined);
  take();
  assert.deepEqual([answers, clock.waiting, hook.held], [[CONTINUE], 0, 0]);
});

test('a channel to forward to is named, a malformed one never', async () => {
  const { answers, failures, take } = hooked(params => params as { forwardTo: string });
  const promised = hooked(async params => params as { forwardTo: string });
  const named = `"result":{"result":"continue","forward_to":"${CHANNEL}"}`;
  const malformed = ['', 'AB'.repeat(32), `${CHANNEL}\n`, 'ab', '103x1x0', 17, null, {}, [CHANNEL]];
  for (const forwardTo of [CHANNEL, undefined, ...malformed]) {
    take({ forwardTo });
    promised.take({ forwardTo });
  }
  await setImmediate();
  const expected = [named, CONTINUE, ...malformed.map(() => CONTINUE)];
  assert.deepEqual([answers, promised.answers], [expected, expected]);
  assert.deepEqual([failures.length, promised.failures.length], [malformed.length, malformed.length]);
});

test('decisions that are no objects mean continue', async () => {
  const odds: readonly unknown[] = [null, 17, 'fail', [], { result: 'fail' }, { payment_key: '00' }];
  for (const odd of odds) {
    const now = hooked(() => odd as undefined);
    const later = hooked(async () => odd as undefined);
    now.take();
    later.take();
    await setImmediate();
    assert.deepEqual([now.answers, later.answers], [[CONTINUE], [CONTINUE]], JSON.stringify(odd));
  }
});

test('a handler that throws or rejects is told of and continued', async () => {
  const error = new Error('broken');
  const throwing = hooked(() => {
    throw error;
  });
  const rejecting = hooked(() => Promise.reject(error));
  throwing.take();
  rejecting.take();
  await setImmediate();
  for (const { answers, failures, hook } of [throwing, rejecting]) {
    assert.deepEqual([answers, failures, hook.held], [[CONTINUE], [error], 0]);
  }
});

test('a handler that never settles is continued at the deadline, and sees it', async () => {
  let over: Promise<void> | undefined;
  const { clock, answers, take, hook } = hooked((_params, hold) => {
    over = hold.over;
    return new Promise(() => {});
  });
  take();
  clock.pass(3999);
  assert.deepEqual([answers, hook.held], [[], 1]);
  clock.pass(1);
  assert.deepEqual([answers, hook.held], [[CONTINUE], 0]);
  await over;
});

test('no deadline is longer than the longest, or none', () => {
  for (const wanted of [1e9, Number.POSITIVE_INFINITY]) {
    const { clock, answers, take } = hooked(() => new Promise(() => {}), wanted);
    take();
    clock.pass(LONGEST_HOLD_MS);
    assert.deepEqual(answers, [CONTINUE]);
  }
  for (const odd of [Number.NaN, -1, null as unknown as number, 'soon' as unknown as number]) {
    const { clock, answers, take } = hooked(() => new Promise(() => {}), odd);
    take();
    clock.pass(0);
    assert.deepEqual(answers, [CONTINUE]);
  }
});

test('at the end all that wait are continued', () => {
  const { answers, clock, hook, take } = hooked(() => new Promise(() => {}));
  for (let call = 0; call < 10; call++) take();
  hook.releaseAll();
  assert.deepEqual([answers, hook.held, clock.waiting], [Array(10).fill(CONTINUE), 0, 0]);
});

test('whatever comes when, each call gets exactly one answer, and continues', async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('call' as const) }),
    fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 5000 }) }),
    fc.record({
      kind: fc.constantFrom('resolve' as const, 'reject' as const, 'forward' as const),
      which: fc.nat(20),
    }),
    fc.record({ kind: fc.constant('release' as const) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async steps => {
      const pending: { resolve: (decision?: object) => void; reject: (error: Error) => void }[] = [];
      const { clock, hook } = hooked(
        () => new Promise((resolve, reject) => pending.push({ resolve, reject })),
      );
      const counts: number[] = [];
      for (const each of steps) {
        if (each.kind === 'call') {
          const index = counts.push(0) - 1;
          hook.take({}, member => {
            assert.match(member, /^"result":\{"result":"continue"(,"forward_to":"[0-9a-f]{64}")?\}$/);
            counts[index] = (counts[index] ?? 0) + 1;
          });
        } else if (each.kind === 'pass') clock.pass(each.ms);
        else if (each.kind === 'release') hook.releaseAll();
        else if (each.kind === 'resolve') pending[each.which]?.resolve();
        else if (each.kind === 'forward') pending[each.which]?.resolve({ forwardTo: CHANNEL });
        else pending[each.which]?.reject(new Error('no'));
        await setImmediate();
        assert.ok(counts.every(count => count <= 1));
      }
      clock.pass(LONGEST_HOLD_MS);
      assert.ok(counts.every(count => count === 1));
      assert.equal(clock.waiting, 0);
    }),
    { numRuns: 50 },
  );
});
