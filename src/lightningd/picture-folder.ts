/**
 * Where pictures are written: the folder `foaf` beside lightningd's RPC socket.
 *
 * Hazard: whoever holds a rune for the command chooses the name, and what is in the file is our balances. So a name is
 * a bare one, no link is followed, neither at the folder nor at the file, nobody else can read either, a file is whole
 * or as it was, and however often somebody calls, the folder never holds more than a few.
 */

import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, mkdir, open, readdir, rename, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** How many files the folder may hold: 3 MB each at most. Our own choice. */
export const MAX_FILES = 32;
const NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/;
const EXTENSION = '.html';
/** No name that a caller can give: those do not begin with a dot. */
const UNFINISHED = /^\.[0-9a-f-]{36}\.new$/;
/** So long after its last change nobody is writing it any more. Nodes whose RPC sockets lie in one folder share this one. */
const UNFINISHED_MS = 60_000;
/** What a program says of a link where it wants a folder, or a file, that is none. */
const REFUSED: ReadonlySet<unknown> = new Set(['ELOOP', 'ENOTDIR', 'EMLINK']);

/** The picture was not written, and why, in words for the caller. */
export class PictureFolderError extends Error {
  override readonly name = 'PictureFolderError';
}

/** The file's name for what a caller gave, with `.html` where that was missing; `undefined` when it cannot be one. */
export function fileNameOf(name: unknown): string | undefined {
  if (typeof name !== 'string' || !NAME.test(name)) return undefined;
  return name.endsWith(EXTENSION) ? name : name + EXTENSION;
}

/**
 * Writes a file, mode 0600, by renaming a new one to its name. Calls must not overlap.
 *
 * @param folder absolute; made, mode 0700, if there is none
 * @param name as `fileNameOf` gave it
 * @param text in pieces
 * @returns the file's path
 * @throws PictureFolderError when the folder or the file is not what it should be, is full or cannot be written
 */
export async function writePicture(folder: string, name: string, text: readonly string[]): Promise<string> {
  try {
    await prepare(folder);
    const path = join(folder, name);
    await checkRoom(folder, name);
    const unfinished = join(folder, `.${randomUUID()}.new`);
    try {
      await writeNew(unfinished, text);
      await rename(unfinished, path);
    } catch (error) {
      await unlink(unfinished).catch(() => undefined);
      throw error;
    }
    return path;
  } catch (error) {
    if (error instanceof Error && 'code' in error) throw new PictureFolderError(error.message);
    throw error;
  }
}

/** A folder of our own that nobody else can look into. */
async function prepare(folder: string): Promise<void> {
  await mkdir(folder, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
  const handle = await open(folder, flags).catch((error: NodeJS.ErrnoException) => {
    if (REFUSED.has(error.code)) throw new PictureFolderError(`${folder} is no folder, or a link`);
    throw error;
  });
  try {
    const { uid } = await handle.stat();
    if (uid !== process.getuid?.()) throw new PictureFolderError(`${folder} belongs to somebody else`);
    await handle.chmod(0o700);
  } finally {
    await handle.close();
  }
}

/** What a killed process has left unfinished goes; what stands under the name must be a file, or nothing. */
async function checkRoom(folder: string, name: string): Promise<void> {
  const found = await readdir(folder);
  for (const other of found) if (UNFINISHED.test(other)) await unlinkOld(join(folder, other));
  if (!found.includes(name)) {
    if (found.filter(other => !UNFINISHED.test(other)).length < MAX_FILES) return;
    throw new PictureFolderError(
      `${folder} holds ${MAX_FILES} files: take one of their names, or remove some`,
    );
  }
  const stat = await lstat(join(folder, name));
  if (!stat.isFile()) throw new PictureFolderError(`${join(folder, name)} is no file, or a link`);
}

/** Another process may be writing it, or be done meanwhile. */
async function unlinkOld(unfinished: string): Promise<void> {
  const changedMs = await lstat(unfinished).then(
    ({ mtimeMs }) => mtimeMs,
    () => Number.POSITIVE_INFINITY,
  );
  if (Date.now() - changedMs > UNFINISHED_MS) await unlink(unfinished).catch(() => undefined);
}

/** O_EXCL follows no link either. */
async function writeNew(path: string, text: readonly string[]): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const handle = await open(path, flags, 0o600);
  try {
    await writeFile(handle, text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
