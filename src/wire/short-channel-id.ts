/**
 * Short channel ids (BOLT 7, "Definition of `short_channel_id`"): 3 bytes block height, 3 bytes transaction
 * index, 2 bytes output index, as one u64. Inside the plugin they are that u64, so that the order of the numbers
 * is the order on the wire; people and lightningd see `539268x845x1`.
 */
export type ShortChannelId = bigint;

const PATTERN = /^(0|[1-9][0-9]{0,7})x(0|[1-9][0-9]{0,7})x(0|[1-9][0-9]{0,4})$/;
const U24_MAX = 0xffffff;
const U16_MAX = 0xffff;

/** Reads `BLOCKxTRANSACTIONxOUTPUT`; `undefined` when the text is no short channel id. */
export function parseShortChannelId(text: string): ShortChannelId | undefined {
  const match = PATTERN.exec(text);
  if (match === null) return undefined;
  const block = Number(match[1]);
  const transaction = Number(match[2]);
  const output = Number(match[3]);
  if (block > U24_MAX || transaction > U24_MAX || output > U16_MAX) return undefined;
  return (BigInt(block) << 40n) | (BigInt(transaction) << 16n) | BigInt(output);
}

/** Writes `BLOCKxTRANSACTIONxOUTPUT`. `id` is a u64. */
export function formatShortChannelId(id: ShortChannelId): string {
  return `${id >> 40n}x${(id >> 16n) & 0xffffffn}x${id & 0xffffn}`;
}

/** The height of the block that holds the channel's funding transaction. */
export function blockHeightOf(id: ShortChannelId): number {
  return Number(id >> 40n);
}

/** The lower of two ids first: for `sort`. */
export function compareShortChannelIds(a: ShortChannelId, b: ShortChannelId): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
