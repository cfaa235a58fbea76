// Order of chunks. Each chunk has its own invocation, so chunks overtake each other; and during a handover each arrives twice.

/**
 * @template T
 * @typedef {{ kind: 'chunk', index: number, value: T } | { kind: 'gap', from: number, to: number }} Ordered
 * A chunk, or the numbers of chunks that did not arrive in time.
 */

/**
 * @typedef {object} OrderSettings
 * @property {number} maxWait Longest wait for a missing chunk, in milliseconds.
 * @property {number} startWait Wait after a stream's first chunk, for earlier ones, in milliseconds.
 * @property {number} maxHeld Maximum number of chunks that wait for a missing one.
 * @property {number} restartDistance A chunk this far from the expected one starts another stream: the speaker's page was
 *   reloaded.
 */

/** @type {OrderSettings} */
export const ORDER_DEFAULTS = Object.freeze({ maxWait: 500, startWait: 150, maxHeld: 16, restartDistance: 64 });

/**
 * Returns chunks in order and once each. Memory is bounded by `maxHeld` chunks.
 *
 * @template T
 */
export class ChunkOrder {
  /** @type {OrderSettings} */
  #settings;
  /** Chunks that wait, with their arrival times. @type {Map<number, { value: T, at: number }>} */
  #held = new Map();
  /** Number of the chunk to return next; null before a stream has started. @type {number | null} */
  #next = null;
  /** Numbers around the end of the previous stream, whose late chunks are dropped. @type {{ from: number, to: number } | null} */
  #previous = null;

  /** @param {Partial<OrderSettings>} [settings] */
  constructor(settings = {}) {
    this.#settings = { ...ORDER_DEFAULTS, ...settings };
  }

  /**
   * Adds a chunk, and returns what is ready.
   *
   * @param {number} index
   * @param {T} value
   * @param {number} now
   * @returns {Ordered<T>[]}
   */
  push(index, value, now) {
    if (!Number.isSafeInteger(index) || index < 0 || this.#isOfPreviousStream(index)) {
      return this.due(now);
    }
    const ready = this.#isOfOtherStream(index) ? this.#restart() : [];
    const isLate = this.#next !== null && index < this.#next;
    if (!isLate && !this.#held.has(index)) {
      this.#held.set(index, { value, at: now });
    }
    return [...ready, ...this.due(now)];
  }

  /**
   * Returns what is ready by now: the chunks in order, and those behind a missing chunk that was waited for long enough.
   *
   * @param {number} now
   * @returns {Ordered<T>[]}
   */
  due(now) {
    /** @type {Ordered<T>[]} */
    const ready = [];
    if (this.#next === null && this.#held.size > 0 && this.#waitIsOver(now)) {
      this.#next = Math.min(...this.#held.keys());
    }
    if (this.#next !== null) {
      this.#take(ready);
      while (this.#held.size > 0 && this.#waitIsOver(now)) {
        this.#skip(ready);
        this.#take(ready);
      }
    }
    return ready;
  }

  /**
   * Returns the time at which `due` returns more, or null if nothing waits.
   *
   * @returns {number | null}
   */
  get deadline() {
    if (this.#held.size === 0) {
      return null;
    }
    const wait = this.#next === null ? this.#settings.startWait : this.#settings.maxWait;
    return this.#firstArrival() + wait;
  }

  /** @param {number} now */
  #waitIsOver(now) {
    return this.#held.size > this.#settings.maxHeld || now >= (this.deadline ?? Infinity);
  }

  #firstArrival() {
    return Math.min(...[...this.#held.values()].map((chunk) => chunk.at));
  }

  /** @param {Ordered<T>[]} ready */
  #take(ready) {
    for (let index = this.#next ?? 0; ; index += 1) {
      const chunk = this.#held.get(index);
      if (chunk === undefined) {
        this.#next = index;
        return;
      }
      this.#held.delete(index);
      ready.push({ kind: 'chunk', index, value: chunk.value });
    }
  }

  /** @param {Ordered<T>[]} ready */
  #skip(ready) {
    const index = Math.min(...this.#held.keys());
    ready.push({ kind: 'gap', from: this.#next ?? index, to: index - 1 });
    this.#next = index;
  }

  /** @param {number} index */
  #isOfOtherStream(index) {
    const reference = this.#next ?? this.#held.keys().next().value ?? index;
    return Math.abs(index - reference) > this.#settings.restartDistance;
  }

  /** @param {number} index */
  #isOfPreviousStream(index) {
    const previous = this.#previous;
    return previous !== null && index >= previous.from && index <= previous.to && !this.#isNear(index);
  }

  /** @param {number} index */
  #isNear(index) {
    return this.#next !== null && Math.abs(index - this.#next) <= this.#settings.restartDistance;
  }

  /** Ends the stream: returns the chunks that waited, and forgets the rest. @returns {Ordered<T>[]} */
  #restart() {
    /** @type {Ordered<T>[]} */
    const ready = [];
    this.#next ??= Math.min(...this.#held.keys());
    this.#take(ready);
    while (this.#held.size > 0) {
      this.#skip(ready);
      this.#take(ready);
    }
    const distance = this.#settings.restartDistance;
    this.#previous = { from: this.#next - distance, to: this.#next + distance };
    this.#next = null;
    return ready;
  }
}
