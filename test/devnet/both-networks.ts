/** One network, on the stand-in and on real nodes, behind one interface. */
import { Devnet } from '../../src/devnet/devnet.ts';
import { RegtestNetwork, waitFor } from '../regtest/harness.ts';

export const NAMES = ['alice', 'bob', 'carol', 'dave'];
/** Uneven, one of them private, and dave's the first to be closed. */
export const CHANNELS = [
  { from: 'alice', to: 'bob', amountSat: 1_000_000, pushSat: 300_000 },
  { from: 'alice', to: 'carol', amountSat: 600_000, pushSat: 570_000, announce: false },
  { from: 'bob', to: 'carol', amountSat: 2_000_000, pushSat: 200_000 },
  { from: 'carol', to: 'dave', amountSat: 1_500_000, pushSat: 1_350_000 },
  { from: 'dave', to: 'bob', amountSat: 500_000, pushSat: 0 },
];
export interface Node {
  readonly id: string;
  rpc(method: string, params?: object): Promise<object>;
}

/** What of both networks the test needs. */
export interface Network {
  readonly nodes: readonly Node[];
  openChannels(): Promise<string[]>;
  /** Until the closing transaction is in a block. */
  close(scid: string, closer: number): Promise<unknown>;
  /** Lets dave be gone for carol. */
  part(): Promise<unknown>;
  stop(): Promise<void>;
}

export async function standIn(plugins: readonly string[]): Promise<Network> {
  const network = await Devnet.start({ nodes: NAMES.map((name, at) => ({ name, plugin: plugins[at] })) });
  return {
    nodes: network.nodes,
    openChannels: async () => network.openChannels(CHANNELS),
    close: async (scid, closer) => {
      network.closeChannel(scid, NAMES[closer] ?? '');
      network.mine(1);
    },
    part: async () => network.disconnect('dave', 'carol'),
    stop: () => network.stop(),
  };
}

export async function realNodes(plugins: readonly string[]): Promise<Network> {
  const network = await RegtestNetwork.start({ nodes: plugins.map(plugin => ({ plugin })) });
  return {
    nodes: network.nodes,
    openChannels: () =>
      network.openChannels(
        CHANNELS.map(channel => ({
          ...channel,
          from: NAMES.indexOf(channel.from),
          to: NAMES.indexOf(channel.to),
        })),
      ),
    close: async (scid, closer) => {
      await network.node(closer).rpc('close', { id: scid });
      await waitFor('the closing transaction to be published', async () => {
        const published = (await network.bitcoind.rpc('getrawmempool')) as string[];
        return published.length > 0 || undefined;
      });
      await network.mine(1);
    },
    part: () => network.node(NAMES.indexOf('dave')).stop(),
    stop: () => network.stop(),
  };
}
