import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { channelLine, colourful, plain } from '../../src/devnet/demo-report.ts';
import { missingPrograms } from '../regtest/harness.ts';
import { outcomeOf, signalGroup, Trace } from './leftovers.ts';

const README = fileURLToPath(new URL('../../README.md', import.meta.url));
const DEMO = fileURLToPath(new URL('../../scripts/demo.ts', import.meta.url));

/** What every run shows, on both networks, from the list of channels on. The last digits of an id may differ. */
const SHOWN = `Where the satoshis lie, channel by channel:

  alice    700,000 █████████████████░░░░░░░   300,000 bob    SCID
  alice    900,000 ██████████████░░░░░░░░░░   600,000 carol  SCID
  alice     40,000 █░░░░░░░░░░░░░░░░░░░░░░░   760,000 dave   SCID
  bob      475,000 ███████████████████████░    25,000 carol  SCID
  bob    1,700,000 ████████████████████░░░░   300,000 eve    SCID
  bob      100,000 ██░░░░░░░░░░░░░░░░░░░░░░   900,000 frank  SCID
  carol     60,000 ██░░░░░░░░░░░░░░░░░░░░░░   540,000 dave   SCID
  carol    950,000 ███████████████████████░    50,000 eve    SCID
  dave   1,080,000 ██████████████████████░░   120,000 frank  SCID
  eve      250,000 ████████████░░░░░░░░░░░░   250,000 frank  SCID

alice$ lightning-cli foafbalance out 120000
  alice asks bob, carol, dave: "I would send 120,000 sat through you: on which of your channels would you pass it on?"

  bob    alice → bob   → carol  SCID (200,000 sat, said AGE ago)
  bob    alice → bob   → eve    SCID (200,000 sat, said AGE ago)
  carol  alice → carol → eve    SCID (200,000 sat, said AGE ago)
  dave   would use none of its channels (200,000 sat, said AGE ago)

alice$ lightning-cli foafbalance in 120000
  alice asks bob, carol, dave: "I would receive 120,000 sat from you: on which of your channels would you take it in?"

  bob    frank → bob   → alice  SCID (200,000 sat, said AGE ago)
  carol  bob   → carol → alice  SCID (200,000 sat, said AGE ago)
  carol  dave  → carol → alice  SCID (200,000 sat, said AGE ago)
  dave   would use none of its channels (200,000 sat, said AGE ago)
`;

/** Real nodes' outputs stand in the funding transaction in no order: so do lines of one friend. */
function normalized(stdout: string): string[] {
  return linesOf(stdout.slice(stdout.indexOf('Where'), stdout.indexOf('\nOnly rungs')));
}

function linesOf(text: string): string[] {
  return text
    .replace(/\d+x\d+x\d+ */g, 'SCID ')
    .replace(/\d+ s ago/g, 'AGE ago')
    .trimEnd()
    .split('\n')
    .map(line => line.trimEnd());
}

function demoIn(trace: Trace, args: readonly string[] = [], env: Readonly<Record<string, string>> = {}) {
  return trace.spawn([DEMO, ...args], env);
}

async function untilSaid(child: ChildProcess, pattern: RegExp): Promise<void> {
  let said = '';
  await new Promise<void>(resolve => {
    child.stdout?.on('data', text => {
      said += text;
      if (pattern.test(said)) resolve();
    });
    child.once('exit', () => resolve());
  });
}

test('the demo shows who offers what, ends well and leaves nothing behind', async () => {
  using trace = new Trace();
  const { how, stdout, stderr } = await outcomeOf(demoIn(trace));
  assert.deepEqual([how, stderr], [0, '']);
  assert.match(
    stdout,
    /^Six nodes of a stand-in lightning network, each with the plugin, ready after [\d.]+ s\.\n/,
  );
  assert.deepEqual(normalized(stdout), normalized(`${SHOWN}\nOnly rungs`));
  const [, excerpt = ''] = /^```\n(alice\$.*?)```/ms.exec(readFileSync(README, 'utf8')) ?? [];
  assert.ok(normalized(stdout).join('\n').includes(linesOf(excerpt).join('\n')) && excerpt !== '');
  const [, picture = ''] = /foafgraph\n {2}a picture of what alice knows: (.*)\n/.exec(stdout) ?? [];
  assert.match(readFileSync(picture, 'utf8'), /^<!doctype html>/);
  assert.match(stdout, /\nAll stopped and cleared away after [\d.]+ s\.\n$/);
  assert.ok(!stdout.includes('\u001b'), 'no colours outside a terminal');
  assert.deepEqual(await trace.leftovers(0), []);
});

