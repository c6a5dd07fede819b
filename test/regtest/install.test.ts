/** The ways in which operators get the plugin onto a node. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, realpath, rm, symlink, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ask, PLUGIN } from './friends.ts';
import { missingPrograms, RegtestNetwork, type RegtestNode } from './harness.ts';

const ROOT = dirname(PLUGIN);
/** What a clone holds, and what `npm ci` adds to it. */
const CLONE = [
  'balancesharing',
  'balancesharing.ts',
  'jitrouting.ts',
  'package.json',
  'package-lock.json',
  '.npmrc',
  'scripts',
  'src',
  'tsconfig.json',
];

/** A copy of the repository in a folder of its own. */
async function clone(t: TestContext, where?: string): Promise<string> {
  const folder = where ?? join(await realpath(await mkdtemp(join(tmpdir(), 'bs-clone-'))), 'balancesharing');
  await mkdir(folder, { recursive: true });
  for (const name of CLONE)
    await cp(join(ROOT, name), join(folder, name), { recursive: true, verbatimSymlinks: true });
  if (where === undefined) t.after(() => rm(dirname(folder), { recursive: true }));
  return folder;
}

async function pluginsOf(node: RegtestNode): Promise<string[]> {
  const { plugins } = await node.rpc<{ plugins: { name: string; active: boolean }[] }>('plugin', {
    subcommand: 'list',
  });
  return plugins
    .filter(({ name, active }) => active && name.includes('balancesharing'))
    .map(({ name }) => name);
}

test(
  'a clone in the plugins folder starts the plugin exactly once',
  { skip: missingPrograms() ?? false },
  async t => {
    await using network = await RegtestNetwork.start({ nodes: [{}] });
    const node = network.node(0);
    await node.stop();
    const folder = await clone(t, join(node.directory, 'plugins', 'balancesharing'));
    await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    await node.start();
    assert.equal((await pluginsOf(node)).length, 1);
    assert.deepEqual((await ask(node, { direction: 1, amount: 50_000 })).friends, []);
  },
);

const reckless = spawnSync('reckless', ['--version']).error === undefined;
const noReckless = missingPrograms() ?? (reckless ? false : 'reckless is not on PATH');

test('reckless installs it from a clone', { skip: noReckless }, async t => {
  const folder = await clone(t);
  for (const args of [
    ['init', '--quiet'],
    ['add', '--all'],
    ['-c', 'user.name=a', '-c', 'user.email=a@b.c', 'commit', '--quiet', '-m', 'x'],
  ]) {
    assert.equal(spawnSync('git', args, { cwd: folder }).status, 0, args.join(' '));
  }
  await using network = await RegtestNetwork.start({ nodes: [{}] });
  const node = network.node(0);
  const run = async (...args: string[]) => {
    const child = spawn('reckless', ['-l', node.directory, '--network', 'regtest', ...args]);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', chunk => {
        output += chunk;
      });
    }
    // The answer to its question whether to create its files. stdin stays open: it lends it to the plugin for a trial.
    child.stdin.write('Y\n');
    const [code] = await once(child, 'close');
    assert.equal(code, 0, output);
    return output;
  };
  await run('source', 'add', folder);
  assert.match(await run('install', 'balancesharing'), /balancesharing enabled/);
  assert.equal((await pluginsOf(node)).length, 1);
  assert.deepEqual((await ask(node, { direction: 1, amount: 50_000 })).friends, []);
});

const AUTORELOAD = process.env['AUTORELOAD'];
const noAutoreload =
  missingPrograms() ?? (AUTORELOAD === undefined ? 'AUTORELOAD does not name autoreload.py' : false);

test('the autoreload plugin of 2020 wraps it', { skip: noAutoreload }, async t => {
  const folder = await clone(t);
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const wrapped = join(folder, 'balancesharing.ts');
  await using network = await RegtestNetwork.start({
    nodes: [
      { extraArgs: [`--plugin=${AUTORELOAD}`, `--autoreload-plugin=${wrapped}`, '--foaf-timeout=3'] },
      { plugin: PLUGIN },
    ],
  });
  await network.openChannels([{ from: 0, to: 1, amountSat: 1_000_000 }]);
  const [node, other] = [network.node(0), network.node(1)];
  const bothSpeak = async () => {
    for (const asker of [node, other]) {
      const { friends } = await ask(asker, { direction: 1, amount: 50_000, fresh: true });
      assert.equal((await asker.cli('foafbalance', 'out', '50000')).code, 0);
      assert.deepEqual(
        friends.map(({ status }) => status),
        ['replied'],
      );
    }
  };
  await bothSpeak();
  const from = node.logLength;
  const now = new Date();
  await utimes(wrapped, now, now);
  await node.waitForLog(/Detected a change in the child plugin/, { from });
  await node.waitForLog(/Sent init to child plugin/, { from });
  await bothSpeak();
  const stopping = Date.now();
  await node.stop();
  // A plugin that has to be killed keeps lightningd for 30 s.
  assert.ok(Date.now() - stopping < 5_000);
});
