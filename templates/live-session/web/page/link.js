// Session IDs in addresses. They are in the fragment, which browsers send to no server.

/** Returns the session ID of this page's address, or null. */
export function linkedSession() {
  const id = new URLSearchParams(location.hash.slice(1)).get('session');
  return id !== null && isSessionId(id) ? id : null;
}

/** @param {string | null} sessionId */
export function linkSession(sessionId) {
  const fragment = sessionId === null ? location.pathname : `#session=${sessionId}`;
  history.replaceState(null, '', fragment);
}

/** @param {string} sessionId */
export function listenerLink(sessionId) {
  return new URL(`listen.html#session=${sessionId}`, location.href).href;
}

/**
 * Returns the session ID of what a user pasted: an ID or a link.
 *
 * @param {string} text
 * @returns {string | null}
 */
export function sessionIdIn(text) {
  const found = /[a-z]{1,32}-[a-z]{1,32}-\d{3}-[0-9a-hjkmnp-tv-z]{13}/.exec(text.trim());
  return found?.[0] ?? null;
}

/** @param {string} id */
function isSessionId(id) {
  return sessionIdIn(id) === id;
}
