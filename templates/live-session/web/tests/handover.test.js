import assert from 'node:assert/strict';
import { test } from 'node:test';

import { CloseCode } from '../client/closes.js';
import { seeded, World } from './fakes.js';
import { audio, complete, indices, joined, listener, refreshRequired, start } from './sessions.js';

/** Opens a listener's connection and starts its handover. */
async function handingOver(world, options = listener) {
  const started = await start(world, options);
  const old = world.socket;
  old.open();
  old.receive(joined('old='));
  old.receive(refreshRequired('old='));
  await world.clock.pass(0);
  return { ...started, old, successor: world.socket };
}

test('a handover opens the new connection first and closes the old one last', async () => {
  const world = new World();
  const { session, old, successor } = await handingOver(world);
  assert.notEqual(old, successor);
  assert.equal(successor.url.searchParams.get('previousConnectionId'), 'old=');
  assert.ok(session.status.handingOver);
  successor.open();
  await world.clock.pass(999);
  assert.deepEqual(successor.sent, []);
  await world.clock.pass(1);
  assert.deepEqual(successor.sent, [{
    action: 'refreshConnection',
    sessionId: 'merciful-truth-455-k7dq2m9x4hw3t',
    role: 'listener',
    targetLanguage: 'de',
    previousConnectionId: 'old=',
  }]);
  assert.deepEqual(old.closes, []);
  successor.receive(complete);
  await world.clock.pass(1_999);
  assert.deepEqual(old.closes, []);
  await world.clock.pass(1);
  assert.deepEqual(old.closes, [[CloseCode.HANDED_OVER, 'handed over to a new connection']]);
  assert.equal(session.status.state, 'open');
  assert.ok(!session.status.handingOver);
  await world.clock.pass(29_000);
  assert.equal(successor.actions().at(-1), 'heartbeat');
});

test('nothing is missed and nothing comes twice in a handover, whatever the order of arrivals', async () => {
  for (let seed = 1; seed <= 60; seed += 1) {
    const [world, random] = [new World(), seeded(seed)];
    const { events, old, successor } = await handingOver(world);
    // Chunks that the server posts before the replacement reach the old connection, those after the new one's handshake
    // reach that, and those in between both.
    const [opens, replaced] = [10, 20];
    const deliveries = [];
    for (let index = 0; index < 30; index += 1) {
      const posted = index * 250;
      const arrives = () => posted + random() * 400;
      if (index < replaced) {
        deliveries.push({ at: arrives(), socket: old, index });
      }
      if (index >= opens) {
        deliveries.push({ at: arrives() + 10, socket: successor, index });
      }
    }
    deliveries.push({ at: opens * 250, open: true }, { at: replaced * 250, complete: true });
    deliveries.sort((one, other) => one.at - other.at);
    // The stream has a beginning that arrives in order.
    old.receive(audio(999));
    await world.clock.pass(200);
    let time = 0;
    for (const delivery of deliveries) {
      await world.clock.pass(delivery.at - time);
      time = delivery.at;
      if (delivery.open) {
        successor.open();
      } else if (delivery.complete) {
        successor.receive(complete);
      } else {
        delivery.socket.receive(audio(1_000 + delivery.index));
      }
    }
    await world.clock.pass(5_000);
    assert.deepEqual(indices(events), Array.from({ length: 31 }, (_, index) => 999 + index), `seed ${seed}`);
    assert.deepEqual(events.gap, [], `seed ${seed}`);
    assert.equal(old.closes[0][0], CloseCode.HANDED_OVER);
  }
});

test('a speaker sends each chunk on one connection, and on the new one from its handshake on', async () => {
  const world = new World();
  const { session, old, successor } = await handingOver(world, {});
  const chunks = (socket) => socket.sent.filter((message) => message.action === 'sendAudio');
  session.sendChunk(new Uint8Array(200), 'pcm');
  successor.open();
  session.sendChunk(new Uint8Array(200), 'pcm');
  await world.clock.pass(1_000);
  successor.receive(complete);
  session.sendChunk(new Uint8Array(200), 'pcm');
  await world.clock.pass(10_000);
  const first = chunks(old)[0].chunkIndex;
  assert.deepEqual(chunks(old).map((chunk) => chunk.chunkIndex), [first]);
  assert.deepEqual(chunks(successor).map((chunk) => chunk.chunkIndex), [first + 1, first + 2]);
});

test('messages that both connections receive are reported once, and late answers to the old one not at all', async () => {
  const world = new World();
  const { events, old, successor } = await handingOver(world);
  successor.open();
  const paused = { type: 'broadcastPaused', timestamp: 7 };
  old.receive(paused);
  successor.receive(paused);
  await world.clock.pass(1_000);
  successor.receive(complete);
  const count = events.message.length;
  old.receive({ type: 'error', code: 'NOT_IN_SESSION', message: 'x', timestamp: 1 });
  old.receive(refreshRequired('old='));
  assert.equal(events.message.length, count);
  assert.equal(events.message.filter((message) => message.type === 'broadcastPaused').length, 1);
  await world.clock.pass(3_000);
  assert.equal(world.sockets.length, 2);
  // Later the same message is news again.
  successor.receive(paused);
  assert.equal(events.message.length, count + 1);
});

