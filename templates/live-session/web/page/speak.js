// The speaker's page.

import { ApiError, browserEnvironment, ChunkBatcher, LiveSession, SessionApi } from '../client.js';
import { canEncodeOpus, opusEncoder, pcmEncoder } from '../audio/encode.js';
import { startMicrophone } from '../audio/microphone.js';
import { loadConfig } from './config.js';
import { button, element, fillLanguages, preferredLanguage, showSection, toggle, volumeSlider } from './dom.js';
import { linkedSession, linkSession, listenerLink } from './link.js';
import { SignIn } from './sign-in.js';
import { showFailure, showNotice, showStatus, showTechnical, showText } from './status.js';

/**
 * Duration of a chunk in milliseconds. The server allows four chunks per second by default; 300 ms stay below that, so that a
 * few can follow quickly after an interruption. In PCM they have 7,200 bytes.
 */
const CHUNK = 300;

/** Interval of requests for the number of listeners, in milliseconds. */
const STATUS_INTERVAL = 10_000;

/** Errors that need no notice: a chunk that the speaker's pause overtook, and a connection that the client replaces. */
const EXPECTED_ERRORS = new Set(['BROADCAST_PAUSED', 'NOT_IN_SESSION']);

const environment = browserEnvironment();

/** What runs while the speaker is on air. @type {{ session: LiveSession, stop: () => void } | null} */
let broadcast = null;

async function main() {
  const config = await loadConfig();
  const signIn = new SignIn(config);
  const api = new SessionApi(config.httpUrl, environment, signIn.token);
  fillLanguages('source-language', config.languages, preferredLanguage(config.languages));
  const failure = await signIn.prepare(() => showSetup()).then(() => null, (error) => error);
  await offerQualities();

  element('setup-form', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    start(config, signIn, api);
  });
  button('forget').addEventListener('click', () => {
    linkSession(null);
    showSetup();
  });
  connectControls(api);
  if (signIn.isSignedIn) {
    showSetup();
  } else {
    askToSignIn();
  }
  if (failure !== null) {
    showFailure(failure);
  }
}

function askToSignIn() {
  showText('Sign in to start a session.');
  showSection('sign-in');
}

function showSetup() {
  const existing = linkedSession();
  element('new-session', HTMLElement).hidden = existing !== null;
  button('forget').hidden = existing === null;
  button('start').textContent = existing === null ? 'Start session' : 'Continue session';
  showText(existing === null ? 'Ready to start a session.' : `Ready to continue ${existing}.`);
  showSection('setup');
}

async function offerQualities() {
  if (!(await canEncodeOpus())) {
    const premium = element('quality', HTMLSelectElement).options[1];
    premium.disabled = true;
    element('quality-help', HTMLElement).textContent = 'This browser does not encode Opus, so premium is not available.';
  }
}

/**
 * @param {import('./config.js').PageConfig} config
 * @param {SignIn} signIn
 * @param {SessionApi} api
 */
async function start(config, signIn, api) {
  const quality = /** @type {'standard' | 'premium'} */ (element('quality', HTMLSelectElement).value);
  button('start').disabled = true;
  showText('Starting the microphone…');
  try {
    // First the microphone: without it, no session needs to exist.
    const source = await startSource(quality);
    try {
      const sessionId = linkedSession() ?? (await create(api, quality));
      goOnAir(config, signIn, sessionId, source);
    } catch (error) {
      source.stop();
      throw error;
    }
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) {
      askToSignIn();
    }
    showFailure(error);
  } finally {
    button('start').disabled = false;
  }
}

/**
 * Starts microphone, encoder and batches. Chunks go nowhere until `send` is set.
 *
 * @param {'standard' | 'premium'} quality
 */
async function startSource(quality) {
  /** @type {{ send: (chunk: Uint8Array, format: string) => void, stop: () => void }} */
  const source = { send() {}, stop() {} };
  /** @type {import('../audio/encode.js').Encoder | null} */
  let encoder = null;
  const batcher = new ChunkBatcher(CHUNK, (chunk) => source.send(chunk, encoder?.format ?? ''));
  const add = (/** @type {Uint8Array} */ piece, /** @type {number} */ milliseconds) => batcher.add(piece, milliseconds);
  const failed = (/** @type {Error} */ error) => showNotice(`The audio cannot be encoded: ${error.message}`);
  const microphone = await startMicrophone(
    (samples) => {
      showLevel(samples);
      encoder?.encode(samples);
    },
    () => showNotice('The microphone was disconnected. Connect it, leave, and continue the session.'),
  );
  encoder = quality === 'premium' ? opusEncoder(microphone.rate, add, failed) : pcmEncoder(microphone.rate, add);
  source.stop = () => {
    encoder?.stop();
    microphone.stop();
  };
  return source;
}

/**
 * @param {SessionApi} api
 * @param {'standard' | 'premium'} quality
 */
