// The loudspeaker.

import { ChunkDecoder } from './decode.js';

/** @typedef {{ buffered: number, target: number, interruptions: number, skipped: number, isPlaying: boolean }} PlayOutReport */

/** Plays chunks. */
export class Loudspeaker {
  #context;
  #node;
  #gain;
  #decoder;

  /**
   * @param {AudioContext} context
   * @param {(report: PlayOutReport) => void} report Receives figures about twice a second.
   * @param {(message: string) => void} failed
   */
  constructor(context, report, failed) {
    this.#context = context;
    this.#node = new AudioWorkletNode(context, 'play-out', { numberOfInputs: 0, outputChannelCount: [1] });
    this.#node.port.onmessage = ({ data }) => report(data);
    this.#gain = context.createGain();
    this.#node.connect(this.#gain).connect(context.destination);
    const play = (/** @type {Float32Array} */ samples) => this.#node.port.postMessage(samples, [samples.buffer]);
    this.#decoder = new ChunkDecoder(context.sampleRate, play, failed);
  }

  /**
   * Starts a loudspeaker. Browsers allow that after a click or a key.
   *
   * @param {(report: PlayOutReport) => void} report
   * @param {(message: string) => void} failed
   */
  static async start(report, failed) {
    const context = new AudioContext({ latencyHint: 'playback' });
    await context.audioWorklet.addModule(new URL('./playout-worklet.js', import.meta.url));
    await context.resume();
    return new Loudspeaker(context, report, failed);
  }

  /**
   * @param {Uint8Array} bytes
   * @param {string} format
   */
  play(bytes, format) {
    this.#decoder.decode(bytes, format);
  }

  /** @param {number} chunks Number of chunks that are missing. */
  gap(chunks) {
    this.#decoder.gap(chunks);
  }

  /** Drops what has not been played. */
  clear() {
    this.#node.port.postMessage('clear');
  }

  /** @param {number} volume From 0 to 1. */
  setVolume(volume) {
    // In steps of a few milliseconds, so that it does not click.
    this.#gain.gain.setTargetAtTime(volume, this.#context.currentTime, 0.02);
  }

  async stop() {
    this.#decoder.stop();
    this.#node.disconnect();
    await this.#context.close();
  }
}
