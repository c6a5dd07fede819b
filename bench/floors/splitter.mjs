/**
 * Splits a stream of JSON texts that end in blank lines, as lightningd writes them. A blank line may also stand inside
 * a text: what does not parse up to one is tried again up to the next. Simple and correct for what lightningd sends,
 * but a text that never parses is kept for ever, and one of many blank lines costs quadratic time.
 */
export class Splitter {
  #rest = Buffer.alloc(0);

  /** Takes the next bytes and returns the parsed texts that they complete. */
  push(chunk) {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const parsed = [];
    let start = 0;
    let end = bytes.indexOf('\n\n');
    while (end !== -1) {
      try {
        parsed.push(JSON.parse(bytes.toString('utf8', start, end)));
        start = end + 2;
      } catch {
        // Not its end yet.
      }
      end = bytes.indexOf('\n\n', end + 2);
    }
    this.#rest = bytes.subarray(start);
    return parsed;
  }
}
