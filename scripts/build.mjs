// Bundles each plugin into dist/, which starts three times as fast as the sources do. Runs at `npm ci` and `npm install`.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { buildPage } from '../src/picture/build-page.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

// foafgraph's page first: a bundle that is newer than the sources is complete.
const { script, style } = await buildPage(root);
mkdirSync(join(root, 'dist'), { recursive: true });
for (const [name, text] of [
  ['picture.js', script],
  ['picture.css', style],
]) {
  const file = join(root, 'dist', name);
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

for (const name of ['balancesharing', 'jitrouting']) {
  const outfile = join(root, 'dist', `${name}.cjs`);
  await build({
    stdin: {
      // esbuild would copy the shell's line into the bundle.
      contents: readFileSync(join(root, `${name}.ts`), 'utf8').replace(/^#!.*/, ''),
      loader: 'ts',
      resolveDir: root,
      sourcefile: `${name}.ts`,
    },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    // What only the sources need, which bundle the page themselves (src/picture/page-script.ts).
    define: { IS_BUNDLE: 'true' },
    external: ['esbuild'],
    outfile: `${outfile}.new`,
    // Less to read and to compile at each start; names stay, for stack traces.
    minifyWhitespace: true,
    minifySyntax: true,
    logLevel: 'warning',
  });
  // A plugin that starts meanwhile sees the old one or the new one, never half of it.
  renameSync(`${outfile}.new`, outfile);
}
