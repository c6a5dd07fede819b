/** One run of a program that is meant to keep running, and the log it writes to its output. */
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Sandbox } from './sandbox.ts';

interface Waiter {
  readonly pattern: RegExp;
  found(line: string): void;
  failed(reason: Error): void;
}

/** How long killed processes may take to be gone. */
const CHILDREN_TIMEOUT_MS = 5000;
/** How much of a log an error shows. */
const TAIL_LINES = 25;

/** Unlike `test`, this has no memory when the pattern is global. */
function matches(line: string, pattern: RegExp): boolean {
  return line.search(pattern) >= 0;
}

/** A log as a list of lines that can be waited for. */
export class Log {
  readonly #name: string;
  readonly #lines: string[] = [];
  readonly #waiters = new Set<Waiter>();
  #closed: Error | undefined;

  /** @param name how messages call whoever writes it. */
  constructor(name: string) {
    this.#name = name;
  }

  /** Number of lines so far: what `from` counts in. */
  get length(): number {
    return this.#lines.length;
  }

  /** Everything from line `from` on. */
  text(from = 0): string {
    return this.#lines.slice(from).join('\n');
  }

  /** Takes lines from a stream until that ends. */
  follow(stream: Readable): void {
    createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on('line', line => {
      this.#lines.push(line);
      for (const waiter of this.#waiters) if (matches(line, waiter.pattern)) waiter.found(line);
    });
  }

  /**
   * The first line, from line `from` on, that matches; one already written counts.
   *
   * @throws Error after `timeoutMs` milliseconds, or as soon as whoever writes the log has ended.
   */
  waitFor(pattern: RegExp, from: number, timeoutMs: number): Promise<string> {
    for (let index = from; index < this.#lines.length; index++) {
      const line = this.#lines[index] ?? '';
      if (matches(line, pattern)) return Promise.resolve(line);
    }
    if (this.#closed) return Promise.reject(this.#closed);
    return new Promise((resolve, reject) => {
      const finish = () => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
      };
      const waiter: Waiter = {
        pattern,
        found: line => {
          finish();
          resolve(line);
        },
        failed: reason => {
          finish();
          reject(reason);
        },
      };
      const timer = setTimeout(
        () => waiter.failed(this.error(`wrote no line like ${pattern} within ${timeoutMs} ms`)),
        timeoutMs,
      );
      this.#waiters.add(waiter);
    });
  }

  /** An error about whoever writes the log, with the log's end. */
  error(what: string, cause?: unknown): Error {
    const tail = this.#lines.slice(-TAIL_LINES).join('\n');
    return new Error(`${this.#name} ${what}; its log ends:\n${tail}`, { cause });
  }

  /** No line will follow: whoever waits, or will, learns why. */
  close(reason: Error): void {
    this.#closed = reason;
    for (const waiter of this.#waiters) waiter.failed(reason);
  }

  /** Lines follow again. */
  reopen(): void {
    this.#closed = undefined;
  }
}

/** One run of a program. Its end is expected only after {@link expectEnd}; any other is a failure. */
export class Daemon {
  /** Resolves when the program has ended and its output is read, with its exit code or signal in words. */
  readonly ended: Promise<string>;
  readonly #sandbox: Sandbox;
  readonly #child: ChildProcess;
  readonly #group: number | undefined;
  #expected = false;
  #running = true;
  #failure: Error | undefined;

  constructor(sandbox: Sandbox, command: string, args: readonly string[], log: Log) {
    log.reopen();
    this.#sandbox = sandbox;
    const child = sandbox.spawn(command, args);
    this.#child = child;
    this.#group = child.pid;
    if (child.stdout) log.follow(child.stdout);
    if (child.stderr) log.follow(child.stderr);
    this.ended = this.#watch(child).then(async how => {
      this.#running = false;
      if (this.#expected) {
        log.close(log.error('was stopped'));
      } else {
        this.#failure = log.error(`ended unexpectedly (${how})`);
        log.close(this.#failure);
        this.kill();
        await this.childrenEnd(CHILDREN_TIMEOUT_MS);
      }
      return how;
    });
  }

  /** The process's id, which is its group's, too; undefined if it could not be started. */
  get pid(): number | undefined {
    return this.#group;
  }

  /** Until its end is known with all that belongs to it: {@link failure} is set at the same moment. */
  get isRunning(): boolean {
    return this.#running;
  }

  /** Why it is gone although nobody asked it to. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** From now on it may end. */
  expectEnd(): void {
    this.#expected = true;
    this.#child.ref(); // Who asked for the end waits for it.
  }

  /** Asks it to end. */
  terminate(): void {
    this.expectEnd();
    this.#child.kill('SIGTERM');
  }

  /** Kills it and all its children. */
  kill(): void {
    this.expectEnd();
    if (this.#group !== undefined) this.#sandbox.killGroup(this.#group);
  }

  /** Whether all its children, too, are gone within `timeoutMs` milliseconds. */
  async childrenEnd(timeoutMs: number): Promise<boolean> {
    return this.#group === undefined || (await this.#sandbox.groupEnds(this.#group, timeoutMs));
  }

  async #watch(child: ChildProcess): Promise<string> {
    const closed = new Promise<void>(resolve => child.once('close', () => resolve()));
    const how = await new Promise<string>(resolve => {
      child.once('error', error => resolve(error.message));
      child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
    });
    // Its last words may still be in the pipe. A child of its own can hold that open for ever, so not without limit.
    let timer: NodeJS.Timeout | undefined;
    const enough = new Promise<void>(resolve => {
      timer = setTimeout(resolve, 500);
    });
    await Promise.race([closed, enough]);
    clearTimeout(timer);
    return how;
  }
}
