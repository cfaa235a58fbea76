// The listener's page.

import { browserEnvironment, fromBase64, LiveSession } from '../client.js';
import { Loudspeaker } from '../audio/loudspeaker.js';
import { loadConfig } from './config.js';
import { button, element, fillLanguages, languageName, preferredLanguage, showSection, toggle, volumeSlider } from './dom.js';
import { linkedSession, linkSession, sessionIdIn } from './link.js';
import { SignIn } from './sign-in.js';
import { showFailure, showNotice, showStatus, showTechnical, showText } from './status.js';

/** Interval of requests for the number of listeners, in milliseconds. Each costs a message per listener. */
const STATUS_INTERVAL = 30_000;

/** What runs while the user listens. @type {{ session: LiveSession, loudspeaker: Loudspeaker } | null} */
let playing = null;

/** State of this page and of the speaker; both change what is heard. */
const sound = { isPaused: false, isMuted: false, volume: 1, speakerVolume: 1, missing: 0 };

async function main() {
  const config = await loadConfig();
  const signIn = new SignIn(config);
  const language = preferredLanguage(config.languages);
  fillLanguages('language', config.languages, language);
  fillLanguages('live-language', config.languages, language);
  element('session-id', HTMLInputElement).value = linkedSession() ?? '';
  const preparing = config.listenersSignIn ? signIn.prepare(showSetup) : Promise.resolve();
  const failure = await preparing.then(() => null, (error) => error);
  element('setup-form', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    start(config, signIn);
  });
  connectControls();
  if (config.listenersSignIn && !signIn.isSignedIn) {
    askToSignIn();
  } else {
    showSetup();
  }
  if (failure !== null) {
    showFailure(failure);
  }
}

function askToSignIn() {
  showText('Sign in to listen.');
  showSection('sign-in');
}

function showSetup() {
  showText('Ready to listen.');
  showSection('setup');
}

/**
 * @param {import('./config.js').PageConfig} config
 * @param {SignIn} signIn
 */
async function start(config, signIn) {
  const field = element('session-id', HTMLInputElement);
  const sessionId = sessionIdIn(field.value);
  const problem = sessionId === null ? 'A session ID looks like merciful-truth-455-k7dq2m9x4hw3t. Paste the ID or the link.' : '';
  show('session-problem', problem);
  field.setAttribute('aria-invalid', String(sessionId === null));
  if (sessionId === null) {
    field.focus();
    return;
  }
  linkSession(sessionId);
  button('start').disabled = true;
  try {
    const loudspeaker = await Loudspeaker.start(showBuffer, showNotice);
    join(config, signIn, sessionId, loudspeaker);
  } catch (error) {
    showText(`The sound cannot be played: ${error}`, 'failed');
  } finally {
    button('start').disabled = false;
  }
}

/**
 * @param {import('./config.js').PageConfig} config
 * @param {SignIn} signIn
 * @param {string} sessionId
 * @param {Loudspeaker} loudspeaker
 */
function join(config, signIn, sessionId, loudspeaker) {
  const { websocketUrl, httpUrl, credentials, listenersSignIn } = config;
  const targetLanguage = element('language', HTMLSelectElement).value;
  const session = new LiveSession({
    websocketUrl,
    httpUrl,
    credentials: listenersSignIn ? credentials : 'anonymous',
    token: signIn.token,
    sessionId,
    role: 'listener',
    targetLanguage,
    environment: browserEnvironment(),
  });
  playing = { session, loudspeaker };
  element('live-language', HTMLSelectElement).value = targetLanguage;
  resetSound();
  const poll = setInterval(() => session.requestStatus(), STATUS_INTERVAL);
  const retry = () => session.connect();
  window.addEventListener('online', retry);
  session.on('chunk', (chunk) => play(chunk, loudspeaker));
  session.on('gap', ({ from, to }) => {
    sound.missing += to - from + 1;
    show('missing', `${sound.missing} chunks`);
    loudspeaker.gap(to - from + 1);
  });
  session.on('message', (message) => received(message, session));
  session.on('close', showTechnical);
  session.on('gatewayError', ({ message }) => showNotice(`The server reports an error: ${message}.`));
  session.on('status', (status) => {
    if (status.state === 'ended' || status.state === 'closed') {
      clearInterval(poll);
      window.removeEventListener('online', retry);
      stop();
      if (listenersSignIn && signIn.isNeededAfter(status)) {
        askToSignIn();
      } else {
        showSection('setup');
      }
    }
    showStatus(status);
  });
  session.connect();
  showSection('live');
}

