/** What nobody should send: every kind of malformed message of type 347, the same in every run. */

import { encodeMessage } from '../../src/wire/codec.ts';
import { CHAIN_HASH, query, scids } from './friends.ts';

const TYPE = '015b';
/** The longest message that lightningd sends; with one byte more it would end itself. */
const LARGEST_BYTES = 65_535;

/** A small generator of bytes, so that a failure can be repeated. */
class Noise {
  #state = 0x5eed;

  next(below: number): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.#state / 2 ** 32) * below);
  }

  hex(bytes: number): string {
    return Array.from({ length: bytes }, () => this.next(256).toString(16).padStart(2, '0')).join('');
  }
}

function hexOf(number: number, bytes: number): string {
  return number.toString(16).padStart(bytes * 2, '0');
}

/** A length or a type as a BigSize, below 2^16. */
function bigSize(value: number): string {
  return value < 0xfd ? hexOf(value, 1) : `fd${hexOf(value, 2)}`;
}

function record(type: number, value: string): string {
  return bigSize(type) + bigSize(value.length / 2) + value;
}

const chain = record(0, CHAIN_HASH);
const id = record(1, '0102030405060708');
const flow = record(2, '01');
const amount = record(4, '02faf080');
const timestamp = record(6, '01a201de5e00');
const ids = (value: string) => record(8, value);
const GOOD = TYPE + chain + id + flow + amount;
const [ONE = 0n] = scids('102x1x0');
const one = ONE.toString(16).padStart(16, '0');

/** Wrong in one respect each. */
const CURIOSITIES: readonly string[] = [
  TYPE, // Nothing but a type.
  TYPE + id + flow + amount, // No chain.
  TYPE + chain + id + amount, // No flow.
  TYPE + chain + id + flow, // No amount.
  encodeMessage(query({ chainHash: 'ff'.repeat(32) })), // Well-formed, of a chain that is not ours.
  TYPE + record(0, CHAIN_HASH.slice(2)) + id + flow + amount, // A chain of 31 bytes.
  TYPE + chain + record(1, '01') + flow + amount, // An id of one byte.
  TYPE + chain + id + record(2, '02') + amount, // A third flow.
  TYPE + chain + id + record(2, '') + amount,
  TYPE + chain + id + flow + record(4, ''), // An amount of 0.
  TYPE + chain + id + flow + record(4, '0001'), // Not minimal.
  TYPE + chain + id + flow + record(4, 'ffffffffffffffff'), // More than there is.
  TYPE + chain + id + flow + record(4, '01'.repeat(9)),
  GOOD + timestamp, // A query with a timestamp.
  GOOD + ids(one), // A reply without one.
  GOOD + timestamp + ids(one.slice(2)), // Seven bytes of ids.
  GOOD + timestamp + ids(one + one), // Twice the same.
  GOOD + timestamp + ids(Array.from({ length: 1001 }, (_, index) => hexOf(index + 1, 8)).join('')), // Over 1000.
  `${GOOD}${timestamp}08fdffff${one}`, // 65,535 bytes promised, 8 there.
  `${GOOD}${timestamp}08ffffffffffffffffff${one}`, // 2^64 - 1 promised.
  `${GOOD}08fd0001`, // A length that is not minimal.
  GOOD + record(10, ''), // Unknown even records.
  GOOD + record(254, '00'),
  GOOD + record(65_534, 'ff'.repeat(300)),
  GOOD + id, // Records out of order, and twice.
  TYPE + flow + chain + id + amount,
  TYPE + chain + chain + id + flow + amount,
  `${GOOD}ff`, // Trailing bytes.
  `${GOOD}fe`,
  `${GOOD}09`,
];

/** A valid query that one odd record, unknown and so skipped, fills up to the largest message. */
export function largestQuery(queryId: string): string {
  const start = encodeMessage(query({ queryId }));
  const restBytes = LARGEST_BYTES - start.length / 2 - 4; // The record's type has 1 byte, its length 3.
  return `${start}0bfd${hexOf(restBytes, 2)}${'5a'.repeat(restBytes)}`;
}

/** The largest message, which holds nothing but a huge list of channels. */
export function largestMalformed(): string {
  const start = GOOD + timestamp;
  const restBytes = LARGEST_BYTES - start.length / 2 - 4;
  return `${start}08fd${hexOf(restBytes, 2)}${'01'.repeat(restBytes)}`;
}

/** `count` malformed messages: curiosities, messages cut short, and random bytes in turn. */
export function malformedMessages(count: number): string[] {
  const noise = new Noise();
  const reply = GOOD + timestamp + ids(one);
  return Array.from({ length: count }, (_, index) => {
    const round = Math.floor(index / 3);
    switch (index % 3) {
      case 0:
        return CURIOSITIES[round % CURIOSITIES.length] ?? TYPE;
      case 1:
        // Cut anywhere between the type and the last byte, but not where a whole query would be left.
        return reply.slice(0, 2 * (2 + (round % 50)));
      default:
        return TYPE + noise.hex(1 + noise.next(600));
    }
  });
}
