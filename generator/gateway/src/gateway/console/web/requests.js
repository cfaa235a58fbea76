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
 * @property {boolean} hasAuthorizer True if $connect has an authorizer, which may have no identity source.
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
 * @property {string | null} digest
 * @property {string | null} commit Commit of the project when it was created; null if it is unknown.
 * @property {string | null} verification
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
 * @typedef {{ subject: string, place: import('./credential.js').CredentialPlace }} Caller
 *
 * @typedef {{ action: 'redeploy', apiId: string, stage: string, caller: Caller | null }
 *   | { action: 'activate', apiId: string, stage: string, deploymentId: string }} StageChange
 */

/**
 * @typedef {object} StackNode
 * @property {string} id
 * @property {'api' | 'routes' | 'authorizer' | 'function' | 'other' | 'table' | 'source'} kind
 * @property {string[]} lines
 * @property {string[]} details
 * @property {string | null} name Name of the function or table in the account.
 *
 * @typedef {object} Edge
 * @property {number} from
 * @property {number} to
 * @property {string} label
 * @property {boolean} dashed
 *
 * @typedef {object} Finding
 * @property {string} rule
 * @property {string} name
 * @property {'note' | 'warning' | 'error'} severity
 * @property {string} message
 * @property {number | null} line
 * @property {string | null} text The line, unless it may contain a secret.
 * @property {string | null} hint
 *
 * @typedef {object} Stack
 * @property {string | null} name
 * @property {string} file
 * @property {StackNode[]} nodes
 * @property {Edge[]} edges
 * @property {string[]} tables
 * @property {{ url: string, keys: Record<string, string>[], audiences: string[] }} issuer
 * @property {Finding[]} findings
 *
 * @typedef {object} Invocation
 * @property {string} requestId
 * @property {number} at
 * @property {string | null} version
 * @property {number | null} durationMillis
 * @property {number | null} initMillis
 * @property {string | null} status
 *
 * @typedef {object} FunctionDetails
 * @property {string} name
 * @property {string} runtime
 * @property {string} handler
 * @property {string} role
 * @property {number} timeoutSeconds
 * @property {number} memoryMb
 * @property {{ name: string, value: string }[]} environment
 * @property {{ version: string, description: string, lastModified: number }[]} versions
 * @property {{ name: string, version: string }[]} aliases
 * @property {string} logGroup
 * @property {Invocation[]} invocations
 * @property {{ at: number, line: string }[]} log
 *
 * @typedef {Record<string, Record<string, unknown>>} Item An item in DynamoDB's JSON.
 *
 * @typedef {object} ItemPage
 * @property {string[]} key
 * @property {Item[]} items
 * @property {number} scanned
 * @property {Item | null} next
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
 * @param {Record<string, unknown>} [claims] More claims.
 * @returns {Promise<string>}
 */
export async function mintToken(subject, claims = {}) {
  const { token } = await request('/_stackgen/tokens', { subject, claims });
  return token;
}

/** @returns {Promise<Stack>} */
export function readStack() {
  return request('stack');
}

/**
 * @param {string} name
 * @returns {Promise<FunctionDetails>}
 */
export function readFunction(name) {
  return request(`functions/${encodeURIComponent(name)}`);
}

/**
 * Returns items whose names or values contain a text.
 *
 * @param {string} table
 * @param {string} search
 * @param {Item | null} after Key after which the page starts.
 * @returns {Promise<ItemPage>}
 */
export function readItems(table, search, after) {
  const query = new URLSearchParams({ search, ...(after === null ? {} : { after: JSON.stringify(after) }) });
  return request(`tables/${encodeURIComponent(table)}?${query}`);
}

/**
 * Changes an item. `before` is the item that the user edited, or null for a new one.
 *
 * @param {string} table
 * @param {{ action: 'put', item: unknown, before: Item | null } | { action: 'delete', item: Item }} change
 */
export function changeItem(table, change) {
  return request(`tables/${encodeURIComponent(table)}`, change);
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