test('if the old connection ends during a handover, the new one is used at once', async () => {
  const world = new World();
  const { session, events, old, successor } = await handingOver(world);
  successor.open();
  old.end(1001, 'Going away');
  assert.equal(session.status.state, 'open');
  assert.equal(events.close[0].code, 1001);
  session.setLanguage('fr');
  assert.equal(successor.actions().at(-1), 'changeLanguage');
  await world.clock.pass(20_000);
  assert.equal(world.sockets.length, 2);
});

test('if the old connection ends before the new one is open, the attempt goes on', async () => {
  const world = new World();
  const { session, old, successor } = await handingOver(world);
  old.end(1006);
  assert.equal(session.status.state, 'reconnecting');
  successor.open();
  assert.equal(session.status.state, 'open');
  assert.deepEqual(successor.actions(), ['joinSession']);
  await world.clock.pass(20_000);
  assert.equal(world.sockets.length, 2);
});

test('a failed handover keeps the old connection and is tried again', async () => {
  const world = new World();
  const { session, old, successor } = await handingOver(world);
  successor.end(1006);
  await world.clock.pass(0);
  assert.equal(session.status.state, 'open');
  assert.deepEqual(old.closes, []);
  await world.clock.pass(10_000);
  assert.equal(world.sockets.length, 3);
});

test('a handover that cannot succeed says why, and is tried again with another token only', async () => {
  const world = new World();
  let token = 'token';
  const { answer } = world;
  const { session } = await start(world, { token: async () => token });
  const old = world.socket;
  old.open();
  world.answer = () => ({ status: 403, body: { error: { code: 'NOT_OWNER', message: 'x' } } });
  const ask = async () => {
    old.receive(refreshRequired('old='));
    await world.clock.pass(5_000);
  };
  await ask();
  const { state, explanation, handingOver: isHandingOver } = session.status;
  assert.deepEqual([state, isHandingOver], ['open', false]);
  assert.match(explanation.summary, /belongs to another user/);
  const requests = world.requests.length;
  await ask();
  await ask();
  assert.equal(requests, 2);
  assert.equal(world.requests.length, requests);
  assert.deepEqual(old.closes, []);
  world.answer = answer;
  token = 'another';
  await ask();
  assert.ok(world.requests.length > requests);
  const successor = world.socket;
  assert.notEqual(successor, old);
  successor.open();
  await world.clock.pass(1_000);
  successor.receive(complete);
  assert.equal(session.status.explanation, null);
  await world.clock.pass(2_000);
  assert.equal(old.closes[0][0], CloseCode.HANDED_OVER);
});

test('a new connection that the server refuses is closed, and the old one stays', async () => {
  const world = new World();
  const { session, events, old, successor } = await handingOver(world);
  successor.open();
  successor.receive({ type: 'error', code: 'OTHER_ROLE', message: 'x', timestamp: 1 });
  assert.equal(successor.closes[0][0], CloseCode.NOT_REPLACED);
  assert.equal(events.close.at(-1).code, CloseCode.NOT_REPLACED);
  assert.equal(session.status.state, 'open');
  assert.deepEqual(old.closes, []);
});

test('a new connection that is lost after the replacement closes the old one and reconnects', async () => {
  const world = new World();
  const { session, old, successor } = await handingOver(world);
  successor.open();
  await world.clock.pass(1_000);
  successor.receive(complete);
  successor.end(1006);
  assert.equal(old.closes[0][0], CloseCode.HANDED_OVER);
  assert.equal(session.status.state, 'reconnecting');
  await world.clock.pass(1_000);
  assert.equal(world.sockets.length, 3);
});

test('without an answer to the request, the old connection is replaced all the same', async () => {
  const world = new World();
  const { old, successor } = await handingOver(world);
  successor.open();
  await world.clock.pass(11_000 + 2_000);
  assert.equal(old.closes[0][0], CloseCode.HANDED_OVER);
});

test('a connection is replaced before two hours although nobody asks for it', async () => {
  for (const randomness of [0, 0.999]) {
    const world = new World();
    world.randomness = randomness;
    await start(world, listener);
    world.socket.open();
    for (let minute = 0; minute < 110; minute += 1) {
      await world.clock.pass(30_000);
      world.sockets[0].receive({ type: 'heartbeatAck', timestamp: 1 });
      await world.clock.pass(30_000);
      world.sockets[0].receive({ type: 'heartbeatAck', timestamp: 1 });
    }
    assert.ok(world.sockets.length >= 2);
    assert.ok(world.clock.time - 1_000_000 < 2 * 3_600_000);
  }
});
