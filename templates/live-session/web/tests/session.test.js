import assert from 'node:assert/strict';
import { test } from 'node:test';

import { CloseCode } from '../client/closes.js';
import { ORDER_DEFAULTS } from '../client/order.js';
import { LiveSession } from '../client/session.js';
import { World } from './fakes.js';
import { audio, indices, listener, start } from './sessions.js';

test('a speaker connects with a ticket and reports the state', async () => {
  const world = new World();
  const { session } = await start(world);
  assert.equal(world.requests[0].headers.authorization, 'Bearer token');
  assert.equal(world.requests[0].body, '{"role":"speaker"}');
  assert.equal(world.socket.url.search, '?sessionId=merciful-truth-455-k7dq2m9x4hw3t&ticket=ticket-1');
  assert.deepEqual(world.socket.protocols, []);
  assert.equal(session.status.state, 'connecting');
  world.socket.open();
  assert.equal(session.status.state, 'open');
  assert.deepEqual(world.socket.sent, [
    { action: 'speakerStateChange', state: { isPaused: false, isMuted: false, volume: 1 } },
  ]);
});

test('a listener needs no ticket, and joins to learn the name of the connection', async () => {
  const world = new World();
  await start(world, listener);
  assert.equal(world.requests.length, 0);
  assert.equal(world.socket.url.search, '?sessionId=merciful-truth-455-k7dq2m9x4hw3t&targetLanguage=de');
  world.socket.open();
  assert.deepEqual(world.socket.actions(), ['joinSession']);
});

test('a token goes into the subprotocols and not into the URL', async () => {
  const world = new World();
  await start(world, { credentials: 'token' });
  assert.deepEqual(world.socket.protocols, ['bearer', 'token']);
  assert.ok(!world.socket.url.href.includes('token'));
});

test('each attempt has a ticket of its own, and a later token after a refusal', async () => {
  const world = new World();
  const renewals = [];
  const token = async (renew) => {
    renewals.push(renew);
    return renew ? 'new' : 'old';
  };
  await start(world, { token });
  world.socket.end(1006);
  await world.clock.pass(20_000);
  world.socket.end(1006);
  await world.clock.pass(20_000);
  const tickets = world.sockets.map((socket) => socket.url.searchParams.get('ticket'));
  assert.deepEqual(tickets, ['ticket-1', 'ticket-2', 'ticket-3']);
  assert.equal(new Set(tickets).size, 3);

  const other = new World();
  await start(other, { token, credentials: 'token' });
  other.socket.end(1006);
  await other.clock.pass(20_000);
  assert.deepEqual(other.sockets.map((socket) => socket.protocols[1]), ['old', 'new']);
});

test('a refused token is renewed once before the client gives up', async () => {
  const world = new World();
  world.answer = () => ({ status: 401, body: { message: 'Unauthorized' } });
  const used = [];
  const token = async (renew) => {
    used.push(renew);
    return 'token';
  };
  const { session } = await start(world, { token });
  assert.deepEqual(used, [false, true]);
  assert.equal(session.status.state, 'closed');
  assert.equal(session.status.explanation.action, 'Sign in again.');
  await world.clock.pass(3_600_000);
  assert.equal(world.sockets.length, 0);
});

