/**
 * What a rule does to a network: moves around circles, counted.
 *
 * One operation is one circular payment that went through: a split one is as many as it has parts, and who initiated it
 * does not matter. Operations per node are all of them by all nodes, as in arXiv 1912.09555.
 */
import { at } from './network.ts';
import { back, type Holdings, type PaperNetwork } from './paper-network.ts';

export class PaperRun {
  readonly network: PaperNetwork;
  readonly holdings: Holdings;
  readonly #onOperation: (operations: number) => boolean;
  #operations = 0;
  #isOver = false;

  /** @param onOperation told of each operation; whether it was the last one */
  constructor(network: PaperNetwork, onOperation: (operations: number) => boolean) {
    this.network = network;
    this.holdings = network.start.slice();
    this.#onOperation = onOperation;
  }

  get operations(): number {
    return this.#operations;
  }

  /** Whether no more operations are wanted. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /**
   * Moves a whole number of millisatoshi along directed channels that lead back to where they begin.
   *
   * @throws RangeError when a source has less
   */
  move(circle: readonly number[], amount: number): void {
    for (const edge of circle) {
      if (at(this.holdings, edge) < amount) throw new RangeError(`less than ${amount} msat at ${edge}`);
    }
    for (const edge of circle) {
      this.holdings[edge] = at(this.holdings, edge) - amount;
      this.holdings[back(edge)] = at(this.holdings, back(edge)) + amount;
    }
    this.#operations++;
    this.#isOver = this.#onOperation(this.#operations);
  }
}
