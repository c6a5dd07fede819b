/** A node's askrene layers, in what our plugins use of them: lightningd v26.06's, without any routing behind. */
import { type Bound, invalid } from './parameters.ts';

interface Constraint {
  readonly short_channel_id_dir: string;
  readonly layer: string;
  readonly timestamp: number;
  readonly minimum_msat?: number;
  readonly maximum_msat?: number;
}

export class Layers {
  readonly #constraints = new Map<string, Constraint[]>();

  /** @throws RpcFault like askrene's */
  create({ layer }: Bound): object {
    const name = String(layer);
    if (this.#constraints.has(name)) throw invalid('Layer already exists');
    this.#constraints.set(name, []);
    const shape = {
      layer: name,
      persistent: false,
      disabled_nodes: [],
      created_channels: [],
      channel_updates: [],
      constraints: [],
      biases: [],
      node_biases: [],
    };
    return { layers: [shape] };
  }

  /** @throws RpcFault like askrene's */
  age({ layer, cutoff }: Bound): object {
    const known = this.#of(layer);
    const kept = known.filter(({ timestamp }) => timestamp >= Number(cutoff));
    this.#constraints.set(String(layer), kept);
    return { layer, num_removed: known.length - kept.length };
  }

  /** @throws RpcFault like askrene's */
  inform({ layer, short_channel_id_dir, amount_msat, inform }: Bound): object {
    const constraint: Constraint = {
      short_channel_id_dir: String(short_channel_id_dir),
      layer: String(layer),
      timestamp: Math.floor(Date.now() / 1000),
      ...(inform === 'constrained'
        ? { maximum_msat: Number(amount_msat) - 1 }
        : { minimum_msat: Number(amount_msat) }),
    };
    this.#of(layer).push(constraint);
    return { constraints: [constraint] };
  }

  #of(layer: unknown): Constraint[] {
    const known = this.#constraints.get(String(layer));
    if (known === undefined) throw invalid('Unknown layer');
    return known;
  }
}
