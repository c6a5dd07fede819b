/** Resident memory, against a plugin that does nothing. Linux only: other systems have no /proc to read it from. */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Child } from './child.ts';
import { interleave, type Row, row, type Skipped } from './measure.ts';
import { floorScript, PLUGIN } from './paths.ts';
import { StubRpc } from './stub-rpc.ts';

const ROUNDS = 15;
const BOUND = 1.25;
/** Until what the last request set off has come to rest. */
const SETTLE_MS = 200;

export async function memory(): Promise<(Row | Skipped)[]> {
  if (process.platform !== 'linux') return [{ name: 'memory', skipped: 'only Linux has /proc/PID/status' }];
  using stub = await StubRpc.start();
  const ours = await interleave(ROUNDS, 1, () => residentMb(new Child(PLUGIN)), minimal);
  const started = await interleave(ROUNDS, 1, () => residentMb(new Child(PLUGIN), stub.path), minimal);
  return [
    row('memory, after getmanifest', 'MB', ours, BOUND),
    row('memory, after init', 'MB', started, BOUND),
  ];
}

function minimal(): Promise<number> {
  return residentMb(new Child('node', [floorScript('minimal-plugin.mjs')]));
}

/** After getmanifest and, if there is a socket to tell it of, init. */
async function residentMb(child: Child, rpcPath?: string): Promise<number> {
  await child.getManifest();
  if (rpcPath !== undefined) await child.init(rpcPath);
  await delay(SETTLE_MS);
  const status = readFileSync(`/proc/${child.process.pid}/status`, 'utf8');
  await child.end();
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(status) ?? [];
  if (kilobytes === undefined) throw new Error('no VmRSS in /proc/PID/status');
  return Number(kilobytes) / 1024;
}
