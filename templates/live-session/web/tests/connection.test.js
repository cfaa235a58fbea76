import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Connection, CONNECTION_DEFAULTS } from '../client/connection.js';
import { World } from './fakes.js';

function open(world) {
  const events = [];
  const record = (name) => (detail) => events.push([name, detail]);
  const callbacks = { opened: record('opened'), received: record('received'), failed: record('failed'), ended: record('ended') };
  const address = { url: 'wss://api.example.com/prod', protocols: [] };
  return { connection: new Connection(world.environment, address, CONNECTION_DEFAULTS, callbacks), events };
}

test('a closed connection reports nothing more', async () => {
  const world = new World();
  const { connection, events } = open(world);
  world.socket.open();
  connection.close(1000, 'left');
  world.socket.receive({ type: 'heartbeatAck', timestamp: 1 });
  world.socket.end(1000, 'left');
  connection.close(4000, 'again');
  connection.send('{}');
  await world.clock.pass(3_600_000);
  assert.deepEqual(events.map(([name]) => name), ['opened']);
  assert.deepEqual(world.socket.closes, [[1000, 'left']]);
  assert.deepEqual(world.socket.sent, []);
});

test('a close without a code or a reason is refused, and the connection stays', () => {
  const world = new World();
  const { connection } = open(world);
  world.socket.open();
  const wrong = [[], [undefined, 'x'], [1000], [1000, ''], [1001, 'x'], [1005, 'x'], [1006, 'x'], [5000, 'x'], [3000.5, 'x']];
  for (const parameters of [...wrong, [1000, 'ä'.repeat(62)]]) {
    assert.throws(() => connection.close(...parameters), RangeError);
  }
  assert.ok(connection.isOpen);
  assert.deepEqual(world.socket.closes, []);
});

test('the end of a connection has its age and the time without messages', async () => {
  const world = new World();
  const { events } = open(world);
  await world.clock.pass(500);
  world.socket.open();
  await world.clock.pass(30_000);
  world.socket.receive({ type: 'heartbeatAck', timestamp: 1 });
  await world.clock.pass(2_000);
  world.socket.end(1006);
  assert.deepEqual(events.at(-1), [
    'ended',
    { code: 1006, reason: '', opened: true, age: 32_000, idle: 2_000, by: 'other' },
  ]);
});
