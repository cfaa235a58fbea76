// Handshakes: their URL with a ticket or a token, and the reasons of refusals, which browsers hide (row X2).

import { ApiError } from './api.js';
import { explanation } from './closes.js';

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
  const refusal = error instanceof ApiError ? error : new ApiError(0, '', String(error));
  return { ...explainStatus(refusal), retryAfter: refusal.retryAfter };
}

/**
 * @param {ApiError} refusal
 * @returns {import('./closes.js').Explanation}
 */
function explainStatus({ status, message }) {
  switch (status) {
    case 0:
      return explanation('The server did not answer.', null, 'soon', 'Check the network. Reconnecting.');
    case 401: {
      const signedOut = explanation('Your sign-in is not valid or has expired.', null, 'never', 'Sign in again.');
      return { ...signedOut, needsSignIn: true };
    }
    case 403:
      return explanation('This session belongs to another user.', null, 'never', 'Sign in as its owner, or listen instead.');
    case 404:
      return explanation('This session does not exist.', null, 'never', 'Check the link.');
    case 409:
      return explanation('The session has ended.', null, 'never', 'Start or join another one.');
    case 429:
      return explanation('There were too many requests.', null, 'later', 'Another attempt follows.');
    default:
      return status >= 500
        ? explanation('The server failed.', null, 'later', 'Another attempt follows.')
        : explanation(`The server refused the request: ${message}.`, null, 'never', 'Check the settings of this page.');
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
  const found = await explainByView(caller, api);
  return found === null ? null : { ...found, code: 1006 };
}

/**
 * @param {Caller} caller
 * @param {import('./api.js').SessionApi} api
 */
async function explainByView(caller, api) {
  try {
    const { status } = await api.view(caller.sessionId);
    if (status === 'ended') {
      return explanation('The session has ended.', 'X2', 'never', 'Start or join another one.');
    }
    if (status === 'paused' && caller.role === 'listener') {
      return explanation('The session is paused and admits no new listeners.', 'X2', 'later', 'Another attempt follows.');
    }
    return explanation(
      'The server is there but did not let this page in: the session may be full, or the sign-in has expired.',
      'X2',
      'later',
      'Another attempt follows.',
    );
  } catch (error) {
    switch (error instanceof ApiError ? error.status : null) {
      case 0:
        return explanation('The server cannot be reached.', 'X2', 'soon', 'Check the network. Reconnecting.');
      case 404:
        return explanation('This session does not exist.', 'X2', 'never', 'Check the link.');
      case 429:
        return explanation('There were too many attempts from this network.', 'X2', 'later', 'Another attempt follows.');
      default:
        return null;
    }
  }
}
