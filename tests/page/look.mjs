// Looks at the page in a real browser. Usage: look.mjs BINARY CHROMIUM SHOTS
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { call, start } from './server.mjs';

const [binary, executablePath, shots] = process.argv.slice(2);
const WIDE = { width: 1280, height: 900 }, PHONE = { width: 390, height: 844 };
mkdirSync(shots, { recursive: true });

const server = await start(binary);
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
try {
  await showsWhatWasDone();
  await showsWhatIsWrong();
  console.log(`the page is as it should be; pictures: ${shots}`);
} finally {
  await browser.close();
  await server.stop();
}

// Opens the page; `answers` may change what /status.json says.
async function open(viewport, colorScheme, answers) {
  const page = await browser.newPage({ viewport, colorScheme });
  const complaints = [], asked = new Set();
  page.on('console', (message) => { if (message.type() !== 'log') complaints.push(message.text()); });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => asked.add(request.url().split(':')[0] === 'data' ? 'data' : new URL(request.url()).origin));
  if (answers) {
    await page.route('**/status.json', async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ response: answer, json: answers(await answer.json()) });
    });
  }
  const response = await page.goto(server.admin + '/');
  assert.match(response.headers()['content-security-policy'], /default-src 'none'/);
  return { page, complaints, asked };
}

async function settled({ page, complaints, asked }, name) {
  // Two more answers, so that there are lines to be drawn.
  for (let more = 0; more < 2; more++) await page.waitForResponse('**/status.json');
  await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
  const width = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(width[0] <= width[1], `${name}: ${width[0]} pixels in ${width[1]}`);
  assert.deepEqual(complaints, [], name);
  asked.delete('data');
  assert.deepEqual([...asked], [server.admin], `${name}: it asks others`);
  assert.deepEqual(await faint(page), [], `${name}: text that is hard to read`);
}

async function showsWhatWasDone() {
  for (const [name, viewport, scheme] of [['wide-light', WIDE, 'light'], ['wide-dark', WIDE, 'dark'], ['phone-light', PHONE, 'light'], ['phone-dark', PHONE, 'dark']]) {
    const opened = await open(viewport, scheme);
    await opened.page.locator('#state.good').waitFor();
    await call(server.url, 'search_standards', { query: `what is a name, ${name}?` });
    await call(server.url, 'search_standards', { query: `what is a name, ${name}?` });
    await call(server.url, 'workflow', { action: 'start', workflow_type: 'page_v1', target_file: `${name}.md` });
    await settled(opened, name);
    const { page } = opened;
    const row = (table, row) => page.locator(`#${table} tbody tr`, { hasText: row });
    assert.equal(await page.locator('#double .figure').textContent(), '0');
    assert.match(await page.locator('#double').getAttribute('class'), /good/);
    assert.match(await row('caches', 'answers').textContent(), /50\.0 %/, 'one question of two was cached');
    assert.equal(await row('locks', 'workflow.session').count(), 1);
    assert.match(await page.locator('#sessions').textContent(), /with an open phase \(15 s ago at most\)\d+started\d+/);
    assert.match(await page.locator('#search').textContent(), /generation1/);
    assert.match(await page.locator('#memory').textContent(), /MiB/);
    await page.close();
  }
}

async function showsWhatIsWrong() {
  const broken = (status) => {
    status.caches[0].double_loads = 2;
    status.locks[0].waiters = 14;
    status.stuck = [`${status.locks[0].name} 9f31 is held for 31 s; 14 wait`];
    Object.assign(status.traffic, { requests: 1000, waited: 120, failed: 7 });
    status.search.failure = 'cannot read standards/names.md: permission denied';
    return status;
  };
  for (const [name, viewport] of [['wrong-wide', WIDE], ['wrong-phone', PHONE]]) {
    const opened = await open(viewport, 'dark', broken);
    await opened.page.locator('#stuck li').waitFor();
    await settled(opened, name);
    const { page } = opened;
    const figure = (id) => page.locator(`#${id}.bad .figure`).textContent({ timeout: 2000 });
    assert.equal(await figure('double'), '2');
    assert.equal(await figure('waited'), '12.0 %');
    assert.equal(await figure('waiting'), '14');
    assert.match(await page.locator('#stuck').textContent(), /held for 31 s/);
    assert.match(await page.locator('#search-failure').textContent(), /permission denied/);
    await page.close();
  }
  const opened = await open(WIDE, 'light');
  await opened.page.locator('#state.good').waitFor();
  await opened.page.route('**/status.json', (route) => route.abort());
  await opened.page.locator('#state.bad', { hasText: 'no answer' }).waitFor();
  await opened.page.screenshot({ path: join(shots, 'gone.png'), fullPage: true });
}

// Texts whose contrast is below what WCAG 2.2 asks for (AA: 4.5, for large text 3).
function faint(page) {
  return page.evaluate(() => {
    const rgb = (text) => (text.match(/[\d.]+/g) || []).map(Number);
    const light = ([r, g, b]) => {
      const part = (value) => (value / 255 <= 0.03928 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
      return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
    };
    const behind = (element) => {
      for (let at = element; at; at = at.parentElement) {
        const colour = rgb(getComputedStyle(at).backgroundColor);
        if (colour.length === 3 || colour[3] > 0) return colour;
      }
      return [255, 255, 255];
    };
    const texts = [...document.querySelectorAll('body *')].filter((element) => element.checkVisibility()
      && [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim()));
    return texts.flatMap((element) => {
      const style = getComputedStyle(element), size = parseFloat(style.fontSize);
      const [a, b] = [light(rgb(style.color)), light(behind(element))].sort((x, y) => y - x);
      const contrast = (a + 0.05) / (b + 0.05), least = size >= 24 ? 3 : 4.5;
      return contrast < least ? [`${element.textContent.trim().slice(0, 30)}: ${contrast.toFixed(2)}`] : [];
    });
  });
}
