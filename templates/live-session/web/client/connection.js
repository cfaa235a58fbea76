// One WebSocket connection.

import { CloseCode } from './closes.js';
import { parseMessage, gatewayError } from './messages.js';

/**
 * @typedef {object} ConnectionSettings
 * @property {number} openTimeout Longest handshake, in milliseconds. `$connect` takes at most 29 seconds.
 * @property {number} heartbeatInterval Milliseconds between two heartbeats. They keep the connection open (row M13).
 * @property {number} heartbeatTimeout Longest wait for an answer, in milliseconds.
 */

/** @type {ConnectionSettings} */
export const CONNECTION_DEFAULTS = Object.freeze({
  openTimeout: 30_000,
  heartbeatInterval: 30_000,
  heartbeatTimeout: 10_000,
});

/**
 * @typedef {object} ConnectionCallbacks
 * @property {() => void} opened
 * @property {(message: import('./messages.js').ServerMessage, text: string) => void} received
 * @property {(message: string) => void} failed Receives error frames of API Gateway.
 * @property {(end: import('./closes.js').ConnectionEnd) => void} ended Receives the end, unless `close` caused it.
 */

/** A connection. After its end, whatever its socket still reports is ignored. */
export class Connection {
  /** Private, so that nobody else can close it. @type {WebSocket} */
  #socket;
  #environment;
  #settings;
  #callbacks;
  #isOpen = false;
  #isOver = false;
  #openedAt = 0;
  #lastData = 0;
  /** @type {Set<unknown>} */
  #timers = new Set();
  /** @type {unknown} */
  #answerTimer = null;
  /** Connection ID, once the server has named it. @type {string | null} */
  id = null;

  /**
   * @param {import('./environment.js').Environment} environment
   * @param {{ url: string, protocols: string[] }} address
   * @param {ConnectionSettings} settings
   * @param {ConnectionCallbacks} callbacks
   */
  constructor(environment, address, settings, callbacks) {
    this.#environment = environment;
    this.#settings = settings;
    this.#callbacks = callbacks;
    this.#openedAt = environment.now();
    this.#socket = environment.openSocket(address.url, address.protocols);
    this.#socket.addEventListener('open', () => this.#open());
    this.#socket.addEventListener('message', (event) => this.#receive(event.data));
    this.#socket.addEventListener('close', (event) => this.#end(event.code, event.reason, 'other'));
    this.#start(settings.openTimeout, () => this.#giveUp(CloseCode.TIMED_OUT, 'handshake timed out'));
  }

  /** True while messages can be sent. */
  get isOpen() {
    return this.#isOpen && !this.#isOver;
  }

  /** Number of bytes that wait in the socket. */
  get bufferedAmount() {
    return this.#socket.bufferedAmount;
  }

  /**
   * Sends text, if the connection is open.
   *
   * @param {string} text
   */
  send(text) {
    if (this.isOpen) {
      this.#lastData = this.#environment.now();
      this.#socket.send(text);
    }
  }

  /**
   * Closes the connection. This is the only place that closes a socket, so that none is closed without a code (row X1).
   *
   * @param {number} code One of `CloseCode`.
   * @param {string} reason For the `$disconnect` log.
   */
  close(code, reason) {
    const isAllowed = code === 1000 || (Number.isInteger(code) && code >= 3000 && code <= 4999);
    if (!isAllowed || typeof reason !== 'string' || reason === '' || new TextEncoder().encode(reason).length > 123) {
      throw new RangeError('a close needs a code (1000, or 3000 to 4999) and a reason of 1 to 123 bytes; pass both');
    }
    if (!this.#isOver) {
      this.#stop();
      this.#socket.close(code, reason);
    }
  }

  /**
   * Runs a callback after a time, unless the connection ends before.
   *
   * @param {number} milliseconds
   * @param {() => void} callback
   */
  after(milliseconds, callback) {
    this.#start(milliseconds, callback);
  }

  #open() {
    if (this.#isOver) {
      return;
    }
    this.#clearTimers();
    this.#isOpen = true;
    this.#openedAt = this.#environment.now();
    this.#lastData = this.#openedAt;
    this.#scheduleHeartbeat();
    this.#callbacks.opened();
  }

  /** @param {unknown} data */
  #receive(data) {
    if (this.#isOver) {
      return;
    }
    this.#lastData = this.#environment.now();
    this.#environment.clearTimer(this.#answerTimer);
    const message = parseMessage(data);
    const error = message === null ? gatewayError(data) : null;
    if (message !== null) {
      this.#callbacks.received(message, String(data));
    } else if (error !== null) {
      this.#callbacks.failed(error);
    }
  }

  #scheduleHeartbeat() {
    this.#start(this.#settings.heartbeatInterval, () => {
      this.send(JSON.stringify({ action: 'heartbeat', timestamp: this.#environment.now() }));
      this.#awaitAnswer();
      this.#scheduleHeartbeat();
    });
  }

  #awaitAnswer() {
    const due = this.#environment.now() + this.#settings.heartbeatTimeout;
    this.#environment.clearTimer(this.#answerTimer);
    this.#answerTimer = this.#start(this.#settings.heartbeatTimeout, () => {
      // A timer that fires much too late ran through the computer's sleep: the answer may be waiting to be read.
      if (this.#environment.now() > due + this.#settings.heartbeatTimeout / 2) {
        this.#awaitAnswer();
      } else {
        this.#giveUp(CloseCode.SILENT, 'no answer to a heartbeat');
      }
    });
  }

  /**
   * Closes the connection and reports that.
   *
   * @param {number} code
   * @param {string} reason
   */
  #giveUp(code, reason) {
    const end = this.#describe(code, reason, 'client');
    this.close(code, reason);
    this.#callbacks.ended(end);
  }

  /**
   * @param {number} code
   * @param {string} reason
   * @param {'client' | 'other'} by
   */
  #end(code, reason, by) {
    if (this.#isOver) {
      return;
    }
    const end = this.#describe(code, reason, by);
    this.#stop();
    this.#callbacks.ended(end);
  }

  /**
   * @param {number} code
   * @param {string} reason
   * @param {'client' | 'other'} by
   * @returns {import('./closes.js').ConnectionEnd}
   */
  #describe(code, reason, by) {
    const now = this.#environment.now();
    const idle = this.#isOpen ? now - this.#lastData : 0;
    return { code, reason, opened: this.#isOpen, age: now - this.#openedAt, idle, by };
  }

  #stop() {
    this.#isOver = true;
    this.#clearTimers();
  }

  #clearTimers() {
    for (const timer of this.#timers) {
      this.#environment.clearTimer(timer);
    }
    this.#timers.clear();
  }

  /**
   * @param {number} milliseconds
   * @param {() => void} callback
   */
  #start(milliseconds, callback) {
    const timer = this.#environment.setTimer(() => {
      this.#timers.delete(timer);
      callback();
    }, milliseconds);
    this.#timers.add(timer);
    return timer;
  }
}
