// Sound end to end: a speaker's page and two listeners' pages in Chromium, against a running stack.
//
// Argument: a JSON object with `websocketUrl`, `httpUrl`, `token`, `page` (folder of the page), `modules` (node_modules with
// playwright-core and axe-core), `chromium`, and `screenshots` (folder, optional). Prints a line per step. Exits with 1 at the first
// step that fails.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startIssuer } from './issuer.mjs';
import { Browser, checkCloses, forget, handOver, isComplete, listen, recorded, shows, speak } from './pages.mjs';
import { openLine, servePage } from './servers.mjs';
import { latency, melody, MELODY_SECONDS, problem } from './tones.mjs';

const settings = JSON.parse(process.argv[2]);

/** Longest time from the microphone to a loudspeaker, in seconds. More cannot be told from the melody. */
const MAX_LATENCY = MELODY_SECONDS / 2;

const WIDE = { width: 900, height: 900 };
const PHONE = { width: 360, height: 740 };

const step = (text) => process.stdout.write(`${text}\n`);
const seconds = (count) => new Promise((resolve) => setTimeout(resolve, count * 1_000));

/** Checks what listeners heard since they forgot. */
async function checkSound(speaker, listeners) {
  const microphone = await recorded(speaker);
  for (const [index, page] of listeners.entries()) {
    const heard = await recorded(page);
    const name = `listener ${index + 1}`;
    assert.equal(problem(heard.tones), null, `${name}: ${JSON.stringify(heard.tones)}`);
    assert.ok(await isComplete(page), `${name}: ${await page.textContent('#missing')}`);
    const delay = latency(microphone, heard);
    assert.ok(delay < MAX_LATENCY, `${name}: ${delay} s`);
    step(`  ${name}: ${heard.tones.length} tones in order, ${delay.toFixed(2)} s after the speaker`);
  }
}

async function connected(browser, site, line) {
  const speaker = await browser.open('speaker', { websocketUrl: line.url }, { colorScheme: 'light', viewport: WIDE });
  await speaker.goto(`${site.origin}/speak.html`);
  await shows(speaker, 'status', 'Sign in to start a session.');
  await browser.look(speaker, 'speaker-sign-in');
  await speak(speaker, settings.token);
  const link = await speaker.inputValue('#link');
  const listeners = [
    await browser.open('listener 1', {}, { colorScheme: 'dark', viewport: WIDE }),
    await browser.open('listener 2', {}, { colorScheme: 'light', viewport: PHONE }),
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
  await speak(speaker, settings.token);
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

/** Signs in at an issuer this time, and sends Opus. */
async function returned(browser, listeners, address, line) {
  const clientId = 'web page';
  const issuer = await startIssuer(clientId, settings.token);
  const config = { websocketUrl: line.url, issuer: issuer.issuer, clientId, tokenUse: 'access' };
  const speaker = await browser.open('speaker', config, { colorScheme: 'dark', viewport: PHONE });
  await speaker.goto(address);
  await speaker.click('#sign-in-button');
  await shows(speaker, 'status', 'Ready to continue');
  assert.equal(speaker.url(), address, 'neither code nor state stays in the address');
  assert.deepEqual(issuer.seen, { authorized: 1, refused: [] });
  step('signed in: by authorization code with PKCE');

  await speak(speaker, settings.token, 'premium');
  await Promise.all(listeners.map((page) => shows(page, 'broadcast', 'The speaker is on air.')));
  await seconds(3);
  await Promise.all([speaker, ...listeners].map(forget));
  await seconds(MELODY_SECONDS + 3);
  step('heard in Opus:');
  await checkSound(speaker, listeners);
  await browser.look(speaker, 'speaker-dark-phone');
  issuer.close();
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

async function play(browser, site, line) {
  const all = await connected(browser, site, line);
  await heard(browser, all);
  const address = await explained(browser, all, line);
  const speaker = await returned(browser, all.listeners, address, line);
  await ended(browser, speaker, all.listeners);
  await Promise.all([speaker, ...all.listeners].map(checkCloses));
  assert.deepEqual(browser.problems, []);
  assert.deepEqual(site.missing, []);
  step('clean: every close had a code and a reason, and no page reported an error');
}

const folder = mkdtempSync(join(tmpdir(), 'sound-'));
const wav = join(folder, 'melody.wav');
writeFileSync(wav, melody());
const site = await servePage(settings.page);
const line = await openLine(settings.websocketUrl);
const browser = await Browser.launch(settings, wav);
let code = 0;
try {
  await play(browser, site, line);
} catch (error) {
  code = 1;
  process.stderr.write(`${error.stack}\n${browser.problems.join('\n')}\n`);
}
await browser.close();
line.close();
site.close();
rmSync(folder, { recursive: true, force: true });
process.exit(code);
