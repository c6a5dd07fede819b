/** The other side of `pack`, on the page. */
import { ColumnReader, ID_BYTES, readOfferColumn, SHORT_ID_BYTES } from './columns.ts';
import { type Header, makeOffers, type Picture } from './picture.ts';

const CUT_OFF = '00'.repeat(ID_BYTES - SHORT_ID_BYTES);

/** Reads what `pack` wrote; rejects for anything else. */
export async function unpack(base64: string): Promise<Picture> {
  const stream = new Blob([bytesOf(base64)]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  const reader = new ColumnReader(new Uint8Array(await new Response(stream).arrayBuffer()));
  const [textLength = 0, nodeCount = 0] = reader.column();
  // Our own file: `pack` wrote it, and the page's policy lets in nothing else.
  const { names, ...header }: Header = JSON.parse(new TextDecoder().decode(reader.take(textLength)));
  const ids = hexOf(reader.take(nodeCount * ID_BYTES));
  const nodes = Array.from({ length: nodeCount }, (_, index) => ({
    id: wholeOrShort(ids.slice(2 * index * ID_BYTES, 2 * (index + 1) * ID_BYTES)),
    name: names[index] ?? '',
  }));
  return { ...header, nodes, offers: makeOffers(name => readOfferColumn(name, reader)) };
}

/** A loop: for a large file's two million characters `Uint8Array.from` with a callback takes 0.3 s of the page's thread. */
function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index);
  return bytes;
}

/** All ids in one go: a string for each byte would be half a million. */
function hexOf(bytes: Uint8Array): string {
  const digits = new TextEncoder().encode('0123456789abcdef');
  const hex = new Uint8Array(2 * bytes.length);
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index] ?? 0;
    hex[2 * index] = digits[byte >> 4] ?? 0;
    hex[2 * index + 1] = digits[byte & 15] ?? 0;
  }
  return new TextDecoder().decode(hex);
}

/** Where the file had no room for the whole id the rest is zeros. */
function wholeOrShort(id: string): string {
  return id.endsWith(CUT_OFF) ? id.slice(0, -CUT_OFF.length) : id;
}
