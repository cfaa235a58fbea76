// The HTTP API: sessions and tickets.

/** Longest wait for an answer, in milliseconds. */
const TIMEOUT = 10_000;

/**
 * @typedef {object} SessionView
 * @property {string} sessionId
 * @property {string} sourceLanguage
 * @property {'active' | 'paused' | 'ended'} status
 * @property {number} listenerCount
 */

/** Refusal of a request, or the failure to send it (then `status` is 0). */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {string} code
   * @param {string} message
   * @param {number | null} [retryAfter]
   */
  constructor(status, code, message, retryAfter = null) {
    super(message);
    this.name = 'ApiError';
    /** HTTP status. */
    this.status = status;
    /** Code for programs, such as `NO_SESSION`. */
    this.code = code;
    /** Milliseconds to wait before the next attempt, if the server says so. */
    this.retryAfter = retryAfter;
  }
}

/** Function that returns a token of the OIDC issuer, and gets a new one if `renew` is true. Null means anonymous. */
/** @typedef {(renew: boolean) => Promise<string | null>} TokenSource */

/** Client of the HTTP API. */
export class SessionApi {
  #base;
  #environment;
  #token;

  /**
   * @param {string} base URL of the HTTP API.
   * @param {import('./environment.js').Environment} environment
   * @param {TokenSource} token
   */
  constructor(base, environment, token) {
    this.#base = base.replace(/\/+$/, '');
    this.#environment = environment;
    this.#token = token;
  }

  /**
   * Creates a session. A request without an answer is repeated once with the same key, which returns the same session.
   *
   * @param {string} sourceLanguage
   * @param {'standard' | 'premium'} qualityTier
   * @param {string} key Random text that names this request.
   * @returns {Promise<SessionView>}
   */
  async create(sourceLanguage, qualityTier, key) {
    const create = () =>
      this.#request('POST', '/sessions', { sourceLanguage, qualityTier }, { 'idempotency-key': key });
    try {
      return await create();
    } catch (error) {
      const isUnanswered = error instanceof ApiError && (error.status === 0 || error.status >= 500);
      if (!isUnanswered) {
        throw error;
      }
      return create();
    }
  }

  /**
   * Returns the public view of a session.
   *
   * @param {string} sessionId
   * @returns {Promise<SessionView>}
   */
  view(sessionId) {
    return this.#send('GET', sessionPath(sessionId), undefined, {});
  }

  /**
   * Ends a session.
   *
   * @param {string} sessionId
   */
  async end(sessionId) {
    await this.#request('DELETE', sessionPath(sessionId), undefined, {});
  }

  /**
   * Returns a ticket, which opens one connection within 30 seconds.
   *
   * @param {string} sessionId
   * @param {import('./messages.js').Role} role
   * @returns {Promise<string>}
   */
  async ticket(sessionId, role) {
    const { ticket } = await this.#request('POST', `${sessionPath(sessionId)}/tickets`, { role }, {});
    return ticket;
  }

  /**
   * Sends a request with the user's token. If the token is refused, repeats it once with a new token.
   *
   * @param {string} method
   * @param {string} path
   * @param {object | undefined} body
   * @param {Record<string, string>} headers
   */
  async #request(method, path, body, headers) {
    const authorized = async (/** @type {boolean} */ renew) => {
      const token = await this.#token(renew);
      if (token === null) {
        throw new ApiError(401, 'NO_TOKEN', 'sign in first');
      }
      return this.#send(method, path, body, { ...headers, authorization: `Bearer ${token}` });
    };
    try {
      return await authorized(false);
    } catch (error) {
      const isRefused = error instanceof ApiError && error.status === 401 && error.code !== 'NO_TOKEN';
      if (!isRefused) {
        throw error;
      }
      return authorized(true);
    }
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {object | undefined} body
   * @param {Record<string, string>} headers
   */
  async #send(method, path, body, headers) {
    const environment = this.#environment;
    const stop = new AbortController();
    const init = { method, headers, cache: /** @type {const} */ ('no-store'), signal: stop.signal };
    const json = { ...init, headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(body) };
    const timer = environment.setTimer(() => stop.abort(), TIMEOUT);
    let response;
    let answer;
    try {
      response = await environment.fetch(`${this.#base}${path}`, body === undefined ? init : json);
      const text = await response.text();
      answer = parseJson(text);
    } catch {
      throw new ApiError(0, 'NO_ANSWER', 'the server did not answer; check the network');
    } finally {
      environment.clearTimer(timer);
    }
    if (!response.ok) {
      throw refusal(response, answer);
    }
    return answer;
  }
}

/** Returns null if the text is no JSON. @param {string} text */
function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** @param {string} sessionId */
function sessionPath(sessionId) {
  return `/sessions/${encodeURIComponent(sessionId)}`;
}

/**
 * @param {Response} response
 * @param {any} answer
 */
function refusal(response, answer) {
  const seconds = Number(response.headers.get('retry-after') ?? NaN);
  const retryAfter = Number.isFinite(seconds) ? seconds * 1_000 : null;
  const code = answer?.error?.code ?? `HTTP_${response.status}`;
  // API Gateway's own refusals are `{"message": "Unauthorized"}`.
  const message = answer?.error?.message ?? answer?.message ?? `the server answered ${response.status}`;
  return new ApiError(response.status, code, message, retryAfter);
}
