/** What a person types, through the real lightning-cli: refused with the reason before anything is sent, or understood. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  assertNoComplaints,
  expected,
  heardBy,
  LISTENER,
  nextQuery,
  PLUGIN,
  said,
  sentMessages,
} from './friends.ts';
import { type CliOutcome, missingPrograms, RegtestNetwork, type RegtestNode } from './harness.ts';

const STRANGER = `02${'ab'.repeat(32)}`;
const INVALID_PARAMS = -32602;

/** An error as lightning-cli shows it. */
function assertRefused({ stdout, code }: CliOutcome, message: string): void {
  const error: { code: number; message: string } = JSON.parse(stdout);
  assert.deepEqual({ code: error.code, message: error.message }, { code: INVALID_PARAMS, message });
  assert.equal(code, 1);
}

/** Each with the whole message: the command, the parameter, what was expected, what came. */
function badInput(noFriend: RegtestNode): readonly (readonly [args: readonly string[], problem: string])[] {
  const direction = 'direction: must be 1 or out, 0 or in, got';
  const amount = 'amount: must be satoshis or an amount like 50000sat, 50000000msat or 0.0005btc, got';
  const positive = 'amount: must be a positive amount, got';
  const most = 'amount: must be at most 20000000btc, got';
  const peers = 'peers: must be one node id or an array of them, got';
  const friends = 'peers: must be connected peers with an active channel, got';
  const timeout = 'timeout: must be whole seconds, 1 to 300, got';
  const names = 'direction, amount, peers, timeout, fresh';
  return [
    [[], `${direction} nothing`],
    [['2', '1'], `${direction} 2`],
    [['-1', '1'], `${direction} -1`],
    [['sideways', '1'], `${direction} sideways`],
    [['null', '1'], `${direction} nothing`],
    [['[1]', '1'], `${direction} [1]`],
    [['1'], `${amount} nothing`],
    [['1', 'abc'], `${amount} abc`],
    [['1', '1.5'], `${amount} 1.5`],
    [['1', '1.5sat'], `${amount} 1.5sat`],
    [['1', '{}'], `${amount} {}`],
    [['1', '0'], `${positive} 0`],
    [['1', '0msat'], `${positive} 0msat`],
    [['1', '-5'], `${positive} -5`],
    [['1', '-5sat'], `${positive} -5sat`],
    [['1', '20000001btc'], `${most} 20000001btc`],
    [['1', '2000000000000001'], `${most} 2000000000000001`],
    [['1', '50000', 'zz'], `${peers} zz`],
    [['1', '50000', '7'], `${peers} 7`],
    [['1', '50000', `["${STRANGER}","02"]`], `${peers} 02`],
    [['1', '50000', STRANGER], `${friends} ${STRANGER}`],
    [['1', '50000', noFriend.id], `${friends} ${noFriend.id}`],
    [['1', '50000', 'null', '0'], `${timeout} 0`],
    [['1', '50000', 'null', '301'], `${timeout} 301`],
    [['1', '50000', 'null', '1.5'], `${timeout} 1.5`],
    [['1', '50000', 'null', 'soon'], `${timeout} soon`],
    [['1', '50000', 'null', 'null', 'maybe'], 'fresh: must be true or false, got maybe'],
    [['1', '50000', 'null', '5', 'true', '6'], `too many parameters: at most 5 (${names}), got 6`],
    [['-k', 'direction=1', 'amount=50000', 'colour=red'], `colour: unknown parameter, expected ${names}`],
    [['-k', 'direction=1'], `${amount} nothing`],
    [['-k', 'amount=50000'], `${direction} nothing`],
  ];
}

/** lightning-cli's arguments for a command: `-k` is its own, and after `--` a negative number is none of its options. */
function commandLine(command: readonly string[], args: readonly string[]): string[] {
  return args[0] === '-k' ? ['-k', ...command, ...args.slice(1)] : ['--', ...command, ...args];
}