test('the demo shows the same on real nodes', { skip: missingPrograms() ?? false }, async () => {
  using trace = new Trace();
  const { how, stdout, stderr } = await outcomeOf(demoIn(trace, ['--lightningd']));
  assert.deepEqual([how, stderr], [0, '']);
  assert.match(
    stdout,
    /\nSix nodes of lightningd on regtest, each with the plugin, ready after [\d.]+ s\.\n/,
  );
  assert.deepEqual(normalized(stdout).sort(), normalized(`${SHOWN}\nOnly rungs`).sort());
  assert.deepEqual(await trace.leftovers(), []);
});

test('the demo says which programs are missing for real nodes', async () => {
  using trace = new Trace();
  const onlyNode = { PATH: dirname(process.execPath) };
  const { how, stdout, stderr } = await outcomeOf(demoIn(trace, ['--lightningd'], onlyNode));
  assert.deepEqual([how, stdout], [1, '']);
  assert.match(stderr, /^--lightningd needs real nodes, but not on PATH: lightningd, .*bitcoin-cli\n$/);
  assert.deepEqual(await trace.leftovers(0), []);
});

test('the demo takes no other options', async () => {
  using trace = new Trace();
  const [unknown, help] = await Promise.all([
    outcomeOf(demoIn(trace, ['--fast'])),
    outcomeOf(demoIn(trace, ['--help'])),
  ]);
  assert.equal(unknown.how, 2);
  assert.match(unknown.stderr, /'--fast'.*Usage: npm run demo/s);
  assert.equal(help.how, 0);
  assert.match(help.stdout, /^Usage: npm run demo/);
});

test('the demo is quiet when nobody reads on', async () => {
  using trace = new Trace();
  const child = demoIn(trace);
  child.stdout?.once('data', () => child.stdout?.destroy());
  const { stderr } = await outcomeOf(child);
  assert.equal(stderr, '');
  assert.deepEqual(await trace.leftovers(), []);
});

describe('Ctrl-C leaves nothing of the demo behind', { concurrency: 2 }, () => {
  const moments: Readonly<Record<string, (child: ChildProcess) => Promise<unknown>>> = {
    'while Node starts': () => delay(10),
    'while the nodes start': () => delay(400),
    'a little later': () => delay(550),
    'later still': () => delay(700),
    'when they are ready': child => untilSaid(child, /Six nodes/),
    'in the midst of a question': child => untilSaid(child, /foafbalance out/),
    'while the picture is drawn': child => untilSaid(child, /Only rungs/),
    'while all is stopped': child => untilSaid(child, /a picture of/),
  };
  for (const [when, moment] of Object.entries(moments)) {
    test(when, async () => {
      using trace = new Trace();
      const child = demoIn(trace);
      const outcome = outcomeOf(child);
      await moment(child);
      if (child.exitCode === null) signalGroup(child, 'SIGINT');
      const { how, stderr } = await outcome;
      assert.ok(how === 'SIGINT' || how === 0, String(how));
      assert.equal(stderr, '');
      assert.deepEqual(await trace.leftovers(), []);
    });
  }

  test('nor of the demo on real nodes', { skip: missingPrograms() ?? false }, async () => {
    using trace = new Trace();
    const child = demoIn(trace, ['--lightningd']);
    const outcome = outcomeOf(child);
    await untilSaid(child, /Starting bitcoind/);
    await delay(2000);
    signalGroup(child, 'SIGINT');
    const { how, stderr } = await outcome;
    assert.deepEqual([how, stderr], ['SIGINT', '']);
    assert.deepEqual(await trace.leftovers(), []);
  });
});

test('bars have colours where they can be shown, and show the least balance', () => {
  const names = new Map([
    ['a', 'alice'],
    ['b', 'bob'],
  ]);
  const channel = { node_id: 'a', peer_id: 'b', short_channel_id: '1x1x1', to_us_msat: 1, total_msat: 1e9 };
  assert.match(channelLine(channel, names, plain), /^ {2}alice {10}0 █░{23} 1,000,000 bob {4}1x1x1$/);
  assert.match(channelLine({ ...channel, to_us_msat: 1e9 }, names, plain), / █{23}░ /);
  assert.ok(channelLine(channel, names, colourful).includes('\u001b[32m█\u001b[0m\u001b[33m░'));
});
