/** A conversation on a network whose plugins run behind taps (see tap.ts): all that was asked, answered and heard. */
import { readFileSync } from 'node:fs';
import { decodeMessage } from '../../src/wire/codec.ts';
import { formatShortChannelId } from '../../src/wire/short-channel-id.ts';
import { waitFor } from '../regtest/harness.ts';
import { CHANNELS, NAMES, type Network, type Node } from './both-networks.ts';
import { type Json, merged, shapeOf } from './shape-of.ts';
import type { Way } from './tap.ts';

/** Who asks what. */
const QUESTIONS = [
  ['alice', 'out', 50_000],
  ['alice', 'in', 50_000],
  ['alice', 'out', 1_000_000],
  ['bob', 'in', 130_000],
  ['dave', 'out', 50_000],
  ['dave', 'in', 50_000],
] as const;
const PATIENCE_MS = 20_000;

interface Said {
  way: Way;
  message: Record<string, unknown> & { method?: string; id?: unknown; params: Json; result: Json };
}

/** One run of the conversation, with names in the place of ids. */
export class Transcript {
  answers: Json[] = [];
  errors: string[] = [];
  /** The notifications that each node's plugin got while dave was there, and carol's when he was gone. */
  heard: string[][] = [];
  readonly listed = new Map<string, object>();
  readonly #said: string[];
  readonly #names = new Map<string, string>();

  constructor(files: readonly string[]) {
    this.#said = [...files];
  }

  async converse(network: Network): Promise<void> {
    network.nodes.forEach(({ id }, at) => {
      this.#names.set(id, NAMES[at] ?? '');
    });
    const scids = await network.openChannels();
    scids.forEach((scid, at) => {
      const channel = CHANNELS[at];
      this.#names.set(scid, `${channel?.from}-${channel?.to}`);
    });
    for (const [asker, direction, amount] of QUESTIONS) {
      const node = network.nodes[NAMES.indexOf(asker)];
      const answer = await node?.rpc('foafbalance', { direction, amount, timeout: 20 });
      this.answers.push(this.named(answer));
    }
    await this.#look(network);
    await network.close(scids[4] ?? '', NAMES.indexOf('dave'));
    for (const at of [1, 3]) {
      await waitFor(
        `the closing to be told to ${NAMES[at]}`,
        async () => this.notifications(at).some(text => text.includes('"ONCHAIN"')) || undefined,
        PATIENCE_MS,
      );
    }
    await this.#lookAtPartings(network);
  }

  /** At bob's and dave's closed channel, and at carol's when dave is gone. */
  async #lookAtPartings(network: Network): Promise<void> {
    const [, bob, carol, dave] = network.nodes as [Node, Node, Node, Node];
    this.listed.set('listpeerchannels when closed', await bob.rpc('listpeerchannels', { id: dave.id }));
    this.heard = NAMES.map((_name, at) => this.notifications(at).sort());
    await network.part();
    await waitFor(
      'carol to learn that dave is gone',
      async () => this.notifications(2).some(text => text.includes('"disconnect"')) || undefined,
      PATIENCE_MS,
    );
    this.heard.push(this.notifications(2).sort());
    for (const method of ['listpeers', 'listpeerchannels', 'listfunds'])
      this.listed.set(`${method} when dave is gone`, await carol.rpc(method));
    const outcome = await carol.rpc('sendcustommsg', { node_id: dave.id, msg: '015b' }).catch(refusalOf);
    this.errors.push(`sendcustommsg when dave is gone: ${outcome}`);
  }

  /** What a client sees of a node. */
  async #look({ nodes }: Network): Promise<void> {
    const [alice, bob] = nodes as [Node, Node];
    const calls: [string, object][] = [
      ['getinfo', {}],
      ['listpeers', {}],
      ['listpeerchannels', { id: bob.id }],
      ['listfunds', {}],
      ['listnodes', { id: bob.id }],
      ['listchannels', { source: bob.id }],
      ['help', ['foafbalance']],
      ['setconfig', { config: 'foaf-timeout', val: 7, transient: true }],
      ['check', ['foafbalance', 'out', 50_000]],
    ];
    for (const [method, params] of calls) this.listed.set(method, await alice.rpc(method, params));
    const refused: [string, object][] = [
      ['nosuch', {}],
      ['check', ['nosuch']],
      ['check', ['foafbalance', 'out', 0]],
      ['check', { command_to_check: 'setconfig', config: 'foaf-timeout', val: 'soon' }],
      ['setconfig', ['no-such-option', 1]],
      ['help', ['nosuch']],
      ['sendcustommsg', {}],
      ['sendcustommsg', { node_id: bob.id, msg: '015b', more: 1 }],
      ['sendcustommsg', [bob.id, '015b', 1]],
      ['sendcustommsg', { node_id: (nodes[3] as Node).id, msg: '015b' }],
      ['listchannels', { source: bob.id, destination: alice.id }],
      ['makesecret', {}],
    ];
    for (const [method, params] of refused) {
      const outcome = await alice.rpc(method, params).catch(refusalOf);
      this.errors.push(`${method}: ${this.named(outcome)}`);
    }
  }

  /** Everything of one way that was written down by a node's tap. */
  said(at: number, way: Way): Said['message'][] {
    const lines = readFileSync(this.#said[at] ?? '', 'utf8')
      .trimEnd()
      .split('\n');
    return lines
      .map(line => JSON.parse(line) as Said)
      .flatMap(said => (said.way === way ? said.message : []));
  }

  /** Names for ids and channels in a JSON value. */
  named(value: unknown): Json {
    let text = JSON.stringify(value);
    for (const [id, name] of this.#names) text = text.replaceAll(id, name);
    return JSON.parse(text);
  }

  /** The notifications that a node's plugin got, without what differs by nature. */
  notifications(at: number): string[] {
    return this.said(at, 'node')
      .filter(({ id }) => id === undefined)
      .map(({ method, params }) => {
        const text = JSON.stringify({ method, params: this.named(params) }, (key, value) =>
          ['timestamp', 'channel_id', 'port'].includes(key) ? typeof value : value,
        );
        return text;
      });
  }

  /** The custom messages that a node's plugin got, in words, each with the keys of its hook call. */
  messages(at: number): string[] {
    return this.said(at, 'node')
      .filter(({ method }) => method === 'custommsg')
      .map(({ params }) => {
        const { payload, peer_id } = params as unknown as { payload: string; peer_id: string };
        const message = decodeMessage(payload);
        return JSON.stringify({
          keys: Object.keys(params),
          from: this.named(peer_id),
          name: message.name,
          flow: message.flow,
          amount: String(message.amountMsat),
          hasId: message.queryId !== undefined,
          channels:
            message.name === 'reply_foaf_balances'
              ? this.named(message.shortChannelIds.map(formatShortChannelId).sort())
              : undefined,
        });
      })
      .sort();
  }

  /** The calls that a node's plugin made: method and parameters' names, and what shape the answers had. */
  calls(at: number): Map<string, unknown> {
    const answers = new Map(this.said(at, 'answer').map(answer => [answer.id, answer]));
    const shapes = new Map<string, unknown>();
    for (const { id, method, params } of this.said(at, 'call')) {
      const call = `${method}(${Object.keys(params).sort().join()})`;
      shapes.set(call, merged(shapes.get(call), shapeOf(answers.get(id)?.result)));
    }
    return shapes;
  }
}

function refusalOf({ code, message }: { code: number; message: string }): string {
  return `${code} ${message}`;
}
