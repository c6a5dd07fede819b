/**
 * The page's script and style: out of `dist/` for the plugin that scripts/build.mjs bundled, which made them together
 * with it; bundled now for the plugin that runs from its sources, so that the two always belong together.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PageParts } from './html.ts';

/** True in the bundle: scripts/build.mjs puts it in. */
declare const IS_BUNDLE: boolean | undefined;

let parts: Promise<PageParts> | undefined;

/** @param root the folder of the plugin's own file */
export function pageParts(root: string): Promise<PageParts> {
  parts ??= read(root).catch((error: unknown) => {
    parts = undefined;
    throw error;
  });
  return parts;
}

async function read(root: string): Promise<PageParts> {
  if (typeof IS_BUNDLE === 'undefined') {
    const { buildPage } = await import('./build-page.mjs');
    return await buildPage(root);
  }
  const [script, style] = await Promise.all(
    ['picture.js', 'picture.css'].map(file => readFile(join(root, 'dist', file), 'utf8')),
  );
  return { script: script ?? '', style: style ?? '' };
}
