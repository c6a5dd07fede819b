/** How the executable starts: from where, out of what, and what it says when it cannot. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { sampleMethods } from './sample-node.ts';
import { cleanEnvironment, ENTRY, type Exit, StubLightningd, type StubOptions } from './stub-lightningd.ts';
import { temporaryFolder } from './temporary-folder.ts';

const ROOT = dirname(ENTRY);
const BUNDLE = join('dist', 'balancesharing.cjs');
/** Written by a bundle so that one can tell that it ran. */
const FROM_BUNDLE = 'from the bundle';

/** Long ago, and yet to come. */
const PAST = new Date('2020-01-01');
const FUTURE = new Date(Date.now() + 86_400_000);

const folder = temporaryFolder();

interface Copy {
  readonly root: string;
  readonly entry: string;
}

/** The repository's files that the plugin needs, in a folder with spaces in its name. */
function copy(name: string, { packages }: { packages: boolean }): Copy {
  const root = join(folder, `copy of it, ${name}`);
  for (const file of ['balancesharing.ts', 'jitrouting.ts', 'package.json', 'src', 'scripts']) {
    cpSync(join(ROOT, file), join(root, file), { recursive: true });
  }
  if (packages) symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'));
  return { root, entry: join(root, 'balancesharing.ts') };
}

/** Builds as `npm ci` does, and marks the bundle. */
async function build({ root }: Copy): Promise<void> {
  const script = join(root, 'scripts', 'build.mjs');
  await promisify(execFile)(process.execPath, [script], { env: cleanEnvironment() });
  appendFileSync(join(root, BUNDLE), `;process.stderr.write(${JSON.stringify(FROM_BUNDLE)});`);
}

/** Whether it works: through init to a command's answer. */
async function works(stub: StubLightningd): Promise<void> {
  await stub.ready({ options: { 'foaf-timeout': 1 } });
  const { code } = await stub.refusal('foafbalance', [1, 0]);
  assert.equal(code, -32602);
}

/** Starts it, sees that it works, and returns whether the bundle ran. */
async function startsFromBundle(test: Parameters<typeof StubLightningd.start>[0], options: StubOptions) {
  const stub = await StubLightningd.start(test, { methods: sampleMethods(), ...options });
  await works(stub);
  return stub.stderr.includes(FROM_BUNDLE);
}

/** Starts it and waits for its end. */
async function endOf(test: Parameters<typeof StubLightningd.start>[0], options: StubOptions) {
  const stub = await StubLightningd.start(test, options);
  const exit: Exit = await stub.ended();
  return { exit, stderr: stub.stderr };
}

describe('the bundle', () => {
  const built = copy('with a bundle', { packages: true });
  before(() => build(built));

  test('runs when it is newer than every source', async t => {
    assert.equal(await startsFromBundle(t, { entry: built.entry }), true);
  });

  test('runs through a link elsewhere, from a folder elsewhere', async t => {
    const link = join(folder, 'a link');
    symlinkSync(built.entry, link);
    assert.equal(await startsFromBundle(t, { entry: link, cwd: '/' }), true);
    const linkToLink = join(folder, 'another');
    symlinkSync('a link', linkToLink);
    assert.equal(await startsFromBundle(t, { entry: linkToLink }), true);
  });

  test('runs by a path that is relative to the working directory', async t => {
    assert.equal(await startsFromBundle(t, { entry: './balancesharing.ts', cwd: built.root }), true);
  });

  test('runs in a folder of files that look like its own', async t => {
    const cwd = join(folder, 'misleading');
    mkdirSync(join(cwd, 'src'), { recursive: true });
    writeFileSync(join(cwd, 'package.json'), '{"name": "other", "type": "module", "exports": "./path.js"}');
    for (const name of ['src/start.cjs', 'balancesharing.ts', 'path.js', 'fs.js']) {
      writeFileSync(join(cwd, name), 'throw new Error("the wrong file")');
    }
    assert.equal(await startsFromBundle(t, { entry: built.entry, cwd }), true);
  });

  test('runs without any packages', async t => {
    const bare = copy('with nothing but a bundle', { packages: false });
    cpSync(join(built.root, 'dist'), join(bare.root, 'dist'), { recursive: true });
    assert.equal(await startsFromBundle(t, { entry: bare.entry }), true);
  });
});

