/**
 * What an askrene layer should hold of our knowledge, and how to get there from what it holds.
 *
 * Hazard: xpay believes the layer. Constraints pile up in it, the largest minimum and the smallest maximum win, and a
 * single one cannot be taken back: so each is told once, and where one must go or shrink the whole layer is emptied
 * and told again. A friend that lies would draw payments to its channel: only those with a good record are told of.
 */
import { formatShortChannelId } from '../wire/short-channel-id.ts';
import type { Knowledge } from './knowledge.ts';
import type { ChannelDirection } from './marks.ts';

/** The most channels that the layer holds. */
const MAX_CHANNELS = 2000;

/** `unconstrained`: at least this much gets through. `constrained`: less than this does (lightning-askrene-inform-channel). */
export interface LayerWord {
  /** As askrene writes it: `103x1x0/1`. */
  readonly shortChannelIdDir: string;
  readonly inform: 'unconstrained' | 'constrained';
  readonly amountMsat: bigint;
}

/** By channel, direction and kind. */
export type LayerWords = ReadonlyMap<string, LayerWord>;

/**
 * What to tell a layer, the newest first: failures that no newer word contradicts, then offers.
 *
 * @param isTrusted whose offers besides a good record
 */
export function wantedWords(
  knowledge: Knowledge,
  sinceMs: number,
  isTrusted: (peerId: string) => boolean = () => true,
): LayerWords {
  const isWanted = (peerId: string) => knowledge.records.isGood(peerId) && isTrusted(peerId);
  const offered = new Map<bigint, LayerWord>();
  for (const { channel, amountMsat } of knowledge.offers(sinceMs, isWanted)) {
    const key = keyOf(channel);
    const known = offered.get(key);
    if (known === undefined && offered.size >= MAX_CHANNELS) break;
    if (known !== undefined && known.amountMsat >= amountMsat) continue;
    offered.set(key, { shortChannelIdDir: nameOf(channel), inform: 'unconstrained', amountMsat });
  }
  const failed = new Map<bigint, LayerWord>();
  for (const failure of knowledge.failures(sinceMs)) {
    const { amountMsat } = failure;
    const key = keyOf(failure);
    // An offer of as much that stands was made after the failure.
    if ((offered.get(key)?.amountMsat ?? 0n) >= amountMsat) continue;
    const known = failed.get(key);
    if (known === undefined && failed.size >= MAX_CHANNELS) break;
    if (known !== undefined && known.amountMsat <= amountMsat) continue;
    failed.set(key, { shortChannelIdDir: nameOf(failure), inform: 'constrained', amountMsat });
  }
  const words = new Map<string, LayerWord>();
  const add = (word: LayerWord) => words.set(`${word.shortChannelIdDir} ${word.inform}`, word);
  for (const word of failed.values()) add(word);
  const channels = new Set(failed.keys());
  for (const [key, word] of offered) {
    if (channels.size >= MAX_CHANNELS && !channels.has(key)) continue;
    channels.add(key);
    add(word);
  }
  return words;
}

/** What to do: `renew` says that something must go, so that the layer has to be emptied and told everything. */
export function planLayer(
  told: LayerWords,
  wanted: LayerWords,
): { readonly renew: boolean; readonly tell: readonly LayerWord[] } {
  const loosens = (word: LayerWord, other: LayerWord) =>
    word.inform === 'unconstrained' ? other.amountMsat < word.amountMsat : other.amountMsat > word.amountMsat;
  const renew = [...told].some(([key, word]) => {
    const other = wanted.get(key);
    return other === undefined || loosens(word, other);
  });
  const tell = [...wanted].filter(([key, word]) => {
    const before = told.get(key);
    return before === undefined || loosens(word, before);
  });
  return { renew, tell: tell.map(([, word]) => word) };
}

/** Cheaper than the text, for channels that may not get in. */
function keyOf({ shortChannelId, direction }: ChannelDirection): bigint {
  return shortChannelId * 2n + BigInt(direction);
}

function nameOf({ shortChannelId, direction }: ChannelDirection): string {
  return `${formatShortChannelId(shortChannelId)}/${direction}`;
}
