// Attacks on the console: by a browser without its link, by pages of other origins, and by DNS rebinding.

import assert from 'node:assert/strict';
import { createServer, request } from 'node:http';

const PATHS = ['console/', 'console/main.js', 'console/apis', 'console/rows/A2', 'console/stack', 'console/functions/talk', 'console/tables/rooms', 'events', 'state', 'tokens'];

/** Sends a request with these headers, and returns its status and its body. */
function send(settings, path, headers, body) {
  const { hostname, port } = new URL(settings.endpoint);
  const method = body === undefined ? 'GET' : 'POST';
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path: `/_stackgen/${path}`, method, headers }, (response) => {
      let text = '';
      response.on('data', (data) => {
        text += data;
        if (path === 'events') {
          response.destroy();
          resolve({ status: response.statusCode, text });
        }
      });
      response.on('end', () => resolve({ status: response.statusCode, text, headers: response.headers }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** A page without the key gets nothing. */
async function withoutKey(settings) {
  for (const path of PATHS) {
    const { status, text } = await send(settings, path, {}, path === 'tokens' ? '{}' : undefined);
    assert.equal(status, 403, path);
    assert.ok(!text.includes('talk'), path);
  }
  const { status } = await send(settings, 'console/open?code=guess', {});
  assert.equal(status, 403);
}

/** Uses the second link, and returns the cookie. */
async function cookie(settings) {
  const path = settings.link.split('/_stackgen/')[1];
  const { status, headers } = await send(settings, path, {});
  assert.equal(status, 200);
  const [set] = headers['set-cookie'];
  assert.match(set, /^stackgen-console-\d+=[\w-]{43}; Path=\/_stackgen\/; HttpOnly; SameSite=Strict$/);
  assert.equal((await send(settings, path, {})).status, 403, 'a link works once');
  return set.split(';')[0];
}

/** Even with the cookie, only the console's own page may do something. */
async function withCookie(settings, cookie) {
  const { host, origin } = new URL(settings.endpoint);
  const change = JSON.stringify({ action: 'redeploy', apiId: 'x', stage: 'prod' });
  const put = JSON.stringify({ action: 'put', item: { room: { S: 'evil' } } });
  const json = { 'content-type': 'application/json', cookie };
  for (const [name, headers, path, body] of [
    ['DNS rebinding', { cookie, host: 'evil.example' }, 'console/apis'],
    ['another origin', { cookie, origin: 'https://evil.example' }, 'console/apis'],
    ['another port', { cookie, origin: 'http://127.0.0.1:1' }, 'console/apis'],
    ['a page of another port', { cookie, 'sec-fetch-site': 'same-site' }, 'console/apis'],
    ['a frame of another port', { cookie, 'sec-fetch-site': 'same-site' }, 'console/'],
    ['a change without an origin', json, 'console/apis', change],
    ['a change by another port', { ...json, origin: 'http://127.0.0.1:1' }, 'console/apis', change],
    ['an item without an origin', json, 'console/tables/rooms', put],
    ['an item by another port', { ...json, origin: 'http://127.0.0.1:1' }, 'console/tables/rooms', put],
    ['a token for another port', { ...json, origin: 'http://127.0.0.1:1' }, 'tokens', '{}'],
    ['a template', { ...json, origin }, 'apply', '{}'],
    ['a new key', { ...json, origin }, 'keys', '{}'],
    ['a new link', { ...json, origin }, 'console/links', '{}'],
    ['the state', { cookie }, 'state'],
  ]) {
    const { status } = await send(settings, path, headers, body);
    assert.equal(status, 403, name);
  }
  assert.equal((await send(settings, 'console/apis', { cookie, host })).status, 200, 'the cookie is valid');
  const { headers } = await send(settings, 'console/', { cookie });
  assert.match(headers['content-security-policy'], /default-src 'none'; script-src 'self'; .*frame-ancestors 'none'/);
  assert.equal(headers['x-content-type-options'], 'nosniff');
}

/** Records the requests that a page sends to the gateway, and the answers, which the browser may hide from the page. */
class Traffic {
  #requests = new Map();

  static async of(page, endpoint) {
    const traffic = new Traffic();
    const session = await page.context().newCDPSession(page);
    const add = (id, seen) => traffic.#requests.set(id, { ...traffic.#requests.get(id), ...seen });
    session.on('Network.requestWillBeSent', ({ requestId, request: { method, url } }) => {
      if (url.startsWith(endpoint)) {
        add(requestId, { method, path: url.slice(endpoint.length) });
      }
    });
    session.on('Network.requestWillBeSentExtraInfo', ({ requestId, headers }) => {
      add(requestId, { cookie: headers.cookie ?? headers.Cookie ?? '' });
    });
    session.on('Network.responseReceivedExtraInfo', ({ requestId, statusCode }) => add(requestId, { status: statusCode }));
    await session.send('Network.enable');
    return traffic;
  }

  /** Waits for the answer to the request with this path. */
  async answer(path) {
    for (;;) {
      const found = [...this.#requests.values()].find((one) => one.path === path);
      if (found?.status !== undefined && found.cookie !== undefined) {
        return found;
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** Opens a page of another port in the browser that has the console's cookie. The gateway itself refuses what it asks for. */
async function fromAnotherPort(browser, settings) {
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'text/html');
    response.end('<!doctype html><title>elsewhere</title>');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const page = await browser.console.context().newPage();
  const traffic = await Traffic.of(page, settings.endpoint);
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  const cookie = await page.evaluate(async (endpoint) => {
    const path = `${endpoint}/_stackgen`;
    const options = { credentials: 'include' };
    const send = (url, more) => fetch(url, { ...options, ...more }).catch(() => null);
    const frame = document.createElement('iframe');
    frame.src = `${path}/console/?framed`;
    document.body.append(frame);
    new EventSource(`${path}/events?streamed`, { withCredentials: true });
    await send(`${path}/console/apis?read`);
    await send(`${path}/console/apis?blind`, { mode: 'no-cors' });
    await send(`${path}/console/apis?changed`, { method: 'POST', body: '{}' });
    await send(`${path}/tokens?minted`, { method: 'POST', mode: 'no-cors', body: '{}' });
    return document.cookie;
  }, settings.endpoint);
  for (const [path, method] of [
    ['console/?framed', 'GET'],
    ['events?streamed', 'GET'],
    ['console/apis?read', 'GET'],
    ['console/apis?blind', 'GET'],
    ['console/apis?changed', 'POST'],
    ['tokens?minted', 'POST'],
  ]) {
    const answer = await traffic.answer(`/_stackgen/${path}`);
    assert.deepEqual([answer.method, answer.status], [method, 403], path);
    assert.match(answer.cookie, /^stackgen-console-/, `${path}: the cookie alone does not help`);
  }
  assert.equal(cookie, '', 'scripts do not see the cookie');
  server.close();
  await page.close();
}

export async function attack(browser, settings, step) {
  await withoutKey(settings);
  step('attacked: nothing without the key');
  await withCookie(settings, await cookie(settings));
  step('attacked: nothing for other origins, foreign hosts and other ports, and no template by the cookie');
  await fromAnotherPort(browser, settings);
  step('attacked: nothing for a page of another port in the same browser');
}
