// npm run demo: six nodes that ask one another, on a stand-in network; with --lightningd on real nodes from PATH.
//
// Ctrl-C may come at any point. Both networks clear up after themselves then (src/devnet/sandbox.ts and its like in
// the harness), whatever this script is in the midst of, so it has no handler of its own.
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { DEMO_CHANNELS, DEMO_NODES, type DemoNode, demo } from '../src/devnet/demo.ts';
import { colourful, plain } from '../src/devnet/demo-report.ts';
import { Devnet } from '../src/devnet/devnet.ts';

const USAGE = `Usage: npm run demo [-- --lightningd]

Six nodes with the plugin, one of which asks its friends who would forward an amount.
  --lightningd  real nodes: lightningd, lightning-cli, bitcoind and bitcoin-cli must be on PATH`;

/** Beside the bundle, which git does not know either: the next demo replaces it. */
const PICTURE = fileURLToPath(new URL('../dist/demo.html', import.meta.url));
const PLUGIN = fileURLToPath(new URL('../balancesharing.ts', import.meta.url));

interface RunningNetwork extends AsyncDisposable {
  /** In the order of DEMO_NODES. */
  readonly nodes: readonly DemoNode[];
}

async function standIn(): Promise<RunningNetwork> {
  const network = await Devnet.start({ nodes: DEMO_NODES.map(name => ({ name, plugin: PLUGIN })) });
  network.openChannels(DEMO_CHANNELS);
  return network;
}

async function realNodes(): Promise<RunningNetwork> {
  const { missingPrograms, RegtestNetwork } = await import('../test/regtest/harness.ts');
  const missing = missingPrograms();
  if (missing !== undefined) fail(`--lightningd needs real nodes, but ${missing}`, 1);
  write('Starting bitcoind and six lightningd on regtest, which takes some seconds …');
  const nodes = DEMO_NODES.map(name => ({ plugin: PLUGIN, extraArgs: [`--alias=${name}`] }));
  const network = await RegtestNetwork.start({ nodes });
  const names: readonly string[] = DEMO_NODES;
  await network.openChannels(
    DEMO_CHANNELS.map(channel => ({
      ...channel,
      from: names.indexOf(channel.from),
      to: names.indexOf(channel.to),
    })),
  );
  return network;
}

function write(line: string): void {
  process.stdout.write(`${line}\n`);
}

function fail(message: string, status: number): never {
  process.stderr.write(`${message}\n`);
  process.exit(status);
}

function options(): { lightningd: boolean; help: boolean } {
  try {
    const { values } = parseArgs({ options: { lightningd: { type: 'boolean' }, help: { type: 'boolean' } } });
    return { lightningd: values.lightningd ?? false, help: values.help ?? false };
  } catch (error) {
    return fail(`${error instanceof Error ? error.message : error}\n\n${USAGE}`, 2);
  }
}

/** The demo's networks are regtest, where files beside the plugin stand for a node's own channels. */
function refuseFixtures(): void {
  const found = ['funds.json', 'channels.json'].filter(name =>
    existsSync(new URL(`../${name}`, import.meta.url)),
  );
  if (found.length === 0) return;
  fail(
    `${found.join(' and ')} beside balancesharing.ts would replace the demo's channels: move them away, or name their folder in foaf-fixtures`,
    1,
  );
}

/** Whoever read our output has gone (`| head`): nothing is left to tell anybody. */
process.stdout.on('error', () => process.exit(1));

const { lightningd, help } = options();
if (help) {
  write(USAGE);
} else {
  refuseFixtures();
  const { isTTY } = process.stdout;
  const { NO_COLOR = '', TERM } = process.env;
  const paint = isTTY && NO_COLOR === '' && TERM !== 'dumb' ? colourful : plain;
  const seconds = () => `${(performance.now() / 1000).toFixed(1)} s`;
  {
    await using network = await (lightningd ? realNodes() : standIn()).catch((error: Error) =>
      fail(`The network did not start: ${error.message}`, 1),
    );
    const what = lightningd ? 'lightningd on regtest' : 'a stand-in lightning network';
    write(`Six nodes of ${what}, each with the plugin, ready after ${seconds()}.`);
    write('');
    const picture = await demo(network.nodes, write, paint);
    // The node's own folder goes with the network.
    mkdirSync(dirname(PICTURE), { recursive: true });
    copyFileSync(picture, PICTURE);
    write(`  a picture of what alice knows: ${PICTURE}`);
  }
  write('');
  write(`All stopped and cleared away after ${seconds()}.`);
}
