// Close codes: those that the client sends, and explanations of all that end a connection. Row IDs are those of stackgen's
// reference of API Gateway; `stackgen explain X3` prints a row.

/**
 * Codes with which this client closes connections. Browsers allow 1000 and 3000 to 4999. Each appears with its reason in the
 * `$disconnect` log.
 */
export const CloseCode = Object.freeze({
  /** The user left, or the session ended. */
  LEFT: 1000,
  /** Another connection replaced this one. */
  HANDED_OVER: 4000,
  /** The server did not answer a heartbeat. */
  SILENT: 4001,
  /** The handshake took too long. */
  TIMED_OUT: 4002,
  /** The server has no record of this connection. */
  NO_RECORD: 4003,
  /** The server refused to let this connection replace the previous one. */
  NOT_REPLACED: 4004,
});

/**
 * @typedef {object} ConnectionEnd
 * @property {number} code Close code; 1005 and 1006 are the browser's own.
 * @property {string} reason Reason of the close frame.
 * @property {boolean} opened True if the handshake succeeded.
 * @property {number} age Milliseconds since the handshake.
 * @property {number} idle Milliseconds since the last message in either direction.
 * @property {'client' | 'other'} by Side that closed.
 */

/**
 * @typedef {object} Explanation
 * @property {number | null} code Close code, if a connection ended.
 * @property {string | null} row Row of the API Gateway reference.
 * @property {string} summary What happened.
 * @property {string} action What happens next, or what to do.
 * @property {import('./backoff.js').Urgency | 'never'} retry When to connect again.
 * @property {boolean} [needsSignIn] True if the user must sign in before another attempt.
 */

const MINUTE = 60_000;

const RECONNECTING = 'Reconnecting.';

/**
 * Explains the end of a connection.
 *
 * @param {ConnectionEnd} end
 * @returns {Explanation}
 */
export function explainClose(end) {
  return { ...(end.by === 'client' ? own(end) : foreign(end)), code: end.code };
}

/**
 * Returns an explanation without a close code.
 *
 * @param {string} summary
 * @param {string | null} row
 * @param {Explanation['retry']} retry
 * @param {string} [action]
 * @returns {Explanation}
 */
export function explanation(summary, row, retry, action = RECONNECTING) {
  return { code: null, row, summary, action, retry };
}

/**
 * @param {ConnectionEnd} end
 * @returns {Explanation}
 */
function own(end) {
  switch (end.code) {
    case CloseCode.LEFT:
      return explanation('You left the session.', null, 'never', 'Connect again to return.');
    case CloseCode.HANDED_OVER:
      return explanation('A new connection replaced this one.', 'M14', 'never', 'Nothing to do: nothing was missed.');
    case CloseCode.SILENT:
      return explanation('The server stopped answering; the network may be down.', 'X3', 'soon');
    case CloseCode.TIMED_OUT:
      return explanation('The server did not answer the handshake in time.', null, 'soon');
    case CloseCode.NO_RECORD:
      return explanation('The server no longer knows this connection.', null, 'soon');
    case CloseCode.NOT_REPLACED:
      return explanation('The server refused the handover to a new connection.', null, 'later', 'Another attempt follows.');
    default:
      return explanation('This page closed the connection.', null, 'never', 'Connect again to return.');
  }
}

/**
 * @param {ConnectionEnd} end
 * @returns {Explanation}
 */
function foreign(end) {
  switch (end.code) {
    case 1000:
      return explanation(
        'The server removed this connection.',
        'M15',
        'never',
        'Connect again if the session still runs.',
      );
    case 1001:
      return goingAway(end);
    case 1003:
      return explanation('The server refused a binary message.', 'M10', 'soon');
    case 1005:
      return explanation('The connection was closed without a code. API Gateway always sends one, so a proxy in between closed it.', 'X1', 'soon');
    case 1006:
      return lost(end);
    case 1008:
      return explanation('This page sent too many messages.', 'M19', 'later');
    case 1009:
      return explanation('This page sent a message that is too large.', 'M11', 'soon');
    case 1011:
      return explanation('The server failed.', 'X4', 'soon');
    case 1012:
      return explanation('The server restarts.', 'X4', 'spread');
    default:
      return other(end);
  }
}

/**
 * @param {ConnectionEnd} end
 * @returns {Explanation}
 */
function goingAway(end) {
  if (isAgeLimit(end)) {
    return explanation('The connection reached the limit of two hours.', 'M14', 'soon');
  }
  if (isIdleLimit(end)) {
    return explanation('Nothing was sent for ten minutes, so the server closed the connection.', 'M13', 'soon');
  }
  return explanation('The server is going away.', 'X4', 'spread');
}

/**
 * @param {ConnectionEnd} end
 * @returns {Explanation}
 */
function lost(end) {
  if (!end.opened) {
    return explanation(
      'The connection could not be opened: there is no network, or the server refused. Browsers do not say which.',
      'X2',
      'soon',
    );
  }
  if (isAgeLimit(end)) {
    return explanation('The connection was lost at the limit of two hours.', 'X3', 'soon');
  }
  if (isIdleLimit(end)) {
    return explanation('The connection was lost after ten minutes without a message.', 'X3', 'soon');
  }
  return explanation('The network connection was lost.', 'X3', 'soon');
}

/**
 * @param {ConnectionEnd} end
 * @returns {Explanation}
 */
function other(end) {
  if (end.code >= 3000 && end.code <= 4999) {
    return explanation(
      `Something other than API Gateway closed the connection with its own code ${end.code}.`,
      'X4',
      'later',
    );
  }
  return explanation(`The connection was closed with code ${end.code}.`, 'X4', 'soon');
}

/** @param {ConnectionEnd} end */
function isAgeLimit(end) {
  return end.age >= 119 * MINUTE && end.age <= 121 * MINUTE;
}

/** @param {ConnectionEnd} end */
function isIdleLimit(end) {
  return end.idle >= 9.75 * MINUTE && end.idle <= 10.5 * MINUTE;
}
