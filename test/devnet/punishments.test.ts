import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, test } from 'node:test';
import { Devnet, NodeDiedError } from '../../src/devnet/devnet.ts';
import { RpcError } from '../../src/lightningd/errors.ts';
import { Workshop } from './plugins.ts';

const CHANNEL = [{ from: 'alice', to: 'bob', amountSat: 1_000_000 }];
const MANIFEST = { options: [], rpcmethods: [], dynamic: true, nonnumericids: true };

function withOption(option: object): object {
  return {
    manifest: { result: { ...MANIFEST, options: [{ name: 'o', type: 'int', description: '', ...option }] } },
  };
}

/** Each killed the plugin, or the node with it, on lightningd v26.06.6, except those marked stricter. */
const BAD_STARTS: Readonly<Record<string, [object, RegExp]>> = {
  'no options': [{ manifest: { result: { rpcmethods: [], nonnumericids: true } } }, /options: /],
  'no methods': [{ manifest: { result: { options: [], nonnumericids: true } } }, /rpcmethods: /],
  'a method without usage': [
    { manifest: { result: { ...MANIFEST, rpcmethods: [{ name: 'm' }] } } },
    /rpcmethods\.0\.usage: /,
  ],
  'a method that lightningd has': [
    { manifest: { result: { ...MANIFEST, rpcmethods: [{ name: 'getinfo', usage: '' }] } } },
    /lightningd has a method getinfo/,
  ],
  'a method twice (stricter)': [
    {
      manifest: {
        result: {
          ...MANIFEST,
          rpcmethods: [
            { name: 'm', usage: '' },
            { name: 'm', usage: '' },
          ],
        },
      },
    },
    /m stands there twice/,
  ],
  'an unknown type of option': [withOption({ type: 'float' }), /options\.0\.type: /],
  'an option without description': [withOption({ description: undefined }), /options\.0\.description: /],
  'an option in capitals': [withOption({ name: 'O' }), /options\.0\.name: must be lowercase/],
  'a flag that is on by default': [withOption({ type: 'flag', default: true }), /flag must be false/],
  'a flag that is multi': [withOption({ type: 'flag', multi: true }), /flag cannot be multi/],
  'a default of another type': [withOption({ default: 'many' }), /default is not of the type/],
  'an option that is "yes" dynamic': [withOption({ dynamic: 'yes' }), /options\.0\.dynamic: /],
  'an unknown hook': [{ manifestExtra: { hooks: [{ name: 'no_such_hook' }] } }, /hooks\.0/],
  'a hook without name': [{ manifestExtra: { hooks: [{ before: [] }] } }, /hooks\.0/],
  'filters that are no list': [
    { manifestExtra: { hooks: [{ name: 'custommsg', filters: 347 }] } },
    /hooks\.0/,
  ],
  'a subscription that is no text': [{ manifestExtra: { subscriptions: [5] } }, /subscriptions\.0: /],
  'a notification that is no object': [{ manifestExtra: { notifications: ['x'] } }, /notifications\.0: /],
  'numeric ids only': [{ manifestExtra: { nonnumericids: false } }, /nonnumericids: must be true/],
  'an unknown key (stricter)': [{ manifestExtra: { subscription: [] } }, /subscription: /],
  'featurebits in a dynamic plugin': [
    { manifestExtra: { featurebits: { init: '02' } } },
    /featurebits: refused/,
  ],
  'an error to getmanifest': [
    { manifest: { error: { code: -1, message: 'no' } } },
    /answered getmanifest with .*"no"/,
  ],
  'an array to getmanifest': [{ manifest: { result: [] } }, /answered getmanifest with/],
  'an error to init': [{ init: { error: { code: -1, message: 'no' } } }, /answered init with .*"no"/],
};

describe('starts', { concurrency: 4 }, () => {
  for (const [what, [script, reason]] of Object.entries(BAD_STARTS)) {
    test(`a node does not start with ${what}`, async () => {
      using workshop = new Workshop();
      await assert.rejects(
        Devnet.start({ nodes: [{ name: 'alice', plugin: workshop.stub(script) }] }),
        reason,
      );
    });
  }
});

const LOG = '{"jsonrpc":"2.0","method":"log","params":';

