import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

import { delayBefore, MAX_DELAY } from '../client/backoff.js';
import { ChunkBatcher, CHUNK_BYTES } from '../client/batch.js';
import { CloseCode, explainClose } from '../client/closes.js';
import { fromBase64, gatewayError, parseMessage, toBase64 } from '../client/messages.js';
import { Outbox } from '../client/outbox.js';
import { seeded } from './fakes.js';

test('delays double up to a maximum, and half of each is random', () => {
  const delays = (random) => [1, 2, 3, 6, 7, 8, 100].map((failures) => delayBefore(failures, 'soon', () => random));
  assert.deepEqual(delays(0), [250, 500, 1_000, 8_000, 15_000, 15_000, 15_000]);
  assert.deepEqual(delays(0.5), [375, 750, 1_500, 12_000, 22_500, 22_500, 22_500]);
  const random = seeded(1);
  for (let failures = 1; failures < 200; failures += 1) {
    for (const urgency of ['soon', 'spread', 'later']) {
      const delay = delayBefore(failures, urgency, random);
      assert.ok(delay >= 250 && delay < MAX_DELAY);
    }
  }
});

test('a restart and a refusal are followed by longer delays than a lost connection', () => {
  const first = (urgency) => delayBefore(1, urgency, () => 0);
  assert.deepEqual(['soon', 'spread', 'later'].map(first), [250, 2_000, 5_000]);
});

test('batches have their duration, their order, and never more bytes than a chunk may have', () => {
  for (let seed = 1; seed <= 100; seed += 1) {
    const random = seeded(seed);
    const chunks = [];
    const batcher = new ChunkBatcher(300, (chunk) => chunks.push(chunk));
    const sent = [];
    for (let piece = 0; piece < 200; piece += 1) {
      const bytes = Uint8Array.from({ length: 100 + Math.floor(random() * 9_000) }, () => random() * 256);
      sent.push(...bytes);
      batcher.add(bytes, 20);
    }
    batcher.flush();
    assert.ok(chunks.every((chunk) => chunk.length <= CHUNK_BYTES.max && chunk.length >= CHUNK_BYTES.min));
    assert.deepEqual(Buffer.concat(chunks), Buffer.from(sent), `seed ${seed}`);
  }
});

test('a batch is complete when its duration is reached', () => {
  const chunks = [];
  const batcher = new ChunkBatcher(300, (chunk) => chunks.push(chunk));
  for (let piece = 0; piece < 60; piece += 1) {
    batcher.add(new Uint8Array(64), 8 / 3);
  }
  assert.equal(chunks.length, 0);
  for (let piece = 60; piece < 225; piece += 1) {
    batcher.add(new Uint8Array(64), 8 / 3);
  }
  // 112.5 pieces of 8/3 ms are 300 ms, so a chunk has 113.
  assert.deepEqual(chunks.map((chunk) => chunk.length), [113 * 64]);
});

test('a batcher refuses durations and pieces that the server refuses', () => {
  const ignore = () => {};
  for (const milliseconds of [0, 249, 1_001, NaN]) {
    assert.throws(() => new ChunkBatcher(milliseconds, ignore), RangeError);
  }
  assert.throws(() => new ChunkBatcher(250, ignore).add(new Uint8Array(24_001), 250), RangeError);
});

test('a rest that is too small to send is dropped', () => {
  const chunks = [];
  const batcher = new ChunkBatcher(250, (chunk) => chunks.push(chunk));
  batcher.add(new Uint8Array(99), 20);
  batcher.flush();
  assert.deepEqual(chunks, []);
});

test('the outbox keeps the rate and drops the oldest chunks', () => {
  const outbox = new Outbox(0);
  const socket = { bufferedAmount: 0, sent: [], send: (text) => socket.sent.push(text) };
  for (let index = 0; index < 12; index += 1) {
    outbox.add(`${index}`);
    outbox.flush(0, socket);
  }
  assert.deepEqual(socket.sent, ['0', '1', '2', '3', '4', '5', '6', '7']);
  outbox.add('12');
  assert.equal(outbox.dropped, 1);
  assert.equal(outbox.flush(0, socket), 250);
  assert.equal(outbox.flush(250, socket), 250);
  assert.deepEqual(socket.sent.slice(8), ['9']);
});

