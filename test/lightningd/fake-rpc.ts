/** A connection to lightningd whose answers the test gives, when it wants to. */
import type { Rpc } from '../../src/lightningd/rpc-client.ts';

export interface Call {
  readonly method: string;
  readonly params: object;
}

export class FakeRpc implements Rpc {
  readonly calls: Call[] = [];
  /** The answer to a call; thrown or rejected errors reach the caller. */
  answer: (call: Call) => unknown;

  constructor(answer: (call: Call) => unknown) {
    this.answer = answer;
  }

  async call(method: string, params: object = {}): Promise<unknown> {
    const call = { method, params };
    this.calls.push(call);
    return this.answer(call);
  }

  count(method: string): number {
    return this.calls.filter(call => call.method === method).length;
  }
}