const BAD_WORDS: Readonly<Record<string, [string, RegExp]>> = {
  'text on stdout': ['hello\n', /wrote to stdout what is no JSON/],
  'text behind JSON': [`${LOG}{"level":"info","message":"x"}}hello`, /wrote to stdout what is no JSON/],
  'broken JSON': ['{"jsonrpc" "2.0"}\n', /wrote broken JSON/],
  'JSON that is no JSON-RPC': ['{"foo":1}\n', /no JSON-RPC 2\.0: {"foo":1}/],
  'an array': ['[1]\n', /no JSON-RPC 2\.0: \[1\]/],
  'JSON-RPC of no version': [
    '{"method":"log","params":{"level":"info","message":"x"}}\n',
    /no JSON-RPC 2\.0/,
  ],
  'a request': ['{"jsonrpc":"2.0","id":1,"method":"getinfo"}\n', /what is no notification/],
  'an answer that nobody asked for (stricter)': ['{"jsonrpc":"2.0","id":"x","result":{}}', /nobody asked/],
  'a log line at an unknown level': [`${LOG}{"level":"fatal","message":"x"}}`, /logged at an unknown level/],
  'a log line at a level of newer releases only (stricter)': [
    `${LOG}{"level":"warn","message":"x"}}`,
    /logged at an unknown level/,
  ],
  'a log line without text': [`${LOG}{"level":"info"}}`, /logged no text/],
  'a notification that is not declared (stricter)': [
    '{"jsonrpc":"2.0","method":"my_topic","params":{}}',
    /its manifest does not declare: my_topic/,
  ],
};

describe('words', { concurrency: 4 }, () => {
  for (const [what, [says, reason]] of Object.entries(BAD_WORDS)) {
    test(`a node stops over ${what}`, async () => {
      using workshop = new Workshop();
      const network = await Devnet.start({ nodes: [{ name: 'alice', plugin: workshop.stub({ says }) }] });
      assert.match(await network.node('alice').died, reason);
      await assert.rejects(network.node('alice').rpc('getinfo'), NodeDiedError);
      await assert.rejects(network.stop(), reason);
      assert.equal(existsSync(network.directory), false);
    });
  }
});

const BAD_HOOK_ANSWERS: Readonly<Record<string, [object, RegExp]>> = {
  'an empty object': [{ hook: { result: {} } }, /invalid response to the custommsg hook: {"result":{}}/],
  '"continue" bare': [{ hook: { result: 'continue' } }, /invalid response .*{"result":"continue"}/],
  'another result': [{ hook: { result: { result: 'fail' } } }, /invalid response .*"fail"/],
  null: [{ hook: { result: null } }, /invalid response .*null/],
  'an error': [{ hook: { error: { code: -1, message: 'boo' } } }, /invalid response .*"boo"/],
  nothing: [{ hook: {} }, /neither or both of result and error/],
  'two answers (stricter)': [{ hookTwice: true }, /answered what nobody asked, or a second time/],
};

describe('hooks', { concurrency: 4 }, () => {
  for (const [what, [script, reason]] of Object.entries(BAD_HOOK_ANSWERS)) {
    test(`a node stops over a hook that is answered with ${what}`, async () => {
      using workshop = new Workshop();
      const network = await Devnet.start({
        nodes: [{ name: 'alice' }, { name: 'bob', plugin: workshop.stub(script) }],
      });
      network.openChannels(CHANNEL);
      const [alice, bob] = [network.node('alice'), network.node('bob')];
      await alice.rpc('sendcustommsg', { node_id: bob.id, msg: '015b77' });
      assert.match(await bob.died, reason);
      assert.equal(bob.deathReason, await bob.died);
      const { peers } = await alice.rpc<{ peers: { connected: boolean }[] }>('listpeers');
      assert.deepEqual(
        peers.map(peer => peer.connected),
        [false],
      );
      await assert.rejects(network.stop(), reason);
    });
  }

  test('a hook may be answered with more than continue', async () => {
    using workshop = new Workshop();
    const hook = { result: { result: 'continue', more: 1 } };
    await using network = await Devnet.start({
      nodes: [{ name: 'alice' }, { name: 'bob', plugin: workshop.stub({ hook }) }],
    });
    network.openChannels(CHANNEL);
    await network.node('alice').rpc('sendcustommsg', [network.node('bob').id, '015b77']);
    await network.node('bob').rpc('stub');
  });
});

const FATAL_MESSAGES: Readonly<Record<string, string>> = {
  'no bytes': '',
  '65,536 bytes': `015b${'00'.repeat(65_534)}`,
  'no hex': 'zz',
  'half a byte': '015',
};

