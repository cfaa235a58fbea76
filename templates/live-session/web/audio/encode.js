// Encoders: samples to pieces of chunks.

import { framePacket, OPUS, OPUS_PACKET, PCM, toPcm16 } from './format.js';
import { Resampler } from './resample.js';

/**
 * @typedef {object} Encoder
 * @property {string} format Name of the format.
 * @property {(samples: Float32Array) => void} encode
 * @property {() => void} stop
 */

/** @typedef {(piece: Uint8Array, milliseconds: number) => void} PieceSink */

/** @type {AudioEncoderConfig} */
const OPUS_CONFIG = { codec: 'opus', sampleRate: OPUS.rate, numberOfChannels: 1, bitrate: 32_000 };

/** Returns true if this browser encodes Opus. */
export async function canEncodeOpus() {
  if (typeof AudioEncoder === 'undefined') {
    return false;
  }
  const { supported } = await AudioEncoder.isConfigSupported(OPUS_CONFIG).catch(() => ({ supported: false }));
  return supported ?? false;
}

/**
 * Returns an encoder to PCM.
 *
 * @param {number} rate Rate of the samples.
 * @param {PieceSink} emit
 * @returns {Encoder}
 */
export function pcmEncoder(rate, emit) {
  const resampler = new Resampler(rate, PCM.rate);
  return {
    format: PCM.name,
    encode(samples) {
      const converted = resampler.process(samples);
      emit(toPcm16(converted), (converted.length * 1_000) / PCM.rate);
    },
    stop() {},
  };
}

/**
 * Returns an encoder to Opus.
 *
 * @param {number} rate Rate of the samples.
 * @param {PieceSink} emit
 * @param {(error: Error) => void} failed
 * @returns {Encoder}
 */
export function opusEncoder(rate, emit, failed) {
  const resampler = new Resampler(rate, OPUS.rate);
  const encoder = new AudioEncoder({
    output(chunk) {
      const packet = new Uint8Array(chunk.byteLength);
      chunk.copyTo(packet);
      emit(framePacket(packet), (chunk.duration ?? OPUS_PACKET * 1_000) / 1_000);
    },
    error: failed,
  });
  encoder.configure(OPUS_CONFIG);
  let count = 0;
  return {
    format: OPUS.name,
    encode(samples) {
      const data = resampler.process(samples);
      if (data.length === 0 || encoder.state !== 'configured') {
        return;
      }
      const timestamp = (count * 1_000_000) / OPUS.rate;
      count += data.length;
      const format = /** @type {const} */ ('f32-planar');
      const block = { format, sampleRate: OPUS.rate, numberOfFrames: data.length, numberOfChannels: 1, timestamp, data };
      const audio = new AudioData(block);
      encoder.encode(audio);
      audio.close();
    },
    stop() {
      if (encoder.state !== 'closed') {
        encoder.close();
      }
    },
  };
}