test('a socket that is full makes chunks wait', () => {
  const outbox = new Outbox(0);
  const socket = { bufferedAmount: 200_000, sent: [], send: (text) => socket.sent.push(text) };
  outbox.add('chunk');
  assert.equal(outbox.flush(0, socket), 100);
  socket.bufferedAmount = 0;
  assert.equal(outbox.flush(100, socket), null);
  assert.deepEqual(socket.sent, ['chunk']);
});

const lost = { code: 1006, reason: '', opened: true, age: 60_000, idle: 5_000, by: 'other' };

test('each close code has an explanation with its row', () => {
  const explained = (end) => {
    const { row, retry, summary } = explainClose({ ...lost, ...end });
    return [row, retry, summary];
  };
  const hour = 3_600_000;
  assert.deepEqual(explained({ code: 1000 }), ['M15', 'never', 'The server removed this connection.']);
  assert.deepEqual(explained({ code: 1001, age: 2 * hour }).slice(0, 2), ['M14', 'soon']);
  assert.deepEqual(explained({ code: 1001, idle: 600_000, age: hour }).slice(0, 2), ['M13', 'soon']);
  assert.deepEqual(explained({ code: 1001 }).slice(0, 2), ['X4', 'spread']);
  assert.deepEqual(explained({ code: 1003 }).slice(0, 2), ['M10', 'soon']);
  assert.deepEqual(explained({ code: 1005 }).slice(0, 2), ['X1', 'soon']);
  assert.deepEqual(explained({ code: 1006, opened: false }).slice(0, 2), ['X2', 'soon']);
  assert.deepEqual(explained({ code: 1006 }), ['X3', 'soon', 'The network connection was lost.']);
  assert.deepEqual(explained({ code: 1006, age: 2 * hour })[2], 'The connection was lost at the limit of two hours.');
  assert.deepEqual(explained({ code: 1008 }).slice(0, 2), ['M19', 'later']);
  assert.deepEqual(explained({ code: 1009 }).slice(0, 2), ['M11', 'soon']);
  assert.deepEqual(explained({ code: 1011 }).slice(0, 2), ['X4', 'soon']);
  assert.deepEqual(explained({ code: 1012 }).slice(0, 2), ['X4', 'spread']);
  assert.match(explained({ code: 4321 })[2], /4321/);
  assert.match(explained({ code: 1015 })[2], /1015/);
});

test('each code that this client sends has an explanation of its own', () => {
  const summaries = Object.values(CloseCode).map((code) => explainClose({ ...lost, code, by: 'client' }).summary);
  assert.equal(new Set(summaries).size, summaries.length);
  assert.ok(!summaries.includes('This page closed the connection.'));
});

test('one line of the client closes a socket, and it has a code and a reason', () => {
  const folder = new URL('../client/', import.meta.url);
  const lines = readdirSync(folder).flatMap((name) => readFileSync(new URL(name, folder), 'utf8').split('\n'));
  const closing = lines.filter((line) => /socket\S*\.close\(/i.test(line)).map((line) => line.trim());
  assert.deepEqual(closing, ['this.#socket.close(code, reason);']);
});

test('base64 is undone, whatever the bytes', () => {
  const random = seeded(3);
  for (const length of [0, 1, 2, 3, 100, 8_191, 8_192, 8_193, 24_000]) {
    const bytes = Uint8Array.from({ length }, () => random() * 256);
    assert.equal(toBase64(bytes), Buffer.from(bytes).toString('base64'));
    assert.deepEqual(fromBase64(toBase64(bytes)), bytes);
  }
});

test('what is no message is none, and an error frame is recognized', () => {
  for (const data of ['', 'x', '1', 'null', '[]', '{}', '{"type":1}', new Uint8Array(3)]) {
    assert.equal(parseMessage(data), null);
  }
  const frame = '{"message": "Forbidden", "connectionId":"a=", "requestId":"b="}';
  assert.equal(gatewayError(frame), 'Forbidden');
  assert.equal(gatewayError('{"message": "hi"}'), null);
  assert.equal(gatewayError('x'), null);
});
