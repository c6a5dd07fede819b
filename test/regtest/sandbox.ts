/**
 * A temporary folder and the processes that work in it, neither of which may outlive the test process.
 *
 * Hazards guarded against: lightningd starts a dozen children, so whole process groups are killed, never one
 * process; a signal or an exception may end the test process between any two lines, so everything is written down
 * before it is needed; and a test process that dies of SIGKILL runs no handler at all, so a small shell, the guard,
 * waits for its end and clears up after it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Room for the longest socket path below the folder; a longer one than this does not fit in `sun_path` (macOS: 104). */
const LONGEST_FOLDER_PATH = 76;

/** Ends when the test process does, however that comes about: the pipe on its stdin closes. */
const GUARD = `cat >/dev/null
for group in "$1"/groups/*; do [ -e "$group" ] && kill -s KILL -- "-\${group##*/}" 2>/dev/null; done
for try in 1 2 3 4 5; do rm -rf -- "$1" && break; sleep 1; done`;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const open = new Set<Sandbox>();
let watching = false;

function clearEverything(): void {
  for (const sandbox of open) sandbox.clear();
}

function clearAndDie(signal: NodeJS.Signals): void {
  clearEverything();
  process.off(signal, clearAndDie);
  // Somebody else who handles the signal (node:test does) decides about the end; else it is what it was without us.
  if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
}

function watchForTheEnd(): void {
  if (watching) return;
  watching = true;
  process.on('exit', clearEverything);
  for (const signal of SIGNALS) process.on(signal, clearAndDie);
}

/** Whether a process of a group still runs; zombies that nobody reaps (containers without an init) do not count. */
export function isGroupAlive(group: number): boolean {
  try {
    process.kill(-group, 0);
  } catch {
    return false;
  }
  if (!existsSync('/proc/self/stat')) return true;
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      // "pid (name, which may hold anything) state parent group …"
      const [state, , itsGroup] =
        readFileSync(`/proc/${entry}/stat`, 'latin1').split(') ').at(-1)?.split(' ') ?? [];
      if (Number(itsGroup) === group && state !== 'Z' && state !== 'X') return true;
    } catch {
      // It ended while we looked.
    }
  }
  return false;
}

/** A handle of ours must not keep a test process alive that has nothing left to do. */
export function unref(handle: unknown): void {
  if (handle instanceof Socket) handle.unref();
}

/** A folder below the system's temporary one, and the process groups started in it. */
export class Sandbox {
  /** Absolute path, short enough for unix sockets two levels below. */
  readonly directory: string;
  readonly #groups = new Set<number>();
  readonly #guard: ChildProcess;

  /** @throws Error if the system's temporary folder has so long a path that unix sockets cannot be made in it. */
  constructor() {
    watchForTheEnd();
    this.directory = mkdtempSync(join(tmpdir(), 'bs-'));
    open.add(this);
    if (this.directory.length > LONGEST_FOLDER_PATH) {
      this.clear();
      throw new Error(`unix sockets cannot be made in ${this.directory}: set TMPDIR to a shorter path`);
    }
    mkdirSync(join(this.directory, 'groups'));
    // In a session of its own, lest a terminal's Ctrl-C ends it together with those it has to survive.
    this.#guard = spawn('sh', ['-c', GUARD, 'sh', this.directory], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.#guard.on('error', () => {}); // Without a shell there is no guard; the handlers above still clear up.
    this.#guard.unref();
    unref(this.#guard.stdin);
  }

  /**
   * Starts a program as leader of a process group of its own, its output on pipes.
   *
   * @returns the child, which does not keep the test process alive.
   */
  spawn(command: string, args: readonly string[]): ChildProcess {
    const env = { ...process.env };
    // The runner's mark for its test files; a plugin written in JavaScript is none.
    Reflect.deleteProperty(env, 'NODE_TEST_CONTEXT');
    const child = spawn(command, args, {
      cwd: this.directory,
      detached: true,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    if (child.pid !== undefined) {
      this.#groups.add(child.pid);
      writeFileSync(this.#noteOf(child.pid), '');
    }
    child.unref();
    unref(child.stdout);
    unref(child.stderr);
    return child;
  }

  /** Kills whatever still runs in a group. */
  killGroup(group: number): void {
    if (!this.#groups.has(group)) return; // Its number may belong to somebody else by now.
    try {
      process.kill(-group, 'SIGKILL');
    } catch {
      // Nobody left.
    }
  }

  /**
   * Waits until nobody of a group is left. It polls, as nothing tells of the end of processes that are not our own
   * children.
   *
   * @returns false if somebody still runs after `timeoutMs` milliseconds.
   */
  async groupEnds(group: number, timeoutMs: number): Promise<boolean> {
    const deadline = performance.now() + timeoutMs;
    while (isGroupAlive(group)) {
      if (performance.now() > deadline) return false;
      await delay(10);
    }
    this.#groups.delete(group);
    rmSync(this.#noteOf(group), { force: true });
    return true;
  }

  /** Kills everything that was started here, removes the folder, and waits until all that has come about. */
  async destroy(): Promise<void> {
    const groups = [...this.#groups];
    for (const group of groups) this.killGroup(group);
    await Promise.all(groups.map(group => this.groupEnds(group, 10_000)));
    this.clear();
    const guard = this.#guard;
    if (guard.exitCode !== null || guard.signalCode !== null || guard.pid === undefined) return;
    guard.ref();
    const ended = new Promise(resolve => guard.once('exit', resolve));
    guard.stdin?.end();
    await ended;
  }

  /** The same without waiting, for handlers that may not. */
  clear(): void {
    for (const group of this.#groups) this.killGroup(group);
    // A dying process may create a last file while the folder is emptied, hence the retries.
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 25 });
    open.delete(this);
  }

  #noteOf(group: number): string {
    return join(this.directory, 'groups', String(group));
  }
}
