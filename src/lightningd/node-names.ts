/**
 * The names that nodes gave themselves.
 *
 * Hazard: a name is a stranger's text, any 32 bytes, and lightningd's whole list of nodes is large. So names are asked
 * for one by one, a bounded number at a time and in all, remembered, and freed of what is no text to look at.
 */
import { LRUCache } from 'lru-cache';
import * as answers from './answers.ts';
import { RpcError, UnexpectedAnswerError } from './errors.ts';
import type { Rpc } from './rpc-client.ts';

/** How many names are asked for at once. */
const ASKED_AT_ONCE = 8;
const REMEMBERED = 5_000;
/** Names hardly ever change. */
const REMEMBERED_MS = 3_600_000;
/** BOLT 7 has 32 bytes for it. */
const MAX_LENGTH = 32;
/** Control characters, and what turns the direction of text, joins or hides it: categories Cc, Cf, Cs, Co, Cn, Zl, Zp. */
const INVISIBLE = /[\p{C}\p{Zl}\p{Zp}]/gu;

export class NodeNames {
  readonly #rpc: Rpc;
  readonly #names = new LRUCache<string, string>({ max: REMEMBERED, ttl: REMEMBERED_MS });

  constructor(rpc: Rpc) {
    this.#rpc = rpc;
  }

  /** The names of those that have one, by node id. Rejects when lightningd is gone. */
  async of(ids: readonly string[]): Promise<Map<string, string>> {
    const names = new Map<string, string>();
    for (let from = 0; from < ids.length; from += ASKED_AT_ONCE) {
      const some = ids.slice(from, from + ASKED_AT_ONCE);
      for (const [index, name] of (await Promise.all(some.map(id => this.#nameOf(id)))).entries()) {
        const id = some[index];
        if (id !== undefined && name !== '') names.set(id, name);
      }
    }
    return names;
  }

  async #nameOf(id: string): Promise<string> {
    const known = this.#names.get(id);
    if (known !== undefined) return known;
    const name = await this.#ask(id);
    this.#names.set(id, name);
    return name;
  }

  /** A name that lightningd cannot tell is none: the picture has the id. */
  async #ask(id: string): Promise<string> {
    try {
      const answer = await this.#rpc.call('listnodes', { id });
      const { nodes } = answers.readAnswer('listnodes', answers.listnodes, answer);
      return visible(nodes[0]?.alias ?? '');
    } catch (error) {
      if (error instanceof RpcError || error instanceof UnexpectedAnswerError) return '';
      throw error;
    }
  }
}

/** What of a stranger's text can be seen, in one line. */
export function visible(text: string): string {
  return [...text.replace(INVISIBLE, '')].slice(0, MAX_LENGTH).join('').trim();
}
