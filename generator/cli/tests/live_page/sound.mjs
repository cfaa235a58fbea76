// Sound end to end: a speaker's page and two listeners' pages in Chromium, against a running stack.
//
// Argument: a JSON object with `page` (URL of the page), `modules` (node_modules with playwright-core and axe-core), `chromium`, and
// `screenshots` (folder, optional). Prints a line per step. Exits with 1 at the first step that fails.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { openLine } from './line.mjs';
import { Browser, checkCloses, flow, forget, goToIssuer, handOver, isComplete, listen, recorded, shows, signIn, speak } from './pages.mjs';
import { latency, melody, MELODY_SECONDS, problem } from './tones.mjs';

const settings = JSON.parse(process.argv[2]);

/** Duration of a chunk in seconds. Its first sample waits for its last one. */
const CHUNK_SECONDS = 0.3;

/** Most that the page's jitter buffer holds beyond its target, in seconds. */
const MAX_EXCESS = 1.2;

/** Errors of the recordings, in seconds: a window of tones and a block of samples. */
const RESOLUTION = 0.15;

const WIDE = { width: 900, height: 900 };
const PHONE = { width: 360, height: 740 };

const step = (text) => process.stdout.write(`${text}\n`);
const median = (all) => all.toSorted((one, other) => one - other)[Math.floor(all.length / 2)];
const seconds = (count) => new Promise((resolve) => setTimeout(resolve, count * 1_000));

/**
 * Checks that sound is not later than its chunk, its way and the jitter buffer explain, and that the buffer holds no more than it may. A
 * slow machine takes longer for the way, and is no failure.
 */
function checkLatency(name, delay, { sent }, { received, buffers }) {
  const ways = Object.keys(received).filter((index) => index in sent).map((index) => (received[index] - sent[index]) / 1_000);
  const way = median(ways);
  const fullest = Math.max(...buffers.map(({ buffered }) => buffered));
  const explained = CHUNK_SECONDS + way + fullest + RESOLUTION;
  const figures = `${delay.toFixed(2)} s after the speaker: ${way.toFixed(2)} s on the way, at most ${fullest.toFixed(2)} s in the buffer`;
  assert.ok(delay <= explained, `${name}: ${figures}`);
  assert.ok(buffers.every(({ buffered, target }) => buffered <= target + MAX_EXCESS), `${name}: ${JSON.stringify(buffers)}`);
  step(`  ${name}: ${figures}`);
}

/** Checks what listeners heard since they forgot. */
async function checkSound(speaker, listeners) {
  const microphone = await recorded(speaker);
  for (const [index, page] of listeners.entries()) {
    const heard = await recorded(page);
    const name = `listener ${index + 1}`;
    assert.equal(problem(heard.tones), null, `${name}: ${JSON.stringify(heard.tones)}`);
    assert.ok(await isComplete(page), `${name}: ${await page.textContent('#missing')}`);
    step(`  ${name}: ${heard.tones.length} tones in order`);
    checkLatency(name, latency(microphone, heard), await flow(speaker), await flow(page));
  }
}

/** Signs a user in, who first changes their mind. */
async function signedIn(browser, speaker) {
  await shows(speaker, 'status', 'Sign in to start a session.');
  await browser.look(speaker, 'speaker-sign-in');
  await goToIssuer(speaker);
  await browser.look(speaker, 'issuer');
  await speaker.getByRole('button', { name: 'Cancel' }).click();
  await shows(speaker, 'status', 'The issuer refused: access_denied.');
  await signIn(speaker, 'ada');
  await shows(speaker, 'status', 'Ready to start a session.');
  step('signed in: by authorization code with PKCE, after a sign-in that was cancelled');
}

async function connected(browser, line) {
  const speaker = await browser.open('speaker', { websocketUrl: line.url }, { colorScheme: 'light', viewport: WIDE });
  await speaker.goto(settings.page);
  await browser.look(speaker, 'start');
  await speaker.click('a[href="speak.html"]');
  await signedIn(browser, speaker);
  await speak(speaker);
  const link = await speaker.inputValue('#link');
  const listeners = [
    await browser.open('listener 1', null, { colorScheme: 'dark', viewport: WIDE }),
    await browser.open('listener 2', null, { colorScheme: 'light', viewport: PHONE }),
  ];
  await listen(listeners[0], link, 'de');
  await listen(listeners[1], link, 'fr');
  step('connected: a speaker and two listeners');
  return { speaker, listeners };
}

