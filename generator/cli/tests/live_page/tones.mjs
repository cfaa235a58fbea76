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

/**
 * Returns the runs of equal tones, with their start and the time for which they sound, in seconds. Silence ends no run: on a slow
 * machine play-out is interrupted, and goes on where it was.
 */
export function runs(tones) {
  const found = [];
  tones.forEach((tone, index) => {
    const last = found.at(-1);
    if (tone === null) {
      return;
    }
    if (last?.tone === tone) {
      last.seconds += WINDOW;
    } else {
      found.push({ tone, at: index * WINDOW, seconds: WINDOW });
    }
  });
  return found;
}

/** A window over a change of tones counts for neither; an interruption costs two more. */
const SHORTEST = TONE_SECONDS - 0.21;
const LONGEST = TONE_SECONDS + 0.06;

/**
 * Returns what is wrong with a recording, or null: each tone must follow the one before it and sound as long. The first and the last
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
    const isWhole = here.seconds >= SHORTEST && here.seconds <= LONGEST;
    if (index < all.length - 1 && !isWhole) {
      return `tone ${here.tone} at ${here.at.toFixed(2)} s sounds for ${here.seconds.toFixed(2)} s`;
    }
  }
  return null;
}

/** Returns the time from microphone to loudspeaker in seconds: the median over all tones. */
export function latency(microphone, loudspeaker) {
  const begins = ({ tones, startedAt }) => tones.slice(1, -1).map(({ tone, at }) => ({ tone, at: startedAt / 1_000 + at }));
  const spoken = begins(microphone);
  const delays = begins(loudspeaker).flatMap(({ tone, at }) => {
    const before = spoken.filter((other) => other.tone === tone && other.at <= at + 0.1).map((other) => at - other.at);
    return before.length === 0 ? [] : [Math.min(...before)];
  });
  return delays.sort((one, other) => one - other)[Math.floor(delays.length / 2)];
}
