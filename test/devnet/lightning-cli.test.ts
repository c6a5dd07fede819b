import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { Devnet } from '../../src/devnet/devnet.ts';
import { missingPrograms } from '../regtest/harness.ts';
import { PLUGIN } from './plugins.ts';

test(
  'the real lightning-cli talks with a node of the stand-in network',
  { skip: missingPrograms() ?? false },
  async () => {
    await using network = await Devnet.start({
      nodes: [
        { name: 'alice', plugin: PLUGIN },
        { name: 'bob', plugin: PLUGIN },
      ],
    });
    network.openChannels([{ from: 'alice', to: 'bob', amountSat: 1_000_000 }]);
    const directory = dirname(network.node('alice').lightningDir);
    const cli = (...args: readonly string[]) =>
      new Promise<{ status: unknown; stdout: string }>(resolve => {
        const ours = ['--network=regtest', `--lightning-dir=${directory}`];
        execFile('lightning-cli', [...ours, ...args], (error, stdout) => {
          resolve({ status: error?.code ?? 0, stdout });
        });
      });

    const asked = await cli('-k', 'foafbalance', 'direction=out', 'amount=0.0005btc');
    assert.equal(asked.status, 0);
    assert.equal(JSON.parse(asked.stdout).friends[0].status, 'replied');
    assert.equal((await cli('check', 'foafbalance', 'out', '50000')).status, 0);
    const refused = await cli('foafbalance', 'out', '0');
    assert.equal(refused.status, 1);
    assert.equal(JSON.parse(refused.stdout).code, -32602);
    assert.match((await cli('help')).stdout, /^foafbalance direction amount/m);
    assert.match((await cli('nosuch')).stdout, /Unknown command 'nosuch'/);
  },
);