test('a request without an answer ends after ten seconds, and another one follows', async () => {
  // The server accepts the request, or begins an answer, and nothing more comes.
  const hanging = (signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  const answers = [(signal) => hanging(signal), async (signal) => ({ ok: true, status: 201, text: () => hanging(signal) })];
  for (const answer of answers) {
    const world = new World();
    const { fetch } = world.environment;
    world.environment.fetch = (_url, { signal }) => answer(signal);
    const { session } = await start(world);
    await world.clock.pass(9_999);
    assert.equal(session.status.state, 'connecting');
    await world.clock.pass(1);
    assert.equal(session.status.state, 'reconnecting');
    assert.match(session.status.explanation.summary, /did not answer/);
    world.environment.fetch = fetch;
    await world.clock.pass(1_000);
    world.socket.open();
    assert.equal(session.status.state, 'open');
    // The time for an answer ended with it.
    await world.clock.pass(20_000);
    assert.equal(session.status.state, 'open');
  }
});

test('a socket that cannot be opened does not end the attempts', async () => {
  const world = new World();
  const { openSocket } = world.environment;
  world.environment.openSocket = () => {
    throw new DOMException('insecure', 'SecurityError');
  };
  const { session } = await start(world, listener);
  assert.equal(session.status.state, 'reconnecting');
  world.environment.openSocket = openSocket;
  await world.clock.pass(1_000);
  world.socket.open();
  assert.equal(session.status.state, 'open');
});

test('lost connections are replaced after delays that double', async () => {
  const world = new World();
  const { events } = await start(world, listener);
  const delays = [];
  world.socket.open();
  world.socket.end(1006);
  for (let failure = 0; failure < 9; failure += 1) {
    const { retryAt } = events.status.at(-1);
    delays.push(retryAt - world.clock.time);
    await world.clock.pass(retryAt - world.clock.time);
    world.socket.open();
    world.socket.end(1006);
  }
  assert.deepEqual(delays, [375, 750, 1_500, 3_000, 6_000, 12_000, 22_500, 22_500, 22_500]);
});

test('a stable connection makes the next delay short again', async () => {
  const world = new World();
  const { events } = await start(world, listener);
  for (const age of [0, 0, 9_999, 10_000]) {
    world.socket.open();
    await world.clock.pass(age);
    world.socket.end(1006);
    world.lastDelay = events.status.at(-1).retryAt - world.clock.time;
    await world.clock.pass(world.lastDelay);
  }
  assert.equal(world.lastDelay, 375);
});

test('the reason of a failed handshake is looked up', async () => {
  const cases = [
    [{ status: 404, body: { error: { code: 'NO_SESSION', message: 'x' } } }, 'closed', /does not exist/],
    [{ status: 200, body: { status: 'ended' } }, 'closed', /has ended/],
    [{ status: 200, body: { status: 'paused' } }, 'reconnecting', /paused/],
    [{ status: 200, body: { status: 'active' } }, 'reconnecting', /may be full/],
    [{ status: 429, body: {} }, 'reconnecting', /too many attempts/],
    [{ status: 0 }, 'reconnecting', /cannot be reached/],
    [{ status: 503, body: {} }, 'reconnecting', /could not be opened/],
  ];
  for (const [answer, state, summary] of cases) {
    const world = new World();
    world.answer = () => answer;
    const { session } = await start(world, listener);
    world.socket.end(1006);
    await world.clock.pass(0);
    assert.equal(session.status.state, state);
    assert.match(session.status.explanation.summary, summary);
  }
});

test('the server\'s own delay is kept', async () => {
  const world = new World();
  world.answer = () => ({ status: 429, body: {}, headers: { 'retry-after': '90' } });
  const { session } = await start(world);
  assert.equal(session.status.retryAt - world.clock.time, 90_000);
});

test('a connection that the server removed is not opened again', async () => {
  const world = new World();
  const { session } = await start(world, listener);
  world.socket.open();
  world.socket.end(1000, 'Connection Closed Normally');
  assert.equal(session.status.state, 'closed');
  assert.equal(session.status.explanation.code, 1000);
  await world.clock.pass(3_600_000);
  assert.equal(world.sockets.length, 1);
  session.connect();
  await world.clock.pass(0);
  assert.equal(world.sockets.length, 2);
});

test('heartbeats are sent, and a silent server is left', async () => {
  const world = new World();
  const { session, events } = await start(world, listener);
  const first = world.socket;
  first.open();
  await world.clock.pass(30_000);
  assert.deepEqual(first.actions(), ['joinSession', 'heartbeat']);
  first.receive({ type: 'heartbeatAck', timestamp: 1 });
  await world.clock.pass(39_999);
  assert.equal(session.status.state, 'open');
  await world.clock.pass(1);
  assert.deepEqual(first.closes, [[CloseCode.SILENT, 'no answer to a heartbeat']]);
  assert.equal(events.close[0].code, CloseCode.SILENT);
  assert.equal(session.status.state, 'reconnecting');
  assert.deepEqual(events.message, []);
});

test('an answer that waited while the computer slept is read first', async () => {
  const world = new World();
  const { session } = await start(world, listener);
  world.socket.open();
  await world.clock.pass(30_000);
  world.clock.sleep(3_600_000);
  await world.clock.pass(0);
  assert.equal(session.status.state, 'open');
  world.socket.receive({ type: 'heartbeatAck', timestamp: 1 });
  await world.clock.pass(10_000);
  assert.equal(session.status.state, 'open');
});

test('a handshake without an answer is given up', async () => {
  const world = new World();
  const { session } = await start(world, listener);
  await world.clock.pass(30_000);
  assert.deepEqual(world.socket.closes, [[CloseCode.TIMED_OUT, 'handshake timed out']]);
  assert.equal(session.status.state, 'reconnecting');
});

test('what an old socket still reports is ignored', async () => {
  const world = new World();
  const { session, events } = await start(world, listener);
  const old = world.socket;
  old.open();
  await world.clock.pass(40_000);
  await world.clock.pass(1_000);
  assert.equal(world.sockets.length, 2);
  world.socket.open();
  const before = JSON.stringify(events);
  old.receive(audio(5));
  old.receive({ type: 'sessionEnded', sessionId: 's', timestamp: 1 });
  old.receive({ type: 'error', code: 'NOT_IN_SESSION', message: 'x', timestamp: 1 });
  old.open();
  old.end(1006);
  assert.equal(JSON.stringify(events), before);
  assert.equal(session.status.state, 'open');
});

test('leaving closes with a code and a reason, in every state', async () => {
  const world = new World();
  const { session } = await start(world, listener);
  session.leave();
  assert.deepEqual(world.socket.closes, [[1000, 'user left']]);
  world.socket.open();
  world.socket.end(1006);
  await world.clock.pass(3_600_000);
  assert.equal(world.sockets.length, 1);
  assert.equal(session.status.state, 'closed');

  const early = new World();
  const speaker = await start(early);
  speaker.session.leave();
  await early.clock.pass(3_600_000);
  assert.equal(early.sockets.filter((socket) => socket.closes.length === 0).length, 0);
});

test('a ticket that comes after leaving opens nothing', async () => {
  const world = new World();
  const session = new LiveSession({
    websocketUrl: 'wss://a/b', httpUrl: 'https://a', sessionId: 's', role: 'speaker', token: async () => 't', environment: world.environment,
  });
  session.connect();
  session.leave();
  await world.clock.pass(60_000);
  assert.equal(world.sockets.length, 0);
});

test('an ended session closes the connection and stays ended', async () => {
  const world = new World();
  const { session, events } = await start(world, listener);
  world.socket.open();
  world.socket.receive({ type: 'sessionEnded', sessionId: 's', reason: 'done', timestamp: 1 });
  assert.deepEqual(world.socket.closes, [[1000, 'session ended']]);
  assert.equal(session.status.state, 'ended');
  assert.equal(session.status.explanation.summary, 'The session has ended: done.');
  session.leave();
  await world.clock.pass(3_600_000);
  assert.equal(session.status.state, 'ended');
  assert.equal(world.sockets.length, 1);
  assert.equal(events.message.at(-1).type, 'sessionEnded');
});

test('a connection without a record is replaced', async () => {
  const world = new World();
  await start(world, listener);
  const first = world.socket;
  first.open();
  first.receive({ type: 'error', code: 'NOT_IN_SESSION', message: 'x', timestamp: 1 });
  assert.equal(first.closes[0][0], CloseCode.NO_RECORD);
  await world.clock.pass(1_000);
  assert.equal(world.sockets.length, 2);
});

test('chunks are ordered, and error frames of API Gateway are passed on', async () => {
  const world = new World();
  const { events } = await start(world, listener);
  world.socket.open();
  for (const index of [101, 100, 100, 103, 102, 101]) {
    world.socket.receive(audio(index));
  }
  await world.clock.pass(200);
  assert.deepEqual(indices(events), [100, 101, 102, 103]);
  world.socket.receive(audio(105));
  await world.clock.pass(ORDER_DEFAULTS.maxWait);
  assert.deepEqual(events.gap, [{ from: 104, to: 104 }]);
  assert.deepEqual(indices(events), [100, 101, 102, 103, 105]);
  world.socket.receive('{"message": "Internal server error", "connectionId":"a=", "requestId":"b="}');
  assert.deepEqual(events.gatewayError, [{ message: 'Internal server error' }]);
});

test('chunks wait for a lost connection, but not long', async () => {
  const world = new World();
  const { session, events } = await start(world);
  world.socket.open();
  world.socket.end(1006);
  for (let index = 0; index < 6; index += 1) {
    session.sendChunk(new Uint8Array(200), 'pcm');
  }
  await world.clock.pass(1_000);
  world.socket.open();
  const chunks = world.socket.sent.filter((message) => message.action === 'sendAudio');
  assert.equal(chunks.length, 4);
  assert.equal(chunks[3].chunkIndex - chunks[0].chunkIndex, 3);
  assert.deepEqual(events.dropped, [{ dropped: 1 }, { dropped: 2 }]);
});

test('a chunk fits into one frame, with all fields', async () => {
  const world = new World();
  const { session } = await start(world);
  world.socket.open();
  session.sendChunk(new Uint8Array(24_000).fill(255), 'x'.repeat(64));
  const text = JSON.stringify(world.socket.sent.at(-1));
  assert.ok(text.length <= 32 * 1024, `${text.length} bytes`);
  assert.throws(() => session.sendChunk(new Uint8Array(24_001), 'pcm'), RangeError);
  assert.throws(() => session.sendChunk(new Uint8Array(99), 'pcm'), RangeError);
});

test('a paused or muted speaker sends no audio, and a new connection learns the state', async () => {
  const world = new World();
  const { session } = await start(world);
  world.socket.open();
  session.pause();
  session.sendChunk(new Uint8Array(200), 'pcm');
  assert.deepEqual(world.socket.actions(), ['speakerStateChange', 'pauseBroadcast']);
  world.socket.end(1006);
  session.mute();
  session.setVolume(0.5);
  await world.clock.pass(1_000);
  world.socket.open();
  assert.deepEqual(world.socket.sent[0].state, { isPaused: true, isMuted: true, volume: 0.5 });
  session.resume();
  session.unmute();
  session.sendChunk(new Uint8Array(200), 'pcm');
  assert.deepEqual(world.socket.actions().slice(1), ['resumeBroadcast', 'unmuteBroadcast', 'sendAudio']);
});

test('a page that is loaded again is another stream for listeners', async () => {
  // Two seconds and two minutes, at the highest rate.
  for (const count of [8, 480]) {
    const world = new World();
    const first = await start(world);
    world.socket.open();
    for (let sent = 0; sent < count; sent += 1) {
      first.session.sendChunk(new Uint8Array(200), 'pcm');
      await world.clock.pass(250);
      world.socket.receive({ type: 'heartbeatAck', timestamp: 1 });
    }
    const last = world.socket.sent.findLast((message) => message.action === 'sendAudio').chunkIndex;
    first.session.leave();
    const second = await start(world);
    world.socket.open();
    second.session.sendChunk(new Uint8Array(200), 'pcm');
    assert.ok(world.socket.sent.at(-1).chunkIndex > last + ORDER_DEFAULTS.restartDistance);
  }
});

test('a language that is chosen while disconnected is used by the next connection', async () => {
  const world = new World();
  const { session } = await start(world, listener);
  world.socket.open();
  world.socket.end(1006);
  session.setLanguage('fr');
  await world.clock.pass(1_000);
  assert.equal(world.socket.url.searchParams.get('targetLanguage'), 'fr');
});