describe('messages', { concurrency: 4 }, () => {
  for (const [what, msg] of Object.entries(FATAL_MESSAGES)) {
    test(`the sender's node stops over sendcustommsg of ${what}, after it answered success`, async () => {
      using workshop = new Workshop();
      const network = await Devnet.start({
        nodes: [{ name: 'alice', plugin: workshop.stub() }, { name: 'bob' }],
      });
      network.openChannels(CHANNEL);
      const [alice, bob] = [network.node('alice'), network.node('bob')];
      const waiting = alice.rpc('sendcustommsg', { node_id: bob.id, msg });
      assert.match(String((await waiting)['status']), /sent to connectd/);
      assert.match(await alice.died, /^sendcustommsg of /);
      assert.equal(bob.deathReason, undefined);
      await assert.rejects(network.stop(), /^Error: alice: sendcustommsg of/);
    });
  }

  test('the longest message arrives whole', async () => {
    using workshop = new Workshop();
    await using network = await Devnet.start({
      nodes: [{ name: 'alice' }, { name: 'bob', plugin: workshop.stub() }],
    });
    network.openChannels(CHANNEL);
    const [alice, bob] = [network.node('alice'), network.node('bob')];
    const msg = `015b${'00'.repeat(65_533)}`;
    await alice.rpc('sendcustommsg', { node_id: bob.id, msg });
    await bob.rpc('stub');
    const hooks = bob.log.filter(({ message }) => message.startsWith('{"hook"'));
    assert.deepEqual(
      hooks.map(({ message }) => JSON.parse(message).hook),
      [{ payload: msg, peer_id: alice.id }],
    );
  });

  test('a message of an even type costs the connection and nobody a life', async () => {
    await using network = await Devnet.start({ nodes: [{ name: 'alice' }, { name: 'bob' }] });
    network.openChannels(CHANNEL);
    const [alice, bob] = [network.node('alice'), network.node('bob')];
    await alice.rpc('sendcustommsg', { node_id: bob.id, msg: '015a' });
    const { peers } = await alice.rpc<{ peers: { connected: boolean }[] }>('listpeers');
    assert.deepEqual(
      peers.map(peer => peer.connected),
      [false],
    );
    assert.match(bob.log.map(({ message }) => message).join(), /invalid unknown even message 015a/);
    const again = alice.rpc('sendcustommsg', { node_id: bob.id, msg: '015b' });
    await assert.rejects(again, (error: unknown) => {
      assert.ok(error instanceof RpcError);
      assert.deepEqual([error.code, error.message], [-32600, 'Peer is not connected']);
      return true;
    });
  });
});

describe('ends', { concurrency: 4 }, () => {
  test('calls under way fail when their node stops', async () => {
    using workshop = new Workshop();
    const network = await Devnet.start({
      nodes: [{ name: 'alice', plugin: workshop.stub({ method: null }) }, { name: 'bob' }],
    });
    network.openChannels(CHANNEL);
    const alice = network.node('alice');
    const waiting = alice.rpc('stub');
    alice.die('for a test');
    await assert.rejects(waiting, (error: unknown) => {
      assert.ok(error instanceof NodeDiedError);
      assert.match(error.message, /alice: for a test/);
      return true;
    });
    assert.throws(() => network.connect('alice', 'bob'), /alice has stopped: for a test/);
    await assert.rejects(network.stop(), /alice: for a test/);
  });

  test('a plugin that ends by itself takes its node with it, and its last words are told', async () => {
    using workshop = new Workshop();
    const plugin = workshop.make(['-e', 'console.error("I give up"); process.exit(3)']);
    await assert.rejects(
      Devnet.start({ nodes: [{ name: 'alice', plugin }] }),
      /alice: the plugin ended by itself: exit status 3; its stderr ends:\nI give up/,
    );
  });

  test('a plugin that is not there is an error', async () => {
    await assert.rejects(
      Devnet.start({ nodes: [{ name: 'alice', plugin: '/no/such/plugin' }] }),
      /alice: the plugin ended by itself: .*ENOENT/,
    );
  });

  test('a plugin must exit with status 0 when its stdin ends', async () => {
    using workshop = new Workshop();
    const network = await Devnet.start({
      nodes: [{ name: 'alice', plugin: workshop.stub({ exitStatus: 7 }) }],
    });
    await assert.rejects(network.stop(), /alice: the plugin must exit with status 0 .* exit status 7/);
  });

  test('a plugin that stays when its stdin ends is killed', async () => {
    using workshop = new Workshop();
    const network = await Devnet.start({
      nodes: [{ name: 'alice', plugin: workshop.stub({ exitStatus: 'never' }) }],
    });
    const { pid } = network.node('alice');
    await assert.rejects(network.stop(), /alice: the plugin must exit .* still running 5000 ms later/);
    assert.throws(() => process.kill(Number(pid), 0), /ESRCH/);
  });
});
