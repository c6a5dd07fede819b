/**
 * Carries gossip between nodes faster than they do so themselves.
 *
 * A node listens to one peer's gossip at first and to others only after steps of 5 s (even with --dev-fast-gossip),
 * so that six nodes in a line need 16 s to know of each other's channels. What a node has heard stands in its file
 * `gossip_store`; `addgossip` gives it to another, which checks signatures and funding as ever. Should a later
 * lightningd write another format, nothing is carried and the nodes' own gossip has to do.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RegtestNode } from './node.ts';
import { RpcFailure } from './rpc.ts';

/** The layout of common/gossip_store.h: a version byte whose top three bits change if older readers must not try. */
const MAJOR_VERSION_MASK = 0xe0;
/** Of each record, big-endian: flags (u16), length of the message (u16), checksum (u32), timestamp (u32). */
const RECORD_HEADER_BYTES = 12;
const DELETED_FLAG = 0x8000;
/** BOLT 7's channel_announcement, channel_update and node_announcement, in the order in which they make sense. */
const TYPES = [256, 258, 257];

/** The messages in a store, oldest first. */
function messagesIn(store: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  if (store.length === 0 || (store.readUInt8(0) & MAJOR_VERSION_MASK) !== 0) return messages;
  let offset = 1;
  while (offset + RECORD_HEADER_BYTES <= store.length) {
    const start = offset + RECORD_HEADER_BYTES;
    const end = start + store.readUInt16BE(offset + 2);
    if (end > store.length) break; // Being written just now.
    const isDeleted = (store.readUInt16BE(offset) & DELETED_FLAG) !== 0;
    if (!isDeleted && end - start > 2) messages.push(store.subarray(start, end));
    offset = end;
  }
  return messages;
}

export class GossipCourier {
  /** What each node has, in hex. */
  readonly #known = new Map<RegtestNode, Set<string>>();

  /** Gives each node what another has heard by now. A message that a node refuses is tried again the next time. */
  async carry(nodes: readonly RegtestNode[]): Promise<void> {
    const all = new Map<string, number>();
    await Promise.all(
      nodes.map(async node => {
        const known = this.#known.get(node) ?? new Set();
        this.#known.set(node, known);
        for (const message of messagesIn(await readFile(join(node.directory, 'regtest', 'gossip_store')))) {
          const hex = message.toString('hex');
          known.add(hex);
          all.set(hex, TYPES.indexOf(message.readUInt16BE(0)));
        }
      }),
    );
    const inOrder = [...all].filter(([, place]) => place >= 0).sort(([, a], [, b]) => a - b);
    await Promise.all(
      nodes.flatMap(node => inOrder.map(([message]) => this.#give(node, this.#known.get(node), message))),
    );
  }

  async #give(node: RegtestNode, known: Set<string> | undefined, message: string): Promise<void> {
    if (known?.has(message)) return;
    try {
      await node.rpc('addgossip', { message });
      known?.add(message);
    } catch (error) {
      if (!(error instanceof RpcFailure)) throw error;
    }
  }
}