async function heard(browser, { speaker, listeners }) {
  await seconds(4);
  await Promise.all([handOver(speaker, 'speaker'), handOver(listeners[0], 'listener')]);
  step('handed over: the speaker and a listener have new connections');
  await seconds(MELODY_SECONDS + 2);
  step('heard, also during the handover:');
  await checkSound(speaker, listeners);
  await shows(speaker, 'listeners', '2 (de: 1, fr: 1)');
  step('counted: the speaker sees two listeners and their languages');
  await browser.look(speaker, 'speaker-light');
  await browser.look(listeners[0], 'listener-dark');
  await browser.look(listeners[1], 'listener-phone');
}

async function explained(browser, { speaker, listeners }, line) {
  const bothShow = (text) => Promise.all(listeners.map((page) => shows(page, 'broadcast', text)));
  for (const [control, text] of [['#pause', 'The speaker has paused.'], ['#mute', 'The speaker has muted the microphone.']]) {
    await speaker.click(control);
    await bothShow(text);
    await speaker.click(control);
    await bothShow('The speaker is on air.');
  }
  step('explained: pause and mute');

  await speaker.reload();
  await bothShow('The speaker is not connected.');
  await speak(speaker);
  await bothShow('The speaker is on air.');
  step('reloaded: the listeners say that the speaker is gone, and that the session goes on');

  line.cut();
  await shows(speaker, 'status', 'The network connection was lost.');
  await bothShow('The speaker is not connected.');
  await browser.look(speaker, 'speaker-cut-off');
  await browser.look(listeners[0], 'listener-without-speaker');
  line.mend();
  await shows(speaker, 'status', 'Connected.');
  await bothShow('The speaker is on air.');
  step('cut off: both sides say why, and the speaker returns');

  const address = speaker.url();
  const devtools = await speaker.context().newCDPSession(speaker);
  devtools.send('Page.crash').catch(() => {});
  await bothShow('The speaker is not connected.');
  step('killed: the listeners say so');
  return address;
}

/** Continues the session on another page, and sends Opus. */
async function returned(browser, listeners, address, line) {
  const speaker = await browser.open('speaker', { websocketUrl: line.url }, { colorScheme: 'dark', viewport: PHONE });
  await speaker.goto(address);
  await goToIssuer(speaker);
  await browser.look(speaker, 'issuer-dark-phone');
  await speaker.goBack();
  await signIn(speaker, 'ada');
  await shows(speaker, 'status', 'Ready to continue');
  await speak(speaker, 'premium');
  await Promise.all(listeners.map((page) => shows(page, 'broadcast', 'The speaker is on air.')));
  await seconds(3);
  await Promise.all([speaker, ...listeners].map(forget));
  await seconds(MELODY_SECONDS + 3);
  step('heard in Opus:');
  await checkSound(speaker, listeners);
  await browser.look(speaker, 'speaker-dark-phone');
  return speaker;
}

async function ended(browser, speaker, listeners) {
  await listeners[0].click('#leave');
  await shows(listeners[0], 'status', 'You left the session.');
  await speaker.click('#end');
  await shows(listeners[1], 'status', 'The session has ended.');
  await shows(speaker, 'status', 'The session has ended.');
  await listeners[0].click('#start');
  await shows(listeners[0], 'status', 'The session has ended.');
  await browser.look(listeners[0], 'listener-ended');
  step('ended: everybody says so, and nobody gets in again');
}

async function play(browser, line) {
  const all = await connected(browser, line);
  await heard(browser, all);
  const address = await explained(browser, all, line);
  const speaker = await returned(browser, all.listeners, address, line);
  await ended(browser, speaker, all.listeners);
  await Promise.all([speaker, ...all.listeners].map(checkCloses));
  assert.deepEqual(browser.problems, []);
  step('clean: every close had a code and a reason, and no page reported an error');
}

const folder = mkdtempSync(join(tmpdir(), 'sound-'));
const wav = join(folder, 'melody.wav');
writeFileSync(wav, melody());
const config = await (await fetch(new URL('config.json', settings.page))).json();
const line = await openLine(config.websocketUrl);
const browser = await Browser.launch(settings, wav);
let code = 0;
try {
  await play(browser, line);
} catch (error) {
  code = 1;
  process.stderr.write(`${error.stack}\n${browser.problems.join('\n')}\n`);
}
await browser.close();
line.close();
rmSync(folder, { recursive: true, force: true });
process.exit(code);
