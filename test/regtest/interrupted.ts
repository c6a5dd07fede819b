/** For harness.test.ts, which ends this process in the midst of it: starts a network, tells about it, and waits. */
import { RegtestNetwork } from './harness.ts';

const network = await RegtestNetwork.start({ nodes: [{}, {}] });
const groups = [network.bitcoind.pid, ...network.nodes.map(node => node.pid)];
process.stdout.write(`${JSON.stringify({ directory: network.directory, groups })}\n`);
setInterval(() => {}, 60_000);
