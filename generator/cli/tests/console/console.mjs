// The console in Chromium, against a running stack.
//
// Argument: a JSON object with `console` and `link` (two links), `opening` (file that leads to a third one), `endpoint`, `url` (of the
// stage), `template` (file that the gateway watches), `modules` (node_modules with playwright-core and axe-core), `chromium`, and
// `screenshots` (folder, or null). Prints a line per step. Exits with 1 at the first step that fails.

import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

import { attack } from './attacks.mjs';
import { Browser, count, shows } from './browser.mjs';
import { stack } from './stack.mjs';

const settings = JSON.parse(process.argv[2]);

const WIDE = { width: 1280, height: 900 };
const PHONE = { width: 360, height: 740 };

const step = (text) => process.stdout.write(`${text}\n`);

/** Opens the console as `--open` does, by a file that leads to a link. */
async function openedByFile(browser) {
  const context = await browser.chromium.newContext();
  const page = await context.newPage();
  await page.goto(pathToFileURL(settings.opening).href);
  await shows(page, '#stream', 'Live');
  assert.equal(page.url(), `${settings.endpoint}/_stackgen/console/`);
  await context.close();
  step('opened by a file: the link leads to the console');
}

/** Opens a WebSocket from a page elsewhere, and returns its close code. */
function handshake(page, url) {
  return page.evaluate(
    (url) =>
      new Promise((resolve) => {
        const socket = new WebSocket(url);
        socket.onopen = () => resolve('open');
        socket.onclose = ({ code }) => resolve(code);
      }),
    url,
  );
}

async function opened(browser) {
  const page = await browser.open({ colorScheme: 'light', viewport: WIDE });
  browser.console = page;
  await page.goto(settings.console);
  await shows(page, '#stream', 'Live');
  assert.equal(page.url(), `${settings.endpoint}/_stackgen/console/`, 'the code does not stay in the address');
  await shows(page, '#no-connections', 'No connections yet.');
  await browser.look(page, 'empty-light');
  step('opened: by a link, whose code does not stay in the address');
  return page;
}

async function refused(browser, page) {
  const elsewhere = await browser.open({});
  assert.equal(await handshake(elsewhere, settings.url), 1006, 'the browser hides the reason');
  const row = page.locator('#list .refused').first();
  await row.waitFor();
  await row.click();
  await shows(page, '#timeline', 'Refused with 401');
  await shows(page, '#timeline', 'identity source route.request.querystring.token is missing');
  await shows(page, '#timeline .explanation', 'Row A2: ');
  await shows(page, '#timeline', 'Not called.');
  await browser.look(page, 'refused-light');
  await page.keyboard.press('Escape');
  await page.locator('#timeline').waitFor({ state: 'hidden' });
  await elsewhere.close();
  step('refused: the console says why a caller without a token was refused');
}

async function connect(page, subject) {
  await page.locator('nav a[href="#send"]').click();
  await page.fill('#subject', subject);
  assert.equal(await page.inputValue('#credential-name'), 'token', 'the parameter is that of the identity source');
  await page.click('#connect-form button[type=submit]');
}

async function denied(browser, page) {
  await page.locator('nav a[href="#send"]').click();
  await page.fill('#subject', 'mallory');
  await page.selectOption('#credential-kind', 'protocol');
  await page.fill('#credential-name', 'not a token');
  await page.click('#connect-form button[type=submit]');
  await shows(page, '#notice', 'No client was connected: ');
  assert.equal(await page.locator('#clients .client').count(), 0);
  await page.selectOption('#credential-kind', 'query');
  await page.fill('#credential-name', 'token');
  await connect(page, 'mallory');
  await shows(page, '#clients .client', 'refused');
  await page.locator('nav a[href="#connections"]').click();
  await page.locator('#list .refused', { hasText: 'mallory' }).click();
  await shows(page, '#timeline', 'the policy denies');
  await shows(page, '#timeline', '"Effect": "Deny"');
  await shows(page, '#timeline', '"plan": "free"');
  await shows(page, '#timeline .pairs', '****');
  const shown = await page.locator('#timeline').textContent();
  assert.doesNotMatch(shown, /eyJ[\w-]+\.eyJ/, 'tokens are masked');
  await browser.look(page, 'denied-light');
  step('denied: the policy and the context of the authorizer, and no token');
}

