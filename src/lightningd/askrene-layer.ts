/**
 * Tells xpay and other users of askrene what friends offer, in a layer of its own.
 *
 * Hazard: a layer that does not exist fails every payment that names it, so ours is made in `init` and never removed;
 * it is not persistent, since every word to a persistent one rewrites a growing record in the node's database; and
 * what an earlier process told it is emptied first. Nothing here may hold up or end the plugin.
 */
import { messageOf } from '../error-message.ts';
import type { LayerWord, LayerWords } from '../knowledge/layer-plan.ts';
import { planLayer } from '../knowledge/layer-plan.ts';
import type { Clock } from '../sharing/ports.ts';
import { ErrorCode, RpcError } from './errors.ts';
import type { Logger } from './logger.ts';
import type { Rpc } from './rpc-client.ts';

/** Changes come in bursts. */
const SETTLE_MS = 250;
/** The layer is emptied and told again at most this often; what has expired, and a lost layer, is looked for as often. */
const RENEW_EVERY_MS = 60_000;
/** `askrene-age` forgets what is older than its cutoff: one ahead of the node's clock means everything. */
const CUTOFF_AHEAD_S = 3600;
/** How many words are told at once. */
const AT_ONCE = 100;

export interface AskreneLayerInit {
  readonly rpc: Rpc;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The layer's name; empty when the operator wants none. Read at every change: the option is dynamic. */
  readonly name: () => string;
  readonly wanted: () => LayerWords;
}

export class AskreneLayer {
  readonly #init: AskreneLayerInit;
  #told = new Map<string, LayerWord>();
  /** The layer that was made. */
  #name = '';
  #isMissing = false;
  /** A call failed: what the layer holds is not known. */
  #isUnsure = false;
  #renewedAtMs = Number.NEGATIVE_INFINITY;
  #underWay: Promise<void> | undefined;
  #isChanged = false;
  /** When it was last seen to that the layer is there. */
  #ensuredAtMs = Number.NEGATIVE_INFINITY;
  #isChangeDue = false;
  #stopWatch = () => {};

  constructor(init: AskreneLayerInit) {
    this.#init = init;
  }

  /** How many words the layer holds, and its name; `undefined` without one. */
  get state(): { readonly name: string; readonly entries: number } | undefined {
    return this.#name === '' ? undefined : { name: this.#name, entries: this.#told.size };
  }

  /** Makes the layer. Never rejects. */
  async open(): Promise<void> {
    await this.#sync();
  }

  /** Knowledge or the layer's name has changed: the layer follows in a moment, however much changes meanwhile. */
  changed(): void {
    if (this.#isChangeDue) return;
    this.#isChangeDue = true;
    this.#init.clock.after(SETTLE_MS, () => {
      this.#isChangeDue = false;
      this.#sync();
    });
  }

  /** Looks again later, whether anybody says so or not: word expires, and a layer can get lost. */
  #watch(delayMs: number): void {
    this.#stopWatch();
    this.#stopWatch = this.#init.clock.after(delayMs, () => {
      this.#sync();
    });
  }

  #sync(): Promise<void> {
    if (this.#isMissing) return Promise.resolve();
    this.#isChanged = this.#underWay !== undefined;
    this.#underWay ??= this.#follow()
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#underWay = undefined;
        if (this.#isChanged) this.changed();
      });
    return this.#underWay;
  }

  async #follow(): Promise<void> {
    const { clock, name, wanted } = this.#init;
    if (name() !== this.#name) await this.#leave();
    if (name() === '') return;
    this.#watch(RENEW_EVERY_MS);
    if (this.#name === '' || clock.monotonicMs() >= this.#ensuredAtMs + RENEW_EVERY_MS)
      await this.#ensure(name());
    const words = wanted();
    const plan = planLayer(this.#told, words);
    const renew = plan.renew || this.#isUnsure;
    const waitMs = this.#renewedAtMs + RENEW_EVERY_MS - clock.monotonicMs();
    if (renew && waitMs <= 0) {
      await this.#empty(this.#name);
      await this.#tell([...words.values()]);
    } else await this.#tell(plan.tell);
    if (renew && waitMs > 0) this.#watch(waitMs);
  }

  /** The operator wants another layer: the old one stays, empty, since payments may still name it. */
  async #leave(): Promise<void> {
    if (this.#name === '') return;
    await this.#empty(this.#name);
    this.#name = '';
  }

  /** Sees to it that the layer is there: askrene forgets it when it is restarted, and then every payment that names it fails. */
  async #ensure(name: string): Promise<void> {
    const isNew = await this.#init.rpc.call('askrene-create-layer', { layer: name }).then(
      () => true,
      (error: unknown) => {
        // We, an earlier process of ours, or the operator made it.
        if (error instanceof RpcError && error.message.includes('already exists')) return false;
        throw error;
      },
    );
    if (this.#name === '' && !isNew) await this.#empty(name);
    if (isNew) this.#told.clear();
    this.#name = name;
    this.#ensuredAtMs = this.#init.clock.monotonicMs();
  }

  async #empty(name: string): Promise<void> {
    const { rpc, clock } = this.#init;
    this.#told.clear();
    this.#renewedAtMs = clock.monotonicMs();
    const cutoff = Math.ceil(clock.wallMs() / 1000) + CUTOFF_AHEAD_S;
    await rpc.call('askrene-age', { layer: name, cutoff });
    this.#isUnsure = false;
  }

  async #tell(words: readonly LayerWord[]): Promise<void> {
    for (let from = 0; from < words.length; from += AT_ONCE) {
      await Promise.all(words.slice(from, from + AT_ONCE).map(word => this.#tellOne(word)));
    }
  }

  async #tellOne(word: LayerWord): Promise<void> {
    const { shortChannelIdDir, inform, amountMsat } = word;
    this.#told.set(`${shortChannelIdDir} ${inform}`, word);
    await this.#init.rpc.call('askrene-inform-channel', {
      layer: this.#name,
      short_channel_id_dir: shortChannelIdDir,
      amount_msat: amountMsat,
      inform,
    });
  }

  #fail(error: unknown): void {
    const { logger } = this.#init;
    if (error instanceof RpcError && error.code === ErrorCode.methodNotFound) {
      this.#isMissing = true;
      this.#name = '';
      logger.info('this node has no askrene: there is no layer for xpay');
      return;
    }
    this.#isUnsure = true;
    logger.warn(`the layer for xpay could not be told: ${messageOf(error)}`);
    // It may be lost: the next look makes it again.
    this.#ensuredAtMs = Number.NEGATIVE_INFINITY;
    this.#watch(RENEW_EVERY_MS);
  }
}
