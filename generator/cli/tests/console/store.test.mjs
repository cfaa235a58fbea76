// The console's store of connections.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Store, caller } from '../../../gateway/src/gateway/console/web/store.js';

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

test('a chatty connection costs the quiet ones nothing', () => {
  const store = filled(connected('chatty'));
  for (let number = 0; number < 60_000; number += 1) {
    store.add(message('chatty'));
  }
  for (let number = 0; number < 300; number += 1) {
    store.add(connected(`c${number}`));
    store.add(message(`c${number}`));
  }
  for (let number = 0; number < 70_000; number += 1) {
    store.add(message('chatty'));
  }
  const { entries, forgotten } = store.connections.get('chatty');
  assert.deepEqual([entries.length, entries[0].event, entries.at(-1).id], [300, 'connected', last]);
  assert.equal(forgotten, 130_001 - 300);
  for (let number = 0; number < 300; number += 1) {
    assert.equal(store.connections.get(`c${number}`).entries.length, 2);
  }
});

test('no more events of all connections are kept than their number allows', () => {
  const store = filled();
  for (let number = 0; number < 400; number += 1) {
    store.add(connected(`c${number}`));
    for (let each = 0; each < 250; each += 1) {
      store.add(message(`c${number}`));
    }
  }
  const counts = [...store.connections.values()].map(({ entries }) => entries.length);
  assert.equal(counts.reduce((sum, count) => sum + count), 60_000 + 400);
  assert.deepEqual([counts[0], counts.at(-1)], [1, 251], 'the oldest are dropped, and handshakes stay');
});

test('handshakes are kept within the memory', () => {
  const store = filled();
  for (let number = 0; number < 20_000; number += 1) {
    const handshake = { authorizer: { event: { headers: { 'x-long': 'x'.repeat(4_000) } } } };
    store.add({ ...connected(`c${number}`), handshake });
    store.add(message(`c${number}`));
  }
  const all = [...store.connections.values()];
  const size = JSON.stringify(all.flatMap(({ entries }) => entries.map(({ handshake }) => handshake))).length;
  assert.ok(size <= 40_000_000 && size > 30_000_000, `${size}`);
  assert.deepEqual(all.map(({ entries }) => entries.length).filter((count) => count === 0), [], 'messages stay');
  const { stage, principal, entries, forgotten } = all[0];
  assert.deepEqual([stage, principal, entries[0].event, forgotten], ['prod', 'ada', 'message', 1]);
});

test('events of forgotten connections take no memory', () => {
  const store = filled();
  for (let number = 0; number < 25_000; number += 1) {
    store.add(connected(`c${number}`));
    store.add(message(`c${number}`, 'x'.repeat(2_500)));
    store.add(closed(`c${number}`));
  }
  for (let number = 0; number < 20_000; number += 1) {
    store.add(connected(`d${number}`));
  }
  for (let number = 0; number < 15_000; number += 1) {
    store.add(message(`d${number}`, 'x'.repeat(2_000)));
  }
  const counts = [...store.connections.values()].map(({ entries }) => entries.length);
  assert.equal(counts.reduce((sum, count) => sum + count), 35_000, 'there is room for all of them');
});

test('an end whose beginning is forgotten does not open a connection', () => {
  const store = filled(message('c'), event('disconnected', 'c', { call: null }), event('disconnectFailed', 'c', { reason: '' }));
  assert.deepEqual([store.connections.size, store.open], [0, 0]);
  store.add({ ...closed('c'), at: 90_000, ageMillis: 60_000 });
  const connection = store.connections.get('c');
  assert.deepEqual([connection.state, connection.since, caller(connection)], ['closed', 30_000, 'unknown']);
  assert.deepEqual([store.open, store.find('unknown').length, store.find('anonymous').length], [0, 1, 0]);
});

test('a search finds what has changed', () => {
  const store = filled(connected('c'));
  assert.deepEqual([store.find('open').length, store.find('closed').length], [1, 0]);
  store.add(closed('c'));
  assert.deepEqual([store.find('open').length, store.find('closed').length], [0, 1]);
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
