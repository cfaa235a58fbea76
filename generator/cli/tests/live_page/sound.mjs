// Sound end to end: a speaker's page and two listeners' pages in Chromium, against a running stack.
//
// Argument: a JSON object with `websocketUrl`, `httpUrl`, `token`, `page` (folder of the page), `playwright` (folder of
// playwright-core), `chromium`, and `screenshots` (folder, optional). Prints a line per step. Exits with 1 at the first step that
// fails.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { openLine, servePage } from './servers.mjs';
import { heardTones, melody, MELODY_SECONDS, problem, runs, TONES } from './tones.mjs';

const settings = JSON.parse(process.argv[2]);
const { chromium } = createRequire(join(settings.playwright, 'package.json'))('playwright-core');

/** Longest wait for a text on a page, in milliseconds. */
const PATIENCE = 60_000;

/** Longest time from the microphone to a loudspeaker, in seconds. More cannot be told from the melody. */
const MAX_LATENCY = MELODY_SECONDS / 2;

const instrument = readFileSync(new URL('./instrument.js', import.meta.url), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'sound-'));
const wav = join(folder, 'melody.wav');
writeFileSync(wav, melody());

const site = await servePage(settings.page);
const line = await openLine(Number(new URL(settings.websocketUrl).port));
const viaLine = new URL(settings.websocketUrl);
viaLine.port = String(line.port);
const browser = await chromium.launch({
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

/** Problems that pages report: errors of scripts and violations of the content security policy. */
const problems = [];

async function open(name, websocketUrl, colorScheme, viewport) {
  const context = await browser.newContext({ colorScheme, viewport, permissions: ['microphone'], locale: 'en' });
  await context.addInitScript(instrument);
  const config = JSON.parse(readFileSync(join(settings.page, 'config.json'), 'utf8'));
  const body = JSON.stringify({ ...config, websocketUrl, httpUrl: settings.httpUrl, credentials: settings.credentials ?? 'ticket' });
  await context.route('**/config.json', (route) => route.fulfill({ body, contentType: 'application/json' }));
  const page = await context.newPage();
  page.on('pageerror', (error) => problems.push(`${name}: ${error}`));
  page.on('console', (message) => {
    // Failed handshakes and requests are reported there, too; the steps look at their explanations.
    if (message.type() === 'error' && /Content Security Policy|TypeError/.test(message.text())) {
      problems.push(`${name}: ${message.text()}`);
    }
  });
  return page;
}

async function shows(page, id, pattern) {
  const text = page.locator(`#${id}`, { hasText: pattern });
  await text.waitFor({ timeout: PATIENCE }).catch(async (error) => {
    const seen = await page.locator(`#${id}`).textContent();
    throw new Error(`#${id} shows ${JSON.stringify(seen)} and not ${pattern}`, { cause: error });
  });
}

async function startSpeaking(page, address) {
  await page.goto(address);
  if (await page.locator('#token').isVisible({ timeout: PATIENCE })) {
    await page.fill('#token', settings.token);
    await page.click('#token-form button');
  }
  await page.click('#start');
  await shows(page, 'status', 'Connected.');
}

async function listen(page, link, language) {
  await page.goto(link);
  await page.selectOption('#language', language);
  await page.click('#start');
  await shows(page, 'status', 'Connected.');
}

async function recorded(page) {
  const { parts, startedAt, rate } = await page.evaluate(() => {
    const { blocks, startedAt, rate } = window.recording;
    const parts = blocks.map((block) => btoa(String.fromCharCode(...new Uint8Array(Int16Array.from(block, (s) => s * 32_767).buffer))));
    return { parts, startedAt, rate };
  });
  const bytes = Buffer.concat(parts.map((part) => Buffer.from(part, 'base64')));
  const samples = new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
  return { tones: runs(heardTones(Float32Array.from(samples, (sample) => sample / 32_767), rate)), startedAt };
}

/** Returns the time from microphone to loudspeaker in seconds: the median over all tones. */
function latency(microphone, loudspeaker) {
  const begins = ({ tones, startedAt }) => tones.slice(1, -1).map(({ tone, at }) => ({ tone, at: startedAt / 1_000 + at }));
  const spoken = begins(microphone);
  const delays = begins(loudspeaker).flatMap(({ tone, at }) => {
    const before = spoken.filter((other) => other.tone === tone && other.at <= at + 0.1).map((other) => at - other.at);
    return before.length === 0 ? [] : [Math.min(...before)];
  });
  return delays.sort((one, other) => one - other)[Math.floor(delays.length / 2)];
}

const step = (text) => process.stdout.write(`${text}\n`);
const seconds = (count) => new Promise((resolve) => setTimeout(resolve, count * 1_000));

async function screenshot(page, name) {
  if (settings.screenshots) {
    await page.screenshot({ path: join(settings.screenshots, `${name}.png`), fullPage: true });
  }
}

async function handOver(page, role) {
  const before = await page.evaluate(() => window.sockets.length);
  // The server asks for this after 100 minutes; the page must not see a difference.
  await page.evaluate((role) => {
    const { socket } = window.sockets.at(-1);
    const message = { type: 'connectionRefreshRequired', sessionId: 'x', role };
    socket.dispatchEvent(new MessageEvent('message', { data: JSON.stringify(message) }));
  }, role);
  await page.waitForFunction((count) => window.sockets[count - 1].closes.length === 1, before, { timeout: PATIENCE });
  const closes = await page.evaluate((count) => window.sockets[count - 1].closes, before);
  assert.deepEqual(closes, [[4000, 'handed over to a new connection']]);
}

async function play() {
  const size = { width: 900, height: 900 };
  let speaker = await open('speaker', viaLine.href, 'light', size);
  await startSpeaking(speaker, `${site.origin}/speak.html`);
  const link = await speaker.inputValue('#link');
  const listeners = [await open('listener 1', settings.websocketUrl, 'dark', size), await open('listener 2', settings.websocketUrl, 'light', { width: 360, height: 740 })];
  await screenshot(listeners[0], 'blank');
  await listen(listeners[0], link, 'de');
  await listen(listeners[1], link, 'fr');
  step('connected: a speaker and two listeners');

  await seconds(4);
  await Promise.all([handOver(speaker, 'speaker'), handOver(listeners[0], 'listener')]);
  step('handed over: the speaker and a listener have new connections');
  await seconds(MELODY_SECONDS + 2);
  const microphone = await recorded(speaker);
  for (const [index, page] of listeners.entries()) {
    const heard = await recorded(page);
    assert.equal(problem(heard.tones), null, `listener ${index + 1}: ${JSON.stringify(heard.tones)}`);
    const delay = latency(microphone, heard);
    assert.ok(delay < MAX_LATENCY, `listener ${index + 1}: ${delay} s`);
    step(`heard: listener ${index + 1}, ${heard.tones.length} of ${TONES} tones in order, ${delay.toFixed(2)} s after the speaker`);
  }
  await shows(speaker, 'listeners', '2 (de: 1, fr: 1)');
  await screenshot(speaker, 'speaker-light');
  await screenshot(listeners[0], 'listener-dark');
  await screenshot(listeners[1], 'listener-phone');
  step('counted: the speaker sees two listeners and their languages');

  const bothShow = (id, pattern) => Promise.all(listeners.map((page) => shows(page, id, pattern)));
  await speaker.click('#pause');
  await bothShow('broadcast', 'The speaker has paused.');
  await speaker.click('#pause');
  await bothShow('broadcast', 'The speaker is on air.');
  await speaker.click('#mute');
  await bothShow('broadcast', 'The speaker has muted the microphone.');
  await speaker.click('#mute');
  await bothShow('broadcast', 'The speaker is on air.');
  step('explained: pause and mute');

  await startSpeaking(speaker, speaker.url().replace(/#/, '?again#'));
  await bothShow('broadcast', 'The speaker is on air.');
  step('reloaded: the speaker continues the session');

  line.cut();
  await shows(speaker, 'status', 'The network connection was lost.');
  await bothShow('broadcast', 'The speaker is not connected.');
  await screenshot(speaker, 'speaker-cut-off');
  await screenshot(listeners[0], 'listener-without-speaker');
  line.mend();
  await shows(speaker, 'status', 'Connected.');
  await bothShow('broadcast', 'The speaker is on air.');
  step('cut off: both sides say why, and the speaker returns');

  const address = speaker.url();
  const devtools = await speaker.context().newCDPSession(speaker);
  devtools.send('Page.crash').catch(() => {});
  await bothShow('broadcast', 'The speaker is not connected.');
  step('killed: the listeners say so');

  speaker = await open('speaker', viaLine.href, 'dark', { width: 360, height: 740 });
  await startSpeaking(speaker, address);
  await bothShow('broadcast', 'The speaker is on air.');
  await screenshot(speaker, 'speaker-dark-phone');
  const before = await listeners[1].evaluate(() => window.recording.blocks.length);
  await seconds(4);
  const again = await recorded(listeners[1]);
  assert.ok(again.tones.some(({ at }) => at > before / 10 + 1), 'the second listener hears nothing after the speaker returned');
  step('returned: the speaker is heard again');

  await listeners[0].click('#leave');
  await shows(listeners[0], 'status', 'You left the session.');
  await speaker.click('#end');
  await shows(listeners[1], 'status', 'The session has ended.');
  await shows(speaker, 'status', 'The session has ended.');
  await listeners[0].click('#start');
  await shows(listeners[0], 'status', 'The session has ended.');
  step('ended: everybody says so, and nobody gets in again');

  for (const page of [...listeners, speaker]) {
    const closes = await page.evaluate(() => window.sockets.flatMap(({ closes }) => closes));
    assert.ok(closes.every(([code, reason]) => code >= 1_000 && reason.length > 0), JSON.stringify(closes));
  }
  assert.deepEqual(problems, []);
  assert.deepEqual(site.missing, []);
  step('clean: every close had a code and a reason, and no page reported an error');
}

let code = 0;
try {
  await play();
} catch (error) {
  code = 1;
  process.stderr.write(`${error.stack}\n${problems.join('\n')}\n`);
}
await browser.close();
line.close();
site.close();
rmSync(folder, { recursive: true, force: true });
process.exit(code);
