/** The README's picture: what the demo's first node knows by itself, and what it knows once its friends have answered. */
import { DEMO_CHANNELS, DEMO_NODES } from '../src/devnet/demo.ts';
import { Devnet } from '../src/devnet/devnet.ts';
import { ROOT } from './command-pages.ts';

export const EFFECT = `${ROOT}docs/effect.svg`;

const ASKER = DEMO_NODES[0];
const AMOUNT_SAT = 120_000;
const PANEL_WIDTH = 400;
const RADIUS = 21;

type Point = readonly [x: number, y: number];

const PLACES: Readonly<Record<(typeof DEMO_NODES)[number], Point>> = {
  alice: [40, 185],
  bob: [175, 85],
  carol: [215, 190],
  dave: [175, 295],
  eve: [350, 110],
  frank: [350, 270],
};

const STYLE = `text { font: 13px sans-serif; fill: #24292f; text-anchor: middle }
.head { font-size: 14px; font-weight: bold; text-anchor: start }
.node { fill: #fff; stroke: #57606a; stroke-width: 1.5 }
.unknown { stroke: #8c959f; stroke-width: 1.5; stroke-dasharray: 3 4 }
.ours { stroke: #3b7dd8; stroke-width: 7 } .theirs { stroke: #e3b341; stroke-width: 7 }
.offer { stroke: #2da44e; stroke-width: 3.5 } .tip, .said { fill: #1a7f37 }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .node { fill: #161b22; stroke: #8b949e } .said { fill: #56d364 } }`;

interface Channel {
  readonly peer_id: string;
  readonly to_us_msat: number;
  readonly total_msat: number;
}

interface Friend {
  readonly peer_id: string;
  readonly amount_msat: number;
  readonly channels: readonly { readonly source: string; readonly destination: string }[];
}

/** @returns the picture as SVG, the same each time: the stand-in network's ids and balances are */
export async function effect(): Promise<string> {
  const plugin = `${ROOT}balancesharing.ts`;
  await using network = await Devnet.start({ nodes: DEMO_NODES.map(name => ({ name, plugin })) });
  network.openChannels(DEMO_CHANNELS);
  const asker = network.node(ASKER);
  const { channels } = await asker.rpc<{ channels: Channel[] }>('listpeerchannels', {});
  const { friends } = await asker.rpc<{ friends: Friend[] }>('foafbalance', ['out', AMOUNT_SAT]);
  const pointOf = (id: string): Point =>
    PLACES[DEMO_NODES.find(name => network.node(name).id === id) ?? ASKER];

  const own = channels.map(({ peer_id, to_us_msat, total_msat }) => {
    const end = pointOf(peer_id);
    const middle = between(PLACES[ASKER], end, to_us_msat / total_msat);
    return line('ours', PLACES[ASKER], middle) + line('theirs', middle, end);
  });
  const unknown = DEMO_CHANNELS.filter(({ from }) => from !== ASKER).map(({ from, to }) =>
    line('unknown', PLACES[nameOf(from)], PLACES[nameOf(to)]),
  );
  const offers = friends.flatMap(friend =>
    friend.channels.map(({ source, destination }) => arrow(pointOf(source), pointOf(destination))),
  );
  const [rungMsat = 0] = friends.map(({ amount_msat }) => amount_msat);
  const nodes = DEMO_NODES.map(name => {
    const [x, y] = PLACES[name];
    return `<circle class="node" cx="${x}" cy="${y}" r="${RADIUS}"/><text x="${x}" y="${y + 4}">${name}</text>`;
  });
  const before = panel(0, `What ${ASKER} knows by itself`, [...unknown, ...own, ...nodes]);
  const after = panel(PANEL_WIDTH + 20, `After ${ASKER} has asked its friends`, [
    ...unknown,
    ...own,
    ...nodes,
    ...offers,
    `<text class="said" x="215" y="345">→ would pass on at least ${(rungMsat / 1000).toLocaleString('en-US')} sat, said by a friend</text>`,
  ]);
  const title = `${ASKER} knows the balances of its own channels only; its friends name channels on which they would pass the amount on`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${2 * PANEL_WIDTH + 20} 360" role="img">
<title>${title}</title>
<style>${STYLE}</style>
${before}
${after}
</svg>
`;
}

function nameOf(name: string) {
  return DEMO_NODES.find(node => node === name) ?? ASKER;
}

function panel(x: number, head: string, parts: readonly string[]): string {
  return `<g transform="translate(${x} 0)">\n<text class="head" x="10" y="28">${head}</text>\n${parts.join('\n')}\n</g>`;
}

function line(kind: string, [x1, y1]: Point, [x2, y2]: Point): string {
  return `<line class="${kind}" x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}"/>`;
}

/** From one node's rim to another's. */
function arrow(from: Point, to: Point): string {
  const length = Math.hypot(to[0] - from[0], to[1] - from[1]);
  const start = between(from, to, RADIUS / length);
  const tip = between(from, to, 1 - RADIUS / length);
  const neck = between(from, to, 1 - (RADIUS + 12) / length);
  const [dx, dy] = [(to[0] - from[0]) / length, (to[1] - from[1]) / length];
  const wing = (side: number) => `${round(neck[0] - side * dy * 6)},${round(neck[1] + side * dx * 6)}`;
  return `${line('offer', start, neck)}<polygon class="tip" points="${tip[0]},${tip[1]} ${wing(1)} ${wing(-1)}"/>`;
}

function between([x1, y1]: Point, [x2, y2]: Point, share: number): Point {
  return [round(x1 + (x2 - x1) * share), round(y1 + (y2 - y1) * share)];
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
