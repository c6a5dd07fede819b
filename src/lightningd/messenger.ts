/**
 * Sends our messages to connected peers.
 *
 * Hazard: lightningd v26.06.6 takes an empty message or one over 65,535 bytes and then dies of it. Only what
 * `encodeMessage` wrote is sent, which is neither.
 */
import type { Send } from '../sharing/ports.ts';
import { encodeMessage } from '../wire/codec.ts';
import { ErrorCode, RpcError } from './errors.ts';
import type { Rpc } from './rpc-client.ts';

/**
 * `sendcustommsg`, or on a node before v0.10.1 `dev-sendcustommsg`, from the first time on that it is told so.
 *
 * @param sent counts the messages that lightningd took, by their names
 */
export function createMessenger(rpc: Rpc, sent = new Map<string, number>()): Send {
  let command = 'sendcustommsg';
  return async (peerId, message) => {
    const params = { node_id: peerId, msg: encodeMessage(message) };
    const tried = command;
    try {
      await rpc.call(tried, params);
    } catch (error) {
      const missing = error instanceof RpcError && error.code === ErrorCode.methodNotFound;
      if (!missing || tried === 'dev-sendcustommsg') throw error;
      command = 'dev-sendcustommsg';
      await rpc.call(command, params);
    }
    sent.set(message.name, (sent.get(message.name) ?? 0) + 1);
  };
}
