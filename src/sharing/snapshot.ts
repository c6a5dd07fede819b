/**
 * One reading of our balances, from which everybody is answered until it ends.
 *
 * Hazard: two answers from two readings show how a balance moved, and friends can put their answers together. So all
 * answers within one lifetime come from here, whoever asks; only channels that closed or went offline are left out,
 * and nothing takes their place.
 */
import { type Flow, MAX_REPLY_CHANNELS } from '../wire/codec.ts';
import { compareShortChannelIds, type ShortChannelId } from '../wire/short-channel-id.ts';
import { isEligible, marginFrom, type Side, sidesOf } from './eligibility.ts';
import type { KeyedHash } from './keyed-hash.ts';
import type { NodeView } from './node-view.ts';

/** For how long the same channels are left out (docs/protocol.md, "Answering"). */
const OMISSION_PERIOD_MS = 28 * 24 * 3600 * 1000;
const U32_RANGE = 2 ** 32;
/** The timestamp in replies is rounded down to this (docs/protocol.md, "Answering"). */
const TIMESTAMP_STEP_MS = 10_000;

/** A channel that the snapshot offers for some rung. */
interface Offer {
  readonly shortChannelId: ShortChannelId;
  readonly peerId: string;
}

export interface SnapshotInit {
  readonly view: NodeView;
  /** Blocks that a channel must have to count in ν and ζ. */
  readonly minDepth: number;
  /** The share of channels to leave out, each by chance, in percent. */
  readonly omitPercent: number;
  /** Wall clock at the reading, milliseconds since the Unix epoch. */
  readonly wallMs: number;
  readonly hash: KeyedHash;
}

export class Snapshot {
  /** Milliseconds since the Unix epoch, rounded down: what replies say. */
  readonly timestampMs: bigint;
  readonly #view: NodeView;
  readonly #hash: KeyedHash;
  readonly #sides: ReadonlyMap<string, Side>;
  readonly #isOmitted: (shortChannelId: ShortChannelId) => boolean;
  readonly #offers = new Map<string, readonly Offer[]>();

  constructor({ view, minDepth, omitPercent, wallMs, hash }: SnapshotInit) {
    this.timestampMs = BigInt(Math.floor(wallMs / TIMESTAMP_STEP_MS) * TIMESTAMP_STEP_MS);
    this.#view = view;
    this.#hash = hash;
    // Never changed: each new margin would show another interval for ν to two friends who search for it (docs/privacy.md).
    this.#sides = sidesOf(view, minDepth, (peerId, side) => marginFrom(hash('margin', peerId, side)));
    const period = String(Math.floor(wallMs / OMISSION_PERIOD_MS));
    // The same for all who ask, and for long: otherwise friends and days together would show what each leaves out.
    this.#isOmitted = shortChannelId =>
      omitPercent > 0 && hash('omit', String(shortChannelId), period) < (omitPercent / 100) * U32_RANGE;
  }

  /**
   * What to tell `asker`, ascending, at most `MAX_REPLY_CHANNELS`.
   *
   * @param rungMsat a rung
   * @param live our channels as they are now: what is closed or offline there is left out
   */
  channelsFor(asker: string, flow: Flow, rungMsat: bigint, live: NodeView): ShortChannelId[] {
    const usable = new Set<ShortChannelId>();
    for (const channel of live.channels) {
      if (channel.state === 'normal' && channel.usable && channel.shortChannelId !== undefined) {
        usable.add(channel.shortChannelId);
      }
    }
    return this.#offersAt(flow, rungMsat)
      .filter(offer => offer.peerId !== asker && usable.has(offer.shortChannelId))
      .map(offer => offer.shortChannelId);
  }

  #offersAt(flow: Flow, rungMsat: bigint): readonly Offer[] {
    const key = `${flow}|${rungMsat}`;
    let offers = this.#offers.get(key);
    if (offers === undefined) {
      offers = this.#choose(flow, rungMsat);
      this.#offers.set(key, offers);
    }
    return offers;
  }

  #choose(flow: Flow, rungMsat: bigint): Offer[] {
    const lowest = new Map<string, ShortChannelId>();
    for (const channel of this.#view.channels) {
      const { peerId, shortChannelId } = channel;
      // As if it were not there: named or passed over by the rung, it would show its balance after all.
      if (shortChannelId === undefined || this.#isOmitted(shortChannelId)) continue;
      if (!isEligible(channel, this.#sides.get(peerId), flow, rungMsat, this.#view.blockHeight)) continue;
      const known = lowest.get(peerId);
      if (known === undefined || shortChannelId < known) lowest.set(peerId, shortChannelId);
    }
    let offers = [...lowest].map(([peerId, shortChannelId]) => ({ peerId, shortChannelId }));
    if (offers.length > MAX_REPLY_CHANNELS) {
      offers = offers
        .map(offer => ({ offer, rank: this.#hash('pick', String(offer.shortChannelId)) }))
        .sort(
          (a, b) => a.rank - b.rank || compareShortChannelIds(a.offer.shortChannelId, b.offer.shortChannelId),
        )
        .slice(0, MAX_REPLY_CHANNELS)
        .map(({ offer }) => offer);
    }
    return offers.sort((a, b) => compareShortChannelIds(a.shortChannelId, b.shortChannelId));
  }
}
