// Pages in Chromium.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** Longest wait for a text on a page, in milliseconds. */
const PATIENCE = 30_000;

/** Size of the screenshots in the documentation. */
const PICTURE = { width: 1000, height: 600 };

/** Screenshots that are also in the documentation, with their names there. */
const PICTURES = {
  'denied-light': 'timeline',
  'stale-light': 'deployments',
  'send-light': 'send',
  'function-light': 'stack',
  'items-light': 'items',
};

export class Browser {
  /** Problems that pages of the console report: errors of scripts and violations of the content security policy. */
  problems = [];
  /** Addresses that pages of the console requested. */
  requests = [];
  #pages = [];

  static async launch(settings) {
    const browser = new Browser();
    const { chromium } = createRequire(join(settings.modules, 'package.json'))('playwright-core');
    browser.settings = settings;
    browser.axe = readFileSync(join(settings.modules, 'axe-core/axe.min.js'), 'utf8');
    browser.chromium = await chromium.launch({
      executablePath: settings.chromium,
      args: ['--no-sandbox', '--disable-gpu', ...(settings.web ? ['--disable-features=LocalNetworkAccessChecks'] : [])],
    });
    return browser;
  }

  /** Opens a page in a profile of its own. */
  async open(options) {
    const context = await this.chromium.newContext({ ...options, locale: 'en' });
    if (this.settings.web) {
      // The page from its sources, without a new build.
      await context.route(/\/_stackgen\/console\/([\w-]+\.\w+)?$/, async (route) => {
        const response = await route.fetch();
        const name = new URL(route.request().url()).pathname.split('/').at(-1) || 'index.html';
        const type = { js: 'text/javascript', css: 'text/css', html: 'text/html', svg: 'image/svg+xml' }[name.split('.').at(-1)];
        const headers = { ...response.headers(), 'content-type': type };
        await route.fulfill({ status: response.status() === 404 ? 200 : response.status(), headers, path: join(this.settings.web, name) });
      });
    }
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE);
    page.on('pageerror', (error) => this.problems.push(String(error)));
    page.on('console', (message) => {
      // Failed handshakes are reported there, too; the steps look at their explanations.
      if (message.type() === 'error' && !/WebSocket connection to/.test(message.text())) {
        this.problems.push(`${message.text()} ${message.location().url}`);
      }
    });
    page.on('request', (request) => {
      if (!request.url().startsWith('ws')) {
        this.requests.push(request.url());
      }
    });
    this.#pages.push(page);
    return page;
  }

  /** Takes a screenshot, and looks for serious problems of accessibility. */
  async look(page, name) {
    if (this.settings.screenshots) {
      await page.screenshot({ path: join(this.settings.screenshots, `${name}.png`) });
    }
    if (this.settings.pictures && PICTURES[name]) {
      const before = page.viewportSize();
      await page.setViewportSize(PICTURE);
      await page.evaluate(() => scrollTo(0, 0));
      await page.screenshot({ path: join(this.settings.pictures, `${PICTURES[name]}.png`) });
      await page.setViewportSize(before);
    }
    await page.evaluate(this.axe);
    const { violations } = await page.evaluate(() => globalThis.axe.run());
    const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    assert.deepEqual(serious.map(({ id, nodes }) => `${id}: ${nodes[0].html}`), [], name);
  }

  /** Takes a screenshot of the first page after a failure. */
  async debug() {
    if (this.settings.screenshots && this.#pages.length > 0) {
      await this.#pages[0].screenshot({ path: join(this.settings.screenshots, 'failed-step.png') });
    }
  }

  close() {
    return this.chromium.close();
  }
}

/** Waits until an element shows a text. */
export async function shows(host, selector, text) {
  const found = host.locator(selector, { hasText: text }).first();
  await found.waitFor({ timeout: PATIENCE }).catch(async (error) => {
    const seen = await host.locator(selector).allTextContents();
    throw new Error(`${selector} shows ${JSON.stringify(seen)} and not ${text}`, { cause: error });
  });
}

/** Waits for a number of elements. */
export async function count(locator, expected) {
  await locator.nth(expected - 1).waitFor({ timeout: PATIENCE });
  assert.equal(await locator.count(), expected);
}
