// npm run pack: makes the package that is installed with `npm install -g`, and prints the name of its file. All that the
// plugins need is in their bundles, so it names no dependencies and has no scripts: who installs it gets one package.
//
// Hazard: `npm publish` here would offer the repository's own package.json, whose dependencies and scripts npm would
// install and run beside the bundles for nothing. So that is `private`; only what is packed here is not.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

await import('./build.mjs');

const root = fileURLToPath(new URL('..', import.meta.url));
const readJson = name => JSON.parse(readFileSync(join(root, name), 'utf8'));

/** Made here, beside what `files` names. */
const LICENCES = 'dist/LICENSES.txt';

/** The licences of what is in the bundles, which have to come with it. */
function licences() {
  return Object.entries(readJson('package-lock.json').packages)
    .filter(([path, { dev, optional, devOptional }]) => path !== '' && !(dev || optional || devOptional))
    .map(([path, { version }]) => {
      const file = readdirSync(join(root, path)).find(name => /^licen[cs]e(\.md|\.txt)?$/i.test(name));
      if (file === undefined) throw new Error(`${path} has no licence`);
      const text = readFileSync(join(root, path, file), 'utf8').trim();
      return `${path.replace(/.*node_modules\//, '')} ${version}\n\n${text}\n`;
    })
    .join(`\n${'-'.repeat(80)}\n\n`);
}

const folder = mkdtempSync(join(tmpdir(), 'balancesharing-pack-'));
try {
  const { name, version, description, license, type, bin, files, engines } = readJson('package.json');
  for (const file of [...files, 'README.md', 'LICENSE']) {
    cpSync(join(root, file), join(folder, file), { recursive: true });
  }
  writeFileSync(join(folder, LICENCES), licences());
  const shipped = { name, version, description, license, type, bin, files: [...files, LICENCES], engines };
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(shipped, null, 2)}\n`);
  execFileSync('npm', ['pack', '--loglevel=warn', folder], { stdio: 'inherit' });
} finally {
  rmSync(folder, { recursive: true });
}
