// The console's store of connections.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Store } from '../../../gateway/src/gateway/console/web/store.js';

const RUN = { event: 'started', run: 'one' };

let last = 0;

function event(kind, connection, fields = {}) {
  last += 1;
  return { id: last, at: last, event: kind, connection, ...fields };
}

function connected(connection) {
  return event('connected', connection, { api: 'a', stage: 'prod', principal: 'ada' });
}

function closed(connection) {
  return event('closed', connection, { code: 1005, reason: '', meaning: 'closed bare', row: 'M16' });
}

function message(connection, body = '{}') {
  return event('message', connection, { outcome: { kind: 'taken' }, body, answer: null });
}

function filled(...events) {
  const store = new Store();
  store.add(RUN);
  events.forEach((one) => store.add(one));
  return store;
}

test('ended connections are forgotten first', () => {
  const store = filled(connected('old'), connected('ended'), closed('ended'));
  for (let number = 0; number < 19_999; number += 1) {
    store.add(connected(`c${number}`));
  }
  assert.equal(store.connections.size, 20_000);
  assert.ok(store.connections.has('old'), 'it is still open');
  assert.ok(!store.connections.has('ended'));
  assert.equal(store.open, 20_000);
});

test('a connection keeps its handshake and its latest events', () => {
  const store = filled(connected('c'));
  for (let number = 0; number < 1_000; number += 1) {
    store.add(message('c'));
  }
  const { entries, forgotten, received } = store.connections.get('c');
  assert.equal(entries.length, 300);
  assert.equal(entries[0].event, 'connected');
  assert.equal(entries.at(-1).id, last);
  assert.deepEqual([forgotten, received], [701, 1_000]);
});

test('large frames are forgotten before the memory is full', () => {
  const store = filled();
  for (let number = 0; number < 100; number += 1) {
    store.add(connected(`c${number}`));
    for (let each = 0; each < 10; each += 1) {
      store.add(message(`c${number}`, 'x'.repeat(120_000)));
    }
  }
  const kept = [...store.connections.values()].flatMap(({ entries }) => entries);
  const size = kept.reduce((sum, { body }) => sum + (body?.length ?? 0), 0);
  assert.ok(size <= 40_000_000 && size > 30_000_000, `${size}`);
});

test('events that come again after a reconnect are counted once', () => {
  const first = connected('c');
  const again = message('c');
  const store = filled(first, again);
  store.add(RUN);
  store.add(again);
  assert.equal(store.connections.get('c').received, 1);
});

test('another run of the gateway starts from the beginning', () => {
  const store = filled(connected('c'));
  store.add({ event: 'dropped', count: 3 });
  assert.equal(store.dropped, 3);
  store.add({ event: 'started', run: 'two' });
  assert.deepEqual([store.connections.size, store.open, store.dropped], [0, 0, 0]);
  store.add({ ...connected('d'), id: 1 });
  assert.ok(store.connections.has('d'));
});

test('a post during the handshake belongs to the connection, and one to nobody to none', () => {
  const store = filled(
    event('posted', 'c', { bytes: 1, body: 'x', status: 200 }),
    connected('c'),
    event('posted', 'gone', { bytes: 1, body: 'x', status: 410 }),
  );
  assert.deepEqual([...store.connections.keys()], ['c']);
  const { sent, principal } = store.connections.get('c');
  assert.deepEqual([sent, principal], [1, 'ada']);
});

test('all words of a search are found, and the latest connection comes first', () => {
  const store = filled(connected('one'), connected('two'), closed('two'), connected('three'));
  assert.deepEqual(store.find('').map(({ id }) => id), ['three', 'two', 'one']);
  assert.deepEqual(store.find('1005 ADA').map(({ id }) => id), ['two']);
  assert.deepEqual(store.find('1005 bob'), []);
});
