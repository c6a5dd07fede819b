/** Pictures as foafgraph writes them. */
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { buildPage } from '../../src/picture/build-page.mjs';
import { factsBudget, type PageParts, pageOf } from '../../src/picture/html.ts';
import { pack } from '../../src/picture/pack.ts';
import type { PictureFacts } from '../../src/picture/picture.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export const BREAKS = { nowMs: () => performance.now(), pause: () => setImmediate() };

let built: Promise<PageParts> | undefined;

export async function draw(facts: PictureFacts): Promise<string> {
  built ??= buildPage(ROOT);
  const parts = await built;
  const { pieces } = await pack(facts, factsBudget(parts), BREAKS);
  return pageOf(parts, pieces).join('');
}
