/**
 * The node's own commands: those of lightningd that our plugins call, and those about the plugin that lightning-cli
 * does. All others are unknown, -32601, as on a node that lacks them.
 */
import { createHmac } from 'node:crypto';
import { checkMessage } from './custom-message.ts';
import type { DevNode } from './node.ts';
import { type Bound, bind, invalid, nodeId, shortChannelId } from './parameters.ts';
import { FaultCode, RpcFault } from './rpc-fault.ts';
import type { RpcRequest } from './rpc-server.ts';
import {
  getinfoShape,
  listchannelsShape,
  listfundsShape,
  listnodesShape,
  listpeerchannelsShape,
  listpeersShape,
} from './shapes.ts';

interface Command {
  /** In their order. */
  readonly parameters: readonly string[];
  /** How many of them, from the first one on, must be given. */
  readonly required: number;
  readonly run: (node: DevNode, bound: Bound, clientId: string) => unknown;
}

/** lightningd's default on regtest and mainnet alike is 18. */
const CLTV_FINAL = 18;

const COMMANDS = new Map<string, Command>(
  Object.entries({
    getinfo: {
      parameters: [],
      required: 0,
      run: node => getinfoShape(node.world, node, node.lightningDir),
    },
    listpeers: {
      parameters: ['id', 'level'],
      required: 0,
      run: (node, bound) => listpeersShape(node.world, node.id, nodeId(bound, 'id')),
    },
    listpeerchannels: {
      parameters: ['id', 'short_channel_id'],
      required: 0,
      run: listpeerchannels,
    },
    listfunds: {
      parameters: ['spent'],
      required: 0,
      run: node => listfundsShape(node.world, node.id),
    },
    listchannels: {
      parameters: ['short_channel_id', 'source', 'destination'],
      required: 0,
      run: listchannels,
    },
    listnodes: {
      parameters: ['id'],
      required: 0,
      run: (node, bound) => listnodesShape(node.world, nodeId(bound, 'id')),
    },
    makesecret: { parameters: ['hex', 'string'], required: 0, run: makesecret },
    datastore: {
      parameters: ['key', 'string', 'hex', 'mode', 'generation'],
      required: 1,
      run: (node, bound) => node.datastore.write(bound),
    },
    listdatastore: { parameters: ['key'], required: 0, run: (node, bound) => node.datastore.list(bound) },
    'askrene-create-layer': {
      parameters: ['layer', 'persistent'],
      required: 1,
      run: (node, bound) => node.layers.create(bound),
    },
    'askrene-age': {
      parameters: ['layer', 'cutoff'],
      required: 2,
      run: (node, bound) => node.layers.age(bound),
    },
    'askrene-inform-channel': {
      parameters: ['layer', 'short_channel_id_dir', 'amount_msat', 'inform'],
      required: 4,
      run: (node, bound) => node.layers.inform(bound),
    },
    // The one option that our plugins ask for, as the harness's real nodes have it.
    listconfigs: {
      parameters: ['config'],
      required: 1,
      run: () => ({ configs: { 'cltv-final': { value_int: CLTV_FINAL, source: 'default' } } }),
    },
    sendcustommsg: { parameters: ['node_id', 'msg'], required: 2, run: sendcustommsg },
    // lightning-cli asks for them first; there are none.
    notifications: { parameters: ['enable'], required: 1, run: () => ({}) },
    setconfig: {
      parameters: ['config', 'val', 'transient'],
      required: 1,
      run: (node, bound, clientId) => pluginOf(node, bound).setconfig(bound, clientId),
    },
    help: { parameters: ['command'], required: 0, run: help },
  }),
);

/** Their names, `check` included: no plugin may have a method of such a name. */
export const COMMAND_NAMES: ReadonlySet<string> = new Set([...COMMANDS.keys(), 'check']);

/**
 * Answers a client of the node, or lets the plugin do it.
 *
 * @throws RpcFault, or Misconduct if the node stops over it
 */
export async function serve(node: DevNode, { method, params, id }: RpcRequest): Promise<unknown> {
  if (method === 'check') return await check(node, params, id);
  const command = COMMANDS.get(method);
  if (command !== undefined)
    return await command.run(node, bind(command.parameters, command.required, params), id);
  if (node.plugin?.methods.has(method) !== true) throw unknown(method);
  return await node.plugin.call(method, params, id);
}

