// A melody whose place can be told from its sound: each tone lasts half a second and has its own frequency.

export const TONES = 16;
export const TONE_SECONDS = 0.5;
export const MELODY_SECONDS = TONES * TONE_SECONDS;

const frequency = (tone) => 300 + 180 * tone;

/** Returns the melody as a WAV file. */
export function melody(rate = 48_000) {
  const samples = new Int16Array(rate * MELODY_SECONDS);
  let phase = 0;
  for (let index = 0; index < samples.length; index += 1) {
    phase += (2 * Math.PI * frequency(Math.floor(index / rate / TONE_SECONDS))) / rate;
    samples[index] = Math.round(Math.sin(phase) * 12_000);
  }
  const header = Buffer.alloc(44);
  header.write('RIFF', 0);
  header.writeUInt32LE(36 + samples.byteLength, 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(rate, 24);
  header.writeUInt32LE(rate * 2, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36);
  header.writeUInt32LE(samples.byteLength, 40);
  return Buffer.concat([header, Buffer.from(samples.buffer)]);
}

const WINDOW = 0.05;

/** Returns the tone of each window of 50 ms; null where it is silent or none of the melody's. */
export function heardTones(samples, rate) {
  const size = Math.round(rate * WINDOW);
  return Array.from({ length: Math.floor(samples.length / size) }, (_, index) =>
    toneOf(samples.subarray(index * size, (index + 1) * size), rate),
  );
}

function toneOf(samples, rate) {
  const energy = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
  if (energy < 1e-4) {
    return null;
  }
  const strengths = Array.from({ length: TONES }, (_, tone) => power(samples, frequency(tone), rate));
  const best = strengths.indexOf(Math.max(...strengths));
  // A sine of this energy has this power; a window over a change of tones has less in each.
  return strengths[best] > 0.8 * energy ? best : null;
}

function power(samples, hertz, rate) {
  let [real, imaginary] = [0, 0];
  for (let index = 0; index < samples.length; index += 1) {
    real += samples[index] * Math.cos((2 * Math.PI * hertz * index) / rate);
    imaginary += samples[index] * Math.sin((2 * Math.PI * hertz * index) / rate);
  }
  return (2 * (real * real + imaginary * imaginary)) / (samples.length * samples.length);
}

/** Returns the runs of equal tones, with their first window and their length in seconds. Windows without a tone end none. */
export function runs(tones) {
  const found = [];
  tones.forEach((tone, index) => {
    const last = found.at(-1);
    if (tone === null) {
      return;
    }
    if (last !== undefined && last.tone === tone && index - last.to <= 3) {
      last.to = index;
    } else {
      found.push({ tone, from: index, to: index });
    }
  });
  return found.map(({ tone, from, to }) => ({ tone, at: from * WINDOW, seconds: (to - from + 1) * WINDOW }));
}

/**
 * Returns what is wrong with a recording, or null: each tone must follow the one before it and last as long. The first and the last
 * tone may be cut.
 */
export function problem(all) {
  if (all.length < TONES + 2) {
    return `only ${all.length} tones`;
  }
  for (let index = 1; index < all.length; index += 1) {
    const [before, here] = [all[index - 1], all[index]];
    if (here.tone !== (before.tone + 1) % TONES) {
      return `tone ${here.tone} follows ${before.tone} at ${here.at.toFixed(2)} s`;
    }
    if (index < all.length - 1 && Math.abs(here.seconds - TONE_SECONDS) > 0.11) {
      return `tone ${here.tone} at ${here.at.toFixed(2)} s lasts ${here.seconds.toFixed(2)} s`;
    }
  }
  return null;
}
