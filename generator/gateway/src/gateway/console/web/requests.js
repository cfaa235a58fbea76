// Requests to the gateway. The browser sends the console's cookie with them.

/**
 * @typedef {object} Change
 * @property {'added' | 'removed' | 'changed'} kind
 * @property {string} subject
 * @property {string[]} details
 *
 * @typedef {object} Route
 * @property {string} key
 * @property {string | null} function
 * @property {boolean} twoWay
 *
 * @typedef {object} Served
 * @property {string} routeSelectionExpression
 * @property {Route[]} routes
 * @property {string[]} identitySource
 *
 * @typedef {object} Stage
 * @property {string} name
 * @property {string} url
 * @property {string | null} deploymentId
 * @property {boolean} autoDeploy
 * @property {Change[]} changes
 * @property {Served | null} served
 *
 * @typedef {object} Deployment
 * @property {string} id
 * @property {string | null} description
 * @property {number} createdAt
 *
 * @typedef {object} Api
 * @property {string} apiId
 * @property {string} name
 * @property {'WEBSOCKET' | 'HTTP'} protocolType
 * @property {Stage[]} stages
 * @property {Deployment[]} deployments
 *
 * @typedef {object} ApiList
 * @property {string | null} stack
 * @property {string[]} audiences
 * @property {Api[]} apis
 *
 * @typedef {{ action: 'redeploy', apiId: string, stage: string }
 *   | { action: 'activate', apiId: string, stage: string, deploymentId: string }} StageChange
 */

/**
 * @param {string} path
 * @param {unknown} [body] Sent by POST.
 */
async function request(path, body) {
  const options = body === undefined
    ? {}
    : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const response = await fetch(path, options);
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) {
    throw new Error(answer.message ?? `the gateway answered ${response.status}`);
  }
  return answer;
}

/** @returns {Promise<ApiList>} */
export function listApis() {
  return request('apis');
}

/**
 * Changes a stage, and returns all APIs.
 *
 * @param {StageChange} change
 * @returns {Promise<ApiList>}
 */
export function changeStage(change) {
  return request('apis', change);
}

/**
 * Mints a token.
 *
 * @param {string} subject
 * @returns {Promise<string>}
 */
export async function mintToken(subject) {
  const { token } = await request('/_stackgen/tokens', { subject });
  return token;
}

/** Explanations by row. @type {Map<string, Promise<string | null>>} */
const explanations = new Map();

/**
 * Explains a row of the reference; null if there is no such row.
 *
 * @param {string} row
 */
export function explainRow(row) {
  const known = explanations.get(row);
  if (known !== undefined) {
    return known;
  }
  const explanation = request(`rows/${encodeURIComponent(row)}`).then(
    ({ text }) => /** @type {string | null} */ (text),
    () => {
      // Another attempt may succeed.
      explanations.delete(row);
      return null;
    },
  );
  explanations.set(row, explanation);
  return explanation;
}
