// The place of a token in a handshake.

/**
 * A query parameter, or the subprotocols after the first one.
 *
 * @typedef {{ kind: 'query' | 'protocol', name: string }} CredentialPlace
 */

/**
 * Returns where the authorizer of a stage looks for its token.
 *
 * @param {import('./requests.js').Stage | undefined} stage
 * @returns {CredentialPlace}
 */
export function credentialOf(stage) {
  const sources = stage?.served?.identitySource ?? [];
  if (sources.some((source) => /sec-websocket-protocol$/i.test(source))) {
    return { kind: 'protocol', name: 'bearer' };
  }
  const parameter = sources.map((source) => /^route\.request\.querystring\.(.+)$/.exec(source)?.[1]).find(Boolean);
  return { kind: 'query', name: parameter ?? 'token' };
}
