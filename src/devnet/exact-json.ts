/**
 * JSON to values without loss.
 *
 * Hazard: amounts may exceed 2^53 and pass through the stand-in node from a plugin to a client; a double on the way
 * would change their last digits. Integers of 16 digits and more become bigints, which `jsonText` writes as they came.
 */
import type { JsonFrame } from '../lightningd/json-framer.ts';

/** Marks a long integer on its way through JSON.parse; no text of a plugin begins with this character. */
const MARK = '\u0001';

/** @throws SyntaxError when the frame is no JSON */
export function parseExactly({ bytes, longIntegers }: JsonFrame): unknown {
  if (longIntegers.length === 0) return JSON.parse(bytes.toString('utf8'));
  const pieces: string[] = [];
  let position = 0;
  longIntegers.forEach((border, index) => {
    pieces.push(bytes.toString('utf8', position, border), index % 2 === 0 ? '"\\u0001' : '"');
    position = border;
  });
  pieces.push(bytes.toString('utf8', position));
  return JSON.parse(pieces.join(''), (_key, value: unknown) =>
    typeof value === 'string' && value.startsWith(MARK) ? BigInt(value.slice(MARK.length)) : value,
  );
}
