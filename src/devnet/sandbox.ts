/**
 * A temporary folder and the processes that work in it, neither of which may outlive this process.
 *
 * Hazard: Ctrl-C, an exception or a forgotten wait may end this process between any two lines. So folder and processes
 * are written down the moment they exist, and handlers for signals and for the end clear them up without waiting for
 * anything. Plugins run in process groups of their own: a terminal's Ctrl-C reaches only us, and whatever they start
 * ends with them. After SIGKILL no handler runs: plugins end with their stdin, and a small shell removes the folder.
 */
import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** Waits for our end, however that comes about: then the pipe on its stdin closes. */
const GUARD = 'cat >/dev/null; rm -rf -- "$1"';
/** Room for `/NAME/regtest/lightning-rpc` below; a unix socket's address holds 103 bytes on macOS. */
const LONGEST_FOLDER_PATH = 68;
/** What `mkdtemp` adds to a path. */
const RANDOM_PART = 6;

const open = new Set<Sandbox>();
let watching = false;

function clearEverything(): void {
  for (const sandbox of open) sandbox.clear();
}

function clearAndDie(signal: NodeJS.Signals): void {
  clearEverything();
  process.off(signal, clearAndDie);
  // If somebody else handles the signal (node:test does), the end is theirs; else it is what it was without us.
  if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
}

function watchForTheEnd(): void {
  if (watching) return;
  watching = true;
  process.on('exit', clearEverything);
  for (const signal of SIGNALS) process.on(signal, clearAndDie);
}

/** Kills a process with all that it started. */
function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody left.
  }
}

export class Sandbox {
  /** Absolute path. */
  readonly directory: string;
  /** Those that run, each with what resolves at its end. */
  readonly #children = new Map<ChildProcess, Promise<void>>();
  readonly #guard: ChildProcess;

  /** @throws Error if the system's temporary folder has so long a path that unix sockets cannot be made in it */
  constructor() {
    const template = join(tmpdir(), 'devnet-');
    if (Buffer.byteLength(template) + RANDOM_PART > LONGEST_FOLDER_PATH) {
      throw new Error(`unix sockets cannot be made below ${tmpdir()}: set TMPDIR to a shorter path`);
    }
    watchForTheEnd();
    this.directory = mkdtempSync(template);
    open.add(this);
    this.#guard = spawn('sh', ['-c', GUARD, 'sh', this.directory], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.#guard.on('error', () => {}); // Without a shell there is no guard; the handlers still clear up.
    this.#guard.unref();
    if (this.#guard.stdin instanceof Socket) this.#guard.stdin.unref();
  }

  /** Starts a program, its stdio on pipes. */
  spawn(command: string, args: readonly string[], directory: string): ChildProcessWithoutNullStreams {
    if (!open.has(this)) throw new Error('the sandbox is closed');
    const env = { ...process.env };
    // The runner's mark for its test files; a plugin written in JavaScript is none.
    Reflect.deleteProperty(env, 'NODE_TEST_CONTEXT');
    const child = spawn(command, args, { cwd: directory, detached: true, env });
    const ended = new Promise<void>(resolve => {
      // What it started must not keep its pipes open.
      child.once('exit', () => killGroup(child));
      child.once('close', resolve);
      child.once('error', () => resolve());
    });
    this.#children.set(
      child,
      ended.then(() => {
        this.#children.delete(child);
      }),
    );
    return child;
  }

  /** Kills a process with all that it started. */
  kill(child: ChildProcess): void {
    if (this.#children.has(child)) killGroup(child);
  }

  /** Kills everything that was started here, waits for its end, and removes the folder. */
  async destroy(): Promise<void> {
    const ends = [...this.#children.values()];
    const guard = this.#guard;
    if (guard.exitCode === null && guard.signalCode === null && guard.pid !== undefined) {
      guard.ref();
      ends.push(new Promise(resolve => guard.once('exit', () => resolve())));
    }
    this.clear();
    await Promise.all(ends);
  }

  /** The same without waiting, for handlers that may not. */
  clear(): void {
    for (const child of this.#children.keys()) killGroup(child);
    killGroup(this.#guard);
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 25 });
    open.delete(this);
  }
}
