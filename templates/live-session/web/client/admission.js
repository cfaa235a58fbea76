// Handshakes: their URL with a ticket or a token, and the reasons of refusals, which browsers hide (row X2).

import { ApiError } from './api.js';

/**
 * @typedef {object} Caller
 * @property {string} websocketUrl URL of the WebSocket API's stage.
 * @property {string} sessionId
 * @property {import('./messages.js').Role} role
 * @property {'ticket' | 'token' | 'anonymous'} credentials `ticket` opens one connection, once. `token` sends the token as a
 *   subprotocol, for servers without tickets.
 */

/**
 * Returns the address of the next handshake. Each attempt needs its own, because a ticket is valid once.
 *
 * @param {Caller} caller
 * @param {string | undefined} targetLanguage
 * @param {string | null} previousConnectionId Connection that the new one replaces.
 * @param {import('./api.js').SessionApi} api
 * @param {import('./api.js').TokenSource} token
 * @param {boolean} renew True if the last token may have been refused.
 * @returns {Promise<{ url: string, protocols: string[] }>}
 */
export async function handshakeAddress(caller, targetLanguage, previousConnectionId, api, token, renew) {
  const url = new URL(caller.websocketUrl);
  url.searchParams.set('sessionId', caller.sessionId);
  if (caller.role === 'listener' && targetLanguage) {
    url.searchParams.set('targetLanguage', targetLanguage);
  }
  if (previousConnectionId !== null) {
    url.searchParams.set('previousConnectionId', previousConnectionId);
  }
  if (caller.credentials === 'ticket') {
    url.searchParams.set('ticket', await api.ticket(caller.sessionId, caller.role));
  }
  /** @type {string[]} */
  const protocols = [];
  if (caller.credentials === 'token') {
    const bearer = await token(renew);
    if (bearer === null) {
      throw new ApiError(401, 'NO_TOKEN', 'sign in first');
    }
    protocols.push('bearer', bearer);
  }
  return { url: url.href, protocols };
}

/**
 * Explains why no ticket was issued, or no token was there.
 *
 * @param {unknown} error
 * @returns {import('./closes.js').Explanation & { retryAfter: number | null }}
 */
export function explainRefusal(error) {
  const { status, retryAfter, message } = error instanceof ApiError ? error : new ApiError(0, '', String(error));
  const because = (
    /** @type {string} */ summary,
    /** @type {string} */ action,
    /** @type {import('./closes.js').Explanation['retry']} */ retry,
  ) => ({ code: null, row: null, summary, action, retry, retryAfter });
  switch (status) {
    case 0:
      return because('The server did not answer.', 'Check the network. Reconnecting.', 'soon');
    case 401:
      return because('Your sign-in is not valid or has expired.', 'Sign in again.', 'never');
    case 403:
      return because('This session belongs to another user.', 'Sign in as its owner, or listen instead.', 'never');
    case 404:
      return because('This session does not exist.', 'Check the link.', 'never');
    case 409:
      return because('The session has ended.', 'Start or join another one.', 'never');
    case 429:
      return because('There were too many requests.', 'Another attempt follows.', 'later');
    default:
      return status >= 500
        ? because('The server failed.', 'Another attempt follows.', 'later')
        : because(`The server refused the request: ${message}.`, 'Check the settings of this page.', 'never');
  }
}

/**
 * Looks up why a handshake may have failed: the session's public view says what the browser hides. Returns null if the view
 * explains nothing.
 *
 * @param {Caller} caller
 * @param {import('./api.js').SessionApi} api
 * @returns {Promise<import('./closes.js').Explanation | null>}
 */
export async function explainFailedHandshake(caller, api) {
  const because = (
    /** @type {string} */ summary,
    /** @type {string} */ action,
    /** @type {import('./closes.js').Explanation['retry']} */ retry,
  ) => ({ code: 1006, row: 'X2', summary, action, retry });
  try {
    const { status } = await api.view(caller.sessionId);
    if (status === 'ended') {
      return because('The session has ended.', 'Start or join another one.', 'never');
    }
    if (status === 'paused' && caller.role === 'listener') {
      return because('The session is paused and admits no new listeners.', 'Another attempt follows.', 'later');
    }
    return because(
      'The server is there but did not let this page in: the session may be full, or the sign-in has expired.',
      'Another attempt follows.',
      'later',
    );
  } catch (error) {
    switch (error instanceof ApiError ? error.status : null) {
      case 0:
        return because('The server cannot be reached.', 'Check the network. Reconnecting.', 'soon');
      case 404:
        return because('This session does not exist.', 'Check the link.', 'never');
      case 429:
        return because('There were too many attempts from this network.', 'Another attempt follows.', 'later');
      default:
        return null;
    }
  }
}
