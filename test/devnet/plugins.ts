/** Plugins for the tests: the real one, and executables made up for one test. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TemporaryFolder } from './temporary-folder.ts';

/** The real plugin. */
export const PLUGIN = fileURLToPath(new URL('../../balancesharing.ts', import.meta.url));

const STUB = fileURLToPath(new URL('stub-plugin.mjs', import.meta.url));

/** Makes executables in a folder of their own. */
export class Workshop extends TemporaryFolder {
  #made = 0;

  constructor() {
    super('workshop-');
  }

  /** An executable that runs Node with such arguments. @returns its path */
  make(args: readonly string[]): string {
    this.#made++;
    const path = join(this.directory, `plugin-${this.#made}.sh`);
    const words = [process.execPath, ...args].map(word => `'${word.replaceAll("'", "'\\''")}'`);
    writeFileSync(path, `#!/bin/sh\nexec ${words.join(' ')}\n`, { mode: 0o755 });
    return path;
  }

  /** A plugin that does what its script says, see stub-plugin.mjs. @returns its path */
  stub(script: object = {}): string {
    return this.make([STUB, JSON.stringify(script)]);
  }
}
