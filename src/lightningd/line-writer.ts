/**
 * The only writer of a stream to lightningd: of stdout, and of a connection to its RPC.
 *
 * Hazard: anything on stdout that is no JSON-RPC gets a plugin killed, two writers could mix their lines, and a
 * lightningd that does not read must neither block us nor fill our memory. Lines of one turn go out in one write;
 * while the stream is full they wait, and the host stops reading requests until it drains.
 */
import type { Writable } from 'node:stream';

export class LineWriter {
  readonly #stream: Writable;
  readonly #onClog: (clogged: boolean) => void;
  #lines: string[] = [];
  #scheduled = false;
  #clogged = false;

  /** @param onClog told when the stream stops taking more, and when it takes more again */
  constructor(stream: Writable, onClog: (clogged: boolean) => void = () => {}) {
    this.#stream = stream;
    this.#onClog = onClog;
  }

  /** How many lines wait. */
  get backlog(): number {
    return this.#lines.length;
  }

  /** Queues one line, without its end. */
  write(line: string): void {
    this.#lines.push(line);
    if (this.#scheduled || this.#clogged) return;
    this.#scheduled = true;
    // Cheaper than queueMicrotask, which Node.js wraps into a resource of its own.
    Promise.resolve().then(() => this.flush());
  }

  /** Hands what waits to the stream, unless that is full. */
  flush(): void {
    this.#scheduled = false;
    if (this.#clogged || this.#lines.length === 0) return;
    const text = `${this.#lines.join('\n')}\n`;
    this.#lines = [];
    if (this.#stream.write(text)) return;
    this.#clogged = true;
    this.#onClog(true);
    this.#stream.once('drain', () => {
      this.#clogged = false;
      this.#onClog(false);
      this.flush();
    });
  }
}
