// Recording on the audio thread: collects the microphone's blocks of 128 samples into blocks of 20 ms.

class Capture extends AudioWorkletProcessor {
  #block = new Float32Array(Math.round(sampleRate / 50));
  #filled = 0;

  process(inputs) {
    const channels = inputs[0];
    for (let index = 0; index < (channels[0]?.length ?? 0); index += 1) {
      let sum = 0;
      for (const channel of channels) {
        sum += channel[index];
      }
      this.#block[this.#filled] = sum / channels.length;
      this.#filled += 1;
      if (this.#filled === this.#block.length) {
        this.port.postMessage(this.#block, [this.#block.buffer]);
        this.#block = new Float32Array(Math.round(sampleRate / 50));
        this.#filled = 0;
      }
    }
    return true;
  }
}

registerProcessor('capture', Capture);
