// Decoding of chunks.

import { fromPcm16, OPUS_PACKET, parseFormat, splitPackets } from './format.js';
import { Resampler } from './resample.js';

/** Longest silence in place of missing chunks, in seconds. A longer gap has been silent already, and silence would only delay. */
const MAX_SILENCE = 1;

/** Decodes chunks, which come in order, to samples of the play-out's rate. */
export class ChunkDecoder {
  #rate;
  #play;
  #failed;
  /** Name of the current format. */
  #format = '';
  /** @type {{ decode(bytes: Uint8Array): void, silence(chunks: number): void, stop(): void } | null} */
  #decoder = null;

  /**
   * @param {number} rate Rate of the play-out.
   * @param {(samples: Float32Array) => void} play
   * @param {(message: string) => void} failed Receives the reason why chunks cannot be played.
   */
  constructor(rate, play, failed) {
    this.#rate = rate;
    this.#play = play;
    this.#failed = failed;
  }

  /**
   * Decodes a chunk.
   *
   * @param {Uint8Array} bytes
   * @param {string} format
   */
  decode(bytes, format) {
    if (format !== this.#format) {
      this.stop();
      this.#format = format;
      this.#decoder = this.#create(format);
    }
    this.#decoder?.decode(bytes);
  }

  /**
   * Plays silence in place of missing chunks, so that the others keep their time.
   *
   * @param {number} chunks
   */
  gap(chunks) {
    this.#decoder?.silence(chunks);
  }

  /** Ends the decoder. */
  stop() {
    this.#decoder?.stop();
    this.#decoder = null;
    this.#format = '';
  }

  /** @param {string} name */
  #create(name) {
    const format = parseFormat(name);
    if (format === null) {
      this.#failed('The speaker sends audio in a format that this page does not know.');
      return null;
    }
    if (format.codec === 'pcm16') {
      return pcmDecoder(format.rate, this.#rate, this.#play);
    }
    if (typeof AudioDecoder === 'undefined') {
      this.#failed('This browser cannot play Opus. Update it, or ask the speaker for standard quality.');
      return null;
    }
    return opusDecoder(format.rate, this.#rate, this.#play, this.#failed);
  }
}

/**
 * @param {number} from
 * @param {number} to
 * @param {(samples: Float32Array) => void} play
 */
function pcmDecoder(from, to, play) {
  const resampler = new Resampler(from, to);
  let last = 0;
  return {
    /** @param {Uint8Array} bytes */
    decode(bytes) {
      const samples = fromPcm16(bytes);
      last = samples.length;
      play(resampler.process(samples));
    },
    /** @param {number} chunks */
    silence(chunks) {
      if (chunks * last <= MAX_SILENCE * from) {
        play(resampler.process(new Float32Array(chunks * last)));
      }
    },
    stop() {},
  };
}

/**
 * @param {number} from
 * @param {number} to
 * @param {(samples: Float32Array) => void} play
 * @param {(message: string) => void} failed
 */
function opusDecoder(from, to, play, failed) {
  const resampler = new Resampler(from, to);
  const packet = OPUS_PACKET * 1_000;
  // Times of packets in microseconds. A gap leaves some out, and the output shows where silence belongs.
  let [time, expected, last] = [0, 0, 0];
  const decoder = new AudioDecoder({
    output(audio) {
      const missing = Math.round(((audio.timestamp - expected) * from) / 1_000_000);
      if (missing > 0) {
        play(resampler.process(new Float32Array(missing)));
      }
      const samples = new Float32Array(audio.numberOfFrames);
      audio.copyTo(samples, { planeIndex: 0, format: 'f32-planar' });
      expected = audio.timestamp + packet;
      audio.close();
      play(resampler.process(samples));
    },
    error: (error) => failed(`The audio cannot be played: ${error.message}`),
  });
  decoder.configure({ codec: 'opus', sampleRate: from, numberOfChannels: 1 });
  return {
    /** @param {Uint8Array} bytes */
    decode(bytes) {
      const packets = splitPackets(bytes);
      last = packets.length;
      for (const data of packets) {
        if (decoder.state === 'configured') {
          decoder.decode(new EncodedAudioChunk({ type: 'key', timestamp: time, data }));
        }
        time += packet;
      }
    },
    /** @param {number} chunks */
    silence(chunks) {
      const silence = chunks * last * packet;
      time += silence <= MAX_SILENCE * 1_000_000 ? silence : 0;
    },
    stop() {
      if (decoder.state !== 'closed') {
        decoder.close();
      }
    },
  };
}