/** A plugin that knows `check` gets it as it came. */
async function check(node: DevNode, params: unknown, clientId: string): Promise<unknown> {
  const [name, rest]: readonly unknown[] = Array.isArray(params)
    ? [params[0], params.slice(1)]
    : commandToCheck(params);
  if (typeof name !== 'string') throw invalid('missing required parameter: command_to_check');
  const command = COMMANDS.get(name);
  if (command === undefined) {
    if (node.plugin?.methods.has(name) !== true) throw unknown(name);
    return await node.plugin.check(name, params, clientId);
  }
  const bound = bind(command.parameters, command.required, rest);
  if (name === 'setconfig') return await pluginOf(node, bound).setconfig(bound, clientId, true);
  return { command_to_check: name };
}

function commandToCheck(params: unknown): [unknown, object] {
  const { command_to_check: name, ...rest } = Object(params);
  return [name, rest];
}

function listpeerchannels(node: DevNode, bound: Bound): unknown {
  const peerId = nodeId(bound, 'id');
  const id = shortChannelId(bound, 'short_channel_id');
  if (peerId !== undefined && id !== undefined)
    throw invalid('Must not specify more than one of short_channel_id, channel_id or id');
  return listpeerchannelsShape(
    node.world,
    node.id,
    channel =>
      (peerId === undefined || channel.hasEnd(peerId)) && (id === undefined || channel.shortChannelId === id),
  );
}

function listchannels(node: DevNode, bound: Bound): unknown {
  const id = shortChannelId(bound, 'short_channel_id');
  const source = nodeId(bound, 'source');
  const destination = nodeId(bound, 'destination');
  if ([id, source, destination].filter(selector => selector !== undefined).length > 1)
    throw invalid('Can only specify one of `short_channel_id`, `source` or `destination`');
  return listchannelsShape(
    node.world,
    direction =>
      (id === undefined || direction.short_channel_id === id) &&
      (source === undefined || direction.source === source) &&
      (destination === undefined || direction.destination === destination),
  );
}

/** The same for the same node and text, as a real one derives it from its `hsm_secret`, though another. */
function makesecret(node: DevNode, { hex, string }: Bound): unknown {
  if (hex !== undefined && string !== undefined) throw invalid('Cannot have both hex and string');
  const isHex = typeof hex === 'string' && /^([0-9a-fA-F]{2})*$/.test(hex);
  if (!isHex && typeof string !== 'string') throw invalid('Must have either hex or string');
  const info = isHex ? Buffer.from(hex, 'hex') : Buffer.from(String(string));
  return { secret: createHmac('sha256', `secret of ${node.name}`).update(info).digest('hex') };
}

function sendcustommsg(node: DevNode, bound: Bound): unknown {
  const peerId = nodeId(bound, 'node_id') ?? '';
  const peer = node.world.residents.get(peerId);
  const message = String(bound['msg']).toLowerCase();
  const fatal = checkMessage(message);
  if (peer === undefined || !node.world.peersOf(node.id).includes(peerId))
    throw new RpcFault(FaultCode.invalidRequest, `No such peer: ${peerId}`);
  if (!node.world.isConnected(node.id, peerId))
    throw new RpcFault(FaultCode.invalidRequest, 'Peer is not connected');
  // As on a real node the answer says that all is well, and what comes of it shows after that.
  setImmediate(() => {
    if (fatal !== undefined) node.die(fatal);
    else peer.receive(node.id, message);
  });
  return { status: 'Message sent to connectd for delivery' };
}

function help(node: DevNode, { command }: Bound): unknown {
  const usages = new Map<string, string>(node.plugin?.methods);
  for (const [name, { parameters, required }] of COMMANDS) {
    usages.set(
      name,
      parameters.map((parameter, at) => (at < required ? parameter : `[${parameter}]`)).join(' '),
    );
  }
  const names = command === undefined ? [...usages.keys()].sort() : [String(command)];
  return {
    help: names.map(name => {
      const usage = usages.get(name);
      if (usage === undefined) throw new RpcFault(FaultCode.methodNotFound, `Unknown command ${name}`);
      return { command: `${name} ${usage}` };
    }),
    'format-hint': 'simple',
  };
}

/** Whose options can be set. */
function pluginOf(node: DevNode, { config }: Bound) {
  if (node.plugin !== undefined) return node.plugin;
  throw invalid(`config: Unknown config option: invalid token '${JSON.stringify(config)}'`);
}

function unknown(method: string): RpcFault {
  return new RpcFault(FaultCode.methodNotFound, `Unknown command '${method}'`);
}
