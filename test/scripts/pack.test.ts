/** What `npm run pack` makes, installed by npm: one package without dependencies whose commands lightningd can start. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { installPackage } from '../clone.ts';
import { sampleMethods } from '../lightningd/sample-node.ts';
import { StubLightningd } from '../lightningd/stub-lightningd.ts';
import { temporaryFolder } from '../lightningd/temporary-folder.ts';

describe('the package', () => {
  let bin = '';
  before(async () => {
    bin = await installPackage(temporaryFolder());
    // npm writes several files at once: whichever came last is the newest.
    const later = new Date(Date.now() + 60_000);
    utimesSync(join(own(), 'package.json'), later, later);
  });
  const packages = () => join(bin, '..', 'lib', 'node_modules');
  const own = () => join(packages(), 'balancesharing');

  test('is one, of what the plugins need and nothing else', () => {
    assert.deepEqual(readdirSync(packages()), ['balancesharing']);
    const files = readdirSync(own(), { recursive: true, encoding: 'utf8' }).filter(
      name => !name.startsWith('docs/'),
    );
    assert.deepEqual(files.sort(), [
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'balancesharing.ts',
      'dist',
      'dist/LICENSES.txt',
      'dist/balancesharing.cjs',
      'dist/jitrouting.cjs',
      'dist/picture.css',
      'dist/picture.js',
      'docs',
      'jitrouting.ts',
      'package.json',
      'src',
      'src/start.cjs',
    ]);
  });

  test('has no script, no dependency, and the licence of each package in its bundles', () => {
    const { scripts, dependencies, ...rest } = JSON.parse(
      readFileSync(join(own(), 'package.json'), 'utf8'),
    ) as Record<string, unknown>;
    assert.deepEqual([scripts, dependencies, rest['private']], [undefined, undefined, undefined]);
    const licences = readFileSync(join(own(), 'dist', 'LICENSES.txt'), 'utf8');
    for (const name of ['clightningjs', 'cytoscape', 'pino', 'sonic-boom', 'valibot', 'yocto-queue']) {
      assert.match(licences, new RegExp(`^${name} \\d`, 'm'));
    }
  });

  test('balancesharing runs through its link, the picture included', async t => {
    const entry = join(bin, 'balancesharing');
    const stub = await StubLightningd.start(t, { entry, cwd: '/', methods: sampleMethods() });
    await stub.ready();
    const { path } = (await stub.call('foafgraph')) as { path: string };
    assert.ok(existsSync(path));
  });

  test('jitrouting runs through its link', async t => {
    const stub = await StubLightningd.start(t, { entry: join(bin, 'jitrouting'), cwd: '/' });
    const { rpcmethods } = (await stub.call('getmanifest')) as { rpcmethods: { name: string }[] };
    assert.deepEqual(
      rpcmethods.map(({ name }) => name),
      ['foafjit'],
    );
  });
});
