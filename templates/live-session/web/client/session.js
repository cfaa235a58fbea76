// A participant's connection to a session, over all WebSocket connections that it takes.

import { explainFailedHandshake, explainRefusal, handshakeAddress } from './admission.js';
import { SessionApi } from './api.js';
import { delayBefore } from './backoff.js';
import { CloseCode, explainClose, explanation } from './closes.js';
import { Connection, CONNECTION_DEFAULTS } from './connection.js';
import { browserEnvironment } from './environment.js';
import { Emitter } from './events.js';
import { Handover, HANDOVER_DEFAULTS } from './handover.js';
import { Hearing } from './hearing.js';
import { Speech } from './speech.js';

/** @typedef {import('./closes.js').Explanation} Explanation */
/** @typedef {import('./messages.js').ServerMessage} ServerMessage */
/** @typedef {import('./messages.js').AudioChunk} AudioChunk */

/**
 * @typedef {object} SessionOptions
 * @property {string} websocketUrl URL of the WebSocket API's stage.
 * @property {string} httpUrl URL of the HTTP API.
 * @property {string} sessionId
 * @property {import('./messages.js').Role} role
 * @property {'ticket' | 'token' | 'anonymous'} [credentials] Default: `ticket` for speakers, `anonymous` for listeners.
 * @property {import('./api.js').TokenSource} [token] Returns the user's token.
 * @property {string} [targetLanguage] Language that a listener hears.
 * @property {Partial<import('./connection.js').ConnectionSettings>} [connection]
 * @property {Partial<import('./handover.js').HandoverSettings>} [handover]
 * @property {Partial<import('./order.js').OrderSettings>} [order]
 * @property {Partial<import('./outbox.js').OutboxSettings>} [outbox]
 * @property {import('./environment.js').Environment} [environment]
 */

/**
 * @typedef {object} Status
 * @property {'connecting' | 'open' | 'reconnecting' | 'ended' | 'closed'} state `ended` and `closed` are final until `connect`
 *   is called; `ended` means that the session is over.
 * @property {Explanation | null} explanation Reason for the state.
 * @property {number | null} retryAt Time of the next attempt.
 * @property {boolean} handingOver True while another connection replaces this one.
 */

/**
 * @typedef {object} SessionEvents
 * @property {Status} status
 * @property {ServerMessage} message Every message but audio and answers to heartbeats.
 * @property {AudioChunk} chunk Chunks in order, each once.
 * @property {{ from: number, to: number }} gap Numbers of chunks that did not arrive in time.
 * @property {Explanation} close End of a connection.
 * @property {{ message: string }} gatewayError Error frame of API Gateway.
 * @property {{ dropped: number }} dropped Number of chunks that were not sent, in total.
 */

/** Time after which a connection counts as stable, so that the next delay is short again, in milliseconds. */
const STABLE_AFTER = 10_000;

/** Number of control messages that are compared while two connections receive them. */
const RECENT_MESSAGES = 32;

/** A participant of a session. */
export class LiveSession {
  #options;
  #environment;
  #api;
  #token;
  #speech;
  #hearing;
  #events = /** @type {Emitter<SessionEvents>} */ (new Emitter());
  /** Connection that is used. @type {Connection | null} */
  #current = null;
  /** Replacement of the current connection. @type {Handover | null} */
  #handover = null;
  /** Attempt to connect; its identity tells late results from current ones. @type {{ connection: Connection | null } | null} */
  #attempt = null;
  #failures = 0;
  /** Handover that was refused for good, with the token at that time. @type {{ token: unknown } | null} */
  #refusal = null;
  #renewToken = false;
  /** @type {Status} */
  #status = { state: 'closed', explanation: null, retryAt: null, handingOver: false };
  /** @type {unknown} */
  #retryTimer = null;
  /** @type {string | undefined} */
  #targetLanguage;
  /** @type {string[]} */
  #recent = [];

