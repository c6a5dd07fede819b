/** What the documentation says of the commands: made from their schemas, and run. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import {
  commands,
  PAGES_WITH_EXAMPLES,
  pagePath,
  README,
  ROOT,
  readmeUpToDate,
  upToDate,
} from '../../scripts/command-pages.ts';
import { EFFECT, effect } from '../../scripts/effect.ts';
import { type Example, examplesIn, lasting, run } from '../../scripts/examples.ts';
import { parameterNames } from '../../src/lightningd/command-schema.ts';
import { StubLightningd } from '../lightningd/stub-lightningd.ts';
import { assertAsSchema } from '../schemas.ts';

interface Manifest {
  readonly options: readonly {
    readonly name: string;
    readonly default?: unknown;
    readonly dynamic?: boolean;
  }[];
}

function read(path: string): string {
  return readFileSync(path, 'utf8');
}

/** Every page that git would know. */
const PAGES = [
  ...['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md'].map(name => join(ROOT, name)),
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.md'))
    .map(name => join(ROOT, 'docs', name)),
];

function named({ command, params }: Example): object {
  if (!Array.isArray(params)) return params;
  const schema = commands.find(({ rpc }) => rpc === command) ?? assert.fail(`no command ${command}`);
  const names = parameterNames(schema);
  return Object.fromEntries(params.map((value: unknown, index) => [names[index] ?? index, value]));
}

function isError(result: unknown): boolean {
  return typeof result === 'object' && result !== null && 'code' in result;
}

describe('npm run docs would change nothing', () => {
  for (const command of commands) {
    test(command.rpc, () => {
      const page = read(pagePath(command));
      assert.equal(page, upToDate(page, command));
    });
  }

  test('README.md', () => {
    const readme = read(README);
    assert.equal(readme, readmeUpToDate(readme));
  });

  test('the picture', async () => {
    assert.equal(read(EFFECT), await effect());
  });
});

describe('the examples print what is shown, as the schemas have it', { concurrency: 2 }, () => {
  for (const [name, path] of [
    ['README.md', README],
    ...commands.map(command => [command.rpc, pagePath(command)]),
    ...PAGES_WITH_EXAMPLES.map(path => [basename(path), path]),
  ] as const) {
    test(name, async () => {
      const examples = examplesIn(read(path));
      assert.ok(examples.length > 0);
      for (const example of examples) {
        const shown: unknown = JSON.parse(example.shown);
        if (isError(shown)) continue;
        assertAsSchema(example.command, 'request', named(example));
        assertAsSchema(example.command, 'response', shown);
      }
      const imitable = examples.filter(({ isReal }) => !isReal);
      if (imitable.length === 0) return;
      const results = await run(imitable);
      assert.deepEqual(
        results.map(lasting),
        imitable.map(({ shown }) => lasting(JSON.parse(shown))),
      );
      for (const [index, { command }] of imitable.entries()) {
        if (!isError(results[index])) assertAsSchema(command, 'response', results[index]);
      }
    });
  }
});

test('no other block shows what a command answers', () => {
  for (const page of PAGES) {
    const isRun = page === README || dirname(page).endsWith('commands') || PAGES_WITH_EXAMPLES.includes(page);
    for (const [block, kind] of read(page).matchAll(/^```(\S*)[^\n]*\n.*?^```$/gms)) {
      if (kind === 'console' && isRun) continue;
      assert.ok(kind !== 'console' && !/^[[{]/m.test(block), `${page}: ${block}`);
    }
  }
});

test('README.md has every option with its default', async t => {
  const [, section = ''] = /^## Options$(.*?)^## /ms.exec(read(README)) ?? [];
  const rows = [...section.matchAll(/^\| (`foaf-.*?) \| (.*?) \|/gm)];
  const told = new Map(
    rows.flatMap(([, names = '', value = '']) =>
      [...names.matchAll(/`([a-z-]+)`/g)].map(([, name]) => [name, value.replaceAll('`', '')]),
    ),
  );
  for (const executable of ['balancesharing.ts', 'jitrouting.ts']) {
    const stub = await StubLightningd.start(t, { entry: join(ROOT, executable) });
    const { options } = (await stub.call('getmanifest', {})) as Manifest;
    for (const { name, default: value } of options) {
      const expected = value === '' ? 'empty' : String(value ?? '144');
      assert.ok(told.get(name)?.startsWith(expected), `${name}: ${told.get(name)} is not ${expected}`);
      told.delete(name);
    }
  }
  assert.deepEqual([...told.keys()], []);
});

test('links lead somewhere', () => {
  for (const page of PAGES) {
    for (const [, target = '', heading] of read(page).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g)) {
      const path = target === '' ? page : join(dirname(page), target);
      assert.ok(existsSync(path), `${page}: ${target}`);
      if (heading === undefined) continue;
      const anchors = [...read(path).matchAll(/^#+ (.*)$/gm)].map(([, text = '']) =>
        text
          .toLowerCase()
          .replace(/[^\p{L}\p{N}\- ]/gu, '')
          .replaceAll(' ', '-'),
      );
      assert.ok(anchors.includes(heading), `${page}: ${target}#${heading}`);
    }
  }
});
