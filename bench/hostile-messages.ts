/** Messages of the greatest length that are void but show it as late as they can. */
import { encodeBigSize } from 'bolt01';
import { chainHashOf } from '../src/wire/chain-hash.ts';
import { MAX_MESSAGE_BYTES } from '../src/wire/codec.ts';

export interface HostileMessage {
  readonly name: string;
  readonly hex: string;
  /** The BigSizes in the headers of its records, each alone. */
  readonly headers: readonly string[];
}

/** A record in hex. */
interface TlvRecord {
  readonly type: string;
  readonly length: string;
  readonly value: string;
}

/** What is wrong with the last record: its value is missing, or its type is that of the one before. */
type Flaw = 'cut off' | 'repeated';

const TYPE = '015b';
const QUERY: readonly TlvRecord[] = [
  { type: '00', length: '20', value: chainHashOf('regtest') ?? '' },
  { type: '01', length: '08', value: '0102030405060708' },
  { type: '02', length: '01', value: '01' },
  { type: '04', length: '04', value: '02faf080' },
];
const REPLY: readonly TlvRecord[] = [
  ...QUERY,
  { type: '06', length: '01', value: '01' },
  {
    type: '08',
    length: 'fd1f40',
    value: Array.from({ length: 1000 }, (_, index) => index.toString(16).padStart(16, '0')).join(''),
  },
];

/** Candidates for the message that takes longest to refuse. */
export function hostileMessages(): HostileMessage[] {
  return [
    hostile('empty records, the last cut off', QUERY, 9n, 'cut off'),
    hostile('empty records, the last repeated', QUERY, 9n, 'repeated'),
    hostile('empty records and no others, cut off', [], 3n, 'cut off'),
    hostile('empty records of 5-byte types, cut off', QUERY, 0x1_0001n, 'cut off'),
    hostile('empty records of 9-byte types, cut off', QUERY, 0x1_0000_0001n, 'cut off'),
    hostile('empty records of types over 2^53, repeated', QUERY, 0xffff_ffff_0000_0001n, 'repeated'),
    hostile('1000 channels and empty records, repeated', REPLY, 9n, 'repeated'),
  ];
}

/** After `start`, empty records of all odd types from `firstType` on, as many as fit. */
function hostile(name: string, start: readonly TlvRecord[], firstType: bigint, flaw: Flaw): HostileMessage {
  const records = [...start];
  let type = firstType;
  let left = MAX_MESSAGE_BYTES - bytesOf(TYPE) - sum(start);
  const sizeOf = (number: bigint) => bytesOf(bigSize(number)) + 1;
  // Room for this one, for the last, which has the same size or the next, and for the odd bytes between.
  while (left >= sizeOf(type) + 2 * sizeOf(type + 2n)) {
    records.push({ type: bigSize(type), length: '00', value: '' });
    left -= sizeOf(type);
    type += 2n;
  }
  const last = flaw === 'repeated' ? type : type + 2n;
  const valueBytes = left - sizeOf(type) - sizeOf(last);
  records.push({ type: bigSize(type), length: bigSize(BigInt(valueBytes)), value: '00'.repeat(valueBytes) });
  records.push({ type: bigSize(last), length: flaw === 'repeated' ? '00' : '01', value: '' });
  const hex = TYPE + records.map(({ type, length, value }) => type + length + value).join('');
  if (bytesOf(hex) !== MAX_MESSAGE_BYTES) throw new Error(`${name}: ${bytesOf(hex)} bytes`);
  return { name, hex, headers: records.flatMap(({ type, length }) => [type, length]) };
}

function bigSize(number: bigint): string {
  return encodeBigSize({ number: number.toString() }).encoded;
}

function bytesOf(hex: string): number {
  return hex.length / 2;
}

function sum(records: readonly TlvRecord[]): number {
  return records.reduce((bytes, { type, length, value }) => bytes + bytesOf(type + length + value), 0);
}
