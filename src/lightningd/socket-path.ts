/** Where lightningd's RPC socket is, in few enough letters. */
import { realpathSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import type { Configuration } from './plugin.ts';

/** The longest path that a unix socket's address holds on Linux; macOS holds four bytes less. */
const MAX_SOCKET_PATH = 103;

/** lightningd runs us in the socket's folder: from there even a path that is too long for a socket is short. */
export function socketPath({ lightningDir, rpcFile }: Configuration): string {
  // The operator may have given the socket's path whole.
  const path = resolve(lightningDir, rpcFile);
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH) return path;
  // The working directory is told without links, what the operator gave may have some.
  return relative(process.cwd(), join(realpathSync(dirname(path)), basename(path)));
}
