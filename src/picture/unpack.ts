/** The other side of `pack`, on the page. */
import { ColumnReader, ID_BYTES, readOfferColumn, SHORT_ID_BYTES } from './columns.ts';
import { type Header, makeOffers, type Picture } from './picture.ts';

const CUT_OFF = '00'.repeat(ID_BYTES - SHORT_ID_BYTES);

/** Reads what `pack` wrote; rejects for anything else. */
export async function unpack(base64: string): Promise<Picture> {
  const deflated = Uint8Array.from(atob(base64), character => character.charCodeAt(0));
  const stream = new Blob([deflated]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  const reader = new ColumnReader(new Uint8Array(await new Response(stream).arrayBuffer()));
  const [textLength = 0, nodeCount = 0] = reader.column();
  // Our own file: `pack` wrote it, and the page's policy lets in nothing else.
  const { names, ...header }: Header = JSON.parse(new TextDecoder().decode(reader.take(textLength)));
  const ids = reader.take(nodeCount * ID_BYTES);
  const nodes = Array.from({ length: nodeCount }, (_, index) => ({
    id: hexOf(ids.subarray(index * ID_BYTES, (index + 1) * ID_BYTES)),
    name: names[index] ?? '',
  }));
  return { ...header, nodes, offers: makeOffers(name => readOfferColumn(name, reader)) };
}

function hexOf(bytes: Uint8Array): string {
  const hex = Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('');
  // Where the file had no room for the whole id the rest is zeros.
  return hex.endsWith(CUT_OFF) ? hex.slice(0, -CUT_OFF.length) : hex;
}
