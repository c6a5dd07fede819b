/**
 * The same conversation on the stand-in network and on real nodes: what the plugin saw and what it said must be the
 * same, but for ids, ports, times, and how large a commitment fee is just now.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { missingPrograms } from '../regtest/harness.ts';
import { NAMES, type Network, realNodes, standIn } from './both-networks.ts';
import { PLUGIN, Workshop } from './plugins.ts';
import { type Json, shapeOf } from './shape-of.ts';
import { Transcript } from './transcript.ts';

const TAP = fileURLToPath(new URL('tap.ts', import.meta.url));

/** What of an answer of foafbalance does not depend on the moment. */
function withoutTimes(answer: Json): unknown {
  return JSON.parse(
    JSON.stringify(answer, (key, value) =>
      ['timestamp', 'age_ms', 'elapsed_ms', 'direction'].includes(key)
        ? typeof value
        : key === 'channels' || key === 'friends'
          ? [...value].sort((a: Json, b: Json) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
          : value,
    ),
  );
}

describe('the stand-in network is like real nodes', { skip: missingPrograms() ?? false }, () => {
  const workshop = new Workshop();
  const runs: Transcript[] = [];

  async function run(
    start: (plugins: readonly string[]) => Promise<Network>,
    label: string,
  ): Promise<Transcript> {
    const files = NAMES.map(name => join(workshop.directory, `${label}-${name}`));
    const tsx = import.meta.resolve('tsx');
    const plugins = files.map(file => workshop.make(['--import', tsx, TAP, PLUGIN, file]));
    const result = new Transcript(files);
    const network = await start(plugins);
    try {
      await result.converse(network);
    } finally {
      await network.stop();
    }
    return result;
  }

  before(async () => {
    // The harness's own tests look for what appears in the system's.
    process.env['TMPDIR'] = workshop.directory;
    runs.push(await run(standIn, 'standin'), await run(realNodes, 'real'));
  });
  after(() => workshop[Symbol.dispose]());

  function both<T>(look: (run: Transcript) => T): [standIn: T, real: T] {
    const [ours, theirs] = runs;
    assert.ok(ours && theirs);
    return [look(ours), look(theirs)];
  }

  test('friends offer the same', () => {
    const [ours, real] = both(({ answers }) => answers.map(withoutTimes));
    assert.deepEqual(ours, real);
    assert.match(JSON.stringify(real), /"short_channel_id":"bob-carol"/);
  });

  for (const [at, name] of NAMES.entries()) {
    test(`${name} got the same messages`, () => {
      const [ours, real] = both(run => run.messages(at));
      assert.deepEqual(ours, real);
      assert.ok(real.length > 0);
    });

    test(`${name} asked its node the same, and the answers have the same keys`, () => {
      // What it writes down and tells askrene, it does a moment later: before or after the end of the conversation.
      const later = ['datastore(', 'askrene-inform-channel('];
      const [ours, real] = both(
        run =>
          new Map(
            [...run.calls(at)]
              .filter(([call]) => !later.some(name => call.startsWith(name)))
              .map(([call, shape]) => [call, withoutMarks(shape)]),
          ),
      );
      assert.deepEqual(ours, real);
    });
  }

  test('all were notified of the same', () => {
    const [ours, real] = both(run => run.heard);
    assert.deepEqual(ours, real);
    assert.equal(real.length, NAMES.length + 1);
  });

  test('init and getmanifest are the same but for folders', () => {
    assert.deepEqual(
      ...both(run =>
        run
          .said(0, 'node')
          .filter(({ method }) => method === 'init' || method === 'getmanifest')
          .map(({ method, params }) => [method, shapeOf(params), params['options']]),
      ),
    );
  });

  test('a client gets answers of the same keys', () => {
    const [ours, real] = both(
      ({ listed }) => new Map([...listed].map(([call, answer]) => [call, shapeOf(answer)])),
    );
    // There is no chain, so no coins on it.
    for (const listfunds of ['listfunds', 'listfunds when dave is gone']) {
      const funds = real.get(listfunds) as Json;
      assert.deepEqual(Object.keys(funds), ['channels', 'outputs']);
      real.set(listfunds, { ...funds, outputs: [undefined] });
    }
    assert.deepEqual(ours, real);
  });

  test('a client gets the same refusals', () => {
    assert.deepEqual(...both(({ errors }) => errors));
  });

  test('balances are the same, and what can be spent but for the fee of the moment', () => {
    const [ours, real] = both(run => {
      const { channels } = run.named(run.listed.get('listpeerchannels')) as unknown as {
        channels: {
          short_channel_id: string;
          to_us_msat: number;
          spendable_msat: number;
          receivable_msat: number;
        }[];
      };
      return channels;
    });
    assert.equal(ours.length, real.length);
    for (const [at, channel] of ours.entries()) {
      const other = real[at];
      assert.ok(other);
      assert.equal(channel.short_channel_id, other.short_channel_id);
      assert.equal(channel.to_us_msat, other.to_us_msat);
      for (const key of ['spendable_msat', 'receivable_msat'] as const)
        assert.ok(Math.abs(channel[key] - other[key]) < 500_000, `${key}: ${channel[key]} and ${other[key]}`);
    }
  });
});

/**
 * The plugin reads a node's channels as soon as they change. Whether a real node's peer has told its terms by then, or
 * begun to close, is a matter of moments.
 */
function withoutMarks(shape: unknown): unknown {
  if (Array.isArray(shape)) return shape.map(withoutMarks);
  if (typeof shape !== 'object' || shape === null) return shape;
  return Object.fromEntries(
    Object.entries(shape)
      .map(([key, value]) => [key.replace(/\?$/, ''), withoutMarks(value)] as const)
      .filter(([key]) => key !== 'closer'),
  );
}
