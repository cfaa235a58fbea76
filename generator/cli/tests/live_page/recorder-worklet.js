// Records what a page hears or plays, in blocks of a tenth of a second.

class Recorder extends AudioWorkletProcessor {
  #block = new Float32Array(Math.round(sampleRate / 10));
  #filled = 0;

  process(inputs) {
    const input = inputs[0][0] ?? new Float32Array(128);
    for (const sample of input) {
      this.#block[this.#filled] = sample;
      this.#filled += 1;
      if (this.#filled === this.#block.length) {
        this.port.postMessage(this.#block);
        this.#filled = 0;
      }
    }
    return true;
  }
}

registerProcessor('recorder', Recorder);
