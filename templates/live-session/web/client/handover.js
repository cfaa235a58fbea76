// Replacement of a connection before API Gateway closes it after two hours (row M14). Both connections are served for a
// while, so that nothing is missed; what arrives twice is dropped by its number.

import { CloseCode } from './closes.js';

/**
 * @typedef {object} HandoverSettings
 * @property {number} maxAge Age of a connection from which it is replaced, in milliseconds.
 * @property {number} ageSpread Random part of that age, so that clients do not all reconnect at once.
 * @property {number} overlap Time from the new connection's handshake to its request to replace the previous one: audio that the
 *   previous one has sent must arrive first.
 * @property {number} answerTimeout Longest wait for the answer. Without one, the previous connection is replaced all the same.
 * @property {number} drain Time for which the previous connection still receives what is on its way.
 */

/** @type {HandoverSettings} */
export const HANDOVER_DEFAULTS = Object.freeze({
  maxAge: 102 * 60_000,
  ageSpread: 6 * 60_000,
  overlap: 1_000,
  answerTimeout: 10_000,
  drain: 2_000,
});

/**
 * @typedef {object} HandoverCallbacks
 * @property {() => object} request Returns the fields of `refreshConnection`.
 * @property {(successor: import('./connection.js').Connection) => void} promoted The successor is in use.
 * @property {() => void} drained The previous connection is closed.
 * @property {(code: number) => void} failed The successor was closed with this code; the previous connection stays.
 */

/** Errors that say that the successor is not what it should be. */
const FATAL_ERRORS = new Set(['NOT_IN_SESSION', 'OTHER_SESSION', 'OTHER_ROLE', 'NO_SESSION']);

/** A handover. */
export class Handover {
  #settings;
  #callbacks;
  /** @type {import('./connection.js').Connection | null} */
  #successor = null;
  #isPromoted = false;

  /**
   * @param {import('./connection.js').Connection} previous
   * @param {HandoverSettings} settings
   * @param {HandoverCallbacks} callbacks
   */
  constructor(previous, settings, callbacks) {
    /** Connection that is replaced. */
    this.previous = previous;
    this.#settings = settings;
    this.#callbacks = callbacks;
  }

  /** The new connection, once it is open. */
  get successor() {
    return this.#successor;
  }

  /**
   * Begins with the open successor.
   *
   * @param {import('./connection.js').Connection} successor
   */
  begin(successor) {
    this.#successor = successor;
    successor.after(this.#settings.overlap, () => {
      const previousConnectionId = this.previous.id ?? undefined;
      const request = { action: 'refreshConnection', ...this.#callbacks.request(), previousConnectionId };
      successor.send(JSON.stringify(request));
    });
    successor.after(this.#settings.overlap + this.#settings.answerTimeout, () => this.#promote());
  }

  /**
   * Handles a message that concerns the handover. Returns true if nobody else should see it.
   *
   * @param {import('./connection.js').Connection} connection
   * @param {import('./messages.js').ServerMessage} message
   * @returns {boolean}
   */
  consume(connection, message) {
    if (connection === this.previous && this.#isPromoted) {
      // A replaced connection only drains: late answers to it concern nobody. `sessionEnded` reaches the successor, too.
      return message.type === 'error' || isAnswer(message);
    }
    if (connection !== this.#successor) {
      return false;
    }
    if (message.type === 'connectionRefreshComplete') {
      this.#promote();
      return true;
    }
    if (!this.#isPromoted && message.type === 'error' && FATAL_ERRORS.has(message.code)) {
      connection.close(CloseCode.NOT_REPLACED, 'handover refused');
      this.#callbacks.failed(CloseCode.NOT_REPLACED);
      return true;
    }
    return false;
  }

  /** Ends the handover because the previous connection has ended: the successor is in use at once. */
  previousEnded() {
    this.#promote();
  }

  /** Ends the handover because the connection in use has ended: closes the other one. */
  abandon() {
    if (this.#isPromoted) {
      this.previous.close(CloseCode.HANDED_OVER, 'handed over to a new connection');
    } else {
      this.#successor?.close(CloseCode.NOT_REPLACED, 'handover abandoned');
    }
  }

  #promote() {
    const successor = this.#successor;
    if (this.#isPromoted || successor === null) {
      return;
    }
    this.#isPromoted = true;
    this.#callbacks.promoted(successor);
    successor.after(this.#settings.drain, () => {
      this.previous.close(CloseCode.HANDED_OVER, 'handed over to a new connection');
      this.#callbacks.drained();
    });
  }
}

/** @param {import('./messages.js').ServerMessage} message */
function isAnswer(message) {
  return ['sessionStatus', 'sessionJoined', 'languageChanged', 'connectionRefreshRequired', 'connectionWarning'].includes(message.type);
}
