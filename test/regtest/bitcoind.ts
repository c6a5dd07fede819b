/** The one bitcoind behind a network: a chain of our own, on loopback only, that speaks with nobody. */
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Daemon, Log } from './daemon.ts';
import { freePorts } from './ports.ts';
import { RpcFailure } from './rpc.ts';
import type { Sandbox } from './sandbox.ts';

const START_TIMEOUT_MS = 60_000;
const RPC_TIMEOUT_MS = 30_000;
/** The first coinbase can be spent after 100 more blocks; a chain of the genesis block only counts as "still syncing". */
const FIRST_BLOCKS = 101;

/** A wallet's payment: address to satoshis. */
export type Outputs = ReadonlyMap<string, number>;

/** An output for `walletcreatefundedpsbt`, which wants bitcoins. */
function inBitcoin([address, amountSat]: readonly [string, number]): Record<string, string> {
  return { [address]: `${Math.floor(amountSat / 1e8)}.${String(amountSat % 1e8).padStart(8, '0')}` };
}

export class Bitcoind {
  readonly #sandbox: Sandbox;
  readonly #log = new Log('bitcoind');
  readonly #directory: string;
  readonly #password = randomBytes(16).toString('hex');
  #port = 0;
  #daemon: Daemon | undefined;
  #address = '';

  constructor(sandbox: Sandbox) {
    this.#sandbox = sandbox;
    this.#directory = join(sandbox.directory, 'bitcoind');
  }

  /** Its process's id, which is its process group's, too. */
  get pid(): number | undefined {
    return this.#daemon?.pid;
  }

  /** What tells a lightningd where this bitcoind is. */
  get lightningdArgs(): readonly string[] {
    return [
      `--bitcoin-datadir=${this.#directory}`, // Else bitcoin-cli reads the developer's own bitcoin.conf.
      '--bitcoin-rpcconnect=127.0.0.1',
      `--bitcoin-rpcport=${this.#port}`,
      '--bitcoin-rpcuser=regtest',
      `--bitcoin-rpcpassword=${this.#password}`,
    ];
  }

  /** Starts it with a wallet that can spend. @throws Error, with the log's end, if it does not come up. */
  async start(): Promise<void> {
    mkdirSync(this.#directory);
    [this.#port = 0] = await freePorts(1);
    this.#daemon = new Daemon(
      this.#sandbox,
      'bitcoind',
      [
        '-regtest',
        '-server',
        `-datadir=${this.#directory}`,
        '-printtoconsole',
        '-nodebuglogfile',
        '-listen=0',
        '-connect=0',
        '-dnsseed=0',
        '-txindex=0',
        '-fallbackfee=0.00001',
        '-rpcbind=127.0.0.1',
        '-rpcallowip=127.0.0.1',
        `-rpcport=${this.#port}`,
        '-rpcuser=regtest',
        `-rpcpassword=${this.#password}`,
        '-rpcworkqueue=256', // Several lightningd ask at the same moment, each with several bitcoin-cli.
      ],
      this.#log,
    );
    await this.#log.waitFor(/Done loading/, 0, START_TIMEOUT_MS);
    await this.rpc('createwallet', ['regtest']);
    this.#address = String(await this.rpc('getnewaddress', ['', 'bech32']));
    await this.generate(FIRST_BLOCKS);
  }

  /** Mines `blocks` blocks. @returns the height afterwards. */
  async generate(blocks: number): Promise<number> {
    await this.rpc('generatetoaddress', [blocks, this.#address]);
    return Number(await this.rpc('getblockcount'));
  }

  /**
   * Makes a transaction with such outputs, signs it, and publishes it.
   *
   * @param beforePublishing is shown the unsigned PSBT; its inputs are segwit, so the id is final.
   */
  async pay(outputs: Outputs, beforePublishing?: (psbt: string) => Promise<void>): Promise<void> {
    const { psbt } = (await this.rpc('walletcreatefundedpsbt', [[], [...outputs].map(inBitcoin)])) as {
      psbt: string;
    };
    await beforePublishing?.(psbt);
    const { hex } = (await this.rpc('walletprocesspsbt', [psbt])) as { hex: string };
    await this.rpc('sendrawtransaction', [hex]);
  }

  /** Calls bitcoind. @throws RpcFailure if it answers an error, Error with the log's end if it has died. */
  async rpc(method: string, params: readonly unknown[] = []): Promise<unknown> {
    let answer: { result: unknown; error: { code: number; message: string } | null };
    try {
      const response = await fetch(`http://127.0.0.1:${this.#port}/`, {
        method: 'POST',
        headers: { authorization: `Basic ${Buffer.from(`regtest:${this.#password}`).toString('base64')}` },
        body: JSON.stringify({ id: 1, method, params }),
        signal: AbortSignal.timeout(RPC_TIMEOUT_MS),
      });
      answer = (await response.json()) as typeof answer;
    } catch (cause) {
      if (this.#daemon?.failure) throw this.#daemon.failure;
      throw this.#log.error(`did not answer ${method}`, cause);
    }
    if (answer.error) throw new RpcFailure(method, answer.error);
    return answer.result;
  }

  /** Ends it at once: nothing of its chain is needed any more. */
  async kill(): Promise<void> {
    this.#daemon?.kill();
    await this.#daemon?.ended;
  }
}
