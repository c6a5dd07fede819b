import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('../../scripts/dev.mjs', import.meta.url));

test('npm run dev touches the entry after any change under src/, however an editor makes it', async t => {
  const root = mkdtempSync(join(tmpdir(), 'bs-dev-'));
  const source = (...names: string[]) => join(root, 'src', ...names);
  const entry = join(root, 'balancesharing.ts');
  mkdirSync(source('wire'), { recursive: true });
  mkdirSync(join(root, 'scripts'));
  cpSync(SCRIPT, join(root, 'scripts', 'dev.mjs'));
  writeFileSync(source('wire', 'a.ts'), '1');
  writeFileSync(entry, 'entry');
  const child = spawn(process.execPath, [join(root, 'scripts', 'dev.mjs')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => {
    child.kill('SIGKILL');
    rmSync(root, { recursive: true });
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => String((await lines.next()).value);
  while (!(await next()).startsWith('A change of methods'));

  const changes: readonly (readonly [how: string, told: string, change: () => void])[] = [
    ['in place', 'src/wire/a.ts', () => writeFileSync(source('wire', 'a.ts'), '22')],
    [
      'by a file that takes its place',
      'src/wire/a.ts',
      () => {
        writeFileSync(source('wire', 'a.tmp'), '333');
        renameSync(source('wire', 'a.tmp'), source('wire', 'a.ts'));
      },
    ],
    ['in place after that', 'src/wire/a.ts', () => writeFileSync(source('wire', 'a.ts'), '4444')],
    [
      'a new file in a new folder',
      'src/new/b.ts',
      () => {
        mkdirSync(source('new'));
        writeFileSync(source('new', 'b.ts'), '1');
      },
    ],
    ['a folder by another name', 'src/new/b.ts', () => renameSync(source('new'), source('old'))],
    ['in a folder by another name', 'src/old/b.ts', () => writeFileSync(source('old', 'b.ts'), '22')],
    ['a folder that goes', 'src/old/b.ts', () => rmSync(source('old'), { recursive: true })],
  ];
  for (const [how, told, change] of changes) {
    const before = statSync(entry).mtimeMs;
    change();
    assert.equal(await next(), `${told} changed: balancesharing.ts touched`, how);
    assert.ok(statSync(entry).mtimeMs > before, how);
  }

  // The entry itself is being replaced while something changes.
  renameSync(entry, `${entry}.away`);
  writeFileSync(source('wire', 'a.ts'), '55555');
  await new Promise(resolve => setTimeout(resolve, 1_000));
  renameSync(`${entry}.away`, entry);
  assert.equal(await next(), 'src/wire/a.ts changed: balancesharing.ts touched');
});
