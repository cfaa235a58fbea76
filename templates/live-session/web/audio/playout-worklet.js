// Play-out on the audio thread.

import { JitterBuffer } from './jitter.js';

/** Blocks between two reports to the page: about half a second. */
const REPORT_EVERY = 188;

class PlayOut extends AudioWorkletProcessor {
  #buffer = new JitterBuffer(sampleRate);
  #blocks = 0;

  constructor() {
    super();
    this.port.onmessage = ({ data }) => {
      if (data === 'clear') {
        this.#buffer.clear();
      } else {
        this.#buffer.push(data);
      }
    };
  }

  process(_inputs, outputs) {
    this.#buffer.pull(outputs[0][0]);
    this.#blocks += 1;
    if (this.#blocks % REPORT_EVERY === 0) {
      this.port.postMessage(this.#buffer.report);
    }
    return true;
  }
}

registerProcessor('play-out', PlayOut);
