// Batches of audio. A post to a listener costs the same with 20 ms or a second of audio, so small pieces are sent together.

/** Minimum and maximum size of a chunk's audio, in bytes. The largest fits into a frame of 32 KB in base64 (row M11). */
export const CHUNK_BYTES = Object.freeze({ min: 100, max: 24_000 });

/** Minimum and maximum duration of a chunk, in milliseconds. */
export const CHUNK_MILLISECONDS = Object.freeze({ min: 250, max: 1_000 });

/** Collects pieces of encoded audio until they are long enough to send. */
export class ChunkBatcher {
  /** @type {(chunk: Uint8Array) => void} */
  #emit;
  #milliseconds;
  /** @type {Uint8Array[]} */
  #pieces = [];
  #bytes = 0;
  #duration = 0;

  /**
   * @param {number} milliseconds Duration of a chunk.
   * @param {(chunk: Uint8Array) => void} emit Receives each chunk.
   */
  constructor(milliseconds, emit) {
    const { min, max } = CHUNK_MILLISECONDS;
    if (!(milliseconds >= min && milliseconds <= max)) {
      throw new RangeError(`a chunk lasts ${min} to ${max} ms, not ${milliseconds}; choose a duration in between`);
    }
    this.#milliseconds = milliseconds;
    this.#emit = emit;
  }

  /**
   * Adds a piece, which stays whole. Throws `RangeError` if it does not fit into any chunk.
   *
   * @param {Uint8Array} piece
   * @param {number} milliseconds Its duration.
   */
  add(piece, milliseconds) {
    if (piece.length > CHUNK_BYTES.max) {
      throw new RangeError(`a piece has at most ${CHUNK_BYTES.max} bytes, not ${piece.length}; encode shorter pieces`);
    }
    if (this.#bytes + piece.length > CHUNK_BYTES.max) {
      this.flush();
    }
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    this.#duration += milliseconds;
    // Durations of pieces are fractions, whose sum may miss the whole by a rounding error.
    if (this.#duration >= this.#milliseconds - 1e-6 && this.#bytes >= CHUNK_BYTES.min) {
      this.flush();
    }
  }

  /** Emits what has been collected. Audio below the minimum size is dropped: it is a few milliseconds long. */
  flush() {
    const [pieces, bytes] = [this.#pieces, this.#bytes];
    this.clear();
    if (bytes < CHUNK_BYTES.min) {
      return;
    }
    const chunk = new Uint8Array(bytes);
    let offset = 0;
    for (const piece of pieces) {
      chunk.set(piece, offset);
      offset += piece.length;
    }
    this.#emit(chunk);
  }

  /** Drops what has been collected. */
  clear() {
    this.#pieces = [];
    this.#bytes = 0;
    this.#duration = 0;
  }
}
