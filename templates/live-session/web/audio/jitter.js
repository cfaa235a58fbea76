// Buffer between the network, which delivers chunks unevenly, and the loudspeaker, which needs samples at all times. It has no
// dependency on the browser, so that tests run it.

/** Least, first and most buffered audio before play-out starts, in seconds. */
export const TARGET = Object.freeze({ min: 0.3, start: 0.45, max: 1.5 });

/** Increase of the target after an interruption, and decrease after a quiet time, in seconds. */
const STEP = Object.freeze({ up: 0.15, down: 0.05, quiet: 30 });

/** Buffered audio beyond the target that is skipped, in seconds: the listener would fall behind. */
const MAX_EXCESS = 1.2;

/** An interruption that lasts longer is the speaker's pause and not the network's, in seconds. */
const MAX_LATENESS = 2;

/** Duration of fades, in seconds. They avoid clicks. */
const FADE = 0.005;

/** Jitter buffer. Its target grows when audio comes too late, and shrinks while it comes in time. */
export class JitterBuffer {
  #rate;
  /** @type {Float32Array[]} */
  #blocks = [];
  #offset = 0;
  #buffered = 0;
  /** @type {number} */
  #target = TARGET.start;
  #isPlaying = false;
  #fade = 0;
  /** Samples since the last interruption, or since it began. */
  #since = 0;
  #isInterrupted = false;
  /** Samples since audio arrived. */
  #sinceArrival = 0;
  #interruptions = 0;
  #skipped = 0;

  /** @param {number} rate Sample rate in Hz. */
  constructor(rate) {
    this.#rate = rate;
  }

  /** Figures for the page: seconds, and the number of interruptions. */
  get report() {
    return {
      buffered: this.#buffered / this.#rate,
      target: this.#target,
      interruptions: this.#interruptions,
      skipped: this.#skipped / this.#rate,
      isPlaying: this.#isPlaying,
    };
  }

  /**
   * Adds samples.
   *
   * @param {Float32Array} samples
   */
  push(samples) {
    if (samples.length === 0) {
      return;
    }
    if (this.#isInterrupted && this.#since < MAX_LATENESS * this.#rate) {
      this.#target = Math.min(this.#target + STEP.up, TARGET.max);
      this.#interruptions += 1;
    }
    this.#isInterrupted = false;
    this.#sinceArrival = 0;
    this.#blocks.push(samples);
    this.#buffered += samples.length;
    const excess = this.#buffered - (this.#target + MAX_EXCESS) * this.#rate;
    if (excess > 0) {
      this.#skip(this.#buffered - Math.round(this.#target * this.#rate));
    }
  }

  /** Drops everything, as if nothing had been added. */
  clear() {
    this.#blocks = [];
    this.#offset = 0;
    this.#buffered = 0;
    this.#isPlaying = false;
    this.#isInterrupted = false;
  }

  /**
   * Fills a block with the samples to play, or with silence.
   *
   * @param {Float32Array} output
   */
  pull(output) {
    output.fill(0);
    this.#since += output.length;
    this.#sinceArrival += output.length;
    if (!this.#isPlaying && this.#isReady) {
      this.#isPlaying = true;
      this.#fade = 0;
      this.#since = 0;
    }
    if (!this.#isPlaying) {
      return;
    }
    const count = Math.min(output.length, this.#buffered);
    this.#copy(output, count);
    this.#fadeIn(output, count);
    if (count < output.length) {
      this.#interrupt(output, count);
    } else if (this.#since > STEP.quiet * this.#rate) {
      this.#target = Math.max(this.#target - STEP.down, TARGET.min);
      this.#since = 0;
    }
  }

  /** True if the target is reached, or if nothing more comes: then the rest is played, and not kept for the next words. */
  get #isReady() {
    const target = this.#target * this.#rate;
    return this.#buffered >= target || (this.#buffered > 0 && this.#sinceArrival > target);
  }

  /**
   * @param {Float32Array} output
   * @param {number} count
   */
  #copy(output, count) {
    for (let filled = 0; filled < count; ) {
      const block = this.#blocks[0];
      const part = block.subarray(this.#offset, this.#offset + count - filled);
      output.set(part, filled);
      filled += part.length;
      this.#advance(part.length);
    }
  }

  /** @param {number} count Number of samples, at most those that are left of the first block. */
  #advance(count) {
    this.#offset += count;
    this.#buffered -= count;
    if (this.#offset === this.#blocks[0].length) {
      this.#blocks.shift();
      this.#offset = 0;
    }
  }

  /** @param {number} count */
  #skip(count) {
    this.#skipped += count;
    this.#fade = 0;
    for (let left = count; left > 0; ) {
      const part = Math.min(left, this.#blocks[0].length - this.#offset);
      this.#advance(part);
      left -= part;
    }
  }

  /**
   * @param {Float32Array} output
   * @param {number} count
   */
  #fadeIn(output, count) {
    const length = FADE * this.#rate;
    for (let index = 0; index < count && this.#fade < length; index += 1) {
      output[index] *= this.#fade / length;
      this.#fade += 1;
    }
  }

  /**
   * @param {Float32Array} output
   * @param {number} count
   */
  #interrupt(output, count) {
    for (let index = 0; index < count; index += 1) {
      output[index] *= 1 - index / count;
    }
    this.#isPlaying = false;
    this.#isInterrupted = true;
    this.#since = 0;
  }
}
