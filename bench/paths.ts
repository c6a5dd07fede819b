import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = dirname(fileURLToPath(import.meta.url));

/** The repository's folder. */
export const ROOT = join(folder, '..');
/** What lightningd runs. */
export const PLUGIN = join(ROOT, 'balancesharing.ts');
export const JIT_PLUGIN = join(ROOT, 'jitrouting.ts');

/** A plain script of this folder that ours is compared against. */
export function floorScript(name: string): string {
  return join(folder, 'floors', name);
}

/** Answers RPC calls at length: see there. */
export const ANSWER_SERVER = join(folder, 'answer-server.mjs');
