/** What the scripts that simulate share of a command line: whole numbers, and the user's mistakes in words. */
import { BadNetworkError } from '../src/simulation/listed-network.ts';

/** The user's mistake, in words. */
export class UsageError extends Error {}

/** @throws UsageError for anything but a whole number from `least` to `most`; `undefined` when left out */
export function whole(
  name: string,
  text: string | undefined,
  least: number,
  most: number,
): number | undefined {
  if (text === undefined) return undefined;
  const value = /^[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new UsageError(`--${name}: must be a whole number from ${least} to ${most}, got ${text}`);
}

function isUsers(error: unknown): error is Error {
  return (
    error instanceof UsageError ||
    error instanceof BadNetworkError ||
    (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'))
  );
}

/** Runs a script: its usage where help is wanted, or the mistake and the usage with exit status 2. */
export async function runScript<Options extends object>(
  usage: string,
  options: () => Options | 'help',
  run: (wanted: Options) => void | Promise<void>,
): Promise<void> {
  // Whoever read our output has gone (`| head`): nothing is left to tell anybody.
  process.stdout.on('error', () => process.exit(1));
  try {
    const wanted = options();
    if (wanted === 'help') process.stdout.write(`${usage}\n`);
    else await run(wanted);
  } catch (error) {
    if (!isUsers(error)) throw error;
    process.stderr.write(`${error.message}\n\n${usage}\n`);
    process.exitCode = 2;
  }
}
