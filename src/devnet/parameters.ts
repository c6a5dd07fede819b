/**
 * Parameters of the node's own commands, positional or by name, refused in lightningd's words.
 *
 * Hazard: a stand-in that takes what a real node refuses hides the caller's mistake. So what is missing, unknown or
 * too much is a -32602 here too.
 */
import { isObject } from './misconduct.ts';
import { FaultCode, RpcFault } from './rpc-fault.ts';

/** Parameters by their names; what was left out, or given as `null`, is absent. */
export type Bound = Readonly<Record<string, unknown>>;

/**
 * Brings parameters into one form.
 *
 * @param names the command's parameters in their order
 * @param required how many of them, from the first one on, must be there
 * @throws RpcFault -32602
 */
export function bind(names: readonly string[], required: number, params: unknown): Bound {
  const bound: Record<string, unknown> = {};
  if (Array.isArray(params)) {
    if (params.length > names.length)
      throw invalid(`too many parameters: got ${params.length}, expected ${names.length}`);
    names.forEach((name, index) => {
      if (params[index] !== null && params[index] !== undefined) bound[name] = params[index];
    });
  } else if (isObject(params)) {
    for (const [name, value] of Object.entries(params)) {
      if (!names.includes(name)) throw invalid(`unknown parameter: ${name}${UNKNOWN_HINT}`);
      if (value !== null) bound[name] = value;
    }
  } else if (params !== undefined) {
    throw new RpcFault(FaultCode.invalidRequest, 'params must be an object or an array');
  }
  for (const name of names.slice(0, required)) {
    if (bound[name] === undefined) throw invalid(`missing required parameter: ${name}`);
  }
  return bound;
}

const UNKNOWN_HINT =
  ', this may be caused by a failure to autodetect key=value-style parameters.' +
  ' Please try using the -k flag and explicit key=value pairs of parameters.';

/** A parameter as a node id. @throws RpcFault -32602 */
export function nodeId(bound: Bound, name: string): string | undefined {
  return matching(bound, name, /^0[23][0-9a-f]{64}$/, 'a node id');
}

/** A parameter as a short channel id. @throws RpcFault -32602 */
export function shortChannelId(bound: Bound, name: string): string | undefined {
  return matching(bound, name, /^\d+x\d+x\d+$/, 'a short_channel_id of form NxNxN');
}

/** A parameter as text that matches. @throws RpcFault -32602 */
function matching(bound: Bound, name: string, pattern: RegExp, what: string): string | undefined {
  const value = bound[name];
  if (value === undefined) return undefined;
  if (typeof value === 'string' && pattern.test(value)) return value;
  throw invalid(`${name}: should be ${what}: invalid token '${JSON.stringify(value)}'`);
}

export function invalid(message: string): RpcFault {
  return new RpcFault(FaultCode.invalidParams, message);
}
