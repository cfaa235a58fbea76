import assert from 'node:assert/strict';
import { test } from 'node:test';

import { framePacket, fromPcm16, parseFormat, splitPackets, toPcm16 } from '../audio/format.js';
import { JitterBuffer, TARGET } from '../audio/jitter.js';
import { Resampler } from '../audio/resample.js';
import { seeded } from './fakes.js';

const tone = (frequency, rate, count) =>
  Float32Array.from({ length: count }, (_, index) => 0.5 * Math.sin((2 * Math.PI * frequency * index) / rate));

/** Returns the amplitude of a frequency (Goertzel). */
function amplitude(samples, frequency, rate) {
  let [real, imaginary] = [0, 0];
  samples.forEach((sample, index) => {
    real += sample * Math.cos((2 * Math.PI * frequency * index) / rate);
    imaginary += sample * Math.sin((2 * Math.PI * frequency * index) / rate);
  });
  return (2 * Math.hypot(real, imaginary)) / samples.length;
}

function resampled(from, to, input, random) {
  const resampler = new Resampler(from, to);
  const output = [];
  for (let offset = 0; offset < input.length; ) {
    const size = 1 + Math.floor(random() * 2_000);
    output.push(...resampler.process(input.subarray(offset, offset + size)));
    offset += size;
  }
  return Float32Array.from(output);
}

test('resampling keeps tones of the lower band and removes others', () => {
  for (const [from, to] of [[48_000, 12_000], [44_100, 12_000], [12_000, 48_000], [12_000, 44_100], [16_000, 48_000]]) {
    const kept = resampled(from, to, tone(1_000, from, from), seeded(1));
    assert.ok(Math.abs(kept.length - to) < 200, `${kept.length} samples from ${from} to ${to}`);
    const middle = kept.subarray(1_200, kept.length - 1_200);
    assert.ok(Math.abs(amplitude(middle, 1_000, to) - 0.5) < 0.01, `from ${from} to ${to}`);
    const image = 12_000 - 1_000;
    assert.ok(to <= 12_000 || amplitude(middle, image, to) < 0.002, `image from ${from} to ${to}`);
  }
  const removed = resampled(48_000, 12_000, tone(8_000, 48_000, 48_000), seeded(1));
  assert.ok(amplitude(removed.subarray(1_200), 4_000, 12_000) < 0.002);
});

test('the sizes of blocks do not change the result', () => {
  const input = tone(440, 48_000, 20_000);
  const whole = new Resampler(48_000, 12_000).process(input);
  for (let seed = 1; seed <= 20; seed += 1) {
    assert.deepEqual(resampled(48_000, 12_000, input, seeded(seed)), whole, `seed ${seed}`);
  }
});

test('PCM is undone up to its resolution', () => {
  const samples = Float32Array.from([0, 1, -1, 0.5, 2, -2]);
  assert.deepEqual([...fromPcm16(toPcm16(samples))].map((value) => Number(value.toFixed(4))), [0, 1, -1, 0.5, 1, -1]);
  assert.equal(fromPcm16(new Uint8Array(3)).length, 1);
});

test('packets of a chunk are found again, and a malformed chunk ends early', () => {
  const packets = [new Uint8Array([1]), new Uint8Array(300).fill(7)];
  const chunk = Uint8Array.from(packets.flatMap((packet) => [...framePacket(packet)]));
  assert.deepEqual(splitPackets(chunk).map((packet) => [...packet]), packets.map((packet) => [...packet]));
  assert.equal(splitPackets(chunk.subarray(0, 100)).length, 1);
  const random = seeded(5);
  for (let round = 0; round < 200; round += 1) {
    const bytes = Uint8Array.from({ length: random() * 400 }, () => random() * 256);
    assert.ok(splitPackets(bytes).every((packet) => packet.length > 0));
  }
});

test('only known formats are played', () => {
  assert.deepEqual(parseFormat('pcm16;rate=12000'), { codec: 'pcm16', rate: 12_000 });
  assert.deepEqual(parseFormat('opus;rate=48000'), { codec: 'opus', rate: 48_000 });
  for (const name of ['', 'pcm', 'pcm16', 'pcm16;rate=1', 'mp3;rate=48000', 'pcm16;rate=999999', 'x pcm16;rate=12000']) {
    assert.equal(parseFormat(name), null, name);
  }
});

