// npm run docs: brings the command pages, the README's list of commands and its picture up to date.
import { readFileSync, writeFileSync } from 'node:fs';
import { commands, pagePath, ROOT, readmeUpToDate, upToDate } from './command-pages.ts';
import { EFFECT, effect } from './effect.ts';

function update(path: string, change: (text: string) => string): void {
  writeFileSync(path, change(readFileSync(path, 'utf8')));
}

for (const command of commands) update(pagePath(command), page => upToDate(page, command));
update(`${ROOT}README.md`, readmeUpToDate);
writeFileSync(EFFECT, await effect());
