/** The command `foafdecode`: a message of type 347 in words. */
import { decodeMessage, FOAF_MESSAGE_TYPE, type FoafMessage } from '../wire/codec.ts';
import { formatShortChannelId } from '../wire/short-channel-id.ts';
import { WireError } from '../wire/wire-error.ts';
import { type CommandSchema, parameterNames } from './command-schema.ts';
import { bindParameters, invalidParameter, shown } from './parameters.ts';
import schema from './schemas/foafdecode.json' with { type: 'json' };

export const FOAFDECODE: CommandSchema = schema;
const NAME = FOAFDECODE.rpc;

/** @throws CommandError -32602 when the message is void, with the reason */
export function foafdecode(params: unknown): object {
  const { message } = bindParameters(NAME, parameterNames(FOAFDECODE), params);
  if (typeof message !== 'string') {
    throw invalidParameter(NAME, 'message', `must be a message in hexadecimal, got ${shown(message)}`);
  }
  try {
    return describe(decodeMessage(message));
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw invalidParameter(NAME, 'message', `${error.message} (${error.reason}), got ${shown(message)}`);
  }
}

/** The fields by their names in docs/protocol.md; those that the message does not have are left out. */
function describe(message: FoafMessage): object {
  const { name, chainHash, queryId, flow, amountMsat } = message;
  return {
    type: FOAF_MESSAGE_TYPE,
    name,
    chain_hash: chainHash,
    ...(queryId === undefined ? {} : { query_id: queryId }),
    flow_value: flow,
    amount_msat: amountMsat,
    ...(message.name === 'reply_foaf_balances'
      ? {
          timestamp: message.timestampMs,
          short_channel_ids: message.shortChannelIds.map(formatShortChannelId),
        }
      : {}),
  };
}