async function replayed(browser, page) {
  await connect(page, 'ada');
  const client = page.locator('#clients .client', { hasText: 'as ada' });
  await shows(client, '[role=status]', 'open');
  const body = '{"action":"echo","text":"<img src=x onerror=\\"window.hacked=1\\"><script>window.hacked=1</script>"}';
  await client.locator('textarea').fill(body);
  await client.locator('button', { hasText: 'Send' }).click();
  await shows(client, '.frames li.in', '<img src=x');
  await count(client.locator('.frames li.in'), 1);

  await page.locator('nav a[href="#connections"]').click();
  await page.fill('#search', 'ada');
  await count(page.locator('#list .row', { hasText: 'ada' }), 1);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await shows(page, '#timeline', 'From the client: echo');
  await page.locator('#timeline summary', { hasText: 'From the client: echo' }).click();
  await shows(page, '#timeline', 'talk version $LATEST');
  await shows(page, '#timeline', '<script>window.hacked=1</script>');
  assert.equal(await page.locator('#timeline img, #timeline script').count(), 0);
  await browser.look(page, 'timeline-light');
  await page.locator('#timeline .entries button', { hasText: 'Replay' }).click();
  await shows(page, '#notice', 'The frame was sent by client 2.');
  await count(client.locator('.frames li.in'), 2);
  assert.equal(await page.evaluate(() => window.hacked), undefined, 'what clients send is never run');
  await browser.look(page, 'send-light');
  await clicked(page);
  step('replayed: a recorded frame, by the keyboard; its HTML is text');
}

/** Presses a row, and releases it after the next batch of events has changed it. */
async function clicked(page) {
  await page.locator('nav a[href="#connections"]').click();
  const row = page.locator('#list .row', { hasText: 'ada' });
  const before = await row.locator('.counts').textContent();
  await row.hover();
  await page.mouse.down();
  await page.evaluate(() => document.querySelector('#clients .client button.main').click());
  await row.locator('.counts', { hasNotText: before }).waitFor();
  await page.mouse.up();
  await shows(page, '#timeline', 'From the client: echo');
}

/** Replays a frame with a masked token. It is not sent before the user has replaced the mask. */
async function masked(page) {
  await page.locator('nav a[href="#send"]').click();
  const client = page.locator('#clients .client', { hasText: 'as ada' });
  const token = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl';
  const body = `{"action":"echo","text":"${token}"}`;
  await client.locator('textarea').fill(body);
  await client.locator('button', { hasText: 'Send' }).click();
  await shows(client, '.frames li.in', token);
  const sent = await client.locator('.frames li.out').count();
  await page.locator('nav a[href="#connections"]').click();
  await page.locator('#list .row', { hasText: 'ada' }).click();
  const frame = page.locator('#timeline li', { hasText: `From the client: echo, ${body.length} B` });
  await frame.locator('summary').click();
  await shows(frame, 'pre', '****');
  await frame.locator('button', { hasText: 'Replay' }).click();
  await shows(page, '#notice', 'A token in this frame is masked as ****. Replace it, then send.');
  await shows(client, '[role=status]', 'open');
  assert.equal(await client.locator('.frames li.out').count(), sent);
  step('masked: a frame with a token is not replayed before the token is replaced');
}

async function failed(browser, page) {
  const client = page.locator('#clients .client', { hasText: 'as ada' });
  for (const [route, expected] of [['fail', 'Internal server error'], ['post', '"posted": true'], ['echo', '{\n  "action": "echo"\n}']]) {
    await client.locator('select').selectOption(route);
    await client.locator('button', { hasText: 'Send' }).click();
    await shows(client, '.frames li.in', expected);
  }
  await page.locator('nav a[href="#connections"]').click();
  await page.locator('#list .failing').first().click();
  await page.locator('#timeline summary', { hasText: 'From the client: fail' }).click();
  await shows(page, '#timeline', 'RangeError: there is no room 7');
  await shows(page, '#timeline', 'looking for the room');
  await shows(page, '#timeline .explanation', 'Row M4: ');
  await shows(page, '#timeline', 'by @connections');
  await browser.look(page, 'failed-light');
  step('failed: the error of the function, its log, and the row');
}

