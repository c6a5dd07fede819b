// npm run docs: brings the command pages, the README's list of commands, all examples and the README's picture up to date.
import { readFileSync, writeFileSync } from 'node:fs';
import {
  commands,
  PAGES_WITH_EXAMPLES,
  pagePath,
  README,
  readmeUpToDate,
  upToDate,
} from './command-pages.ts';
import { EFFECT, effect } from './effect.ts';
import { examplesUpToDate } from './examples.ts';

async function update(path: string, change: (text: string) => string): Promise<void> {
  writeFileSync(path, await examplesUpToDate(change(readFileSync(path, 'utf8'))));
}

for (const command of commands) await update(pagePath(command), page => upToDate(page, command));
await update(README, readmeUpToDate);
for (const path of PAGES_WITH_EXAMPLES) await update(path, page => page);
writeFileSync(EFFECT, await effect());
