/**
 * Custom messages between peers.
 *
 * Hazards that they are handled with the care of the real thing for: `sendcustommsg` answers success to a message that
 * lightningd's connectd then dies of; and a hook that is slow to answer keeps back all else from that peer, so that
 * the stand-in, too, delivers one message at a time on each connection.
 */
import { FaultCode, RpcFault } from './rpc-fault.ts';

/** The longest message, its type included (BOLT 8: a u16 length). */
const MAX_MESSAGE_BYTES = 65_535;
/** Types that lightningd sends by itself and no one else may (BOLT 1, 2, 4, 7). */
const INTERNAL_TYPES: ReadonlySet<number> = new Set(
  [
    [1, 2, 16, 17, 18, 19, 513],
    [32, 33, 34, 35, 36, 38, 39, 40, 41],
    [64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 77, 80, 81],
    [128, 130, 131, 132, 133, 134, 135, 136],
    [256, 257, 258, 259, 261, 262, 263, 264, 265],
  ].flat(),
);

/** The type of a message in hex; none if it is too short to have one. */
export function typeOf(message: string): number | undefined {
  return message.length < 4 ? undefined : Number.parseInt(message.slice(0, 4), 16);
}

/** Whether a node that does not know a message must end the connection over it (BOLT 1: even types). */
export function isMandatory(message: string): boolean {
  return (typeOf(message) ?? 1) % 2 === 0;
}

/**
 * Judges what `sendcustommsg` is to send, in lower-case hex.
 *
 * @returns what the sending node dies of, `undefined` if it does not
 * @throws RpcFault if lightningd refuses it
 */
export function checkMessage(message: string): string | undefined {
  if (!/^([0-9a-f]{2})+$/.test(message))
    return `sendcustommsg of an empty message or of what is no hex (got ${message.length} characters)`;
  const bytes = message.length / 2;
  if (bytes > MAX_MESSAGE_BYTES) return `sendcustommsg of ${bytes} bytes, ${MAX_MESSAGE_BYTES} is the most`;
  const type = typeOf(message);
  if (type !== undefined && INTERNAL_TYPES.has(type)) {
    throw new RpcFault(
      FaultCode.invalidRequest,
      `Cannot send messages of type ${type}. It is not possible to send messages that have a type managed` +
        ' internally since that might cause issues with the internal state tracking.',
    );
  }
  return undefined;
}

/** What came from each peer and waits its turn. */
export class Inflow {
  readonly #deliver: (peerId: string, message: string) => Promise<void>;
  readonly #queues = new Map<string, string[]>();

  /** @param deliver resolves when the next message of that peer may come */
  constructor(deliver: (peerId: string, message: string) => Promise<void>) {
    this.#deliver = deliver;
  }

  push(peerId: string, message: string): void {
    const queue = this.#queues.get(peerId);
    if (queue !== undefined) {
      queue.push(message);
      return;
    }
    const fresh = [message];
    this.#queues.set(peerId, fresh);
    this.#drain(peerId, fresh);
  }

  /** The connection is lost, and with it what waits. */
  drop(peerId: string): void {
    this.#queues.delete(peerId);
  }

  async #drain(peerId: string, queue: string[]): Promise<void> {
    for (let message = queue.shift(); message !== undefined; message = queue.shift()) {
      await this.#deliver(peerId, message);
      // The connection was lost meanwhile: what a new one brings has a queue of its own.
      if (this.#queues.get(peerId) !== queue) return;
    }
    this.#queues.delete(peerId);
  }
}
