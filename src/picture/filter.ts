/** What of the picture is shown: by friend, name or id, by amount, by age and by the way the amount would flow. */
import type { NodeIndex, Picture } from './picture.ts';

export interface Filter {
  /** Part of a name or of an id, or the beginning of a short channel id; everything when empty. */
  readonly text: string;
  readonly minimumSat: number;
  readonly maximumAgeS: number;
  /** Both when left out. */
  readonly flow?: 0 | 1;
}

export const NO_FILTER: Filter = { text: '', minimumSat: 0, maximumAgeS: Number.POSITIVE_INFINITY };

export interface Shown {
  readonly friends: readonly NodeIndex[];
  /** Rows of `Picture.offers`. */
  readonly offers: readonly number[];
}

/** A short channel id's beginning, from its first `x` on. */
const CHANNEL = /^(\d+)x(\d*)(?:x(\d*))?$/;

/**
 * A friend is shown if the text fits it, one of our channels with it, or the other end of one of its offers; if it fits
 * the friend then with all its offers, else with those that fit. A friend's whole id shows that friend alone.
 */
export function applyFilter(picture: Picture, filter: Filter): Shown {
  const text = filter.text.trim().toLowerCase();
  const fits = fitting(picture, text);
  const fitsChannel = channelTest(picture, text);
  // With a friend's whole id those who offer a channel to it are not meant.
  const isOne = picture.nodes.some(({ id }, node) => id === text && node > 0 && node <= picture.friendCount);
  const isShown = fits.slice(0, picture.friendCount + 1);
  for (const { friend, shortChannelId } of picture.channels) {
    if (text !== '' && shortChannelId.startsWith(text)) isShown[friend] = 1;
  }
  const { friend, other, flow, amountSat, ageS } = picture.offers;
  const offers: number[] = [];
  for (let row = 0; row < friend.length; row++) {
    if ((amountSat[row] ?? 0) < filter.minimumSat || (ageS[row] ?? 0) > filter.maximumAgeS) continue;
    if (filter.flow !== undefined && flow[row] !== filter.flow) continue;
    const [from = 0, to = 0] = [friend[row], other[row]];
    if (fits[from] !== 1 && (isOne || fits[to] !== 1) && !fitsChannel(row)) continue;
    offers.push(row);
    isShown[from] = 1;
  }
  const friends = Array.from(isShown.keys()).filter(node => node > 0 && isShown[node] === 1);
  return { friends, offers };
}

/** 1 for each node whose name or id holds the text. */
function fitting({ nodes }: Picture, text: string): Uint8Array {
  const fits = new Uint8Array(nodes.length);
  for (const [index, { id, name }] of nodes.entries()) {
    if (text === '' || id.includes(text) || name.toLowerCase().includes(text)) fits[index] = 1;
  }
  return fits;
}

/** Numbers are compared, since writing half a million ids would take long. */
function channelTest({ offers }: Picture, text: string): (row: number) => boolean {
  const match = CHANNEL.exec(text);
  if (match === null) return () => false;
  const [, block = '', transaction = '', output = ''] = match;
  const fits = (value: number | undefined, part: string, isLast: boolean) =>
    isLast ? String(value).startsWith(part) : value === Number(part);
  const isAtOutput = text.split('x').length === 3;
  return row =>
    offers.block[row] === Number(block) &&
    fits(offers.transaction[row], transaction, !isAtOutput) &&
    (!isAtOutput || fits(offers.output[row], output, true));
}
