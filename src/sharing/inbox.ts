/**
 * What the hook has answered but nobody has looked at yet.
 *
 * Hazard: lightningd hands us messages as fast as peers send them. The queue takes a bounded amount from each friend
 * and a bounded amount from all others together, and is emptied in turns, so that one peer's flood costs it its own
 * messages and delays nobody else's by more than one.
 */

/** Per lane; a lane is one friend, or all strangers together. */
const MAX_MESSAGES_PER_LANE = 32;
/** The characters of the waiting hex texts of a lane: two messages of the largest size and some small ones. */
const MAX_CHARACTERS_PER_LANE = 300_000;
/** The lane of whoever is no friend. */
const STRANGERS = '';

interface Lane {
  readonly messages: { readonly peerId: string; readonly payload: string }[];
  characters: number;
}

export class Inbox {
  readonly #isFriend: (peerId: string) => boolean;
  /** In the order of their turns. */
  readonly #lanes = new Map<string, Lane>();

  /** @param isFriend whether a peer gets a lane of its own */
  constructor(isFriend: (peerId: string) => boolean) {
    this.#isFriend = isFriend;
  }

  /** Queues one message. Returns `false`, and forgets it, when the sender's lane is full. */
  push(peerId: string, payload: string): boolean {
    const key = this.#isFriend(peerId) ? peerId : STRANGERS;
    const lane = this.#lanes.get(key) ?? { messages: [], characters: 0 };
    if (lane.messages.length >= MAX_MESSAGES_PER_LANE) return false;
    if (lane.characters + payload.length > MAX_CHARACTERS_PER_LANE) return false;
    lane.messages.push({ peerId, payload });
    lane.characters += payload.length;
    this.#lanes.set(key, lane);
    return true;
  }

  get isEmpty(): boolean {
    return this.#lanes.size === 0;
  }

  /** The next message in turn, `undefined` when nothing waits. */
  take(): { readonly peerId: string; readonly payload: string } | undefined {
    for (const [key, lane] of this.#lanes) {
      const message = lane.messages.shift();
      this.#lanes.delete(key);
      if (message === undefined) continue;
      lane.characters -= message.payload.length;
      if (lane.messages.length > 0) this.#lanes.set(key, lane);
      return message;
    }
    return undefined;
  }
}
