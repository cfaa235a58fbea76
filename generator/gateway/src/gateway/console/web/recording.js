// What a recorded connection takes to be replayed: its handshake and its frames.

import { MASK } from './timeline.js';

/**
 * @typedef {import('./store.js').Connection} Connection
 * @typedef {import('./client.js').RecordedFrame} RecordedFrame
 *
 * A handshake to repeat. The mask in a value or a subprotocol stands for a new token.
 *
 * @typedef {object} RecordedHandshake
 * @property {{ name: string, value: string }[]} query
 * @property {string[]} protocols
 * @property {boolean} needsToken
 */

/** Longest pause between two frames, in milliseconds. */
const MAX_PAUSE = 60_000;

/**
 * Returns the frames of a client, in their order.
 *
 * @param {Connection} connection
 * @param {boolean} isPaced True to wait between frames as the client did.
 * @returns {RecordedFrame[]}
 */
export function frames({ entries }, isPaced) {
  const messages = entries.filter(({ event }) => event === 'message');
  const masked = messages.findIndex(({ body }) => body.includes(MASK));
  if (masked >= 0) {
    throw new Error(`a token in frame ${masked + 1} is masked; replay the frames one by one`);
  }
  return messages.map(({ body, at }, index) => {
    const before = index === 0 ? at : messages[index - 1].at;
    return { body, pause: isPaced ? Math.min(at - before, MAX_PAUSE) : 0 };
  });
}

/**
 * Returns the handshake of a connection. Masked values become a new token where the authorizer looks for one.
 *
 * @param {Connection} connection
 * @param {import('./credential.js').CredentialPlace} place
 * @returns {RecordedHandshake}
 */
export function handshake({ entries, principal }, { kind, name }) {
  const recorded = entries.find(({ event }) => event === 'connected')?.handshake;
  if (recorded === undefined) {
    throw new Error('its handshake is no longer known');
  }
  /** @type {{ query: { name: string, value: string }[], headers: { name: string, value: string }[] }} */
  const { query, headers } = recorded;
  const offered = headers.filter((header) => isProtocol(header.name)).flatMap(({ value }) => value.split(',').map((one) => one.trim()));
  // The page cannot set headers. The browser sends its own cookies.
  const header = headers.find((header) => header.value.includes(MASK) && !isProtocol(header.name) && !/^cookie$/i.test(header.name));
  if (header !== undefined) {
    throw new Error(`the header ${header.name} is masked, and a page cannot send it`);
  }
  if (kind !== 'protocol' && offered.some((protocol) => protocol.includes(MASK))) {
    throw new Error('a subprotocol is masked, and no token can stand for it');
  }
  if (query.some((parameter) => parameter.name.includes(MASK))) {
    throw new Error('the name of a parameter is masked, and no token can stand for it');
  }
  const isToken = (/** @type {string} */ parameter) => kind === 'query' && parameter === name;
  const other = query.find((parameter) => parameter.value.includes(MASK) && !isToken(parameter.name));
  if (other !== undefined) {
    throw new Error(`the parameter ${other.name} is masked, and no token can stand for it`);
  }
  const needsToken = [...query.map(({ value }) => value), ...offered].some((text) => text.includes(MASK));
  if (needsToken && principal === null) {
    throw new Error('it has a token, but no principal for whom to mint one');
  }
  return { query, protocols: offered, needsToken };
}

/** @param {string} header */
function isProtocol(header) {
  return /^sec-websocket-protocol$/i.test(header);
}
