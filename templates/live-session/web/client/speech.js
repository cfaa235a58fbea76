// What a speaker sends: chunks with their numbers, and the state of the broadcast.

import { CHUNK_BYTES } from './batch.js';
import { toBase64 } from './messages.js';
import { Outbox } from './outbox.js';

/** Chunks and state of a speaker, for all connections of a page. */
export class Speech {
  #environment;
  #sessionId;
  #connection;
  #outbox;
  #nextIndex;
  /** @type {unknown} */
  #timer = null;

  /** State of the broadcast, as the server should have it. */
  state = { isPaused: false, isMuted: false, volume: 1 };

  /**
   * @param {import('./environment.js').Environment} environment
   * @param {string} sessionId
   * @param {Partial<import('./outbox.js').OutboxSettings> | undefined} settings
   * @param {() => import('./connection.js').Connection | null} connection Returns the connection to send on.
   */
  constructor(environment, sessionId, settings, connection) {
    this.#environment = environment;
    this.#sessionId = sessionId;
    this.#connection = connection;
    this.#outbox = new Outbox(environment.now(), settings);
    // A page that is loaded again begins with numbers that are so much higher that listeners take it for another stream: the
    // clock counts a hundred a second, and a second has at most four chunks.
    this.#nextIndex = Math.floor(environment.now() / 10);
  }

  /** Number of chunks that were not sent. */
  get dropped() {
    return this.#outbox.dropped;
  }

  get #isSilent() {
    return this.state.isPaused || this.state.isMuted;
  }

  /**
   * Sends a chunk, unless the speaker pauses or is muted. While there is no connection, a few chunks wait.
   *
   * @param {Uint8Array} audio
   * @param {string} format
   */
  send(audio, format) {
    const { min, max } = CHUNK_BYTES;
    if (audio.length < min || audio.length > max) {
      throw new RangeError(`a chunk has ${min} to ${max} bytes, not ${audio.length}; use ChunkBatcher`);
    }
    if (this.#isSilent) {
      return;
    }
    const message = {
      action: 'sendAudio',
      sessionId: this.#sessionId,
      audioData: toBase64(audio),
      timestamp: Math.round(this.#environment.now()),
      format,
      chunkIndex: this.#nextIndex,
    };
    this.#nextIndex += 1;
    this.#outbox.add(JSON.stringify(message));
    this.flush();
  }

  /**
   * Changes the state. The server refuses audio while the speaker pauses, so what waits is dropped.
   *
   * @param {Partial<{ isPaused: boolean, isMuted: boolean, volume: number }>} change
   */
  change(change) {
    Object.assign(this.state, change);
    if (this.#isSilent) {
      this.#outbox.clear();
    }
  }

  /** Sends what waits, as far as the rate and the connection allow. */
  flush() {
    this.#environment.clearTimer(this.#timer);
    const connection = this.#connection();
    if (!connection?.isOpen) {
      return;
    }
    const wait = this.#outbox.flush(this.#environment.now(), connection);
    if (wait !== null) {
      this.#timer = this.#environment.setTimer(() => this.flush(), wait);
    }
  }

  /** Drops what waits. */
  stop() {
    this.#environment.clearTimer(this.#timer);
    this.#outbox.clear();
  }
}
