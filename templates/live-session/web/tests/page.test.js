import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, mock, test } from 'node:test';

import { explainRefusal } from '../client/admission.js';
import { ApiError } from '../client/api.js';
import { sessionIdIn } from '../page/link.js';
import { beginSignIn, claims, completeSignIn, discover, refreshTokens } from '../page/oidc.js';
import { SignIn } from '../page/sign-in.js';

const file = (name) => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8');
const scripts = (folder) => readdirSync(new URL(`../${folder}/`, import.meta.url)).map((name) => file(`${folder}/${name}`));
const PAGES = ['index.html', 'speak.html', 'listen.html'];

test('pages load nothing from other sites and have no inline code', () => {
  for (const page of PAGES) {
    const html = file(page);
    const loaded = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => url);
    assert.ok(loaded.length > 0 && loaded.every((url) => !/^(?:[a-z]+:|\/)/.test(url)), page);
    assert.ok(!/<script(?![^>]* src=)|<style|\son[a-z]+=|\sstyle=|javascript:/i.test(html), page);
    const [, policy] = /Content-Security-Policy" content="([^"]+)"/.exec(html);
    assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self';/);
    assert.ok(!policy.includes('unsafe'), page);
  }
});

test('scripts write text and never HTML', () => {
  for (const text of [...scripts('page'), ...scripts('client'), ...scripts('audio')]) {
    assert.ok(!/innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|\.style\b/.test(text));
  }
});

test('pages have the elements that their scripts use, each with a label', () => {
  for (const page of ['speak', 'listen']) {
    const html = file(`${page}.html`);
    const ids = [...html.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id);
    assert.equal(new Set(ids).size, ids.length, `${page}: an ID stands twice`);
    const used = [...file(`page/${page}.js`).matchAll(/(?:element|button|show|toggle|fillLanguages)\('([^']+)'/g)];
    assert.ok(used.length > 10);
    for (const [, id] of used) {
      assert.ok(ids.includes(id), `${page} has no ${id}`);
    }
    for (const [, id] of html.matchAll(/<(?:input|select|textarea|meter)[^>]*\sid="([^"]+)"/g)) {
      assert.ok(html.includes(`for="${id}"`), `${page}: ${id} has no label`);
    }
  }
});

test('a session ID is found in an ID and in a link', () => {
  const id = 'merciful-truth-455-k7dq2m9x4hw3t';
  for (const text of [id, ` ${id}\n`, `https://example.com/listen.html#session=${id}`]) {
    assert.equal(sessionIdIn(text), id);
  }
  for (const text of ['', 'merciful-truth-455', 'Merciful-Truth-455-K7DQ2M9X4HW3T', 'a-b-12-k7dq2m9x4hw3t']) {
    assert.equal(sessionIdIn(text), null);
  }
});

const ISSUER = { issuer: 'https://id.example.com', authorizationEndpoint: 'https://id.example.com/go', tokenEndpoint: 'https://id.example.com/token' };
const encoded = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const tokenWith = (fields) => `${encoded({})}.${encoded(fields)}.x`;

const ELEMENTS = ['HTMLElement', 'HTMLButtonElement', 'HTMLFormElement', 'HTMLTextAreaElement'];

/** Element that is hidden at first. */
class FakeElement extends EventTarget {
  hidden = true;
  dataset = {};
  attributes = {};
  value = '';
  textContent = '';

  setAttribute(name, value) {
    this.attributes[name] = value;
  }
}

let browser;

/** Stands in for the parts of the browser that a sign-in uses. */
beforeEach(() => {
  const storage = new Map();
  browser = { address: 'https://site.example.com/speak.html', hash: '#session=s', search: '', went: null, requests: [], answer: {}, elements: {} };
  browser.left = new Promise((resolve) => (browser.leave = resolve));
  globalThis.sessionStorage = {
    getItem: (key) => storage.get(key) ?? null,
    setItem: (key, value) => storage.set(key, value),
    removeItem: (key) => storage.delete(key),
  };
  globalThis.location = {
    origin: 'https://site.example.com',
    pathname: '/speak.html',
    get hash() {
      return browser.hash;
    },
    get search() {
      return browser.search;
    },
    assign: (url) => {
      browser.went = new URL(url);
      browser.leave();
    },
  };
  globalThis.history = { replaceState: (_state, _title, url) => (browser.address = url) };
  globalThis.fetch = async (url, { body } = {}) => {
    browser.requests.push({ url, form: body && Object.fromEntries(body) });
    return Response.json(browser.answer, { status: browser.status });
  };
  globalThis.document = { getElementById: (id) => (browser.elements[id] ??= new FakeElement()) };
  for (const name of ELEMENTS) {
    globalThis[name] = FakeElement;
  }
});

afterEach(() => {
  mock.timers.reset();
  for (const name of ['sessionStorage', 'location', 'history', 'document', ...ELEMENTS]) {
    delete globalThis[name];
  }
});

async function comeBack(change = {}) {
  await beginSignIn(ISSUER, 'client', 'openid');
  const asked = browser.went.searchParams;
  const fields = { iss: ISSUER.issuer, aud: 'client', nonce: asked.get('nonce'), exp: Date.now() / 1_000 + 60, ...change.claims };
  browser.answer = change.answer ?? { id_token: tokenWith(fields), access_token: 'access', refresh_token: 'refresh' };
  browser.search = change.search?.(asked) ?? `?code=abc&state=${asked.get('state')}`;
  return { asked, tokens: await completeSignIn(ISSUER, 'client') };
}

test('a sign-in has a challenge whose verifier only this tab knows, and leaves nothing in the address', async () => {
  const { asked, tokens } = await comeBack();
  assert.equal(tokens.access, 'access');
  const { form } = browser.requests[0];
  assert.equal(asked.get('code_challenge'), createHash('sha256').update(form.code_verifier).digest('base64url'));
  assert.equal(asked.get('code_challenge_method'), 'S256');
  assert.ok(form.code_verifier.length >= 43 && !browser.went.href.includes(form.code_verifier));
  assert.equal(form.redirect_uri, asked.get('redirect_uri'));
  assert.equal(browser.address, 'https://site.example.com/speak.html#session=s');
});

test('an answer to a sign-in that this tab did not begin is refused, and sends no code', async () => {
  await assert.rejects(comeBack({ search: () => '?code=abc&state=other' }), /not begun here/);
  assert.equal(browser.requests.length, 0);
  // The state is valid once.
  browser.search = '?code=abc&state=other';
  await assert.rejects(completeSignIn(ISSUER, 'client'), /not begun here/);
});

test('tokens of another sign-in, client or issuer, and expired ones, are refused', async () => {
  const wrong = [{ nonce: 'x' }, { aud: 'other' }, { iss: 'https://other' }, { exp: 1 }, { exp: undefined }];
  for (const change of wrong) {
    await assert.rejects(comeBack({ claims: change }), /not for this sign-in/);
  }
  await assert.rejects(comeBack({ answer: { id_token: 'x', access_token: 'y' } }), /not for this sign-in/);
  assert.ok((await comeBack({ claims: { aud: ['client', 'other'] } })).tokens);
});

test('what the issuer refuses is shown', async () => {
  const search = (asked) => `?error=access_denied&error_description=Not+today&state=${asked.get('state')}`;
  await assert.rejects(comeBack({ search }), /Not today/);
  await assert.rejects(comeBack({ answer: { error: 'invalid_grant' } }), /invalid_grant/);
});

test('without an answer in the address, there is no sign-in to complete', async () => {
  assert.equal(await completeSignIn(ISSUER, 'client'), null);
});

test('a refresh keeps the refresh token unless there is a new one', async () => {
  browser.answer = { id_token: 'new' };
  assert.deepEqual(await refreshTokens(ISSUER, 'client', 'old'), { id: 'new', access: undefined, refresh: 'old' });
  browser.answer = { id_token: 'new', refresh_token: 'newer' };
  assert.equal((await refreshTokens(ISSUER, 'client', 'old')).refresh, 'newer');
});

test('an issuer without a page to sign in is recognized, and one that lies about its name is refused', async () => {
  browser.answer = { issuer: ISSUER.issuer };
  assert.equal(await discover(`${ISSUER.issuer}/`), null);
  browser.answer = { issuer: 'https://other.example.com' };
  await assert.rejects(discover(ISSUER.issuer), /another name/);
});

test('claims of what is no token are null', () => {
  for (const text of [undefined, '', 'x', 'a.b', 'a.b.c', `a.${encoded(1)}`.slice(0, 3)]) {
    assert.equal(claims(text), null);
  }
  assert.equal(claims(tokenWith({ sub: 'Zoë' })).sub, 'Zoë');
});

const CONFIG = { issuer: ISSUER.issuer, clientId: 'client', scope: null, tokenUse: 'access' };
const DOCUMENT = { issuer: ISSUER.issuer, authorization_endpoint: ISSUER.authorizationEndpoint, token_endpoint: ISSUER.tokenEndpoint };
const tokenFor = (seconds) => tokenWith({ exp: Date.now() / 1_000 + seconds });

/** Returns a user who came back from the issuer with an access token that is valid for some seconds. */
async function signedIn(seconds) {
  const nonce = { iss: ISSUER.issuer, aud: 'client', exp: Date.now() / 1_000 + 60 };
  await beginSignIn(ISSUER, 'client', 'openid');
  const asked = browser.went.searchParams;
  browser.search = `?code=abc&state=${asked.get('state')}`;
  const id = tokenWith({ ...nonce, nonce: asked.get('nonce') });
  browser.answer = { ...DOCUMENT, id_token: id, access_token: tokenFor(seconds), refresh_token: 'refresh' };
  const user = new SignIn(CONFIG);
  await user.prepare(() => {});
  assert.ok(user.isSignedIn);
  browser.requests = [];
  return user;
}

test('a refused refresh token is used once, and the user signs in when the token has expired', async () => {
  mock.timers.enable({ apis: ['Date'], now: 1_700_000_000_000 });
  for (const [passed, isValid] of [[29_999, true], [30_001, false]]) {
    const user = await signedIn(30);
    const token = sessionStorage.getItem('live-session.token');
    mock.timers.tick(passed);
    // The next connection renews the token.
    assert.ok(!user.isNeededAfter({ explanation: null }));
    Object.assign(browser, { status: 400, answer: { error: 'invalid_grant' } });
    for (const renew of [true, false, true]) {
      assert.equal(await user.token(renew), isValid ? token : null);
    }
    assert.equal(browser.requests.length, 1);
    assert.equal(browser.requests[0].form.refresh_token, 'refresh');
    assert.equal(user.isNeededAfter({ explanation: null }), !isValid);
    browser.status = undefined;
  }
});

test('while the issuer fails, the refresh token is kept', async () => {
  const user = await signedIn(30);
  for (const [status, answer] of [[503, { error: 'server_error' }], [429, { error: 'slow_down' }]]) {
    Object.assign(browser, { status, answer });
    await assert.rejects(user.token(true), /The issuer refused/);
  }
  Object.assign(browser, { status: 200, answer: { access_token: tokenFor(3_600) } });
  assert.equal(await user.token(true), browser.answer.access_token);
  assert.deepEqual(browser.requests.map(({ form }) => form.refresh_token), ['refresh', 'refresh', 'refresh']);
});

test('after a refused sign-in, the user can begin another one', async () => {
  browser.search = '?error=access_denied&state=other';
  browser.answer = DOCUMENT;
  const user = new SignIn(CONFIG);
  await assert.rejects(user.prepare(() => {}), /not begun here/);
  assert.ok(!browser.elements['sign-in-by-issuer'].hidden);
  browser.elements['sign-in-button'].dispatchEvent(new Event('click'));
  await browser.left;
  assert.equal(browser.went.pathname, '/go');
});

test('a user whose token the server refuses has to sign in, although the token has not expired', async () => {
  const user = await signedIn(3_600);
  assert.ok(!user.isNeededAfter({ explanation: null }));
  assert.ok(!user.isNeededAfter({ explanation: explainRefusal(new ApiError(403, 'NOT_OWNER', 'x')) }));
  assert.ok(user.isNeededAfter({ explanation: explainRefusal(new ApiError(401, 'HTTP_401', 'x')) }));
});
