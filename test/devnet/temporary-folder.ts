import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const open = new Set<TemporaryFolder>();
process.on('exit', () => {
  for (const folder of open) folder[Symbol.dispose]();
});

/** A folder that goes with the test, or with the process if that comes first. */
export class TemporaryFolder implements Disposable {
  readonly directory: string;

  constructor(prefix: string) {
    this.directory = mkdtempSync(join(tmpdir(), prefix));
    open.add(this);
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true });
    open.delete(this);
  }
}
