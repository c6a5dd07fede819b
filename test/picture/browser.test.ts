/** The page in a real browser: what it shows, and that it does nothing else. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { after, before, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { Chromium, missingChromium } from './chromium.ts';
import { draw } from './draw.ts';
import { largeFacts, nodeId, smallFacts } from './samples.ts';

/** The rows of a table, cell by cell. */
function rows(page: Page, table: string): Promise<string[][]> {
  return page
    .locator(`#${table} tbody tr`)
    .evaluateAll(all =>
      all.map(row =>
        [...row.querySelectorAll('td')].map((cell: { innerText: string }) => cell.innerText.trim()),
      ),
    );
}

/** How many of the canvas' points are near a colour, and where their middle is, for evaluation in the page. */
function pointsNear(colour: readonly number[]): string {
  return `(() => {
    const [first, ...others] = document.querySelectorAll('.canvas canvas');
    const copy = document.createElement('canvas');
    [copy.width, copy.height] = [first.width, first.height];
    const context = copy.getContext('2d', { willReadFrequently: true });
    for (const canvas of [first, ...others]) context.drawImage(canvas, 0, 0);
    const { data } = context.getImageData(0, 0, copy.width, copy.height);
    const isNear = at => ${JSON.stringify(colour)}.every((part, index) => Math.abs(data[at + index] - part) < 12);
    let [count, x, y] = [0, 0, 0];
    for (let at = 0; at < data.length; at += 4) {
      if (data[at + 3] <= 200 || !isNear(at)) continue;
      count++;
      x += (at / 4) % copy.width;
      y += Math.floor(at / 4 / copy.width);
    }
    return { count, x: x / count, y: y / count };
  })()`;
}

interface Seen {
  readonly count: number;
  readonly x: number;
  readonly y: number;
}

/** Waits until so much of a colour is to be seen: Cytoscape draws when the browser has time. */
async function seen(page: Page, colour: readonly number[], least: number): Promise<Seen> {
  for (const deadline = performance.now() + 20_000; ; ) {
    const points = await page.evaluate<Seen>(pointsNear(colour));
    if (points.count >= least) return points;
    assert.ok(performance.now() < deadline, `${points.count} points of ${colour}`);
    await page.evaluate('new Promise(resolve => requestAnimationFrame(resolve))');
  }
}

const LIGHT = { ours: [42, 111, 219], theirs: [242, 177, 56], circle: [216, 27, 96] } as const;
const DARK = { ours: [91, 155, 255], theirs: [217, 149, 43] } as const;