async function create(api, quality) {
  showText('Creating the session…');
  const language = element('source-language', HTMLSelectElement).value;
  const { sessionId } = await api.create(language, quality, crypto.randomUUID());
  linkSession(sessionId);
  return sessionId;
}

/**
 * @param {import('./config.js').PageConfig} config
 * @param {SignIn} signIn
 * @param {string} sessionId
 * @param {Awaited<ReturnType<typeof startSource>>} source
 */
function goOnAir(config, signIn, sessionId, source) {
  const { websocketUrl, httpUrl, credentials } = config;
  const token = signIn.token;
  const session = new LiveSession({ websocketUrl, httpUrl, credentials, token, sessionId, role: 'speaker', environment });
  source.send = (chunk, format) => session.sendChunk(chunk, format);
  const poll = setInterval(() => session.requestStatus(), STATUS_INTERVAL);
  const retry = () => session.connect();
  window.addEventListener('online', retry);
  broadcast = {
    session,
    stop() {
      broadcast = null;
      clearInterval(poll);
      window.removeEventListener('online', retry);
      source.stop();
    },
  };
  session.on('close', showTechnical);
  session.on('gatewayError', ({ message }) => showNotice(`The server reports an error: ${message}.`));
  session.on('dropped', ({ dropped }) => show('dropped', `${dropped} chunks`));
  session.on('message', (message) => received(message, session));
  session.on('status', (status) => {
    if (status.state === 'ended' || status.state === 'closed') {
      stopBroadcast(signIn, status);
    } else {
      showStatus(status);
    }
  });
  resetControls(sessionId);
  session.setVolume(Number(element('volume', HTMLInputElement).value) / 100);
  session.connect();
  showSection('live');
}

/**
 * @param {SignIn} signIn
 * @param {import('../client/session.js').Status} status
 */
function stopBroadcast(signIn, status) {
  broadcast?.stop();
  if (status.state === 'ended') {
    linkSession(null);
  }
  if (signIn.isNeededAfter(status)) {
    askToSignIn();
  } else {
    showSetup();
  }
  showStatus(status);
}

/**
 * @param {import('../client/messages.js').ServerMessage} message
 * @param {LiveSession} session
 */
function received(message, session) {
  if (message.type === 'sessionStatus') {
    const languages = Object.entries(message.languageDistribution).map(([language, count]) => `${language}: ${count}`);
    const detail = languages.length === 0 ? '' : ` (${languages.sort().join(', ')})`;
    show('listeners', `${message.listenerCount}${detail}`);
  } else if (message.type === 'speakerStateChanged') {
    // The answer to the first message of a connection: now the server serves it.
    session.requestStatus();
  } else if (message.type === 'error' && !EXPECTED_ERRORS.has(message.code)) {
    showNotice(`The server refused a message: ${message.message}.`);
  }
}

/** @param {SessionApi} api */
function connectControls(api) {
  toggle('pause', ['Pause', 'Resume'], (pressed) => (pressed ? broadcast?.session.pause() : broadcast?.session.resume()));
  toggle('mute', ['Mute', 'Unmute'], (pressed) => (pressed ? broadcast?.session.mute() : broadcast?.session.unmute()));
  // When the slider rests: each change is a message to all listeners.
  volumeSlider((volume) => broadcast?.session.setVolume(volume), 'change');
  button('leave').addEventListener('click', () => broadcast?.session.leave('speaker left'));
  button('end').addEventListener('click', () => end(api));
  button('copy').addEventListener('click', async () => {
    const link = element('link', HTMLInputElement);
    link.select();
    await navigator.clipboard?.writeText(link.value).catch(() => {});
    button('copy').textContent = 'Copied';
  });
}

/** @param {SessionApi} api */
async function end(api) {
  const sessionId = linkedSession();
  if (broadcast === null || sessionId === null) {
    return;
  }
  showText('Ending the session…');
  try {
    // Over HTTP: it works without a connection, too. Everybody gets `sessionEnded`.
    await api.end(sessionId);
    broadcast?.session.leave('session ended by its owner');
    linkSession(null);
    showSetup();
    showText('The session has ended.');
  } catch (error) {
    showFailure(error);
  }
}

/** @param {string} sessionId */
function resetControls(sessionId) {
  for (const [id, label] of [['pause', 'Pause'], ['mute', 'Mute']]) {
    button(id).setAttribute('aria-pressed', 'false');
    button(id).textContent = label;
  }
  element('link', HTMLInputElement).value = listenerLink(sessionId);
  button('copy').textContent = 'Copy';
  show('listeners', '0');
  show('dropped', '0 chunks');
}

/** @param {Float32Array} samples */
function showLevel(samples) {
  const peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
  element('level', HTMLMeterElement).value = peak;
}

/**
 * @param {string} id
 * @param {string} text
 */
function show(id, text) {
  element(id, HTMLElement).textContent = text;
}

main().catch(showFailure);
