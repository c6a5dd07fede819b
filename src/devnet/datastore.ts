/** A node's datastore, in what our plugins use of it: `datastore` and `listdatastore` of lightningd v26.06. */
import { type Bound, invalid } from './parameters.ts';
import { RpcFault } from './rpc-fault.ts';

interface Entry {
  readonly key: readonly string[];
  readonly generation: number;
  readonly string: string;
}

/** lightningd's "key already exists". */
const ALREADY_EXISTS = 1202;

export class Datastore {
  readonly #entries = new Map<string, Entry>();

  /** @throws RpcFault like lightningd's */
  write({ key, string, mode }: Bound): Entry {
    const path = pathOf(key);
    if (typeof string !== 'string') throw invalid('must specify string or hex');
    const name = JSON.stringify(path);
    const before = this.#entries.get(name);
    if (before !== undefined && mode !== 'create-or-replace')
      throw new RpcFault(ALREADY_EXISTS, 'Key already exists');
    const entry = { key: path, generation: before === undefined ? 0 : before.generation + 1, string };
    this.#entries.set(name, entry);
    return shown(entry);
  }

  /** The entry itself; children are not asked for. */
  list({ key }: Bound): object {
    const entry = this.#entries.get(JSON.stringify(pathOf(key)));
    return { datastore: entry === undefined ? [] : [shown(entry)] };
  }
}

function shown(entry: Entry): Entry & { hex: string } {
  return { ...entry, hex: Buffer.from(entry.string).toString('hex') };
}

function pathOf(key: unknown): string[] {
  return (Array.isArray(key) ? key : [key]).map(String);
}
