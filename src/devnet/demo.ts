/**
 * The demo: six nodes with uneven channels, one of which asks its friends both ways. On the stand-in network or on
 * real nodes alike, which scripts/demo.ts starts and stops.
 */
import { answerLines, channelLine, type DemoAnswer, type DemoChannel, type Paint } from './demo-report.ts';
import type { ChannelOptions } from './devnet.ts';

/** The nodes, the asker first. */
export const DEMO_NODES = ['alice', 'bob', 'carol', 'dave', 'eve', 'frank'] as const;
const ASKER = DEMO_NODES[0];
const AMOUNT_SAT = 120_000;

/**
 * Uneven on purpose, and by more than the margins of docs/protocol.md ("Answering"), so that every run shows the
 * same: bob and carol have channels to offer both ways, dave, all of whose channels lean alike, none.
 */
export const DEMO_CHANNELS: readonly ChannelOptions[] = [
  { from: 'alice', to: 'bob', amountSat: 1_000_000, pushSat: 300_000 },
  { from: 'alice', to: 'carol', amountSat: 1_500_000, pushSat: 600_000 },
  { from: 'alice', to: 'dave', amountSat: 800_000, pushSat: 760_000 },
  { from: 'bob', to: 'carol', amountSat: 500_000, pushSat: 25_000 },
  { from: 'bob', to: 'eve', amountSat: 2_000_000, pushSat: 300_000 },
  { from: 'bob', to: 'frank', amountSat: 1_000_000, pushSat: 900_000 },
  { from: 'carol', to: 'dave', amountSat: 600_000, pushSat: 540_000 },
  { from: 'carol', to: 'eve', amountSat: 1_000_000, pushSat: 50_000 },
  { from: 'dave', to: 'frank', amountSat: 1_200_000, pushSat: 120_000 },
  { from: 'eve', to: 'frank', amountSat: 500_000, pushSat: 250_000 },
];

const LEGEND = [
  'Only rungs (1, 2 and 5 × 10^k sat) are ever asked about, and times are rounded down to 10 s,',
  'so that asking again and again finds out no balance. A channel not named says nothing.',
];

/** What of a node the demo needs: a stand-in's and a real one's do alike. */
export interface DemoNode {
  readonly id: string;
  rpc<Result extends object>(method: string, params: object): Promise<Result>;
}

/**
 * Shows where the balances lie, asks, shows who offers what, and has a picture of it drawn.
 *
 * @param nodes in the order of {@link DEMO_NODES}
 * @param write takes lines
 * @returns the picture's path in the asker's folder
 */
export async function demo(
  nodes: readonly DemoNode[],
  write: (line: string) => void,
  paint: Paint,
): Promise<string> {
  const names = new Map(nodes.map(({ id }, index) => [id, DEMO_NODES[index] ?? id]));
  const asker = nodes[0];
  if (asker === undefined) throw new RangeError('the demo needs nodes');
  write('Where the satoshis lie, channel by channel:');
  write('');
  for (const channel of await channelsOf(nodes)) write(channelLine(channel, names, paint));
  for (const direction of ['out', 'in'] as const) {
    write('');
    write(paint('bold', `${ASKER}$ lightning-cli foafbalance ${direction} ${AMOUNT_SAT}`));
    const answer = await asker.rpc<DemoAnswer>('foafbalance', { direction, amount: AMOUNT_SAT });
    for (const line of answerLines(answer, names, paint)) write(line);
  }
  write('');
  for (const line of LEGEND) write(paint('dim', line));
  write('');
  write(paint('bold', `${ASKER}$ lightning-cli foafgraph`));
  const { path } = await asker.rpc<{ path: string }>('foafgraph', {});
  return path;
}

/** Each channel once, as the first of its ends in the order of the nodes tells it, in that order. */
async function channelsOf(nodes: readonly DemoNode[]): Promise<DemoChannel[]> {
  const channels = new Map<string, DemoChannel>();
  const place = (channel: DemoChannel) =>
    nodes.findIndex(({ id }) => id === channel.node_id) * nodes.length +
    nodes.findIndex(({ id }) => id === channel.peer_id);
  for (const node of nodes) {
    const listed = await node.rpc<{ channels: Omit<DemoChannel, 'node_id'>[] }>('listpeerchannels', {});
    for (const channel of listed.channels) {
      if (!channels.has(channel.short_channel_id))
        channels.set(channel.short_channel_id, { ...channel, node_id: node.id });
    }
  }
  return [...channels.values()].sort((a, b) => place(a) - place(b));
}
