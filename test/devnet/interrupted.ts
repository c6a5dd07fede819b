/** For cleanup.test.ts, which ends this process in the midst of it: starts a network, tells about it, and waits. */
import { Devnet } from '../../src/devnet/devnet.ts';
import { PLUGIN } from './plugins.ts';

const network = await Devnet.start({ nodes: ['alice', 'bob'].map(name => ({ name, plugin: PLUGIN })) });
network.openChannels([{ from: 'alice', to: 'bob', amountSat: 1_000_000 }]);
process.stdout.write('ready\n');
switch (process.argv[2]) {
  case 'throws':
    throw new Error('on purpose');
  case 'exits':
    process.exit(5);
}
