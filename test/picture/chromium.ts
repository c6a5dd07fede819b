/** Pages in a real Chromium without a window, watched for whatever they should not do. */
import assert from 'node:assert/strict';
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const PATH = (process.env['PATH'] ?? '')
  .split(delimiter)
  .flatMap(folder => NAMES.map(name => join(folder, name)))
  .find(path => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

/** Why no page can be opened here. */
export function missingChromium(): string | undefined {
  return PATH === undefined ? `not on PATH: ${NAMES.join(' or ')}` : undefined;
}

export class Chromium implements AsyncDisposable {
  readonly #browser: Browser;
  readonly #folder = mkdtempSync(join(tmpdir(), 'picture-'));

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  /** With a profile of its own, as every launch has. */
  static async start(): Promise<Chromium> {
    assert.ok(PATH !== undefined);
    return new Chromium(await chromium.launch({ executablePath: PATH, headless: true, args: FLAGS }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Opens a file with that text and waits until it is drawn. */
  async open(html: string, colorScheme: 'light' | 'dark' = 'light'): Promise<WatchedPage> {
    const file = join(this.#folder, 'picture.html');
    writeFileSync(file, html, { mode: 0o600 });
    const url = pathToFileURL(file).href;
    const page = await this.#browser.newPage({ viewport: { width: 1400, height: 1000 }, colorScheme });
    const wrongs: string[] = [];
    page.on('request', request => {
      if (request.url() !== url) wrongs.push(`request for ${request.url()}`);
    });
    page.on('console', message => wrongs.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', error => wrongs.push(String(error)));
    page.on('dialog', dialog => {
      wrongs.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('popup', () => wrongs.push('a window'));
    await page.goto(url);
    await page.waitForSelector('html[data-state=drawn]');
    return { page, wrongs };
  }
}

export interface WatchedPage {
  readonly page: Page;
  /** Requests, errors, messages, dialogs: there should be none. */
  readonly wrongs: readonly string[];
}
