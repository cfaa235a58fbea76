// What a listener receives: chunks in order, each once, from all connections together.

import { ChunkOrder } from './order.js';

/** @typedef {import('./messages.js').AudioChunk} AudioChunk */

/** Chunks of a listener. */
export class Hearing {
  #environment;
  #deliver;
  #order;
  /** @type {unknown} */
  #timer = null;

  /**
   * @param {import('./environment.js').Environment} environment
   * @param {Partial<import('./order.js').OrderSettings> | undefined} settings
   * @param {(item: import('./order.js').Ordered<AudioChunk>) => void} deliver Receives chunks and gaps in order.
   */
  constructor(environment, settings, deliver) {
    this.#environment = environment;
    this.#deliver = deliver;
    this.#order = /** @type {ChunkOrder<AudioChunk>} */ (new ChunkOrder(settings));
  }

  /** @param {AudioChunk} chunk */
  receive(chunk) {
    this.#pass(this.#order.push(chunk.chunkIndex, chunk, this.#environment.now()));
  }

  /** Stops waiting for missing chunks. */
  stop() {
    this.#environment.clearTimer(this.#timer);
  }

  /** @param {import('./order.js').Ordered<AudioChunk>[]} ready */
  #pass(ready) {
    this.#environment.clearTimer(this.#timer);
    const [deadline, now] = [this.#order.deadline, this.#environment.now()];
    if (deadline !== null) {
      const pass = () => this.#pass(this.#order.due(this.#environment.now()));
      this.#timer = this.#environment.setTimer(pass, Math.max(deadline - now, 0));
    }
    // Last, because it may leave the session, which stops the timer.
    ready.forEach((item) => this.#deliver(item));
  }
}
