// Bundles the page's script and style. In a file that plain Node can run, since scripts/build.mjs does at `npm ci`.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

/**
 * @param {string} root the repository
 * @returns {Promise<{script: string, style: string}>}
 */
export async function buildPage(root) {
  const folder = join(root, 'src', 'picture', 'page');
  const { outputFiles } = await build({
    entryPoints: [join(folder, 'main.ts')],
    bundle: true,
    write: false,
    minify: true,
    platform: 'browser',
    format: 'iife',
    target: ['chrome103', 'firefox113', 'safari16.4'],
    charset: 'ascii',
    legalComments: 'inline',
    logLevel: 'warning',
  });
  const script = outputFiles[0].text;
  // Either would end the script early, whatever it stands in.
  if (/<\/script|<!--/i.test(script)) throw new Error('the script cannot be written inside HTML');
  return { script, style: readFileSync(join(folder, 'style.css'), 'utf8') };
}
