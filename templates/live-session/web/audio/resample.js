// Conversion of sample rates.

/** Zero crossings of the sinc function on each side. More make the filter steeper. */
const CROSSINGS = 16;

/** Entries of the filter's table between two zero crossings. */
const RESOLUTION = 256;

/** Part of the lower rate's bandwidth that passes. The filter needs the rest to fall off. */
const PASSBAND = 0.92;

/** Half of a sinc function under a Hann window, which is symmetrical. */
const FILTER = Float32Array.from({ length: CROSSINGS * RESOLUTION + 2 }, (_, index) => {
  const x = index / RESOLUTION;
  const window = x < CROSSINGS ? 0.5 + 0.5 * Math.cos((Math.PI * x) / CROSSINGS) : 0;
  return x === 0 ? 1 : (Math.sin(Math.PI * x) / (Math.PI * x)) * window;
});

/** Converts a stream of samples to another rate, block by block. */
export class Resampler {
  #step;
  #scale;
  #reach;
  /** Input that later samples need. */
  #input = new Float32Array(0);
  /** Position of the next output sample in the input. */
  #position = 0;

  /**
   * @param {number} from Rate of the input, in Hz.
   * @param {number} to Rate of the output, in Hz.
   */
  constructor(from, to) {
    this.#step = from / to;
    this.#scale = Math.min(1, to / from) * (from === to ? 1 : PASSBAND);
    this.#reach = Math.ceil(CROSSINGS / this.#scale);
  }

  /**
   * Returns the output for a block of input. It lags behind the input by the filter's half length.
   *
   * @param {Float32Array} block
   * @returns {Float32Array<ArrayBuffer>}
   */
  process(block) {
    if (this.#step === 1) {
      return new Float32Array(block);
    }
    const input = new Float32Array(this.#input.length + block.length);
    input.set(this.#input);
    input.set(block, this.#input.length);
    const available = Math.floor((input.length - 1 - this.#reach - this.#position) / this.#step) + 1;
    const output = new Float32Array(Math.max(available, 0));
    for (let index = 0; index < output.length; index += 1) {
      output[index] = this.#sample(input, this.#position + index * this.#step);
    }
    const next = this.#position + output.length * this.#step;
    const unused = Math.min(Math.max(Math.floor(next) - this.#reach, 0), input.length);
    this.#input = input.slice(unused);
    this.#position = next - unused;
    return output;
  }

  /**
   * @param {Float32Array} input
   * @param {number} center
   */
  #sample(input, center) {
    const first = Math.max(Math.ceil(center - this.#reach), 0);
    const last = Math.min(Math.floor(center + this.#reach), input.length - 1);
    let sum = 0;
    for (let index = first; index <= last; index += 1) {
      const x = Math.abs(center - index) * this.#scale * RESOLUTION;
      const entry = Math.min(Math.floor(x), FILTER.length - 2);
      const weight = FILTER[entry] + (FILTER[entry + 1] - FILTER[entry]) * (x - entry);
      sum += input[index] * weight;
    }
    return sum * this.#scale;
  }
}
