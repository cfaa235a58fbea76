// An OIDC issuer with a page to sign in, which signs everybody in. It checks PKCE as RFC 7636 asks.

import { createHash } from 'node:crypto';
import { createServer } from 'node:http';

const base64Url = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

/**
 * Starts an issuer whose access tokens are this text. The page needs an ID token of the same sign-in, whose signature nobody but the
 * servers checks.
 */
export async function startIssuer(clientId, accessToken) {
  const pending = new Map();
  const seen = { authorized: 0, refused: [] };
  let issuer = '';

  const routes = {
    '/.well-known/openid-configuration': () => ({
      json: { issuer, authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token` },
    }),
    '/authorize': (query) => {
      const code = `code-${pending.size}`;
      pending.set(code, Object.fromEntries(query));
      const back = new URL(query.get('redirect_uri'));
      back.searchParams.set('code', code);
      back.searchParams.set('state', query.get('state'));
      return { location: back.href };
    },
    '/token': (_query, form) => {
      const asked = pending.get(form.get('code'));
      pending.delete(form.get('code'));
      const challenge = createHash('sha256').update(form.get('code_verifier') ?? '').digest('base64url');
      const isRight =
        asked?.code_challenge_method === 'S256' &&
        asked.code_challenge === challenge &&
        asked.redirect_uri === form.get('redirect_uri') &&
        form.get('client_id') === clientId;
      if (!isRight) {
        seen.refused.push(Object.fromEntries(form));
        return { status: 400, json: { error: 'invalid_grant' } };
      }
      seen.authorized += 1;
      const claims = { iss: issuer, aud: clientId, nonce: asked.nonce, exp: Math.floor(Date.now() / 1_000) + 600 };
      return { json: { id_token: `${base64Url({ alg: 'RS256' })}.${base64Url(claims)}.x`, access_token: accessToken } };
    },
  };

  const server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) {
      body += part;
    }
    const url = new URL(request.url, issuer);
    const answer = routes[url.pathname]?.(url.searchParams, new URLSearchParams(body)) ?? { status: 404, json: {} };
    if (answer.location) {
      response.writeHead(302, { location: answer.location }).end();
    } else {
      const headers = { 'content-type': 'application/json', 'access-control-allow-origin': '*' };
      response.writeHead(answer.status ?? 200, headers).end(JSON.stringify(answer.json));
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  issuer = `http://127.0.0.1:${server.address().port}`;
  return { issuer, seen, close: () => server.close() };
}
