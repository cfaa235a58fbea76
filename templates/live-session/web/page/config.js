// Settings of the page: config.json beside it.

/**
 * @typedef {object} PageConfig
 * @property {string} websocketUrl URL of the WebSocket API's stage.
 * @property {string} httpUrl URL of the HTTP API.
 * @property {string | null} issuer OIDC issuer. Without one, users paste a token.
 * @property {string | null} clientId The page's client ID at the issuer.
 * @property {string} [scope] Scopes to request (default: `openid`).
 * @property {'id' | 'access'} tokenUse Kind of token that the APIs accept, `JWT_TOKEN_USE` in stackgen.yaml.
 * @property {'ticket' | 'token'} credentials How speakers authenticate connections.
 * @property {boolean} listenersSignIn True if listeners have to sign in, with `callers: authenticated` in stackgen.yaml.
 * @property {string[]} languages Languages to choose from.
 */

/** Error of the settings, with a sentence for the page. */
export class ConfigError extends Error {}

/**
 * Loads the settings.
 *
 * @returns {Promise<PageConfig>}
 */
export async function loadConfig() {
  let config;
  try {
    const response = await fetch(new URL('../config.json', import.meta.url), { cache: 'no-cache' });
    config = await response.json();
  } catch {
    throw new ConfigError('The file config.json is missing or is not JSON. Put it beside this page.');
  }
  checkUrl(config, 'websocketUrl', ['ws:', 'wss:']);
  checkUrl(config, 'httpUrl', ['http:', 'https:']);
  checkOneOf(config, 'tokenUse', ['id', 'access']);
  checkOneOf(config, 'credentials', ['ticket', 'token']);
  if (config.issuer && !config.clientId) {
    throw new ConfigError('config.json has an issuer but no clientId. Add the client ID of this page.');
  }
  if (!Array.isArray(config.languages) || config.languages.length === 0) {
    throw new ConfigError('config.json has no languages. Add a list such as ["en", "de"].');
  }
  return config;
}

/**
 * @param {any} config
 * @param {string} key
 * @param {string[]} schemes
 */
function checkUrl(config, key, schemes) {
  const url = typeof config?.[key] === 'string' && URL.canParse(config[key]) ? new URL(config[key]) : null;
  if (url === null || !schemes.includes(url.protocol)) {
    throw new ConfigError(`${key} in config.json must be a URL that begins with ${schemes.join(' or ')}//.`);
  }
}

/**
 * @param {any} config
 * @param {string} key
 * @param {string[]} values
 */
function checkOneOf(config, key, values) {
  if (!values.includes(config[key])) {
    throw new ConfigError(`${key} in config.json must be ${values.join(' or ')}.`);
  }
}