function stop() {
  playing?.loudspeaker.stop();
  playing = null;
  show('broadcast', '');
}

/**
 * @param {import('../client/messages.js').AudioChunk} chunk
 * @param {Loudspeaker} loudspeaker
 */
function play(chunk, loudspeaker) {
  if (sound.isPaused) {
    return;
  }
  let bytes;
  try {
    bytes = fromBase64(chunk.audioData);
  } catch {
    // A speaker's page of another kind sent it.
    return;
  }
  loudspeaker.play(bytes, chunk.format);
}

/**
 * @param {import('../client/messages.js').ServerMessage} message
 * @param {LiveSession} session
 */
function received(message, session) {
  switch (message.type) {
    case 'sessionJoined':
      show('spoken', languageName(message.sourceLanguage));
      session.requestStatus();
      break;
    case 'languageChanged':
      show('broadcast', `You now listen in ${languageName(message.targetLanguage)}.`);
      break;
    case 'sessionStatus':
      show('listeners', String(message.listenerCount));
      showSpeaker(message.broadcastState);
      break;
    case 'speakerStateChanged':
      showSpeaker(message.broadcastState);
      break;
    case 'broadcastPaused':
      show('broadcast', 'The speaker has paused.');
      break;
    case 'broadcastResumed':
    case 'broadcastUnmuted':
      show('broadcast', 'The speaker is on air.');
      break;
    case 'broadcastMuted':
      show('broadcast', 'The speaker has muted the microphone.');
      break;
    case 'volumeChanged':
      sound.speakerVolume = message.volumeLevel;
      applyVolume();
      break;
    case 'error':
      // After NOT_IN_SESSION, the client opens another connection, and the status says so.
      if (message.code !== 'NOT_IN_SESSION') {
        showNotice(`The server refused a message: ${message.message}.`);
      }
      break;
  }
}

/** @param {import('../client/messages.js').BroadcastState} state */
function showSpeaker(state) {
  sound.speakerVolume = state.volume;
  applyVolume();
  const { isActive, isPaused, isMuted } = state;
  if (!isActive) {
    show('broadcast', 'The speaker is not connected. The sound goes on when the speaker returns.');
  } else if (isPaused) {
    show('broadcast', 'The speaker has paused.');
  } else {
    show('broadcast', isMuted ? 'The speaker has muted the microphone.' : 'The speaker is on air.');
  }
}

function connectControls() {
  toggle('pause', ['Pause', 'Resume'], (pressed) => {
    sound.isPaused = pressed;
    playing?.loudspeaker.clear();
  });
  toggle('mute', ['Mute', 'Unmute'], (pressed) => {
    sound.isMuted = pressed;
    applyVolume();
  });
  volumeSlider((volume) => {
    sound.volume = volume;
    applyVolume();
  }, 'input');
  element('live-language', HTMLSelectElement).addEventListener('change', (event) => {
    playing?.session.setLanguage(/** @type {HTMLSelectElement} */ (event.target).value);
  });
  button('leave').addEventListener('click', () => playing?.session.leave('listener left'));
}

function applyVolume() {
  playing?.loudspeaker.setVolume(sound.isMuted ? 0 : sound.volume * sound.speakerVolume);
}

function resetSound() {
  Object.assign(sound, { isPaused: false, isMuted: false, speakerVolume: 1, missing: 0 });
  for (const [id, label] of [['pause', 'Pause'], ['mute', 'Mute']]) {
    button(id).setAttribute('aria-pressed', 'false');
    button(id).textContent = label;
  }
  show('missing', '0 chunks');
  applyVolume();
}

/** @param {import('../audio/loudspeaker.js').PlayOutReport} report */
function showBuffer(report) {
  const state = report.isPlaying ? 'playing' : 'waiting';
  show('buffer', `${report.buffered.toFixed(1)} s, ${state}`);
  show('interruptions', String(report.interruptions));
}

/**
 * @param {string} id
 * @param {string} text
 */
function show(id, text) {
  const target = element(id, HTMLElement);
  if (target.textContent !== text) {
    target.textContent = text;
  }
}

main().catch(showFailure);
