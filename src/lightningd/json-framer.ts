/**
 * Cuts a byte stream into JSON texts, by their structure alone.
 *
 * Hazard: lightningd splits and joins its messages anywhere, a user's own JSON may hold blank lines, and an answer can
 * have 20 MB. So nothing here depends on line ends, every byte is looked at once, strings are jumped over, and the
 * chunks of an unfinished text are kept as they came until it ends.
 */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const NEWLINE = 0x0a;
const SPACE = 0x20;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const MINUS = 0x2d;
const PLUS = 0x2b;
const POINT = 0x2e;
const LOWER_E = 0x65;
const UPPER_E = 0x45;

/** Most strings are shorter: walking them costs less than a call of `indexOf`. */
const SHORT_STRING = 24;
/** An integer of fewer digits fits into a double: 2^53 has 16. */
const LONG_INTEGER_DIGITS = 16;

/** One JSON text. */
export interface JsonFrame {
  readonly bytes: Buffer;
  /** Where integers of 16 digits and more lie: start and end of each in turn, in bytes. */
  readonly longIntegers: readonly number[];
}

export class JsonFramer {
  #parts: Buffer[] = [];
  /** Bytes of the unfinished text that lie in earlier chunks. */
  #before = 0;
  #depth = 0;
  #inString = false;
  /** Whether an odd number of backslashes ends what was seen of the current string. */
  #escaped = false;
  /** Where the current number begins in its text, or -1 outside numbers. */
  #numberStart = -1;
  #isInteger = true;
  /** The length from which the current number is a long integer: its sign counts too. */
  #longLength = LONG_INTEGER_DIGITS;
  #longIntegers: number[] = [];
  #garbage = false;
  readonly #onGarbage: () => void;

  /** @param onGarbage told once per line that begins with something else than an object or an array; it is skipped */
  constructor(onGarbage: () => void = () => {}) {
    this.#onGarbage = onGarbage;
  }

  /** Takes the next bytes of the stream and returns the texts that they complete. */
  push(chunk: Buffer): JsonFrame[] {
    const frames: JsonFrame[] = [];
    let start = 0;
    let at = 0;
    while (at < chunk.length) {
      if (this.#depth === 0) {
        at = this.#findStart(chunk, at);
        start = at;
        if (at === chunk.length) break;
        this.#depth = 1;
        at++;
        continue;
      }
      at = this.#inString ? this.#skipString(chunk, at) : this.#walk(chunk, at, start);
      if (this.#depth === 0) {
        frames.push(this.#finish(chunk.subarray(start, at)));
        start = at;
      }
    }
    if (this.#depth > 0 && start < chunk.length) {
      this.#parts.push(chunk.subarray(start));
      this.#before += chunk.length - start;
    }
    return frames;
  }

  /** Between texts: the next opening brace or bracket; anything else but white space is garbage up to its line's end. */
  #findStart(chunk: Buffer, from: number): number {
    let at = from;
    for (; at < chunk.length; at++) {
      const byte = chunk[at] as number;
      if (byte === NEWLINE) this.#garbage = false;
      else if (this.#garbage || byte <= SPACE) continue;
      else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) return at;
      else {
        this.#garbage = true;
        this.#onGarbage();
      }
    }
    return at;
  }

  /** Inside a string: to behind its closing quote, or to the chunk's end. */
  #skipString(chunk: Buffer, from: number): number {
    let at = from;
    if (!this.#escaped) {
      const near = Math.min(chunk.length, at + SHORT_STRING);
      while (at < near && chunk[at] !== QUOTE && chunk[at] !== BACKSLASH) at++;
      if (at < near && chunk[at] === QUOTE) {
        this.#inString = false;
        return at + 1;
      }
    }
    for (;;) {
      const quote = chunk.indexOf(QUOTE, at);
      const end = quote === -1 ? chunk.length : quote;
      let backslashes = 0;
      while (end - backslashes > at && chunk[end - backslashes - 1] === BACKSLASH) backslashes++;
      // A run that reaches back to where we came from continues what was there.
      if (end - backslashes === at && this.#escaped) backslashes++;
      this.#escaped = backslashes % 2 === 1;
      if (quote === -1) return chunk.length;
      at = quote + 1;
      if (!this.#escaped) {
        this.#inString = false;
        return at;
      }
      this.#escaped = false;
    }
  }

  /** Outside strings: to the next string, to the text's end, or to the chunk's. */
  #walk(chunk: Buffer, from: number, start: number): number {
    const offset = this.#before - start;
    let at = from;
    for (; at < chunk.length; at++) {
      const byte = chunk[at] as number;
      if (byte >= DIGIT_0 && byte <= DIGIT_9) {
        if (this.#numberStart < 0) this.#beginNumber(at + offset);
        continue;
      }
      if (this.#numberStart >= 0) {
        if (byte === POINT || byte === LOWER_E || byte === UPPER_E || byte === PLUS || byte === MINUS) {
          this.#isInteger = false;
          continue;
        }
        this.#endNumber(at + offset);
      }
      if (byte === QUOTE) {
        this.#inString = true;
        this.#escaped = false;
        return at + 1;
      }
      if (byte === OPEN_BRACE || byte === OPEN_BRACKET) this.#depth++;
      else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
        this.#depth--;
        if (this.#depth === 0) return at + 1;
      } else if (byte === MINUS) this.#beginNumber(at + offset, 1);
    }
    return at;
  }

  #beginNumber(position: number, signLength = 0): void {
    this.#numberStart = position;
    this.#isInteger = true;
    this.#longLength = LONG_INTEGER_DIGITS + signLength;
  }

  #endNumber(end: number): void {
    if (this.#isInteger && end - this.#numberStart >= this.#longLength) {
      this.#longIntegers.push(this.#numberStart, end);
    }
    this.#numberStart = -1;
  }

  #finish(last: Buffer): JsonFrame {
    const bytes = this.#parts.length === 0 ? last : Buffer.concat([...this.#parts, last]);
    const frame = { bytes, longIntegers: this.#longIntegers };
    this.#parts = [];
    this.#before = 0;
    this.#longIntegers = [];
    return frame;
  }
}

/**
 * Parses a frame. Integers of 16 digits and more, which a double might not hold, become strings of their digits.
 *
 * @throws SyntaxError
 */
export function parseFrame({ bytes, longIntegers }: JsonFrame): unknown {
  if (longIntegers.length === 0) return JSON.parse(bytes.toString('utf8'));
  const pieces: string[] = [];
  let position = 0;
  for (const border of longIntegers) {
    pieces.push(bytes.toString('utf8', position, border));
    position = border;
  }
  pieces.push(bytes.toString('utf8', position));
  // Every border lies between a number and what surrounds it, outside all strings: a quote there closes or opens one.
  return JSON.parse(pieces.join('"'));
}
