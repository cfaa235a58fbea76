import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ChunkOrder, ORDER_DEFAULTS } from '../client/order.js';
import { seeded } from './fakes.js';

const SEEDS = Array.from({ length: 200 }, (_, index) => index + 1);

/** Sends chunks 100 ms apart, each delayed by less than `jitter`, and some of them twice. Returns arrivals in their order. */
function arrivals(random, count, jitter, first = 1_000) {
  const sent = Array.from({ length: count }, (_, index) => first + index);
  const once = sent.map((index) => ({ index, at: (index - first) * 100 + random() * jitter }));
  const again = once.filter(() => random() < 0.3).map(({ index, at }) => ({ index, at: at + random() * jitter }));
  return [...once, ...again].sort((one, other) => one.at - other.at);
}

/** Feeds arrivals, with the deadlines in between, and returns what came out. */
function play(order, events) {
  const out = [];
  for (const { index, at } of events) {
    while (order.deadline !== null && order.deadline <= at) {
      out.push(...order.due(order.deadline));
    }
    out.push(...order.push(index, `chunk ${index}`, at));
  }
  while (order.deadline !== null) {
    out.push(...order.due(order.deadline));
  }
  return out;
}

const numbers = (out) => out.filter((item) => item.kind === 'chunk').map((item) => item.index);

test('chunks that arrive within the window come out in order, once, and without a gap', () => {
  for (const seed of SEEDS) {
    // The first chunk is waited for only `startWait`.
    const events = arrivals(seeded(seed), 60, ORDER_DEFAULTS.startWait);
    const out = play(new ChunkOrder(), events);
    const expected = Array.from({ length: 60 }, (_, index) => 1_000 + index);
    assert.deepEqual(numbers(out), expected, `seed ${seed}`);
    assert.ok(out.every((item) => item.kind === 'chunk'), `seed ${seed}`);
  }
});

test('whatever the order, chunks and gaps together are one rising sequence', () => {
  for (const seed of SEEDS) {
    const random = seeded(seed);
    const events = arrivals(random, 80, 3_000).filter(() => random() < 0.8);
    const out = play(new ChunkOrder(), events);
    const spans = out.map((item) => (item.kind === 'chunk' ? [item.index, item.index] : [item.from, item.to]));
    for (const [position, [from, to]] of spans.entries()) {
      assert.ok(from <= to, `seed ${seed}`);
      assert.ok(position === 0 || from === spans[position - 1][1] + 1, `seed ${seed} at ${position}`);
    }
    assert.equal(new Set(numbers(out)).size, numbers(out).length, `seed ${seed}`);
  }
});

test('a chunk comes out with its own value', () => {
  const out = play(new ChunkOrder(), arrivals(seeded(7), 30, 100));
  assert.ok(out.every((item) => item.value === `chunk ${item.index}`));
});

test('a missing chunk delays the others by at most the wait', () => {
  const order = new ChunkOrder({ startWait: 0 });
  assert.deepEqual(numbers(order.push(5, 'five', 0)), [5]);
  assert.deepEqual(order.push(7, 'seven', 100), []);
  assert.equal(order.deadline, 100 + ORDER_DEFAULTS.maxWait);
  assert.deepEqual(order.due(order.deadline - 1), []);
  const gap = { kind: 'gap', from: 6, to: 6 };
  assert.deepEqual(order.due(100 + ORDER_DEFAULTS.maxWait), [gap, { kind: 'chunk', index: 7, value: 'seven' }]);
  assert.deepEqual(order.push(6, 'late', 2_000), []);
});

test('a chunk that comes again does not prolong the wait', () => {
  const order = new ChunkOrder({ startWait: 0 });
  order.push(5, 'five', 0);
  order.push(7, 'seven', 100);
  assert.deepEqual(order.push(7, 'seven again', 300), []);
  const chunk = { kind: 'chunk', index: 7, value: 'seven' };
  assert.deepEqual(order.due(100 + ORDER_DEFAULTS.maxWait), [{ kind: 'gap', from: 6, to: 6 }, chunk]);
});

test('waiting chunks are bounded', () => {
  for (const seed of SEEDS) {
    const random = seeded(seed);
    const order = new ChunkOrder({ maxHeld: 8, maxWait: Infinity, startWait: 0 });
    order.push(0, '', 0);
    let out = 0;
    for (let sent = 1; sent <= 500; sent += 1) {
      const index = 2 + Math.floor(random() * 60);
      out += order.push(index, '', sent).length;
    }
    // 60 different chunks came: all but eight are out, whatever the order.
    assert.ok(out > 0, `seed ${seed}`);
    assert.ok(order.due(1_000).length <= 8, `seed ${seed}`);
  }
});

test('a speaker who starts over is heard at once, with higher or lower numbers', () => {
  for (const restart of [50_000, 3]) {
    const order = new ChunkOrder({ startWait: 0 });
    assert.deepEqual(numbers(order.push(1_000, 'old', 0)), [1_000]);
    assert.deepEqual(numbers(order.push(1_002, 'waits', 10)), []);
    const out = order.push(restart, 'new', 20);
    assert.deepEqual(numbers(out), [1_002, restart]);
    assert.deepEqual(order.push(1_001, 'late chunk of the old stream', 30), []);
    assert.deepEqual(numbers(order.push(restart + 1, 'new', 40)), [restart + 1]);
  }
});

test('numbers that are none are ignored', () => {
  const order = new ChunkOrder({ startWait: 0 });
  for (const index of [NaN, -1, 1.5, Infinity, '3', null, undefined]) {
    assert.deepEqual(order.push(index, '', 0), []);
  }
  assert.equal(order.deadline, null);
});
