/** The ways in which operators get the plugin onto a node. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, realpath, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { cloneTo, installPackage } from '../clone.ts';
import { ask, PLUGIN } from './friends.ts';
import { missingPrograms, RegtestNetwork, type RegtestNode } from './harness.ts';

/** A copy of the repository in a folder of its own. */
async function clone(t: TestContext): Promise<string> {
  const parent = await temporaryFolder(t);
  const folder = join(parent, 'balancesharing');
  await cloneTo(folder, { packages: false });
  return folder;
}

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'bs-clone-')));
  t.after(() => rm(folder, { recursive: true }));
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
  async () => {
    await using network = await RegtestNetwork.start({ nodes: [{}] });
    const node = network.node(0);
    await node.stop();
    await cloneTo(join(node.directory, 'plugins', 'balancesharing'), { packages: true });
    await node.start();
    assert.equal((await pluginsOf(node)).length, 1);
    assert.deepEqual((await ask(node, { direction: 1, amount: 50_000 })).friends, []);
  },
);

const reckless = spawnSync('reckless', ['--version']).error === undefined;
const noReckless = missingPrograms() ?? (reckless ? false : 'reckless is not on PATH');

test('reckless installs, updates, disables and removes it', { skip: noReckless }, async t => {
  const folder = await clone(t);
  const commit = () => {
    for (const args of [
      ['add', '--all'],
      ['-c', 'user.name=a', '-c', 'user.email=a@b.c', 'commit', '--quiet', '-m', 'x'],
    ]) {
      assert.equal(spawnSync('git', args, { cwd: folder }).status, 0, args.join(' '));
    }
  };
  assert.equal(spawnSync('git', ['init', '--quiet'], { cwd: folder }).status, 0);
  commit();
  await using network = await RegtestNetwork.start({ nodes: [{}] });
  const node = network.node(0);
  const run = async (args: readonly string[], { stdin }: { stdin: 'open' | 'ended' }) => {
    const child = spawn('reckless', ['-l', node.directory, '--network', 'regtest', ...args]);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', chunk => {
        output += chunk;
      });
    }
    // The answer to its question whether to create its files. It lends its stdin to the plugin for a trial, and waits 10 s
    // for its end: as long as a terminal is open.
    child.stdin.write('Y\n');
    if (stdin === 'ended') child.stdin.end();
    const [code] = await once(child, 'close');
    assert.equal(code, 0, output);
    return output;
  };
  const reckless = (...args: string[]) => run(args, { stdin: 'ended' });
  const files = join(node.directory, 'reckless');
  const optionOf = async (config: string) => {
    const { configs } = await node.rpc<{
      configs: Record<string, { value_int: number; source: string } | undefined>;
    }>('listconfigs', { config });
    const { value_int, source } = configs[config] ?? assert.fail('no such option');
    return [value_int, source.replace(/.*\//, '')];
  };

  await reckless('source', 'add', folder);
  const installed = await run(['install', 'balancesharing'], { stdin: 'open' });
  assert.match(installed, /balancesharing enabled/);
  assert.equal((await pluginsOf(node)).length, 1);
  assert.deepEqual((await ask(node, { direction: 1, amount: 50_000 })).friends, []);
  // It lies there, too.
  const jit = join(files, 'balancesharing', 'source', 'balancesharing', 'jitrouting.ts');
  await node.rpc('plugin', { subcommand: 'start', plugin: jit });
  await node.rpc('plugin', { subcommand: 'stop', plugin: jit });

  // lightningd starts it again by itself, with what was set meanwhile.
  await node.rpc('setconfig', { config: 'foaf-timeout', val: 9 });
  await node.stop();
  await node.start();
  assert.deepEqual(await optionOf('foaf-timeout'), [9, 'config.setconfig:2']);

  assert.match(await reckless('update', 'balancesharing'), /is already latest/);
  const options = join(folder, 'src', 'lightningd', 'options.ts');
  const later = (await readFile(options, 'utf8')).replace(/(?<='foaf-cache-ttl', )\d+/, '1234');
  await writeFile(options, later);
  commit();
  assert.match(await reckless('update', 'balancesharing'), /balancesharing enabled/);
  assert.deepEqual(await optionOf('foaf-cache-ttl'), [1234, 'default']);
  assert.deepEqual(await optionOf('foaf-timeout'), [9, 'config.setconfig:2']);

  await reckless('disable', 'balancesharing');
  assert.deepEqual(await pluginsOf(node), []);
  await reckless('enable', 'balancesharing');
  assert.equal((await pluginsOf(node)).length, 1);

  assert.match(await reckless('uninstall', 'balancesharing'), /uninstalled successfully/);
  assert.deepEqual(await pluginsOf(node), []);
  assert.ok(!existsSync(join(files, 'balancesharing')));
  await node.stop();
  // With this left lightningd would not start: nobody knows the option any more.
  const set = join(node.directory, 'regtest', 'config.setconfig');
  await writeFile(set, (await readFile(set, 'utf8')).replace(/^foaf-.*$/m, ''));
  await node.start();
  assert.deepEqual(await pluginsOf(node), []);
});

test(
  'npm installs it, and lightningd starts both by their links',
  { skip: missingPrograms() ?? false },
  async t => {
    const bin = await installPackage(await temporaryFolder(t));
    const plugin = join(bin, 'balancesharing');
    await using network = await RegtestNetwork.start({
      nodes: [{ plugin, extraArgs: [`--plugin=${join(bin, 'jitrouting')}`] }, { plugin }],
    });
    await network.openChannels([{ from: 0, to: 1, amountSat: 1_000_000 }]);
    const node = network.node(0);
    const answer = await ask(node, { direction: 1, amount: 50_000 });
    assert.deepEqual(
      answer.friends.map(({ status }) => status),
      ['replied'],
    );
    assert.deepEqual((await node.rpc<{ mode: string }>('foafjit')).mode, 'passive');
    // As for an upgrade: lightningd follows the links, and knows them by the files behind those.
    for (const name of ['jitrouting.ts', 'balancesharing.ts']) {
      await node.rpc('plugin', { subcommand: 'stop', plugin: name });
    }
    for (const name of ['balancesharing', 'jitrouting']) {
      await node.rpc('plugin', { subcommand: 'start', plugin: join(bin, name) });
    }
    assert.deepEqual((await node.rpc<{ mode: string }>('foafjit')).mode, 'passive');
    assert.ok((await node.rpc<{ size: number }>('foafgraph')).size > 0);
  },
);

const AUTORELOAD = process.env['AUTORELOAD'];
const noAutoreload =
  missingPrograms() ?? (AUTORELOAD === undefined ? 'AUTORELOAD does not name autoreload.py' : false);

test('the autoreload plugin of 2020 wraps it', { skip: noAutoreload }, async t => {
  const folder = await temporaryFolder(t);
  await cloneTo(folder, { packages: true });
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
