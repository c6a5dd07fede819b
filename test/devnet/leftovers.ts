/** What processes left behind: they are known by the temporary folder that they were given. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { TemporaryFolder } from './temporary-folder.ts';

const PATIENCE_MS = 5000;

/** A temporary folder for one child process and all of its descendants. */
export class Trace extends TemporaryFolder {
  constructor() {
    super('trace-');
  }

  /** Starts Node with tsx in a process group of its own, as a shell starts what Ctrl-C ends. */
  spawn(args: readonly string[], extraEnv: Readonly<Record<string, string>> = {}): ChildProcess {
    const env = { ...process.env, TMPDIR: this.directory, TSX_DISABLE_CACHE: '1', ...extraEnv };
    Reflect.deleteProperty(env, 'NODE_TEST_CONTEXT');
    return spawn(process.execPath, ['--import', 'tsx', ...args], {
      detached: true,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  /**
   * What is left: files, and where /proc tells it, processes (zombies are none).
   *
   * @param patienceMs how long what was killed, and has no parent that waits for it, may take to be gone
   */
  async leftovers(patienceMs = PATIENCE_MS): Promise<string[]> {
    const deadline = performance.now() + patienceMs;
    for (;;) {
      const left = [...readdirSync(this.directory), ...this.#processes()];
      if (left.length === 0 || performance.now() > deadline) return left;
      await delay(20);
    }
  }

  #processes(): string[] {
    if (!existsSync('/proc/self/environ')) return [];
    return readdirSync('/proc').filter(pid => {
      if (!/^\d+$/.test(pid)) return false;
      try {
        const isOurs = readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`TMPDIR=${this.directory}\0`);
        return isOurs && !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
      } catch {
        return false; // It ended while we looked, or is somebody else's.
      }
    });
  }
}

/** Everything that a process writes and how it ends: its status or the signal. */
export async function outcomeOf(child: ChildProcess) {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const how = await new Promise<number | string | null>(resolve => {
    child.once('close', (code, signal) => resolve(signal ?? code));
  });
  return { how, stdout, stderr };
}

/** Sends a signal to a whole process group, as a terminal does. */
export function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid !== undefined) process.kill(-pid, signal);
}
