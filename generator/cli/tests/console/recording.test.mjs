// Recorded connections as they are replayed.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { frames, handshake } from '../../../gateway/src/gateway/console/web/recording.js';

const QUERY = { kind: 'query', name: 'token' };
const PROTOCOL = { kind: 'protocol', name: 'bearer' };

function recorded(query, headers, principal = 'ada') {
  const pairs = (values) => values.map(([name, value]) => ({ name, value }));
  return { principal, entries: [{ event: 'connected', handshake: { query: pairs(query), headers: pairs(headers) } }] };
}

const message = (body, at) => ({ event: 'message', body, at });

test('frames keep their order and, if wanted, their pauses', () => {
  const entries = [{ event: 'connected', at: 0 }, message('a', 1_000), { event: 'posted', body: 'x', at: 1_100 }, message('b', 1_300), message('c', 900_000)];
  const paced = [{ body: 'a', pause: 0 }, { body: 'b', pause: 300 }, { body: 'c', pause: 60_000 }];
  assert.deepEqual(frames({ entries }, true), paced);
  assert.deepEqual(frames({ entries }, false).map(({ pause }) => pause), [0, 0, 0]);
});

test('a frame with a masked token is not replayed', () => {
  const entries = [message('a', 1), message('{"jwt":"****"}', 2)];
  assert.throws(() => frames({ entries }, true), /a token in frame 2 is masked/);
});

test('a new token takes the place of the masked one', () => {
  assert.deepEqual(handshake(recorded([['room', '1'], ['token', '****']], [['Host', 'x']]), QUERY), {
    query: [{ name: 'room', value: '1' }, { name: 'token', value: '****' }],
    protocols: [],
    needsToken: true,
  });
  const offered = [['Sec-WebSocket-Protocol', 'bearer'], ['sec-websocket-protocol', '****']];
  assert.deepEqual(handshake(recorded([], offered), PROTOCOL).protocols, ['bearer', '****']);
  assert.deepEqual(handshake(recorded([], [['sec-websocket-protocol', 'chat, v2']]), PROTOCOL).protocols, ['chat', 'v2']);
  assert.equal(handshake(recorded([['room', '1']], [], null), QUERY).needsToken, false);
  const prefixed = handshake(recorded([['token', 'Bearer ****']], []), QUERY);
  assert.deepEqual(prefixed.query, [{ name: 'token', value: 'Bearer ****' }]);
  assert.ok(prefixed.needsToken);
  assert.ok(handshake(recorded([], [['sec-websocket-protocol', 'bearer.****']]), PROTOCOL).needsToken);
  const cookie = handshake(recorded([['room', '1']], [['Cookie', '****']]), QUERY);
  assert.equal(cookie.needsToken, false, 'the browser sends its own cookies');
});

test('other masked values, and tokens of nobody, are errors', () => {
  assert.throws(() => handshake(recorded([['ticket', '****']], []), QUERY), /the parameter ticket is masked/);
  assert.throws(() => handshake(recorded([['ticket', 'Bearer ****']], []), QUERY), /the parameter ticket is masked/);
  assert.throws(() => handshake(recorded([['token', '****']], []), PROTOCOL), /the parameter token is masked/);
  assert.throws(() => handshake(recorded([['****', '']], []), QUERY), /the name of a parameter is masked/);
  assert.throws(() => handshake(recorded([], [['Authorization', '****']]), QUERY), /the header Authorization is masked/);
  assert.throws(() => handshake(recorded([], [['X-Auth', 'Bearer ****']]), PROTOCOL), /the header X-Auth is masked/);
  assert.throws(() => handshake(recorded([['token', '****']], [['Sec-WebSocket-Protocol', 'chat, ****']]), QUERY), /a subprotocol is masked/);
  assert.throws(() => handshake(recorded([['token', '****']], [], null), QUERY), /no principal/);
  assert.throws(() => handshake({ principal: 'ada', entries: [] }, QUERY), /no longer known/);
});
