/**
 * Hazard: these bytes are a stranger's. bolt01's own stream decoder takes quadratic time (seconds for one message of
 * 65 kB) and lets wrong order, duplicates and unknown even types pass, so the stream is walked here, once, left to
 * right, and bolt01 reads only the numbers in each record's header from a slice of bounded length.
 */
import { decodeBigSize, encodeTlvStream } from 'bolt01';
import { WireError } from './wire-error.ts';

/** A BigSize has at most 9 bytes (BOLT 1): 18 hex digits. */
const BIG_SIZE_MAX_HEX = 18;
/** Below this a BigSize is its one byte (BOLT 1, "BigSize"). */
const BIG_SIZE_PREFIXES = 0xfd;

/** One record of a stream: its type and where its value lies in the message, in bytes. */
export interface TlvRecord {
  readonly type: number;
  readonly start: number;
  readonly end: number;
}

interface BigSize {
  readonly value: number;
  readonly length: number;
}

/** Above 2^53 the nearest double: enough to compare it with a length, and the order check looks at the text. */
function readBigSize(hex: string, offset: number): BigSize & { readonly text: string } {
  // Nearly all are of one byte, which bolt01 would take ten times as long to read.
  const first = Number.parseInt(hex.slice(offset * 2, offset * 2 + 2), 16);
  if (first < BIG_SIZE_PREFIXES) return { value: first, length: 1, text: String(first) };
  const encoded = hex.slice(offset * 2, offset * 2 + BIG_SIZE_MAX_HEX);
  try {
    const { decoded, length } = decodeBigSize({ encoded });
    return { value: Number(decoded), length, text: decoded };
  } catch (error) {
    // bolt01 tells its failures apart only by these words; both refuse the message.
    if (error instanceof Error && error.message.startsWith('ExpectedLargerNumber')) {
      throw new WireError('not_minimal', `BigSize at byte ${offset} is longer than its value needs`);
    }
    throw new WireError('truncated', `the message ends inside a BigSize at byte ${offset}`);
  }
}

/**
 * Walks a TLV stream by BOLT 1's rules ("Type-Length-Value Format") from byte `offset` to the end: types strictly
 * ascending, minimal BigSizes, values inside the message, no unknown even type. Unknown odd records are passed over.
 *
 * @param hex the whole message, valid hexadecimal of even length
 * @returns the records with a type in `known`, in order
 * @throws WireError `truncated`, `not_minimal`, `out_of_order` or `unknown_even`
 */
export function decodeTlvStream(hex: string, offset: number, known: ReadonlySet<number>): TlvRecord[] {
  const total = hex.length / 2;
  const records: TlvRecord[] = [];
  let position = offset;
  let previous: { readonly value: number; readonly text: string } | undefined;
  while (position < total) {
    const type = readBigSize(hex, position);
    if (previous !== undefined && !ascends(previous, type)) {
      throw new WireError('out_of_order', `record type ${type.text} follows ${previous.text}`);
    }
    previous = type;
    const length = readBigSize(hex, position + type.length);
    const start = position + type.length + length.length;
    const end = start + length.value;
    if (end > total) {
      throw new WireError(
        'truncated',
        `record ${type.text} says ${length.text} bytes, ${total - start} are left`,
      );
    }
    if (known.has(type.value)) records.push({ type: type.value, start, end });
    else if (isEven(type.text)) throw new WireError('unknown_even', `unknown even record type ${type.text}`);
    position = end;
  }
  return records;
}

/** Doubles decide unless they are too large to tell neighbours apart. */
function ascends(previous: { value: number; text: string }, next: { value: number; text: string }): boolean {
  if (Number.isSafeInteger(next.value)) return next.value > previous.value;
  return BigInt(next.text) > BigInt(previous.text);
}

function isEven(decimal: string): boolean {
  return (decimal.charCodeAt(decimal.length - 1) & 1) === 0;
}

/** Writes records as one TLV stream, in ascending order of their types; values are hex. Returns hex. */
export function encodeTlvRecords(
  records: readonly { readonly type: number; readonly value: string }[],
): string {
  return encodeTlvStream({ records: records.map(({ type, value }) => ({ type: String(type), value })) })
    .encoded;
}
