/** foafgraph on a real node, called as an operator does. */
import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { test } from 'node:test';
import { unpack } from '../../src/picture/unpack.ts';
import { ask, assertNoComplaints, PLUGIN } from './friends.ts';
import { missingPrograms, RegtestNetwork } from './harness.ts';

test('foafgraph on real nodes', { skip: missingPrograms() ?? false }, async () => {
  const options = { plugin: PLUGIN };
  await using network = await RegtestNetwork.start({ nodes: [options, options, options] });
  await network.openChannels([
    { from: 0, to: 1, amountSat: 1_000_000, pushSat: 100_000 },
    { from: 1, to: 2, amountSat: 1_000_000, pushSat: 300_000 },
    { from: 2, to: 0, amountSat: 1_000_000, pushSat: 100_000 },
  ]);
  const [a, b, c] = [network.node(0), network.node(1), network.node(2)];
  await ask(a, { direction: 1, amount: 100_000 });
  await ask(a, { direction: 0, amount: 100_000 });
  const answer = await a.rpc<{ path: string; friends: number; offers: number; circles: number }>(
    'foafgraph',
    {},
  );
  const { path } = answer;
  assert.equal(basename(path), 'foaf.html');
  assert.ok(statSync(`${dirname(path)}/../lightning-rpc`).isSocket());
  assert.deepEqual([statSync(path).mode & 0o777, statSync(dirname(path)).mode & 0o777], [0o600, 0o700]);
  const picture = await unpack(/id="facts">([^<]*)</.exec(readFileSync(path, 'utf8'))?.[1] ?? '');
  assert.deepEqual(new Set(picture.nodes.map(({ id }) => id)), new Set([a.id, b.id, c.id]));
  for (const { id, name } of picture.nodes) {
    const { nodes } = await a.rpc<{ nodes: { alias?: string }[] }>('listnodes', { id });
    assert.equal(name, nodes[0]?.alias ?? '');
    assert.notEqual(name, '');
  }
  assert.ok(answer.offers > 0 && answer.circles > 0, JSON.stringify(answer));
  assert.deepEqual(picture.channels.map(({ oursSat, totalSat }) => [oursSat, totalSat]).sort(), [
    [100_000, 1_000_000],
    [900_000, 1_000_000],
  ]);
  assertNoComplaints(network);
});