describe('the sources', () => {
  const mixed = copy('with sources', { packages: true });
  before(() => build(mixed));
  const bundle = join(mixed.root, BUNDLE);

  for (const file of ['balancesharing.ts', 'package.json', 'src/wire/codec.ts', 'src/lightningd']) {
    test(`run when ${file} is newer than the bundle, and no longer when it is not`, async t => {
      utimesSync(join(mixed.root, file), FUTURE, FUTURE);
      assert.equal(await startsFromBundle(t, { entry: mixed.entry }), false);
      utimesSync(join(mixed.root, file), PAST, PAST);
      assert.equal(await startsFromBundle(t, { entry: mixed.entry }), true);
    });
  }

  test('run though an editor keeps a link to nothing among them', async t => {
    const link = join(mixed.root, 'src', '.#codec.ts');
    symlinkSync('nobody@nowhere:1', link);
    t.after(() => {
      unlinkSync(link);
      utimesSync(join(mixed.root, 'src'), PAST, PAST);
    });
    assert.equal(await startsFromBundle(t, { entry: mixed.entry }), false);
  });

  test('run when there is no bundle, through a link from elsewhere as well', async t => {
    const link = join(folder, 'a link to sources');
    symlinkSync(mixed.entry, link);
    const aside = readFileSync(bundle);
    unlinkSync(bundle);
    t.after(() => writeFileSync(bundle, aside));
    assert.equal(await startsFromBundle(t, { entry: link, cwd: '/' }), false);
  });
});

describe('without what it needs it says so and fails', () => {
  test('without packages and bundle', async t => {
    const bare = copy('bare', { packages: false });
    const { exit, stderr } = await endOf(t, { entry: bare.entry });
    assert.deepEqual(exit, { code: 1, signal: null });
    assert.equal(stderr, `balancesharing: its packages are missing: run "npm ci" in ${bare.root}\n`);
  });

  test('without Node on PATH', async t => {
    const { exit, stderr } = await endOf(t, { env: { PATH: join(folder, 'nowhere') } });
    assert.deepEqual(exit, { code: 1, signal: null });
    assert.equal(stderr, 'balancesharing: Node.js 20 or newer must be on PATH\n');
  });

  for (const version of ['18.20.4', '8.17.0', '0.12.18']) {
    test(`with Node ${version} first on PATH`, async t => {
      // A node that says it is older than it is.
      const bin = mkdtempSync(join(folder, 'bin-'));
      const disguise = join(bin, 'disguise.cjs');
      writeFileSync(
        disguise,
        `const versions = { ...process.versions, node: '${version}' };
        Object.defineProperty(process, 'versions', { value: versions });
        Object.defineProperty(process, 'version', { value: 'v${version}' });`,
      );
      const node = join(bin, 'node');
      writeFileSync(node, `#!/bin/sh\nexec '${process.execPath}' -r '${disguise}' "$@"\n`);
      chmodSync(node, 0o755);
      const env = cleanEnvironment();
      const { exit, stderr } = await endOf(t, { env: { ...env, PATH: `${bin}${delimiter}${env['PATH']}` } });
      assert.deepEqual(exit, { code: 1, signal: null });
      assert.equal(stderr, `balancesharing: needs Node.js 20 or newer, this is v${version}\n`);
    });
  }

  test('src/start.cjs is written in what every Node understands', () => {
    const text = readFileSync(join(ROOT, 'src', 'start.cjs'), 'utf8').replace(/\/\/.*/g, '');
    assert.doesNotMatch(text, /=>|\b(let|const|class|async|await|import)\b|`|\?\.|\?\?|\.\.\./);
  });
});

test('the executable is one', async t => {
  const { stdout } = await promisify(execFile)('/bin/sh', ['-c', 'test -x "$0" && head -c 10 "$0"', ENTRY]);
  assert.equal(stdout, '#!/bin/sh\n');
  await works(await StubLightningd.start(t, { methods: sampleMethods() }));
});
