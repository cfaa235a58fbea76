// The view of the stack: its graph, functions, tables, the issuer and the findings of the linter.

import assert from 'node:assert/strict';

import { count, shows } from './browser.mjs';

const HTML = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>';

/** Opens a function by the keyboard alone. */
async function functions(browser, page, step) {
  await page.locator('h1').click();
  await page.keyboard.press('4');
  await shows(page, '#graph .box.function', 'talk');
  const boxes = await page.locator('#graph .box').allTextContents();
  for (const text of ['APItalk', 'Routes$connect', 'Functionauthorize', 'Tablerooms', 'Event sourcejobs']) {
    assert.ok(boxes.some((box) => box.startsWith(text)), `${text}: ${boxes}`);
  }
  await page.locator('#graph .box.api').focus();
  const talk = page.locator('#graph .box.function', { hasText: 'talk' });
  for (let presses = 0; presses < 20 && !(await talk.evaluate((box) => box === document.activeElement)); presses += 1) {
    await page.keyboard.press('Tab');
  }
  await page.keyboard.press('Enter');
  await shows(page, '#resource-title', 'talk');
  await shows(page, '#resource table', 'live');
  await shows(page, '#resource tr', 'API_TOKEN****');
  await shows(page, '#resource tr', 'DATABASE_URL****');
  await shows(page, '#resource tr', 'ROOMSrooms');
  await shows(page, '#resource pre', 'RangeError: there is no room 7');
  await shows(page, '#resource pre', 'REPORT RequestId: ');
  const row = await page.locator('#resource table', { hasText: 'Request ID' }).locator('tbody tr').first().textContent();
  assert.match(row, /\$LATEST.* ms/);
  assert.ok(!(await page.content()).includes('never-shown'), 'secrets are masked');
  assert.equal(await talk.getAttribute('aria-pressed'), 'true');
  await browser.look(page, 'function-light');
  await page.keyboard.press('Escape');
  await page.locator('#resource').waitFor({ state: 'hidden' });
  assert.ok(await talk.evaluate((box) => box === document.activeElement), 'the focus is on the box again');
  step('stack: a function by the keyboard, with its versions, masked secrets, invocations and log');
}

/** Edits the items of a table. Their HTML is text. */
async function items(browser, page, step) {
  await page.locator('#graph .box.table').click();
  await shows(page, '#resource', '0 items');
  const put = async (item) => {
    await page.locator('#resource textarea').fill(JSON.stringify(item));
    await page.locator('#resource button', { hasText: 'Save' }).click();
  };
  for (const [room, text] of [['blue', 'quiet'], ['red', HTML]]) {
    await page.locator('#resource button', { hasText: 'New item' }).click();
    await put({ room: { S: room }, text: { S: text }, members: { N: '2' } });
    await shows(page, '#notice', 'The item was saved.');
    await shows(page, '#resource pre', room);
  }
  await page.fill('#item-search', 'ONERROR');
  await page.keyboard.press('Enter');
  await shows(page, '#resource', '1 item, of 2 that were read');
  await shows(page, '#resource pre', '<script>window.hacked=1</script>');
  assert.equal(await page.locator('#resource img, #resource script').count(), 0);
  await browser.look(page, 'items-light');
  await page.locator('#resource button', { hasText: 'Edit' }).click();
  await shows(page, '#resource', 'Save');
  await page.locator('#resource textarea').fill('{');
  await page.locator('#resource button', { hasText: 'Save' }).click();
  await shows(page, '#notice', 'The item is not JSON');
  await put({ room: { S: 'red' }, text: { S: `${HTML} again` } });
  await shows(page, '#resource pre', 'again');
  await page.fill('#item-search', '');
  await page.keyboard.press('Enter');
  await count(page.locator('#resource .frames li'), 2);
  await page.locator('#resource button[aria-label="Delete red"]').click();
  await shows(page, '#notice', 'The item was deleted.');
  await count(page.locator('#resource .frames li'), 1);
  assert.equal(await page.evaluate(() => window.hacked), undefined, 'what items hold is never run');
  await page.locator('#resource a', { hasText: 'Close' }).click();
  step('stack: items are added, searched, edited and deleted; their HTML is text');
}

/** Mints a token, and reads the findings. */
async function tokens(browser, page, step) {
  await page.fill('#mint-subject', 'ada');
  await page.fill('#mint-claims', '[');
  await page.locator('#mint-form button').click();
  await shows(page, '#notice', 'No token was minted');
  await page.fill('#mint-claims', '{"role":"admin"}');
  await page.locator('#mint-form button').click();
  await shows(page, '#minted pre', 'eyJ');
  const token = await page.locator('#minted pre').textContent();
  const [header, claims] = token.split('.').slice(0, 2).map((part) => JSON.parse(Buffer.from(part, 'base64url')));
  assert.deepEqual([claims.sub, claims.role], ['ada', 'admin']);
  await page.locator('#issuer summary').click();
  const key = JSON.parse(await page.locator('#issuer pre').textContent());
  assert.equal(key.kid, header.kid, 'the shown key signed the token');
  assert.deepEqual(Object.keys(key).sort(), ['alg', 'e', 'kid', 'kty', 'n', 'use'], 'no private part');
  const finding = page.locator('#findings li').first();
  const line = await finding.locator('pre').textContent();
  const [, number, text] = /^(\d+)  (.*)$/.exec(line);
  assert.equal(text, browser.template.split('\n')[number - 1].trim(), 'a finding shows its line');
  await shows(page, '#findings li', 'not shown, because it may contain a secret');
  await browser.look(page, 'stack-light');
  step('stack: a token of the shown key, and the findings with their lines');
}

/** Reads the stack again by its button. */
async function refreshed(page, step) {
  await page.locator('#findings').evaluate((list) => list.replaceChildren());
  await page.click('#refresh-stack');
  await page.locator('#findings li').first().waitFor();
  await page.evaluate(() => {
    location.hash = 'stack/%';
  });
  await page.locator('#resource').waitFor({ state: 'hidden' });
  step('stack: a button reads it again, and a malformed address opens no box');
}

/** Reads the stack twice in a row. The second read begins after the first one, so that an older answer never replaces a newer one. */
async function reread(page, step) {
  const stack = /\/console\/stack$/;
  const order = [];
  await page.route(stack, async (route) => {
    const read = order.filter((text) => text.startsWith('read')).length + 1;
    order.push(`read ${read}`);
    const response = await route.fetch();
    const json = await response.json();
    if (read === 1) {
      // Time for the second read to begin, if it does not wait.
      await new Promise((resolve) => setTimeout(resolve, 500));
      json.findings = [];
    }
    order.push(`answer ${read}`);
    await route.fulfill({ response, json });
  });
  await page.locator('#findings').evaluate((list) => list.replaceChildren());
  await page.locator('#refresh-stack').evaluate((refresh) => {
    refresh.click();
    refresh.click();
  });
  await page.locator('#findings li').first().waitFor();
  await page.unroute(stack);
  assert.deepEqual(order, ['read 1', 'answer 1', 'read 2', 'answer 2']);
  step('stack: an older answer does not replace a newer one');
}

export async function stack(browser, page, step) {
  await functions(browser, page, step);
  await items(browser, page, step);
  await tokens(browser, page, step);
  await reread(page, step);
  await refreshed(page, step);
}
