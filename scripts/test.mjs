// Runs the tests: all of them, or those whose path holds one of the arguments. Files are given to node by name, since
// Node 20 knows no patterns and Node 22 no folders. The last line says which tests could not run here, and why.
import { spawn } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
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

const fixtures = ['funds.json', 'channels.json'].filter(name => existsSync(join(root, name)));
if (fixtures.length > 0) {
  console.error(
    `${fixtures.join(' and ')} beside balancesharing.ts would replace the tests' channels: move them away`,
  );
  process.exit(1);
}

// With a bundle that is older than the sources every plugin that a test starts would go through tsx.
await import('./build.mjs');

const args = [
  '--import',
  'tsx',
  '--test',
  ...(process.stdout.isTTY ? ['--test-reporter=spec'] : []),
  ...files,
];
const runner = spawn(process.execPath, args, { cwd: root, stdio: ['inherit', 'pipe', 'inherit'] });
// The runner's closing lines say how many tests were skipped.
let closing = '';
runner.stdout.on('data', chunk => {
  process.stdout.write(chunk);
  closing = (closing + chunk).slice(-2000);
});
runner.on('close', status => {
  const skipped = Number(/skipped (\d+)/.exec(closing)?.[1] ?? 0);
  const missing = REAL_NODE_PROGRAMS.filter(program => !isOnPath(program));
  const isReady = missing.length === 0;
  const reasons = [
    ...(missing.length > 0
      ? [`those on real nodes, since ${missing.join(', ')} cannot be found on PATH`]
      : []),
    ...(isReady && !isOnPath('reckless') ? ['that of reckless, since it cannot be found on PATH'] : []),
    ...(BROWSERS.some(isOnPath)
      ? []
      : [`those of the picture in a browser, since none of ${BROWSERS.join(', ')} is on PATH`]),
    ...(process.env.AUTORELOAD ? [] : ['that of autoreload, since AUTORELOAD does not name autoreload.py']),
  ];
  console.log(
    skipped === 0 ? 'No test was left out.' : `Left out: ${skipped} of the tests: ${reasons.join('; ')}.`,
  );
  process.exitCode = status ?? 1;
});
