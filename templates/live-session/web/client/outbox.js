// Chunks on their way to the server.

/**
 * @typedef {object} OutboxSettings
 * @property {number} chunksPerSecond Rate that the server allows (`AUDIO_CHUNKS_PER_SECOND`).
 * @property {number} maxQueued Maximum number of chunks that wait while there is no connection. Older ones are dropped, so that
 *   listeners stay close to the present.
 * @property {number} maxBuffered Number of bytes in the socket's buffer from which chunks wait: the network is too slow.
 */

/** @type {OutboxSettings} */
export const OUTBOX_DEFAULTS = Object.freeze({ chunksPerSecond: 4, maxQueued: 4, maxBuffered: 128 * 1024 });

/** Interval at which a full socket is checked again, in milliseconds. */
const BUFFER_CHECK = 100;

/** Queue of messages with audio. It keeps the server's rate, whose bucket holds the chunks of two seconds. */
export class Outbox {
  #settings;
  /** @type {string[]} */
  #queue = [];
  #tokens;
  #filledAt;
  #dropped = 0;

  /**
   * @param {number} now
   * @param {Partial<OutboxSettings>} [settings]
   */
  constructor(now, settings = {}) {
    this.#settings = { ...OUTBOX_DEFAULTS, ...settings };
    this.#tokens = this.#capacity;
    this.#filledAt = now;
  }

  /** Number of chunks that were dropped. */
  get dropped() {
    return this.#dropped;
  }

  get #capacity() {
    return this.#settings.chunksPerSecond * 2;
  }

  /** @param {string} text */
  add(text) {
    this.#queue.push(text);
    while (this.#queue.length > this.#settings.maxQueued) {
      this.#queue.shift();
      this.#dropped += 1;
    }
  }

  /** Drops all chunks that wait. */
  clear() {
    this.#queue = [];
  }

  /**
   * Sends what the rate and the socket allow.
   *
   * @param {number} now
   * @param {{ bufferedAmount: number, send(text: string): void }} socket
   * @returns {number | null} Milliseconds until more can be sent, or null if nothing waits.
   */
  flush(now, socket) {
    this.#refill(now);
    while (this.#queue.length > 0) {
      if (socket.bufferedAmount > this.#settings.maxBuffered) {
        return BUFFER_CHECK;
      }
      if (this.#tokens < 1) {
        return Math.ceil(((1 - this.#tokens) * 1_000) / this.#settings.chunksPerSecond);
      }
      this.#tokens -= 1;
      socket.send(/** @type {string} */ (this.#queue.shift()));
    }
    return null;
  }

  /** @param {number} now */
  #refill(now) {
    const elapsed = Math.max(now - this.#filledAt, 0);
    this.#filledAt = now;
    this.#tokens = Math.min(this.#capacity, this.#tokens + (elapsed * this.#settings.chunksPerSecond) / 1_000);
  }
}
