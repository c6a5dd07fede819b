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

/** What to tell a layer, the newest first: failures that no newer word contradicts, then offers. */
export function wantedWords(knowledge: Knowledge, sinceMs: number): LayerWords {
  const offered = new Map<string, bigint>();
  for (const { channel, peerId, amountMsat } of knowledge.offers(sinceMs)) {
    if (!knowledge.records.isGood(peerId)) continue;
    const key = nameOf(channel);
    if (amountMsat > (offered.get(key) ?? 0n)) offered.set(key, amountMsat);
  }
  const words = new Map<string, LayerWord>();
  const channels = new Set<string>();
  const add = (shortChannelIdDir: string, inform: LayerWord['inform'], amountMsat: bigint) => {
    if (channels.size >= MAX_CHANNELS && !channels.has(shortChannelIdDir)) return;
    channels.add(shortChannelIdDir);
    const key = `${shortChannelIdDir} ${inform}`;
    const known = words.get(key);
    // Only failures come twice: the smallest counts.
    if (known === undefined || amountMsat < known.amountMsat)
      words.set(key, { shortChannelIdDir, inform, amountMsat });
  };
  for (const failure of knowledge.failures(sinceMs)) {
    const key = nameOf(failure);
    // An offer of as much that stands was made after the failure.
    if ((offered.get(key) ?? 0n) < failure.amountMsat) add(key, 'constrained', failure.amountMsat);
  }
  for (const [key, amountMsat] of offered) add(key, 'unconstrained', amountMsat);
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

function nameOf({ shortChannelId, direction }: ChannelDirection): string {
  return `${formatShortChannelId(shortChannelId)}/${direction}`;
}