  /** @param {SessionOptions} options */
  constructor(options) {
    const credentials = options.credentials ?? (options.role === 'speaker' ? 'ticket' : 'anonymous');
    this.#options = { ...options, credentials };
    this.#environment = options.environment ?? browserEnvironment();
    this.#token = options.token ?? (async () => null);
    this.#api = new SessionApi(options.httpUrl, this.#environment, this.#token);
    // During a handover, the server accepts audio from both connections; the new one stays.
    const connection = () => this.#handover?.successor ?? this.#current;
    this.#speech = new Speech(this.#environment, options.sessionId, options.outbox, connection);
    this.#hearing = new Hearing(this.#environment, options.order, (item) => {
      if (item.kind === 'chunk') {
        this.#emit('chunk', item.value);
      } else {
        this.#emit('gap', { from: item.from, to: item.to });
      }
    });
    this.#targetLanguage = options.targetLanguage;
  }

  /**
   * Calls a function for each event of a type. Returns a function that ends this.
   *
   * @template {keyof SessionEvents} T
   * @param {T} type
   * @param {(detail: SessionEvents[T]) => void} listener
   * @returns {() => void}
   */
  on(type, listener) {
    return this.#events.on(type, listener);
  }

  /** The status. */
  get status() {
    return this.#status;
  }

  /** Connects, or tries again now. */
  connect() {
    if (this.#current === null && this.#attempt === null) {
      this.#environment.clearTimer(this.#retryTimer);
      const isAgain = this.#status.state === 'reconnecting';
      const explanation = isAgain ? this.#status.explanation : null;
      this.#setStatus({ state: isAgain ? 'reconnecting' : 'connecting', explanation, retryAt: null });
      this.#dial(null);
    }
  }

  /**
   * Leaves the session.
   *
   * @param {string} [reason] For the server's log.
   */
  leave(reason = 'user left') {
    if (this.#status.state === 'ended') {
      return;
    }
    const end = { code: CloseCode.LEFT, reason, opened: true, age: 0, idle: 0, by: /** @type {const} */ ('client') };
    this.#finish('closed', explainClose(end), reason);
  }

  /**
   * Sends a chunk of audio. While there is no connection, a few chunks wait.
   *
   * @param {Uint8Array} audio 100 to 24,000 bytes.
   * @param {string} format Name of the format, for listeners.
   */
  sendChunk(audio, format) {
    const before = this.#speech.dropped;
    this.#speech.send(audio, format);
    if (this.#speech.dropped > before) {
      this.#emit('dropped', { dropped: this.#speech.dropped });
    }
  }

  /**
   * Chooses the language to hear, also for later connections.
   *
   * @param {string} targetLanguage
   */
  setLanguage(targetLanguage) {
    this.#targetLanguage = targetLanguage;
    const text = JSON.stringify({ action: 'changeLanguage', targetLanguage });
    this.#current?.send(text);
    this.#handover?.successor?.send(text);
  }

  /** Pauses the broadcast. No audio is sent until `resume`. */
  pause() {
    this.#changeSpeaker({ isPaused: true }, { action: 'pauseBroadcast' });
  }

  /** Resumes the broadcast. */
  resume() {
    this.#changeSpeaker({ isPaused: false }, { action: 'resumeBroadcast' });
  }

  /** Mutes the microphone for all listeners. */
  mute() {
    this.#changeSpeaker({ isMuted: true }, { action: 'muteBroadcast' });
  }

  /** Unmutes the microphone. */
  unmute() {
    this.#changeSpeaker({ isMuted: false }, { action: 'unmuteBroadcast' });
  }

  /**
   * Sets the volume for all listeners.
   *
   * @param {number} volume From 0 to 1.
   */
  setVolume(volume) {
    this.#changeSpeaker({ volume }, { action: 'setVolume', volumeLevel: volume });
  }

  /** Requests the message `sessionStatus`. */
  requestStatus() {
    this.#send({ action: 'getSessionStatus' });
  }

  /**
   * Ends the session for everybody.
   *
   * @param {string} reason Listeners see it.
   */
  endSession(reason) {
    this.#send({ action: 'endSession', sessionId: this.#options.sessionId, reason });
  }

  /** Starts a handover to a new connection now. It starts by itself before a connection is two hours old. */
  refresh() {
    if (this.#current?.isOpen && this.#handover === null && this.#attempt === null) {
      if (this.#refusal === null) {
        this.#startHandover(this.#current);
      } else {
        this.#refreshWithNewToken(this.#refusal);
      }
    }
  }

  /**
   * Starts a handover if the user has another token by now than when one was refused for good.
   *
   * @param {{ token: unknown }} refusal
   */
  async #refreshWithNewToken(refusal) {
    const token = await this.#readToken();
    if (refusal === this.#refusal && token !== null && token !== refusal.token) {
      this.#refusal = null;
      this.refresh();
    }
  }

  #readToken() {
    return this.#token(false).catch(() => null);
  }

  /**
   * @param {Partial<{ isPaused: boolean, isMuted: boolean, volume: number }>} change
   * @param {object} message
   */
  #changeSpeaker(change, message) {
    this.#speech.change(change);
    this.#send(message);
  }

  /** @param {object} message */
  #send(message) {
    this.#current?.send(JSON.stringify(message));
  }

  /**
   * Opens a connection.
   *
   * @param {Connection | null} previous Connection that it replaces.
   */
  async #dial(previous) {
    /** @type {{ connection: Connection | null }} */
    const attempt = { connection: null };
    this.#attempt = attempt;
    const renew = this.#renewToken;
    this.#renewToken = false;
    try {
      const id = previous?.id ?? null;
      const address = await handshakeAddress(this.#options, this.#targetLanguage, id, this.#api, this.#token, renew);
      if (attempt === this.#attempt) {
        attempt.connection = this.#open(address, attempt);
      }
    } catch (error) {
      if (attempt === this.#attempt) {
        const explanation = explainRefusal(error);
        this.#attemptFailed(explanation, explanation.retryAfter);
      }
    }
  }

  /**
   * @param {{ url: string, protocols: string[] }} address
   * @param {object} attempt
   */
  #open(address, attempt) {
    const settings = { ...CONNECTION_DEFAULTS, ...this.#options.connection };
    /** @type {Connection} */
    const connection = new Connection(this.#environment, address, settings, {
      opened: () => this.#opened(connection),
      received: (message, text) => this.#received(connection, message, text),
      failed: (message) => this.#emit('gatewayError', { message }),
      ended: (end) => (attempt === this.#attempt ? this.#handshakeFailed(end) : this.#ended(connection, end)),
    });
    return connection;
  }

  /** @param {Connection} connection */
  #opened(connection) {
    this.#attempt = null;
    const handover = this.#handover;
    if (handover !== null) {
      handover.begin(connection);
    } else {
      this.#use(connection);
      this.#greet(connection);
      this.#setStatus({ state: 'open', explanation: null, retryAt: null });
    }
    this.#speech.flush();
  }

  /** @param {Connection} connection */
  #use(connection) {
    this.#current = connection;
    this.#refusal = null;
    connection.after(STABLE_AFTER, () => {
      this.#failures = 0;
    });
    const settings = { ...HANDOVER_DEFAULTS, ...this.#options.handover };
    // The server asks for it at a heartbeat. If that message is lost, the age decides.
    const spread = this.#environment.random() * settings.ageSpread;
    connection.after(settings.maxAge + spread, () => this.refresh());
  }

  /** Tells the server what it cannot know. @param {Connection} connection */
  #greet(connection) {
    const { role, sessionId } = this.#options;
    if (role === 'speaker') {
      connection.send(JSON.stringify({ action: 'speakerStateChange', state: this.#speech.state }));
    } else if (this.#targetLanguage) {
      // The answer names the connection and the language that is spoken.
      const targetLanguage = this.#targetLanguage;
      connection.send(JSON.stringify({ action: 'joinSession', sessionId, targetLanguage }));
    }
  }

  /** @param {Connection} previous */
  #startHandover(previous) {
    const { role, sessionId, handover } = this.#options;
    this.#handover = new Handover(previous, { ...HANDOVER_DEFAULTS, ...handover }, {
      request: () => ({ sessionId, role, targetLanguage: this.#targetLanguage }),
      promoted: (successor) => {
        this.#use(successor);
        this.#setStatus({ explanation: null });
      },
      drained: () => {
        this.#handover = null;
        this.#recent = [];
        this.#setStatus({});
      },
      failed: (code) => this.#handoverFailed(code),
    });
    this.#setStatus({});
    this.#dial(previous);
  }

  /** @param {number} code */
  #handoverFailed(code) {
    this.#handover = null;
    const end = { code, reason: '', opened: true, age: 0, idle: 0, by: /** @type {const} */ ('client') };
    this.#emit('close', explainClose(end));
    this.#retryHandover();
  }

  /**
   * Shows why the connection cannot be replaced. The server asks for a replacement again: with another token, the client tries.
   *
   * @param {Explanation} explanation
   */
  async #giveUpHandover(explanation) {
    const refusal = { token: /** @type {unknown} */ (null) };
    this.#refusal = refusal;
    this.#setStatus({ explanation });
    refusal.token = await this.#readToken();
  }

  #retryHandover() {
    this.#failures += 1;
    const delay = delayBefore(this.#failures, 'later', this.#environment.random);
    this.#current?.after(delay, () => this.refresh());
    this.#setStatus({});
  }

  /**
   * @param {Connection} connection
   * @param {ServerMessage} message
   * @param {string} text
   */
  #received(connection, message, text) {
    if (message.type === 'audio') {
      this.#hearing.receive(message);
      return;
    }
    const isConsumed = this.#handover?.consume(connection, message) ?? false;
    if (isConsumed || message.type === 'heartbeatAck' || this.#isRepeated(text)) {
      return;
    }
    switch (message.type) {
      case 'sessionJoined':
        connection.id = message.connectionId;
        break;
      case 'connectionRefreshRequired':
        connection.id = message.connectionId ?? connection.id;
        this.refresh();
        break;
      case 'connectionWarning':
        this.refresh();
        break;
      case 'sessionEnded':
        this.#emit('message', message);
        this.#finish('ended', sessionEnded(message.reason), 'session ended');
        return;
      case 'error':
        if (message.code === 'NOT_IN_SESSION') {
          this.#lostRecord(connection);
        }
        break;
    }
    this.#emit('message', message);
  }

  /** Returns true if the other connection has received the same message during a handover. @param {string} text */
  #isRepeated(text) {
    if (this.#handover === null) {
      return false;
    }
    if (this.#recent.includes(text)) {
      return true;
    }
    this.#recent = [...this.#recent.slice(1 - RECENT_MESSAGES), text];
    return false;
  }

  /** @param {Connection} connection */
  #lostRecord(connection) {
    connection.close(CloseCode.NO_RECORD, 'no record of this connection');
    const end = { code: CloseCode.NO_RECORD, reason: '', opened: true, age: 0, idle: 0, by: /** @type {const} */ ('client') };
    this.#ended(connection, end);
  }

  /**
   * @param {Connection} connection
   * @param {import('./closes.js').ConnectionEnd} end
   */
  #ended(connection, end) {
    const explanation = explainClose(end);
    const handover = this.#handover;
    if (handover?.successor === connection && connection !== this.#current) {
      this.#emit('close', explanation);
      handover.abandon();
      this.#handover = null;
      this.#current ? this.#retryHandover() : this.#reconnect(explanation, null);
      return;
    }
    if (connection !== this.#current) {
      return;
    }
    this.#emit('close', explanation);
    this.#current = null;
    if (handover !== null && handover.previous === connection && handover.successor !== null) {
      // The successor is open already: nothing is missed.
      handover.previousEnded();
      return;
    }
    this.#handover?.abandon();
    this.#handover = null;
    if (this.#attempt === null) {
      this.#reconnect(explanation, null);
    } else {
      this.#setStatus({ state: 'reconnecting', explanation, retryAt: null });
    }
  }

  /** @param {import('./closes.js').ConnectionEnd} end */
  async #handshakeFailed(end) {
    const attempt = this.#attempt;
    this.#renewToken = true;
    const seen = explainClose(end);
    const found = end.code === 1006 ? await explainFailedHandshake(this.#options, this.#api) : null;
    if (attempt === this.#attempt) {
      this.#attemptFailed(found ?? seen, null);
    }
  }

  /**
   * @param {Explanation} explanation
   * @param {number | null} retryAfter
   */
  #attemptFailed(explanation, retryAfter) {
    this.#attempt = null;
    this.#emit('close', explanation);
    if (this.#current !== null) {
      this.#handover = null;
      if (explanation.retry === 'never') {
        this.#giveUpHandover(explanation);
      } else {
        this.#retryHandover();
      }
    } else {
      this.#reconnect(explanation, retryAfter);
    }
  }

  /**
   * Connects again after a delay, or gives up if that is useless.
   *
   * @param {Explanation} explanation
   * @param {number | null} retryAfter
   */
  #reconnect(explanation, retryAfter) {
    if (explanation.retry === 'never') {
      this.#finish('closed', explanation, 'given up');
      return;
    }
    this.#failures += 1;
    const delay = Math.max(delayBefore(this.#failures, explanation.retry, this.#environment.random), retryAfter ?? 0);
    this.#setStatus({ state: 'reconnecting', explanation, retryAt: this.#environment.now() + delay });
    this.#environment.clearTimer(this.#retryTimer);
    this.#retryTimer = this.#environment.setTimer(() => this.connect(), delay);
  }

  /**
   * @param {'ended' | 'closed'} state
   * @param {Explanation} explanation
   * @param {string} reason
   */
  #finish(state, explanation, reason) {
    this.#environment.clearTimer(this.#retryTimer);
    this.#hearing.stop();
    this.#speech.stop();
    const connections = [this.#current, this.#attempt?.connection, this.#handover?.successor, this.#handover?.previous];
    this.#current = this.#attempt = this.#handover = null;
    for (const connection of new Set(connections)) {
      connection?.close(CloseCode.LEFT, reason);
    }
    this.#setStatus({ state, explanation, retryAt: null });
  }

  /** @param {Partial<Status>} change */
  #setStatus(change) {
    this.#status = { ...this.#status, ...change, handingOver: this.#handover !== null };
    this.#emit('status', this.#status);
  }

  /**
   * @template {keyof SessionEvents} T
   * @param {T} type
   * @param {SessionEvents[T]} detail
   */
  #emit(type, detail) {
    this.#events.emit(type, detail);
  }
}

/** @param {string | undefined} reason @returns {Explanation} */
function sessionEnded(reason) {
  const summary = reason ? `The session has ended: ${reason}.` : 'The session has ended.';
  return explanation(summary, null, 'never', 'Start or join another one.');
}
