import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { missingPrograms, RegtestNetwork, RpcFailure, waitFor } from './harness.ts';
import { ObjectSplitter } from './rpc.ts';
import { isGroupAlive } from './sandbox.ts';

const skip = missingPrograms() ?? false;
const INTERRUPTED = fileURLToPath(new URL('interrupted.ts', import.meta.url));

interface Traces {
  directory: string;
  groups: number[];
}

function tracesOf(network: RegtestNetwork): Traces {
  const pids = [network.bitcoind.pid, ...network.nodes.map(node => node.pid)];
  return { directory: network.directory, groups: pids.filter(pid => pid !== undefined) };
}

function assertNothingLeft({ directory, groups }: Traces): void {
  assert.deepEqual(groups.filter(isGroupAlive), []);
  assert.equal(existsSync(directory), false);
}

/** Starts a network in another process. */
async function elsewhere(): Promise<{ child: ChildProcess; traces: Traces }> {
  const child = spawn(process.execPath, ['--import', 'tsx', INTERRUPTED], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await Promise.race([
    once(createInterface({ input: child.stdout }), 'line'),
    once(child, 'exit').then(([code]) => {
      throw new Error(`the other process ended with ${code}`);
    }),
  ]);
  const traces: Traces = JSON.parse(String(line));
  assert.equal(traces.groups.length, 3);
  assert.ok(traces.groups.every(isGroupAlive));
  assert.ok(existsSync(traces.directory));
  return { child, traces };
}

test('three nodes in a line carry a payment, and stop leaves nothing behind', { skip }, async () => {
  const network = await RegtestNetwork.start({ nodes: [{}, {}, {}] });
  const traces = tracesOf(network);
  try {
    const scids = await network.openChannels([
      { from: 0, to: 1, amountSat: 1_000_000 },
      { from: 1, to: 2, amountSat: 1_000_000, pushSat: 300_000 },
    ]);
    assert.match(scids.join(' '), /^\d+x\d+x\d+ \d+x\d+x\d+$/);
    const [first, , last] = network.nodes;
    assert.ok(first && last);

    const { channels } = await first.rpc<{ channels: { short_channel_id: string }[] }>('listchannels');
    assert.deepEqual(
      [...new Set(channels.map(channel => channel.short_channel_id))].sort(),
      [...scids].sort(),
    );

    const { amount_msat } = await network.pay(0, 2, 50_000_000);
    assert.equal(amount_msat, 50_000_000);
    const { invoices } = await last.rpc<{ invoices: { status: string }[] }>('listinvoices');
    assert.deepEqual(
      invoices.map(({ status }) => status),
      ['paid'],
    );

    const { stdout, code } = await last.cli('getinfo');
    assert.equal(code, 0);
    assert.equal(JSON.parse(stdout).id, last.id);
    assert.equal((await last.cli('nosuchcommand')).code, 1);
    await assert.rejects(last.rpc('nosuchcommand'), (error: unknown) => {
      assert.ok(error instanceof RpcFailure);
      assert.equal(error.code, -32601);
      return true;
    });
  } finally {
    await network.stop();
  }
  assertNothingLeft(traces);
});

test('two nodes have several channels, one private, and survive a restart', { skip }, async () => {
  await using network = await RegtestNetwork.start({ nodes: [{}, {}, {}] });
  const scids = await network.openChannels([
    { from: 0, to: 1, amountSat: 500_000 },
    { from: 0, to: 1, amountSat: 600_000, announce: false },
    { from: 1, to: 0, amountSat: 700_000 },
    { from: 1, to: 2, amountSat: 800_000 },
  ]);
  assert.equal(new Set(scids).size, 4);
  const restarted = network.node(1);
  const { id } = restarted;
  const from = restarted.logLength;
  await restarted.stop();
  assert.equal(restarted.isRunning(), false);
  await assert.rejects(restarted.rpc('getinfo'), /does not run/);
  await restarted.start({ extraArgs: ['--alias=again'] });
  await network.reconnect(1);
  assert.equal(restarted.id, id);
  assert.match(await restarted.waitForLog(/alias again/, { from }), /Server started/);
  await network.pay(0, 2, 300_000_000);
});

test('a node that dies is noticed at once by whoever waits for it', { skip }, async () => {
  const network = await RegtestNetwork.start({ nodes: [{}] });
  const traces = tracesOf(network);
  const node = network.node(0);
  const waiting = [
    node.rpc('waitblockheight', { blockheight: 1000, timeout: 60 }),
    node.waitForLog(/never written/, { timeoutMs: 60_000 }),
  ];
  assert.ok(node.pid !== undefined);
  process.kill(node.pid, 'SIGKILL');
  for (const outcome of await Promise.allSettled(waiting)) {
    assert.equal(outcome.status, 'rejected');
    assert.match(
      String(outcome.reason),
      /node 0 ended unexpectedly \(SIGKILL\); its log ends:\n.*Server started/s,
    );
  }
  await assert.rejects(network.mine(1), /ended unexpectedly/);
  await assert.rejects(network.stop(), /ended unexpectedly/);
  assertNothingLeft(traces);
});

test('a start that fails says why and leaves nothing behind', { skip }, async t => {
  // A temporary folder of our own: in the common one other tests come and go at the same time.
  const folder = mkdtempSync(join(tmpdir(), 'bs-'));
  const { TMPDIR } = process.env;
  t.after(() => {
    if (TMPDIR === undefined) Reflect.deleteProperty(process.env, 'TMPDIR');
    else Object.assign(process.env, { TMPDIR });
    rmSync(folder, { recursive: true });
  });
  Object.assign(process.env, { TMPDIR: folder });
  await assert.rejects(
    RegtestNetwork.start({ nodes: [{}, { extraArgs: ['--no-such-option'] }] }),
    /^Error: node 1 ended unexpectedly \(exit code 1\).*--no-such-option: unknown option/s,
  );
  assert.deepEqual(readdirSync(folder), []);
});

test('answers are cut by their structure, wherever the pieces end', () => {
  const objects = [
    '{"id":1,"result":{"text":"a }\\"{ \\\\"}}',
    '{\n\n"id":2}',
    '{"id":3,"result":{"a":[{},{}]}}',
  ];
  const stream = `${objects.join('\n\n')}\n\n`;
  for (let size = 1; size <= stream.length; size++) {
    const splitter = new ObjectSplitter();
    const found: string[] = [];
    for (let at = 0; at < stream.length; at += size)
      found.push(...splitter.push(stream.slice(at, at + size)));
    assert.deepEqual(
      found.map(text => JSON.parse(text)),
      objects.map(text => JSON.parse(text)),
    );
  }
});

for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
  test(`a test process that is ended by ${signal} leaves nothing behind`, { skip }, async () => {
    const { child, traces } = await elsewhere();
    child.kill(signal);
    const [, endedBy] = await once(child, 'exit');
    assert.equal(endedBy, signal);
    // Nobody can tell us when they are gone, as they were another's children.
    await waitFor(
      'everything to be cleared up',
      async () => (traces.groups.some(isGroupAlive) || existsSync(traces.directory) ? undefined : true),
      10_000,
    );
    assertNothingLeft(traces);
  });
}
