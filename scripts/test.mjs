// Runs the tests: all of them, or those whose path holds one of the arguments. Files are given to node by name, since
// Node 20 knows no patterns and Node 22 no folders. The last line says which tests could not run here, and why.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const REAL_NODE_PROGRAMS = ['lightningd', 'lightning-cli', 'bitcoind', 'bitcoin-cli'];

function isOnPath(program) {
  return (process.env.PATH ?? '').split(delimiter).some(folder => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

const wanted = process.argv.slice(2);
const files = readdirSync(join(root, 'test'), { recursive: true })
  .map(String)
  .filter(file => file.endsWith('.test.ts'))
  .map(file => join('test', file))
  .filter(file => wanted.length === 0 || wanted.some(part => file.includes(part)))
  .sort();
if (files.length === 0) {
  console.error(`no test file's path holds ${wanted.join(' or ')}`);
  process.exit(1);
}

// With a bundle that is older than the sources every plugin that a test starts would go through tsx.
await import('./build.mjs');

const { status, signal } = spawnSync(process.execPath, ['--import', 'tsx', '--test', ...files], {
  cwd: root,
  stdio: 'inherit',
});
const missing = REAL_NODE_PROGRAMS.filter(program => !isOnPath(program));
const left = files.filter(file => file.startsWith(join('test', 'regtest')));
if (missing.length > 0 && left.length > 0) {
  console.log(
    `Left out: the tests on real nodes in ${left.length} files, because ${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} not on PATH.`,
  );
} else {
  console.log(
    left.length > 0 ? 'Nothing was left out: the tests on real nodes ran too.' : 'Nothing was left out.',
  );
}
process.exit(signal === null ? (status ?? 1) : 1);
