// The page's user.

import { beginSignIn, claims, completeSignIn, discover, refreshTokens, SignInError } from './oidc.js';
import { button, element } from './dom.js';
import { showText } from './status.js';

/** Where the token is kept, so that a reload needs no sign-in. The storage belongs to this tab and ends with it. */
const STORED = 'live-session.token';

/** A token is renewed this long before it expires, in milliseconds. */
const MARGIN = 60_000;

/** Signs users in, and returns their tokens. */
export class SignIn {
  #config;
  /** @type {import('./oidc.js').Issuer | null} */
  #issuer = null;
  /** @type {string | null} */
  #token = null;
  /** Kept in memory only: it is valid for weeks. @type {string | undefined} */
  #refresh;
  /** Renewal in progress, which all callers share. @type {Promise<string | null> | null} */
  #renewal = null;

  /** @param {import('./config.js').PageConfig} config */
  constructor(config) {
    this.#config = config;
    const stored = sessionStorage.getItem(STORED);
    this.#token = stored !== null && isValid(stored) ? stored : null;
  }

  /**
   * Prepares the sign-in, and completes it if the browser comes back from the issuer.
   *
   * @param {() => void} signedIn Is called after a sign-in on this page.
   */
  async prepare(signedIn) {
    const { issuer, clientId, scope } = this.#config;
    this.#issuer = issuer === null || clientId === null ? null : await discover(issuer);
    const found = this.#issuer;
    if (found !== null && clientId !== null) {
      // First: if this sign-in fails, the user begins another one.
      element('sign-in-by-issuer', HTMLElement).hidden = false;
      button('sign-in-button').addEventListener('click', () => {
        showText('Going to the sign-in page…');
        beginSignIn(found, clientId, scope ?? 'openid');
      });
      const tokens = await completeSignIn(found, clientId);
      if (tokens !== null) {
        this.#use(tokens);
      }
    } else {
      this.#acceptPastedTokens(signedIn);
    }
  }

  /** True if there is a token that has not expired. */
  get isSignedIn() {
    return this.#token !== null && isValid(this.#token);
  }

  /**
   * Returns true if the user has to sign in before another connection.
   *
   * @param {import('../client/session.js').Status} status Status of the last one.
   */
  isNeededAfter(status) {
    const canRenew = this.isSignedIn || this.#refresh !== undefined;
    return status.explanation?.needsSignIn === true || !canRenew;
  }

  /** Returns a token, or null if the user has to sign in. @type {import('../client/api.js').TokenSource} */
  token = async (renew) => {
    if (!renew && this.#token !== null && isValid(this.#token, MARGIN)) {
      return this.#token;
    }
    this.#renewal ??= this.#renew().finally(() => {
      this.#renewal = null;
    });
    return this.#renewal;
  };

  async #renew() {
    const { clientId } = this.#config;
    if (this.#issuer !== null && clientId !== null && this.#refresh !== undefined) {
      try {
        this.#use(await refreshTokens(this.#issuer, clientId, this.#refresh));
      } catch (error) {
        if (!(error instanceof SignInError && error.isRefusal)) {
          throw error;
        }
        // The issuer will refuse it again. The token may be valid for a while.
        this.#refresh = undefined;
      }
    }
    return this.isSignedIn ? this.#token : null;
  }

  /** @param {import('./oidc.js').Tokens} tokens */
  #use(tokens) {
    this.#refresh = tokens.refresh;
    this.#keep((this.#config.tokenUse === 'id' ? tokens.id : tokens.access) ?? null);
  }

  /** @param {string | null} token */
  #keep(token) {
    this.#token = token;
    if (token === null) {
      sessionStorage.removeItem(STORED);
    } else {
      sessionStorage.setItem(STORED, token);
    }
  }

  /** @param {() => void} signedIn */
  #acceptPastedTokens(signedIn) {
    const form = element('token-form', HTMLFormElement);
    const field = element('token', HTMLTextAreaElement);
    form.hidden = false;
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      const token = field.value.trim();
      const problem = claims(token) === null ? 'This is no token: it has no claims.' : isValid(token) ? '' : 'This token has expired.';
      element('token-problem', HTMLElement).textContent = problem;
      field.setAttribute('aria-invalid', String(problem !== ''));
      if (problem === '') {
        this.#keep(token);
        field.value = '';
        signedIn();
      } else {
        field.focus();
      }
    });
  }
}

/**
 * @param {string} token
 * @param {number} [margin]
 */
function isValid(token, margin = 0) {
  const expiry = claims(token)?.exp;
  return typeof expiry === 'number' && expiry * 1_000 > Date.now() + margin;
}