test('what a person types', { skip: missingPrograms() ?? false }, async t => {
  await using network = await RegtestNetwork.start({
    nodes: [{ plugin: PLUGIN }, { plugin: LISTENER }, { plugin: PLUGIN }],
  });
  const [node, peer, noFriend] = [network.node(0), network.node(1), network.node(2)];
  await network.openChannels([{ from: 0, to: 1, amountSat: 1_000_000, pushSat: 500_000 }]);
  await network.connect(0, 2);

  await t.test('bad input is refused with the reason', async () => {
    for (const [args, problem] of badInput(noFriend)) {
      const outcome = await node.cli(...commandLine(['foafbalance'], args));
      assertRefused(outcome, `foafbalance: ${problem}`);
    }
  });

  await t.test('check finds the same, apart from what only a call can know', async () => {
    const parsed = badInput(noFriend).filter(([, problem]) => !problem.includes('with an active channel'));
    for (const [args, problem] of parsed) {
      // With -k lightning-cli names the parameters of `check` itself.
      const command = args[0] === '-k' ? ['check', 'command_to_check=foafbalance'] : ['check', 'foafbalance'];
      assertRefused(await node.cli(...commandLine(command, args)), `foafbalance: ${problem}`);
    }
    for (const args of [
      ['1', '50000'],
      ['in', '0.0005btc', peer.id, '7', 'true'],
      ['1', '50000', STRANGER],
    ]) {
      const { stdout, code } = await node.cli('check', 'foafbalance', ...args);
      assert.deepEqual([JSON.parse(stdout), code], [{ command_to_check: 'foafbalance' }, 0]);
    }
  });

  await t.test('of all that nothing was sent', async () => {
    assert.equal(sentMessages(node), 0);
    assert.deepEqual(heardBy(peer), []);
    const from = peer.logLength;
    const asking = node.cli('-k', 'foafbalance', 'direction=1', 'amount=50000', 'timeout=1', 'peers=null');
    assert.equal((await nextQuery(peer, from)).amountMsat, 50_000_000n);
    const { stdout, code } = await asking;
    assert.deepEqual(said(JSON.parse(stdout)), expected([peer, 'timeout']));
    assert.equal(code, 0);
    assert.equal(sentMessages(node), 1);
    assert.equal(heardBy(peer).length, 1);
  });

  await t.test('help tells the usage', async () => {
    const { stdout, code } = await node.cli('help', 'foafbalance');
    assert.equal(stdout, 'foafbalance direction amount [peers] [timeout] [fresh]\n');
    assert.equal(code, 0);
  });

  await t.test('amounts are understood in all forms, and without friends the answer says so', async () => {
    for (const amount of ['50000', '50000sat', '50000000msat', '0.0005btc', '"50000"', '0.00050000000btc']) {
      const { stdout, code } = await noFriend.cli('foafbalance', 'out', amount);
      const { elapsed_ms, ...answer } = JSON.parse(stdout);
      assert.deepEqual(answer, {
        id: noFriend.id,
        direction: 1,
        amount_msat: 50_000_000,
        num_sent_queries: 0,
        num_replies: 0,
        friends: [],
        warning_no_friends: 'no connected peer has an active channel with us: there is nobody to ask',
      });
      assert.ok(elapsed_ms < 1_000, amount);
      assert.equal(code, 0);
    }
  });

  await t.test('the largest and the smallest amount survive the way', async () => {
    for (const [amount, amount_msat] of [
      ['20000000btc', '2000000000000000000'],
      ['1msat', '1'],
    ] as const) {
      // As text: the largest is no number that JavaScript knows exactly.
      const { stdout } = await noFriend.cli('foafbalance', '0', amount);
      assert.match(stdout, new RegExp(`"amount_msat": ${amount_msat},`));
    }
  });

  await t.test('the logs are clean', () => assertNoComplaints(network));
});
