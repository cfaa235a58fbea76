// Sign-in at an OIDC issuer: authorization code with PKCE, for pages without a secret.

/** Where the state of a sign-in waits while the browser is at the issuer. */
const PENDING = 'live-session.sign-in';

/** Longest sign-in, in milliseconds. */
const MAX_SIGN_IN = 15 * 60_000;

/** Longest wait for the issuer, in milliseconds. */
const TIMEOUT = 10_000;

/** Error of a sign-in, with a sentence for the page. */
export class SignInError extends Error {
  /**
   * @param {string} message
   * @param {boolean} [isRefusal]
   */
  constructor(message, isRefusal = false) {
    super(message);
    /** True if the issuer would refuse the same request again. */
    this.isRefusal = isRefusal;
  }
}

/**
 * @typedef {object} Issuer
 * @property {string} issuer
 * @property {string} authorizationEndpoint
 * @property {string} tokenEndpoint
 */

/**
 * @typedef {object} Tokens
 * @property {string | undefined} id
 * @property {string | undefined} access
 * @property {string | undefined} refresh
 */

/**
 * Reads the issuer's configuration. Returns null if the issuer has no page to sign in.
 *
 * @param {string} issuer
 * @returns {Promise<Issuer | null>}
 */
export async function discover(issuer) {
  const base = issuer.replace(/\/+$/, '');
  let document;
  try {
    const init = { signal: AbortSignal.timeout(TIMEOUT) };
    const response = await fetch(`${base}/.well-known/openid-configuration`, init);
    document = response.ok ? await response.json() : null;
  } catch {
    document = null;
  }
  if (document === null) {
    throw new SignInError('The issuer does not answer. Check issuer in config.json, and the network.');
  }
  if (String(document.issuer).replace(/\/+$/, '') !== base) {
    throw new SignInError('The issuer calls itself by another name. Correct issuer in config.json.');
  }
  const { authorization_endpoint: authorizationEndpoint, token_endpoint: tokenEndpoint } = document;
  return authorizationEndpoint && tokenEndpoint ? { issuer: document.issuer, authorizationEndpoint, tokenEndpoint } : null;
}

/**
 * Goes to the issuer's page.
 *
 * @param {Issuer} issuer
 * @param {string} clientId
 * @param {string} scope
 */
export async function beginSignIn(issuer, clientId, scope) {
  const [state, nonce, verifier] = [randomText(), randomText(), randomText()];
  const pending = { state, nonce, verifier, hash: location.hash, startedAt: Date.now() };
  sessionStorage.setItem(PENDING, JSON.stringify(pending));
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier));
  const url = new URL(issuer.authorizationEndpoint);
  const parameters = {
    response_type: 'code',
    client_id: clientId,
    redirect_uri: redirectUri(),
    scope,
    state,
    nonce,
    code_challenge: base64Url(new Uint8Array(digest)),
    code_challenge_method: 'S256',
  };
  for (const [name, value] of Object.entries(parameters)) {
    url.searchParams.set(name, value);
  }
  location.assign(url);
}

/**
 * Completes a sign-in if the browser comes back from the issuer, and removes its traces from the address. Returns null if it
 * does not.
 *
 * @param {Issuer} issuer
 * @param {string} clientId
 * @returns {Promise<Tokens | null>}
 */
export async function completeSignIn(issuer, clientId) {
  const query = new URLSearchParams(location.search);
  if (!query.has('state') || !(query.has('code') || query.has('error'))) {
    return null;
  }
  const pending = JSON.parse(sessionStorage.getItem(PENDING) ?? 'null');
  sessionStorage.removeItem(PENDING);
  history.replaceState(null, '', redirectUri() + (pending?.hash ?? ''));
  // Another state is an answer to a sign-in that this tab did not begin.
  if (pending === null || pending.state !== query.get('state') || Date.now() - pending.startedAt > MAX_SIGN_IN) {
    throw new SignInError('This sign-in was not begun here, or took too long. Sign in again.');
  }
  const code = query.get('code');
  if (code === null) {
    throw new SignInError(`The issuer refused: ${query.get('error_description') ?? query.get('error')}.`);
  }
  const tokens = await requestTokens(issuer, {
    grant_type: 'authorization_code',
    client_id: clientId,
    code,
    redirect_uri: redirectUri(),
    code_verifier: pending.verifier,
  });
  checkIdToken(tokens.id, issuer, clientId, pending.nonce);
  return tokens;
}

/**
 * Gets new tokens.
 *
 * @param {Issuer} issuer
 * @param {string} clientId
 * @param {string} refresh
 * @returns {Promise<Tokens>}
 */
export async function refreshTokens(issuer, clientId, refresh) {
  const fields = { grant_type: 'refresh_token', client_id: clientId, refresh_token: refresh };
  const tokens = await requestTokens(issuer, fields);
  return { ...tokens, refresh: tokens.refresh ?? refresh };
}

/**
 * Returns the claims of a token. Returns null if it is none. The servers check the signature.
 *
 * @param {string | undefined} token
 * @returns {any}
 */
export function claims(token) {
  try {
    const part = String(token).split('.')[1].replaceAll('-', '+').replaceAll('_', '/');
    const bytes = Uint8Array.from(atob(part), (character) => character.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}

/**
 * @param {Issuer} issuer
 * @param {Record<string, string>} fields
 * @returns {Promise<Tokens>}
 */
async function requestTokens(issuer, fields) {
  let answer;
  let isRefusal;
  try {
    const init = { method: 'POST', body: new URLSearchParams(fields), signal: AbortSignal.timeout(TIMEOUT) };
    const response = await fetch(issuer.tokenEndpoint, init);
    isRefusal = response.status < 500 && response.status !== 429;
    answer = await response.json();
  } catch {
    throw new SignInError('The issuer does not answer. Sign in again.');
  }
  if (answer.error) {
    throw new SignInError(`The issuer refused: ${answer.error_description ?? answer.error}. Sign in again.`, isRefusal);
  }
  return { id: answer.id_token, access: answer.access_token, refresh: answer.refresh_token };
}

/**
 * Checks what the OpenID Connect specification asks of a client that got the token from the issuer itself.
 *
 * @param {string | undefined} token
 * @param {Issuer} issuer
 * @param {string} clientId
 * @param {string} nonce
 */
function checkIdToken(token, issuer, clientId, nonce) {
  const found = claims(token);
  const isOurs = found !== null && found.iss === issuer.issuer && [found.aud].flat().includes(clientId);
  if (!isOurs || found.nonce !== nonce || !(found.exp * 1_000 > Date.now())) {
    throw new SignInError('The issuer sent a token that is not for this sign-in. Sign in again.');
  }
}

function redirectUri() {
  return location.origin + location.pathname;
}

function randomText() {
  return base64Url(crypto.getRandomValues(new Uint8Array(32)));
}

/** @param {Uint8Array} bytes */
function base64Url(bytes) {
  return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}
