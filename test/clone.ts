/** Copies of the repository, and the package that is made of it, for tests of how it is installed. */
import { execFile } from 'node:child_process';
import { cp, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { cleanEnvironment } from './lightningd/stub-lightningd.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** What a clone holds that installing needs. */
const FILES = [
  'balancesharing',
  'balancesharing.ts',
  'jitrouting.ts',
  'package.json',
  'package-lock.json',
  '.npmrc',
  'scripts',
  'src',
  'docs',
  'tsconfig.json',
  'README.md',
  'CHANGELOG.md',
  'LICENSE',
];

/** Makes a copy of the repository, with its packages if they shall be there already. */
export async function cloneTo(folder: string, { packages }: { packages: boolean }): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const name of FILES) {
    await cp(join(ROOT, name), join(folder, name), { recursive: true, verbatimSymlinks: true });
  }
  if (packages) await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
}

/**
 * Packs a copy of the repository and installs that as operators do, without a network and with nothing in npm's cache.
 * @param folder an empty one
 * @returns the folder with the commands
 */
export async function installPackage(folder: string): Promise<string> {
  const clone = join(folder, 'clone');
  const prefix = join(folder, 'prefix');
  await cloneTo(clone, { packages: true });
  // As the demo leaves it, in the folder of the bundles.
  await mkdir(join(clone, 'dist'));
  await writeFile(join(clone, 'dist', 'demo.html'), '');
  const npm = async (...args: string[]) => {
    const options = { cwd: clone, env: cleanEnvironment() };
    const { stdout } = await promisify(execFile)('npm', args, options);
    return stdout;
  };
  const file = (await npm('run', '--silent', 'pack')).trim();
  const options = ['--offline', '--cache', join(folder, 'cache'), '--prefix', prefix];
  await npm('install', '--global', ...options, join(clone, file));
  return join(prefix, 'bin');
}