describe('the page', { skip: missingChromium() ?? false }, () => {
  let browser: Chromium;
  before(async () => {
    browser = await Chromium.start();
  });
  after(() => browser[Symbol.asyncDispose]());

  test('draws balances in both of their colours, in light and in dark', async () => {
    const html = await draw(smallFacts());
    for (const [scheme, colours] of [
      ['light', LIGHT],
      ['dark', DARK],
    ] as const) {
      const { page, wrongs } = await browser.open(html, scheme);
      for (const colour of [colours.ours, colours.theirs]) {
        await seen(page, colour, 500);
      }
      assert.deepEqual(wrongs, []);
      await page.close();
    }
  });

  test('the tables hold the same facts', async () => {
    const facts = smallFacts();
    const { page, wrongs } = await browser.open(await draw(facts));
    const channels = await rows(page, 'channels');
    assert.deepEqual(
      channels.map(([name, id, channel, ours, , theirs, state]) => [name, id, channel, ours, theirs, state]),
      facts.channels.map(({ peerId, shortChannelId, oursSat, totalSat, isUsable }) => [
        facts.names.get(peerId) ?? `${peerId.slice(0, 12)}…`,
        peerId,
        shortChannelId,
        `${oursSat.toLocaleString('en-US')} sat`,
        `${(totalSat - oursSat).toLocaleString('en-US')} sat`,
        isUsable ? 'usable' : 'offline',
      ]),
    );
    const offers = await rows(page, 'offers');
    assert.equal(offers.length, facts.offers.length);
    assert.ok(offers.some(row => row.join('|') === 'bob|out|bob|frank|790005x2x0|200,000 sat|12 s ago'));
    assert.ok(offers.some(row => row.join('|') === 'alice|in|frank|alice|790002x7x0|500,000 sat|44 s ago'));
    const [best] = await rows(page, 'circles');
    assert.match(
      best?.join('|') ?? '',
      /^us → bob → 02\w+… → alice → us\|yes\|200,000 sat\|41,004 msat, 206 ppm\|81 %/,
    );
    const changes = await rows(page, 'changes');
    assert.deepEqual(changes.at(2), ['62 s ago', 'A payment of 400,000 sat failed at channel 790003x8x0/1']);
    assert.match((await page.locator('.canvas').getAttribute('aria-label')) ?? '', /5 friends, 11 offers/);
    assert.deepEqual(wrongs, []);
    await page.close();
  });

  test('filters by name, node id, channel, amount, age and way', async () => {
    const { page, wrongs } = await browser.open(await draw(smallFacts()));
    const counted = async (words: string) => {
      await page.getByRole('status').filter({ hasText: words }).waitFor({ timeout: 5_000 });
      return rows(page, 'offers');
    };
    await page.fill('#filter-text', 'CAROL');
    assert.deepEqual(
      [...new Set((await counted('1 of 5 friends, 3 of 11 offers')).map(([friend]) => friend))],
      ['carol & sons'],
    );
    await page.fill('#filter-text', nodeId('frank'));
    assert.equal((await counted('2 of 5 friends, 2 of 11 offers')).length, 2);
    await page.fill('#filter-text', '790001x');
    await counted('3 of 5 friends, 3 of 11 offers');
    await page.fill('#filter-text', 'no such');
    await counted('0 of 5 friends, 0 of 11 offers');
    await page.click('text=Clear');
    await page.selectOption('#filter-amount', '1000000');
    await counted('5 friends, 3 of 11 offers');
    await page.selectOption('#filter-way', '1');
    await counted('5 friends, 1 of 11 offers');
    await page.click('text=Clear');
    await page.selectOption('#filter-age', '60');
    await counted('5 friends, 5 of 11 offers');
    assert.deepEqual(wrongs, []);
    await page.close();
  });

  test('shows a circle, and a friend', async () => {
    const { page, wrongs } = await browser.open(await draw(smallFacts()));
    await seen(page, LIGHT.ours, 500);
    assert.equal((await page.evaluate<Seen>(pointsNear(LIGHT.circle))).count, 0);
    await page.locator('.circles button').first().click();
    await page.getByRole('button', { name: 'Back' }).waitFor();
    assert.deepEqual(
      await page
        .locator('.hops li')
        .evaluateAll(all => all.map(one => one.firstChild?.nextSibling?.textContent)),
      ['bob', `${nodeId('erin').slice(0, 12)}…`, 'alice', 'us'],
    );
    await seen(page, LIGHT.circle, 300);
    await page.locator('#channels').getByRole('button', { name: 'bob' }).first().click();
    await page.getByRole('heading', { name: 'bob', exact: true }).waitFor();
    assert.equal(await page.locator('.panel .channels li').count(), 2);
    assert.deepEqual(wrongs, []);
    await page.close();
  });

  test('a bar tells of its friend when pointed at, and shows it when pressed', async () => {
    const facts = smallFacts();
    const alone = { ...facts, channels: facts.channels.slice(0, 1), circles: [], offers: [] };
    const { page, wrongs } = await browser.open(await draw(alone));
    const canvas = page.locator('.canvas');
    const { x, y } = await seen(page, LIGHT.theirs, 500);
    await canvas.hover({ position: { x, y } });
    const words = 'alice: 120,000 sat ours, 1,880,000 sat theirs';
    await page.locator('.tip').filter({ hasText: words }).waitFor({ timeout: 5_000 });
    await canvas.hover({ position: { x: x - 100, y } });
    await page.locator('.tip').waitFor({ state: 'hidden', timeout: 5_000 });
    await canvas.click({ position: { x, y } });
    await page.getByRole('heading', { name: 'alice', exact: true }).waitFor({ timeout: 5_000 });
    assert.deepEqual(wrongs, []);
    await page.close();
  });

  test('a hostile name is text, in whatever place it comes', async () => {
    const hostile = [
      '<script>document.title="owned"</script>',
      '</script><script>alert(1)</script>',
      '"><img src=x onerror=alert(1)>',
      "';fetch('http://127.0.0.1:9/');'",
      '<!--<script>',
      '\u202Egnp.exe{{alert(1)}}',
      '__proto__',
    ];
    const facts = smallFacts();
    const ids = [...facts.names.keys()];
    for (const name of hostile) {
      const names = new Map(ids.map(id => [id, name]));
      const { page, wrongs } = await browser.open(await draw({ ...facts, names, noCircle: name }));
      await page.locator('.circles button').first().click();
      await page.locator('#channels .link').first().click();
      await page.mouse.move(500, 600);
      assert.equal(await page.title(), `${name.replace(/\s+/g, ' ').trim()}: friends and what they offer`);
      assert.equal(await page.locator('script').count(), 2);
      assert.equal(await page.locator('img, iframe, object, embed, link, a:not(.skip)').count(), 0);
      assert.equal((await rows(page, 'channels'))[0]?.[0], name);
      assert.deepEqual(wrongs, [], name);
      await page.close();
    }
  });

  test('the policy stops whatever markup came in all the same', async () => {
    const html = await draw(smallFacts());
    let connections = 0;
    const server = createServer(() => connections++).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const broken = html.replace(
      '<main id="page">',
      `<script>document.title="owned"</script><img src="http://127.0.0.1:${port}/x"><style>body{display:none}</style><main id="page">`,
    );
    const { page, wrongs } = await browser.open(broken);
    assert.notEqual(await page.title(), 'owned');
    assert.ok(await page.locator('body').isVisible());
    assert.equal(wrongs.filter(wrong => /Content Security Policy/.test(wrong)).length, 3);
    await page.close();
    server.close();
    assert.equal(connections, 0);
  });

  test('500 friends: bars, a friend on demand, pages of offers', async () => {
    const { page, wrongs } = await browser.open(await draw(largeFacts(500, 40, 3_000)));
    await seen(page, LIGHT.ours, 5_000);
    assert.match(await page.locator('.hint').innerText(), /sum of what a friend offers/);
    assert.equal((await rows(page, 'offers')).length, 25);
    await page.getByRole('button', { name: 'Last page of What friends offer' }).click();
    assert.match(await page.locator('#offers .pages span').innerText(), /to 20,000 of 20,000$/);
    await page.locator('#offers').getByRole('button', { name: 'At least' }).click();
    const amounts = (await rows(page, 'offers')).map(row => Number(row[5]?.replace(/\D/g, '')));
    assert.deepEqual(
      amounts,
      amounts.toSorted((a, b) => b - a),
    );
    await page.fill('#filter-text', nodeId('friend 7'));
    await page.getByRole('status').filter({ hasText: '1 of 500 friends, 40 of 20,000 offers' }).waitFor();
    assert.deepEqual(wrongs, []);
    await page.close();
  });

  test('with no friend, with one, and where no word counts any more it says so', async () => {
    const facts = smallFacts();
    const without = { ...facts, offers: [], circles: [], changes: [], noCircle: 'nothing is known' };
    const firstFriend = facts.channels.slice(0, 1);
    for (const [shown, count, hint] of [
      [
        { ...without, channels: [], names: new Map() },
        '0 friends, 0 offers, 0 circles',
        /We have no channel/,
      ],
      [{ ...without, channels: firstFriend }, '1 friend, 0 offers, 0 circles', /foafbalance asks them/],
      [{ ...facts, channels: firstFriend }, '1 friend, 3 offers, 2 circles', /^$/],
      [without, '5 friends, 0 offers, 0 circles', /No friend has said anything that still counts/],
    ] as const) {
      const { page, wrongs } = await browser.open(await draw(shown));
      assert.equal(await page.getByRole('status').innerText(), count);
      assert.match(await page.locator('.hint').innerText(), hint);
      assert.equal((await rows(page, 'channels')).length, Math.max(1, shown.channels.length));
      assert.deepEqual(wrongs, []);
      await page.close();
    }
  });

  test('the keyboard stays where it is when what was pressed is drawn anew', async () => {
    const { page, wrongs } = await browser.open(await draw(largeFacts(300, 2, 100)));
    const focused = () =>
      page.evaluate<string>('document.activeElement.ariaLabel ?? document.activeElement.innerText');
    const next = page.getByRole('button', { name: 'Next page of Our channels' });
    await next.press('Enter');
    assert.equal(await focused(), 'Next page of Our channels');
    await page.getByRole('button', { name: 'Last page of Our channels' }).press('Enter');
    // On the last page the way to it is closed.
    assert.equal(await focused(), 'First page of Our channels');
    await page.locator('.circles button').first().press('Enter');
    assert.equal(await focused(), 'Details');
    await page.getByRole('button', { name: 'Back' }).press('Enter');
    assert.equal(await focused(), 'Details');
    assert.deepEqual(wrongs, []);
    await page.close();
  });
});
