// npm run dev: makes a change anywhere under src/ count for the autoreload plugin, which watches the time of one file.
// The file itself is never replaced: autoreload gives up on one that is gone for two seconds.
import { utimesSync, watch } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const entry = join(root, 'balancesharing.ts');
/** Editors write a file in several steps. */
const SETTLE_MS = 100;

let timer;
watch(join(root, 'src'), { recursive: true }, (_event, name) => {
  clearTimeout(timer);
  timer = setTimeout(() => {
    const now = new Date();
    utimesSync(entry, now, now);
    console.log(`${name} changed: balancesharing.ts touched`);
  }, SETTLE_MS);
});

console.log(`Watching src/. Start lightningd with
  --plugin=/path/to/autoreload.py --autoreload-plugin=${entry}
A change of methods, hooks or options needs a restart of lightningd: autoreload tells it of them only at its start.`);
