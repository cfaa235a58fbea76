// Audio formats of chunks.
//
// `pcm16`: samples of 16 bits, mono, little-endian. At 12 kHz a second has 24,000 bytes, the most that a chunk may have. Every
// browser plays it, each chunk stands alone, and speech stays clear: it is the default.
//
// `opus`: packets of 20 ms, each after its length in two bytes (big-endian). It has the whole bandwidth and a sixth of the
// bytes, but speaker and listeners need WebCodecs (Chromium 94, Firefox 130, Safari 26). API Gateway counts messages in units of
// 32 KB, so both cost the same posts; Opus saves data transfer.

export const PCM = Object.freeze({ codec: /** @type {const} */ ('pcm16'), rate: 12_000, name: 'pcm16;rate=12000' });

export const OPUS = Object.freeze({ codec: /** @type {const} */ ('opus'), rate: 48_000, name: 'opus;rate=48000' });

/** Duration of an Opus packet, in milliseconds. */
export const OPUS_PACKET = 20;

/**
 * Returns codec and rate of a format's name, or null if this page cannot play it.
 *
 * @param {string} name
 * @returns {{ codec: 'pcm16' | 'opus', rate: number } | null}
 */
export function parseFormat(name) {
  const match = /^(pcm16|opus);rate=(\d{4,6})$/.exec(name);
  const rate = Number(match?.[2]);
  if (match === null || rate < 8_000 || rate > 96_000) {
    return null;
  }
  return { codec: /** @type {'pcm16' | 'opus'} */ (match[1]), rate };
}

/**
 * Returns samples as PCM.
 *
 * @param {Float32Array} samples
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function toPcm16(samples) {
  const bytes = new Uint8Array(samples.length * 2);
  const view = new DataView(bytes.buffer);
  samples.forEach((sample, index) => {
    const limited = Math.min(Math.max(sample, -1), 1);
    view.setInt16(index * 2, Math.round(limited * 32_767), true);
  });
  return bytes;
}

/**
 * Returns PCM as samples. Ignores half a sample at the end.
 *
 * @param {Uint8Array} bytes
 * @returns {Float32Array<ArrayBuffer>}
 */
export function fromPcm16(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float32Array.from({ length: Math.floor(bytes.length / 2) }, (_, index) => view.getInt16(index * 2, true) / 32_767);
}

/**
 * Returns an Opus packet after its length.
 *
 * @param {Uint8Array} packet
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function framePacket(packet) {
  const bytes = new Uint8Array(packet.length + 2);
  new DataView(bytes.buffer).setUint16(0, packet.length);
  bytes.set(packet, 2);
  return bytes;
}

/**
 * Returns the packets of a chunk. Stops where the chunk is malformed.
 *
 * @param {Uint8Array} bytes
 * @returns {Uint8Array[]}
 */
export function splitPackets(bytes) {
  const packets = [];
  for (let offset = 0; offset + 2 <= bytes.length; ) {
    const length = bytes[offset] * 256 + bytes[offset + 1];
    const end = offset + 2 + length;
    if (length === 0 || end > bytes.length) {
      break;
    }
    packets.push(bytes.subarray(offset + 2, end));
    offset = end;
  }
  return packets;
}
