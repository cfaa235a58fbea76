// Pages in Chromium, and what tests do with them.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import { heardTones, runs } from './tones.mjs';

/** Longest wait for a text on a page, in milliseconds. */
const PATIENCE = 60_000;

const INSTRUMENT = readFileSync(new URL('./instrument.js', import.meta.url), 'utf8');

/** A browser whose microphone plays a file. */
export class Browser {
  /** Problems that pages report: errors of scripts, violations of the content security policy and missing files. */
  problems = [];

  static async launch(settings, wav) {
    const browser = new Browser();
    const { chromium } = createRequire(join(settings.modules, 'package.json'))('playwright-core');
    browser.settings = settings;
    browser.axe = readFileSync(join(settings.modules, 'axe-core/axe.min.js'), 'utf8');
    browser.chromium = await chromium.launch({
      executablePath: settings.chromium,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--use-fake-ui-for-media-stream',
        '--use-fake-device-for-media-stream',
        `--use-file-for-fake-audio-capture=${wav}`,
        '--autoplay-policy=user-gesture-required',
      ],
    });
    return browser;
  }

  /** Opens a page, for which some of the settings that the server sends are changed. */
  async open(name, change, options) {
    const context = await this.chromium.newContext({ ...options, permissions: ['microphone'], locale: 'en' });
    await context.addInitScript(INSTRUMENT);
    if (change !== null) {
      await context.route('**/config.json', async (route) => {
        const response = await route.fetch();
        await route.fulfill({ response, json: { ...(await response.json()), ...change } });
      });
    }
    const page = await context.newPage();
    page.on('response', (response) => {
      if (response.status() >= 400 && response.url().startsWith(this.settings.page)) {
        this.problems.push(`${name}: ${response.status()} ${response.url()}`);
      }
    });
    page.on('pageerror', (error) => this.problems.push(`${name}: ${error}`));
    page.on('console', (message) => {
      // Failed handshakes and requests are reported there, too; the steps look at their explanations.
      if (message.type() === 'error' && /Content Security Policy|TypeError/.test(message.text())) {
        this.problems.push(`${name}: ${message.text()}`);
      }
    });
    return page;
  }

  /** Takes a screenshot, and looks for serious problems of accessibility. */
  async look(page, name) {
    if (this.settings.screenshots) {
      await page.screenshot({ path: join(this.settings.screenshots, `${name}.png`), fullPage: true });
    }
    await page.evaluate(this.axe);
    const { violations } = await page.evaluate(() => globalThis.axe.run());
    const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    assert.deepEqual(serious.map(({ id, nodes }) => `${id}: ${nodes[0].html}`), [], name);
  }

  close() {
    return this.chromium.close();
  }
}

/** Waits until an element shows a text. */
export async function shows(page, id, text) {
  const element = page.locator(`#${id}`, { hasText: text });
  await element.waitFor({ timeout: PATIENCE }).catch(async (error) => {
    const seen = await page.locator(`#${id}`).textContent();
    throw new Error(`#${id} shows ${JSON.stringify(seen)} and not ${text}`, { cause: error });
  });
}

/** Goes to the page of the issuer. */
export async function goToIssuer(page) {
  await page.click('#sign-in-button');
  await page.locator('#username').waitFor({ timeout: PATIENCE });
}

/** Signs a user in, at the page of the issuer. */
export async function signIn(page, user) {
  const before = page.url();
  await goToIssuer(page);
  await page.fill('#username', user);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.locator('#start:visible').waitFor({ timeout: PATIENCE });
  assert.equal(page.url(), before, 'neither code nor state stays in the address');
}

/** Starts to speak on a page that is signed in. */
export async function speak(page, quality = 'standard') {
  await page.locator('#start:visible').waitFor({ timeout: PATIENCE });
  await page.selectOption('#quality', quality);
  await page.click('#start');
  await shows(page, 'status', 'Connected.');
}

export async function listen(page, link, language) {
  await page.goto(link);
  await page.selectOption('#language', language);
  await page.click('#start');
  await shows(page, 'status', 'Connected.');
}

/** Returns the tones that a page heard or played since `forget`. */
export async function recorded(page) {
  const { parts, startedAt, rate } = await page.evaluate(() => {
    const { blocks, startedAt, rate } = window.recording;
    const bytes = (block) => new Uint8Array(Int16Array.from(block, (sample) => sample * 32_767).buffer);
    return { parts: blocks.map((block) => btoa(String.fromCharCode(...bytes(block)))), startedAt, rate };
  });
  const bytes = Buffer.concat(parts.map((part) => Buffer.from(part, 'base64')));
  const samples = new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
  return { tones: runs(heardTones(Float32Array.from(samples, (sample) => sample / 32_767), rate)), startedAt };
}

/** Starts the recording and the count of missing chunks anew. */
export function forget(page) {
  return page.evaluate(() => {
    const missing = document.querySelector('#missing')?.textContent;
    Object.assign(window.recording, { blocks: [], startedAt: 0, missing });
    Object.assign(window.flow, { buffers: [], sent: {}, received: {} });
  });
}

/** Returns the states of a page's jitter buffer, and the times of its chunks. */
export function flow(page) {
  return page.evaluate(() => window.flow);
}

/** Returns true if no chunk was missing since `forget`. */
export function isComplete(page) {
  return page.evaluate(() => document.querySelector('#missing').textContent === (window.recording.missing ?? '0 chunks'));
}

/** Moves a page to a new connection, as the server asks for it after 100 minutes. */
export async function handOver(page, role) {
  const before = await page.evaluate((role) => {
    const { socket } = window.sockets.at(-1);
    const message = { type: 'connectionRefreshRequired', sessionId: 'x', role };
    const count = window.sockets.length;
    socket.dispatchEvent(new MessageEvent('message', { data: JSON.stringify(message) }));
    return count;
  }, role);
  await page.waitForFunction((count) => window.sockets[count - 1].closes.length === 1, before, { timeout: PATIENCE });
  const closes = await page.evaluate((count) => window.sockets[count - 1].closes, before);
  assert.deepEqual(closes, [[4000, 'handed over to a new connection']]);
}

/** Checks that a page never closed a socket without code and reason. */
export async function checkCloses(page) {
  const closes = await page.evaluate(() => window.sockets.flatMap(({ closes }) => closes));
  assert.ok(closes.every(([code, reason]) => code >= 1_000 && reason.length > 0), JSON.stringify(closes));
}
