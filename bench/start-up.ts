/** How long lightningd waits for us: from spawn to the manifest, against a Node.js that does nothing. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Child } from './child.ts';
import { interleave, type Row, row } from './measure.ts';
import { PLUGIN } from './paths.ts';

const ROUNDS = 40;
const BOUND = 1.5;

export async function startUp(): Promise<Row[]> {
  const samples = await interleave(ROUNDS, 3, untilManifest, untilNodeEnds);
  return [row('start-up, spawn to manifest', 'ms', samples, BOUND)];
}

async function untilManifest(): Promise<number> {
  const startedMs = performance.now();
  const child = new Child(PLUGIN);
  await child.getManifest();
  const tookMs = performance.now() - startedMs;
  await child.end();
  return tookMs;
}

async function untilNodeEnds(): Promise<number> {
  const startedMs = performance.now();
  await once(spawn('node', ['-e', '0'], { stdio: 'pipe' }), 'exit');
  return performance.now() - startedMs;
}