/** Replays a whole connection as its caller, with its pauses and at once. */
async function repeated(browser, page) {
  await connect(page, 'bob');
  const client = page.locator('#clients .client', { hasText: 'as bob' });
  await shows(client, '[role=status]', 'open');
  for (const text of ['one', 'two', 'three']) {
    await client.locator('textarea').fill(`{"action":"echo","text":"${text}"}`);
    await client.locator('button', { hasText: 'Send' }).click();
    await shows(client, '.frames li.in', text);
  }
  const sent = ['three', 'two', 'one'];
  for (const [label, connections] of [['Replay the connection', 2], ['Replay it at once', 3]]) {
    await page.locator('nav a[href="#connections"]').click();
    await page.fill('#search', 'bob');
    // The first one is the last row.
    await page.locator('#list .row', { hasText: 'bob' }).last().click();
    await shows(page, '#timeline', 'as bob');
    await count(page.locator('#timeline summary', { hasText: 'From the client: echo' }), 3);
    if (connections === 2) {
      await browser.look(page, 'replay-light');
    }
    await page.locator('#timeline button', { hasText: label }).click();
    await shows(page, '#notice', 'replays 3 frames, with the headers and cookies of this browser.');
    const replaying = page.locator('#clients .client').first();
    await shows(replaying, 'h3', 'as bob');
    await shows(replaying, '[role=status]', 'open, replayed 3 of 3');
    await count(replaying.locator('.frames li.in'), 3);
    const frames = await replaying.locator('.frames li.out').allTextContents();
    assert.deepEqual(frames.map((frame) => /"text": "(\w+)"/.exec(frame)[1]), sent, 'the latest comes first');
    await page.locator('nav a[href="#connections"]').click();
    await count(page.locator('#list .row.open', { hasText: 'bob' }), connections);
    await page.keyboard.press('Escape');
  }
  await page.locator('nav a[href="#connections"]').click();
  await page.fill('#search', 'ada');
  await page.locator('#list .row', { hasText: 'ada' }).click();
  await page.locator('#timeline button', { hasText: 'Replay it at once' }).click();
  await shows(page, '#notice', 'is masked; replay the frames one by one');
  await page.locator('nav a[href="#connections"]').click();
  await page.fill('#search', '');
  step('repeated: a whole connection as the same caller, with its pauses and at once');
}

async function redeployed(browser, page) {
  appendFileSync(
    settings.template,
    '  Ping:\n    Type: AWS::ApiGatewayV2::Route\n    Properties: { ApiId: !Ref Api, RouteKey: ping, Target: !Sub "integrations/${Integration}" }\n',
  );
  await page.locator('nav a[href="#deployments"]').click();
  await shows(page, '.stage .badge', 'stale');
  await shows(page, '.stage .changes', 'route ping: not served yet');
  await browser.look(page, 'stale-light');
  const serves = page.locator('.stage code.serves');
  const first = await serves.textContent();
  const history = page.locator('.api tbody tr');
  await shows(history.first(), 'td', settings.commit ?? 'unknown');
  const digest = await history.first().locator('td code').first().getAttribute('title');
  assert.match(digest, /^[0-9a-f]{64}$/);

  await page.locator('button', { hasText: 'Redeploy' }).click();
  await shows(page, '#notice', 'could not be verified');
  await shows(page, '#notice', `${first} is restored`);
  await shows(page, '.stage .badge', 'stale');
  assert.equal(await serves.textContent(), first, 'a redeploy that is not verified changes nothing');
  await browser.look(page, 'not-verified-light');
  const refusal = browser.problems.pop();
  assert.match(refusal, /status of 400 .*console\/apis$/, 'browsers report the refusal, too');

  await page.locator('.stage input').fill('ada');
  await page.locator('button', { hasText: 'Redeploy' }).click();
  await shows(page, '#notice', 'talk/prod was redeployed, and verified.');
  await shows(page, '.stage .badge', 'current');
  await shows(page, '.stage', /verified \d{4}-.*Z by flags/);
  await shows(page, '#activity', 'serves');
  assert.notEqual(await serves.textContent(), first);
  await shows(history.first(), 'td', settings.commit ?? 'unknown');
  assert.notEqual(await history.first().locator('td code').first().getAttribute('title'), digest, 'the wiring differs');
  await browser.look(page, 'current-light');

  await page.locator('button', { hasText: `Roll back to ${first}` }).click();
  await shows(page, '.stage .badge', 'stale');
  assert.equal(await serves.textContent(), first);
  await page.locator('.api tbody button', { hasText: 'Activate on prod' }).first().click();
  await shows(page, '.stage .badge', 'current');
  step('redeployed: a stale stage by a click, verified as a caller; rolled back; activated');
}

