/** What searches for cheapest paths take their next node from: a binary heap in arrays. */
import { at } from './network.ts';

/** The node with the lowest cost first. */
export class CostQueue {
  readonly #costs: Float64Array;
  readonly #nodes: Int32Array;
  #size = 0;

  /** @param most how many are ever in it at once */
  constructor(most: number) {
    this.#costs = new Float64Array(most);
    this.#nodes = new Int32Array(most);
  }

  push(cost: number, node: number): void {
    let place = this.#size++;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (at(this.#costs, parent) <= cost) break;
      this.#set(place, at(this.#costs, parent), at(this.#nodes, parent));
      place = parent;
    }
    this.#set(place, cost, node);
  }

  pop(): number | undefined {
    if (this.#size === 0) return undefined;
    const first = at(this.#nodes, 0);
    const size = --this.#size;
    const cost = at(this.#costs, size);
    const node = at(this.#nodes, size);
    let place = 0;
    for (let child = 1; child < size; child = 2 * place + 1) {
      if (child + 1 < size && at(this.#costs, child + 1) < at(this.#costs, child)) child++;
      if (at(this.#costs, child) >= cost) break;
      this.#set(place, at(this.#costs, child), at(this.#nodes, child));
      place = child;
    }
    this.#set(place, cost, node);
    return first;
  }

  #set(place: number, cost: number, node: number): void {
    this.#costs[place] = cost;
    this.#nodes[place] = node;
  }
}
