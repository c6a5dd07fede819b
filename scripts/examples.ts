/**
 * The examples in README.md and docs/: blocks marked `console`, each a command and what it printed. They are run on
 * the demo's stand-in network, the same ids each time; those marked `console real` are from real nodes, which move money.
 */
import { DEMO_CHANNELS, DEMO_NODES } from '../src/devnet/demo.ts';
import { Devnet } from '../src/devnet/devnet.ts';
import { RpcError } from '../src/lightningd/errors.ts';
import { ROOT } from './command-pages.ts';

const BLOCK = /^```console( real)?\n\$ lightning-cli (.*)\n([^`]*)```$/gm;
/** What is another each time. */
const CHANGING = /^(?:.*age_ms|elapsed_ms|round_trip_ms|timestamp|at|size|path)$/;

export interface Example {
  readonly isReal: boolean;
  readonly command: string;
  readonly params: object;
  /** What the page shows: JSON, or nothing yet. */
  readonly shown: string;
}

export function examplesIn(page: string): Example[] {
  return [...page.matchAll(BLOCK)].map(([, real, line = '', shown = '']) => ({
    ...callOf(line),
    isReal: real !== undefined,
    shown: shown.trim(),
  }));
}

/** As lightning-cli reads its arguments: what is JSON is taken as that, all else as text. */
function callOf(line: string): { command: string; params: object } {
  const words = line.split(' ');
  const byName = words[0] === '-k';
  const [command = '', ...values] = byName ? words.slice(1) : words;
  if (!byName) return { command, params: values.map(jsonOrText) };
  const pairs = values.map(word => [
    word.slice(0, word.indexOf('=')),
    jsonOrText(word.slice(word.indexOf('=') + 1)),
  ]);
  return { command, params: Object.fromEntries(pairs) };
}

function jsonOrText(word: string): unknown {
  try {
    return JSON.parse(word);
  } catch {
    return word;
  }
}

/** Runs them one after the other on a new network, as its first node: results, or errors with code, message and data. */
export async function run(examples: readonly Example[]): Promise<unknown[]> {
  const plugin = `${ROOT}balancesharing.ts`;
  await using network = await Devnet.start({ nodes: DEMO_NODES.map(name => ({ name, plugin })) });
  network.openChannels(DEMO_CHANNELS);
  const results: unknown[] = [];
  for (const { command, params } of examples) {
    const call = network.node(DEMO_NODES[0]).rpc(command, params);
    results.push(
      await call.catch((error: unknown) => {
        if (!(error instanceof RpcError)) throw error;
        const { code, message, data } = error;
        return { code, message, ...(data === undefined ? {} : { data }) };
      }),
    );
  }
  return results;
}

/** Without what is another each time. */
export function lasting(result: unknown): unknown {
  return JSON.parse(JSON.stringify(result), (key, value: unknown) => (CHANGING.test(key) ? null : value));
}

/** The page with what its examples print now, where that differs in more than times. */
export async function examplesUpToDate(page: string): Promise<string> {
  const examples = examplesIn(page).filter(({ isReal }) => !isReal);
  const results = examples.length === 0 ? [] : await run(examples);
  let index = 0;
  return page.replace(BLOCK, (block: string, real: string | undefined, line: string) => {
    if (real !== undefined) return block;
    const shown = examples[index]?.shown ?? '';
    const result = results[index++];
    const isCurrent =
      shown !== '' && JSON.stringify(lasting(JSON.parse(shown))) === JSON.stringify(lasting(result));
    return isCurrent
      ? block
      : `\`\`\`console\n$ lightning-cli ${line}\n${JSON.stringify(result, null, 3)}\n\`\`\``;
  });
}