async function closed(browser, page) {
  await page.locator('nav a[href="#send"]').click();
  const client = page.locator('#clients .client', { hasText: 'as ada' });
  await client.locator('button', { hasText: 'Close' }).click();
  await shows(client, '[role=status]', 'closed 1000');
  await page.keyboard.press('1');
  await page.fill('#search', 'closed 1000');
  await page.locator('#list .row').first().click();
  await shows(page, '#timeline', 'Closed with 1000');
  await shows(page, '#timeline', 'the client closed');
  await shows(page, '#timeline', '$disconnect');
  await page.reload();
  await shows(page, '#timeline', 'Closed with 1000');
  step('closed: with its code and reason explained, also after a reload');
}

/** Looks at every view in the dark, on a phone, and with text of twice the size. */
async function readable(browser, page) {
  const address = page.url();
  for (const [name, options, size] of [
    ['dark', { colorScheme: 'dark', viewport: WIDE }, '100%'],
    ['phone-dark', { colorScheme: 'dark', viewport: PHONE }, '100%'],
    ['large-light', { colorScheme: 'light', viewport: WIDE }, '200%'],
  ]) {
    await page.emulateMedia({ colorScheme: options.colorScheme });
    await page.setViewportSize(options.viewport);
    await page.evaluate((size) => {
      document.documentElement.style.fontSize = size;
    }, size);
    for (const view of ['connections', 'deployments', 'send', 'stack']) {
      await page.locator(`nav a[href="#${view}"]`).click();
      await page.locator(`#${view}`).waitFor();
      if (view === 'stack') {
        await shows(page, '#graph', 'rooms');
        await shows(page, '#issuer', 'signs');
      }
      await noOverflow(page, `${view} ${name}`);
      await browser.look(page, `${view}-${name}`);
    }
    for (const [box, text] of [['function', 'API_TOKEN'], ['table', 'quiet']]) {
      await page.locator(`#graph .box.${box}`).last().click();
      await shows(page, '#resource', text);
      await noOverflow(page, `${box} ${name}`);
      await browser.look(page, `${box}-${name}`);
    }
    await page.goto(address);
    await shows(page, '#timeline', 'Closed with 1000');
    await noOverflow(page, `timeline ${name}`);
    await browser.look(page, `timeline-${name}`);
  }
  step('readable: dark, on a phone, and at 200%');
}

async function noOverflow(page, name) {
  const [width, visible] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  const wide = await page.evaluate(() =>
    [...document.querySelectorAll('main *')].filter((one) => one.getBoundingClientRect().right > innerWidth && one.closest('.scroll, pre, .list') === null).map((one) => one.outerHTML.slice(0, 100)),
  );
  assert.ok(width <= visible, `${name} is ${width} pixels wide, of ${visible}: ${wide}`);
}

async function play(browser) {
  await openedByFile(browser);
  const page = await opened(browser);
  await refused(browser, page);
  await denied(browser, page);
  await replayed(browser, page);
  await masked(page);
  await failed(browser, page);
  await repeated(browser, page);
  await stack(browser, page, step);
  await redeployed(browser, page);
  await closed(browser, page);
  await readable(browser, page);
  await attack(browser, settings, step);
  assert.deepEqual(browser.problems, []);
  const foreign = browser.requests.filter((url) => new URL(url).origin !== settings.endpoint);
  assert.deepEqual(foreign, [], 'the console asks nobody else');
  step('clean: no page reported an error, and no request left the gateway');
}

const template = readFileSync(settings.template, 'utf8');
const browser = await Browser.launch(settings);
browser.template = template;
let code = 0;
try {
  await play(browser);
} catch (error) {
  code = 1;
  process.stderr.write(`${error.stack}\n${browser.problems.join('\n')}\n`);
  await browser.debug();
}
writeFileSync(settings.template, template);
await browser.close();
process.exit(code);
