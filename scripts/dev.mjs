// npm run dev: makes a change anywhere under src/ count for the autoreload plugin, which watches the time of one file.
//
// The folder is looked through again and again: on Node 20 a recursive fs.watch loses a file that an editor replaces.
// The entry itself is never replaced: autoreload gives up on a file that is gone for two seconds.
import { readdirSync, statSync, utimesSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const sources = join(root, 'src');
const entry = join(root, 'balancesharing.ts');
const INTERVAL_MS = 250;

/** What there is, by name: anything that a change of its content changes. */
function look() {
  const seen = new Map();
  for (const name of readdirSync(sources, { recursive: true })) {
    const stat = statSync(join(sources, String(name)), { throwIfNoEntry: false });
    if (stat?.isFile())
      seen.set(relative(root, join(sources, String(name))), `${stat.mtimeMs} ${stat.ino} ${stat.size}`);
  }
  return seen;
}

function firstDifference(one, other) {
  return [...one.keys(), ...other.keys()].find(name => one.get(name) !== other.get(name));
}

let told = look();
let last = told;
setInterval(() => {
  try {
    const now = look();
    // Editors write a file in several steps: wait until nothing moves.
    const isSettled = firstDifference(last, now) === undefined;
    last = now;
    const changed = isSettled ? firstDifference(told, now) : undefined;
    if (changed === undefined) return;
    const time = new Date();
    utimesSync(entry, time, time);
    told = now;
    console.log(`${changed} changed: balancesharing.ts touched`);
  } catch (error) {
    // Something is just being replaced: the next look finds it.
    if (error.code !== 'ENOENT') throw error;
  }
}, INTERVAL_MS);

console.log(`Watching src/. Start lightningd with
  --plugin=/path/to/autoreload.py --autoreload-plugin=${entry}
A change of methods, hooks or options needs a restart of lightningd: autoreload tells it of them only at its start.`);
