/**
 * What must survive a restart, kill -9 included: who speaks the protocol, whom to leave alone, who broke it, and
 * what each friend has asked. In lightningd's datastore, under one key.
 *
 * Hazard: a crash at any moment must not give a friend a new budget of questions, and balances that we learned must
 * never touch the disk: nothing of `src/knowledge/` comes here. A datastore that is missing, full of something else or
 * failing costs only the memory, never the plugin.
 */
import * as v from 'valibot';
import { BREACHES, type Breaches } from '../sharing/breaches.ts';
import type { Clock } from '../sharing/ports.ts';
import type { QuestionBudget } from '../sharing/question-budget.ts';
import type { SilentPeers } from '../sharing/silent-peers.ts';
import * as answers from './answers.ts';
import { ErrorCode, RpcError } from './errors.ts';
import { jsonText } from './json-text.ts';
import type { Logger } from './logger.ts';
import type { Rpc } from './rpc-client.ts';

/** By convention a plugin's name comes first (lightningd's `datastore`). */
const KEY = ['balancesharing', 'memory'];
/** A change is written after this: changes come in bursts, and within a second all is on disk. */
const WRITE_DELAY_MS = 500;
/** What was not taken is tried again after this, or with the next change. */
const RETRY_MS = 10_000;

const time = v.pipe(v.number(), v.finite());
/** Times are milliseconds since the Unix epoch: the monotonic clock begins anew with each process. */
const memory = v.object({
  version: v.literal(1),
  speaks: v.array(v.string()),
  silent: v.array(v.object({ peer_id: v.string(), wait_ms: time, ask_again_at: time })),
  questions: v.array(v.object({ peer_id: v.string(), asked_at: v.array(time) })),
  strikes: v.optional(
    v.array(
      v.object({
        peer_id: v.string(),
        strikes: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
        last_breach: v.picklist(BREACHES),
        last_at: time,
        ignored_until: time,
      }),
    ),
    [],
  ),
});

export interface StoreInit {
  readonly rpc: Rpc;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly silentPeers: SilentPeers;
  readonly budget: QuestionBudget;
  readonly breaches: Breaches;
}

export class Store {
  readonly #init: StoreInit;
  #state: 'idle' | 'waiting' | 'writing' | 'writing and changed' | 'off' = 'off';

  constructor(init: StoreInit) {
    this.#init = init;
  }

  /** Takes up what an earlier process has written. Nothing is written before. Rejects when lightningd is gone. */
  async load(): Promise<void> {
    const { rpc, clock, logger, silentPeers, budget, breaches } = this.#init;
    try {
      const answer = await rpc.call('listdatastore', { key: KEY });
      const [entry] = answers.readAnswer('listdatastore', answers.listdatastore, answer).datastore;
      this.#state = 'idle';
      if (entry?.string === undefined) return;
      const { speaks, silent, questions, strikes } = v.parse(memory, JSON.parse(entry.string));
      const toMonotonic = (wallMs: number) => wallMs - clock.wallMs() + clock.monotonicMs();
      silentPeers.restore(
        speaks,
        silent.map(({ peer_id, wait_ms, ask_again_at }) => ({
          peerId: peer_id,
          waitMs: wait_ms,
          askAgainAtMs: toMonotonic(ask_again_at),
        })),
        clock.monotonicMs(),
      );
      const spent = questions.map(({ peer_id, asked_at }) => ({
        peerId: peer_id,
        times: asked_at.map(toMonotonic),
      }));
      budget.restore(spent, clock.monotonicMs());
      breaches.restore(
        strikes.map(({ peer_id, strikes: count, last_breach, last_at, ignored_until }) => ({
          peerId: peer_id,
          strikes: count,
          lastBreach: last_breach,
          lastAtMs: toMonotonic(last_at),
          ignoredUntilMs: toMonotonic(ignored_until),
        })),
        clock.monotonicMs(),
      );
    } catch (error) {
      if (error instanceof RpcError && error.code === ErrorCode.methodNotFound) {
        logger.info('this node has no datastore: who speaks, and what was asked, is forgotten at a restart');
      } else if (error instanceof v.ValiError || error instanceof SyntaxError) {
        logger.warn(`what the datastore holds of us is not ours and will be replaced: ${error.message}`);
      } else if (error instanceof RpcError) {
        logger.warn(`the datastore cannot be used: ${error.message}`);
      } else throw error;
    }
  }

  /** Something has changed: it will be written within a second. */
  changed(): void {
    if (this.#state === 'writing') this.#state = 'writing and changed';
    if (this.#state !== 'idle') return;
    this.#state = 'waiting';
    this.#init.clock.after(WRITE_DELAY_MS, () => this.#write());
  }

  async #write(): Promise<void> {
    const { rpc, logger } = this.#init;
    this.#state = 'writing';
    const wasGood = await rpc
      .call('datastore', { key: KEY, string: this.#text(), mode: 'create-or-replace' })
      .then(() => true)
      .catch((error: unknown) => {
        logger.warn(`the datastore did not take what has to survive a restart: ${String(error)}`);
        return false;
      });
    const isChanged = this.#current() === 'writing and changed';
    this.#state = 'idle';
    if (!wasGood) this.#init.clock.after(RETRY_MS, () => this.changed());
    else if (isChanged) this.changed();
  }

  /** A method, so that the compiler does not believe that nothing changes while we wait. */
  #current(): string {
    return this.#state;
  }

  #text(): string {
    const { clock, silentPeers, budget, breaches } = this.#init;
    const toWall = (monotonicMs: number) => Math.round(monotonicMs - clock.monotonicMs() + clock.wallMs());
    const { speaks, silent } = silentPeers.state();
    return jsonText({
      version: 1,
      speaks,
      silent: silent.map(({ peerId, waitMs, askAgainAtMs }) => ({
        peer_id: peerId,
        wait_ms: waitMs,
        ask_again_at: toWall(askAgainAtMs),
      })),
      questions: budget
        .state()
        .map(({ peerId, times }) => ({ peer_id: peerId, asked_at: times.map(toWall) })),
      strikes: breaches.state().map(({ peerId, strikes, lastBreach, lastAtMs, ignoredUntilMs }) => ({
        peer_id: peerId,
        strikes,
        last_breach: lastBreach,
        last_at: toWall(lastAtMs),
        ignored_until: toWall(ignoredUntilMs),
      })),
    } satisfies v.InferInput<typeof memory>);
  }
}
