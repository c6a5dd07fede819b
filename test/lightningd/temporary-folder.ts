/** Folders that are gone when the test process is, even if that was killed: a small shell waits for its end. */
import { spawn } from 'node:child_process';
import { mkdtempSync, realpathSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** `cat` ends when nobody holds the other end of its stdin any more. */
const GUARD = 'trap "" INT TERM HUP; cat >/dev/null; rm -rf -- "$1" || { sleep 1; rm -rf -- "$1"; }';

let parent: string | undefined;

/** A new folder, with a short path: sockets have room for about a hundred characters. */
export function temporaryFolder(): string {
  if (parent === undefined) {
    parent = realpathSync(mkdtempSync(join(tmpdir(), 'stub-')));
    const guard = spawn('/bin/sh', ['-c', GUARD, 'guard', parent], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    });
    guard.unref();
    if (guard.stdin instanceof Socket) guard.stdin.unref();
  }
  return mkdtempSync(join(parent, 'f-'));
}