const RATE = 1_000;

/** Pulls seconds of audio. */
function pull(buffer, seconds) {
  const out = [];
  for (let block = 0; block < (seconds * RATE) / 10; block += 1) {
    const samples = new Float32Array(10);
    buffer.pull(samples);
    out.push(...samples);
  }
  return out;
}

/** A chunk whose samples rise, so that their order shows. */
const rising = (from, seconds) => Float32Array.from({ length: seconds * RATE }, (_, index) => from + index);

test('play-out starts when the target is buffered, and then has no gap', () => {
  const buffer = new JitterBuffer(RATE);
  buffer.push(rising(1, 0.3));
  assert.ok(pull(buffer, 0.4).every((sample) => sample === 0));
  buffer.push(rising(301, 0.3));
  const played = pull(buffer, 0.5);
  // After a fade of 5 ms, every sample in order.
  assert.deepEqual(played.slice(10), Array.from(rising(11, 0.49)));
});

test('the rest is played when nothing more comes', () => {
  const buffer = new JitterBuffer(RATE);
  buffer.push(rising(1, 0.3));
  const played = pull(buffer, 2).filter((sample) => sample !== 0);
  // The first sample of the fade is silent.
  assert.equal(played.length, 299);
  assert.equal(buffer.report.buffered, 0);
});

test('late audio raises the target, a pause does not', () => {
  const late = new JitterBuffer(RATE);
  late.push(rising(1, 0.5));
  pull(late, 1);
  late.push(rising(1, 0.1));
  assert.equal(late.report.target, TARGET.start + 0.15);
  assert.equal(late.report.interruptions, 1);

  const paused = new JitterBuffer(RATE);
  paused.push(rising(1, 0.5));
  pull(paused, 5);
  paused.push(rising(1, 0.1));
  assert.equal(paused.report.target, TARGET.start);
  assert.equal(paused.report.interruptions, 0);
});

test('a listener who falls behind skips to the present', () => {
  const buffer = new JitterBuffer(RATE);
  buffer.push(rising(1, 0.5));
  pull(buffer, 0.1);
  for (let chunk = 0; chunk < 10; chunk += 1) {
    buffer.push(rising(501 + chunk * 500, 0.5));
    assert.ok(buffer.report.buffered <= TARGET.start + 1.2 + 1e-9);
  }
  assert.ok(buffer.report.skipped > 2);
});

test('in time for half an hour, the target shrinks to its minimum', () => {
  const buffer = new JitterBuffer(RATE);
  buffer.push(rising(1, 0.5));
  for (let second = 0; second < 1_800; second += 1) {
    buffer.push(rising(1, 1));
    pull(buffer, 1);
  }
  assert.ok(Math.abs(buffer.report.target - TARGET.min) < 1e-9);
  assert.equal(buffer.report.interruptions, 0);
});

const blocks = (samples) => Array.from({ length: samples.length / 10 }, (_, index) => samples.slice(index * 10, index * 10 + 10));

test('whatever arrives, samples come out in order and memory is bounded', () => {
  for (let seed = 1; seed <= 100; seed += 1) {
    const random = seeded(seed);
    const buffer = new JitterBuffer(RATE);
    let [sent, last] = [1, 0];
    for (let step = 0; step < 300; step += 1) {
      if (random() < 0.5) {
        const count = Math.floor(random() * 600);
        buffer.push(Float32Array.from({ length: count }, (_, index) => sent + index));
        sent += count;
      }
      if (random() < 0.02) {
        buffer.clear();
      }
      // Blocks without a fade have consecutive numbers, and each begins after the one before.
      for (const block of blocks(pull(buffer, random() * 0.4))) {
        if (block[0] > 0 && block.every((sample, index) => sample === block[0] + index)) {
          assert.ok(block[0] > last, `seed ${seed}`);
          last = block.at(-1);
        }
      }
      assert.ok(buffer.report.buffered <= TARGET.max + 1.2 + 1e-9, `seed ${seed}`);
    }
    assert.ok(last > 0 && last <= sent, `seed ${seed}`);
  }
});
