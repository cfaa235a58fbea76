// The view of deployments: what each stage serves, and what the account holds.

import { credentialOf } from './credential.js';
import { button, element, h, notice, replace } from './dom.js';
import { clock, date, errorText, plural } from './format.js';
import { changeStage, listApis } from './requests.js';

/**
 * @typedef {import('./requests.js').Api} Api
 * @typedef {import('./requests.js').Stage} Stage
 * @typedef {import('./requests.js').StageChange} StageChange
 */

export class DeploymentsView {
  #host = element('apis', HTMLDivElement);
  #activity = element('activity', HTMLOListElement);
  #isLoading = false;
  #isStale = false;
  #hasSeveralApis = false;
  /** Subjects of the callers that verify stages, by the stage. @type {Map<string, string>} */
  #subjects = new Map();

  /**
   * @param {import('./store.js').Store} store
   * @param {(list: import('./requests.js').ApiList) => void} loaded
   */
  constructor(store, loaded) {
    this.store = store;
    this.loaded = loaded;
  }

  /** Shows the latest changes. */
  update() {
    const items = this.store.activity.map((event) => h('li', {}, h('time', {}, clock(event.at)), ' ', happened(event)));
    this.#activity.replaceChildren(...(items.length === 0 ? [h('li', {}, 'None.')] : items));
  }

  /** Reads the APIs again. One request runs at a time, and the last change is never missed. */
  async load() {
    this.#isStale = true;
    if (this.#isLoading) {
      return;
    }
    this.#isLoading = true;
    try {
      while (this.#isStale) {
        this.#isStale = false;
        this.#show(await listApis());
      }
    } catch (error) {
      notice(`The deployments cannot be read: ${errorText(error)}.`);
    } finally {
      this.#isLoading = false;
    }
  }

  /** @param {import('./requests.js').ApiList} list */
  #show(list) {
    this.#hasSeveralApis = list.apis.length > 1;
    replace(this.#host, ...list.apis.map((api) => this.#api(api)));
    this.loaded(list);
  }

  /** @param {Api} api */
  #api(api) {
    const kind = api.protocolType === 'WEBSOCKET' ? 'WebSocket' : 'HTTP';
    return h(
      'section',
      { class: 'api', 'aria-label': api.name },
      h('h3', {}, api.name, ' ', h('span', { class: 'small' }, kind)),
      ...api.stages.map((stage) => this.#stage(api, stage)),
      this.#history(api),
    );
  }

  /**
   * @param {Api} api
   * @param {Stage} stage
   */
  #stage(api, stage) {
    const { apiId } = api;
    const before = previous(api, stage);
    const redeploy = button('Redeploy', () => this.#redeploy(api, stage), {
      'data-key': `redeploy-${apiId}-${stage.name}`,
      class: stage.changes.length > 0 ? 'main' : '',
      disabled: stage.autoDeploy,
    });
    const rollBack = before !== null && button(
      `Roll back to ${before}`,
      () => this.#activate(api, stage, before),
      { 'data-key': `back-${apiId}-${stage.name}`, disabled: stage.autoDeploy },
    );
    return h(
      'div',
      { class: 'stage' },
      h('h4', {}, `Stage ${stage.name} `, badge(stage)),
      h('p', {}, ...served(api, stage)),
      ...changes(stage),
      stage.autoDeploy && h('p', { class: 'small' }, 'AutoDeploy deploys every change (row D5).'),
      ...this.#caller(api, stage),
      h('p', { class: 'actions' }, redeploy, rollBack),
    );
  }

  /**
   * Returns the field for the caller that verifies a stage with an authorizer.
   *
   * @param {Api} api
   * @param {Stage} stage
   */
  #caller({ apiId, protocolType }, stage) {
    if (protocolType !== 'WEBSOCKET' || stage.autoDeploy || !stage.served?.hasAuthorizer) {
      return [];
    }
    const key = `caller-${apiId}-${stage.name}`;
    const field = h('input', { id: key, 'data-key': key, type: 'text', autocomplete: 'off', spellcheck: 'false' });
    field.value = this.#subjects.get(key) ?? '';
    field.addEventListener('input', () => this.#subjects.set(key, field.value));
    return [h('label', { for: key }, 'Verify a redeploy also as caller (', h('code', {}, 'sub'), ' of a new token)'), field];
  }

  /**
   * @param {Api} api
   * @param {Stage} stage
   */
  #redeploy({ apiId, name }, stage) {
    const subject = this.#subjects.get(`caller-${apiId}-${stage.name}`)?.trim() ?? '';
    const caller = subject === '' ? null : { subject, place: credentialOf(stage) };
    // The command redeploys all APIs of a project, but only the selected one of a template.
    const others = (/** @type {string} */ verb) => this.#hasSeveralApis ? ` In a project, its other APIs ${verb}, too.` : '';
    notice(`${name}/${stage.name} is redeployed and verified.${others('are')}`);
    const change = { action: /** @type {'redeploy'} */ ('redeploy'), apiId, stage: stage.name, caller };
    return this.#change(change, `${name}/${stage.name} was redeployed, and verified.${others('were')}`);
  }

  /** @param {Api} api */
  #history(api) {
    const rows = [...api.deployments].reverse().map(({ id, description, createdAt, digest, commit, verification }) => {
      const serving = api.stages.filter(({ deploymentId }) => deploymentId === id);
      const others = api.stages.filter(({ deploymentId, autoDeploy }) => deploymentId !== id && !autoDeploy);
      const buttons = others.map((stage) =>
        button(`Activate on ${stage.name}`, () => this.#activate(api, stage, id), {
          'data-key': `activate-${api.apiId}-${stage.name}-${id}`,
          'aria-label': `Activate on ${stage.name}: deployment ${id}`,
        }),
      );
      return h(
        'tr',
        {},
        h('th', { scope: 'row' }, h('code', {}, id)),
        h('td', {}, date(createdAt)),
        h('td', {}, digest === null ? 'unknown' : h('code', { title: digest }, digest.slice(0, 12))),
        h('td', {}, commit === null ? 'unknown' : h('code', {}, commit)),
        h('td', { class: 'description' }, verification ?? (isRecord(description) ? '' : description)),
        h('td', {}, serving.length > 0 && h('span', { class: 'badge good' }, `served by ${serving.map(({ name }) => name).join(', ')}`), ...buttons),
      );
    });
    const head = ['Deployment', 'Created', 'Digest', 'Commit', 'Description', 'Stages'].map((title) => h('th', { scope: 'col' }, title));
    return h(
      'details',
      { open: true },
      h('summary', {}, plural(api.deployments.length, 'deployment')),
      h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': `Deployments of ${api.name}` },
        h('table', {}, h('thead', {}, h('tr', {}, ...head)), h('tbody', {}, ...rows))),
    );
  }

  /**
   * @param {Api} api
   * @param {Stage} stage
   * @param {string} deploymentId
   */
  #activate({ apiId, name }, stage, deploymentId) {
    const change = { action: /** @type {'activate'} */ ('activate'), apiId, stage: stage.name, deploymentId };
    return this.#change(change, `${name}/${stage.name} serves ${deploymentId}.`);
  }

  /**
   * @param {StageChange} change
   * @param {string} done
   */
  async #change(change, done) {
    try {
      this.#show(await changeStage(change));
      notice(done);
    } catch (error) {
      notice(`The stage was not changed: ${errorText(error)}.`);
    }
  }
}

/**
 * Returns what a stage serves, in words.
 *
 * @param {Api} api
 * @param {Stage} stage
 */
function served({ deployments }, { deploymentId }) {
  if (deploymentId === null) {
    return ['Serves nothing.'];
  }
  const { digest = null, verification = null } = deployments.find(({ id }) => id === deploymentId) ?? {};
  return [
    'Serves deployment ',
    h('code', { class: 'serves' }, deploymentId),
    digest !== null && h('span', {}, ', digest ', h('code', { title: digest }, digest.slice(0, 12))),
    verification !== null && `, ${verification}`,
  ];
}

/**
 * Returns true for a description that stackgen wrote for itself.
 *
 * @param {string | null} description
 */
function isRecord(description) {
  return description?.startsWith('stackgen sha256:') ?? false;
}

/** @param {Stage} stage */
function badge({ deploymentId, changes }) {
  if (deploymentId === null) {
    return h('span', { class: 'badge bad' }, 'no deployment');
  }
  return changes.length === 0
    ? h('span', { class: 'badge good' }, 'current')
    : h('span', { class: 'badge bad' }, 'stale');
}

/** @param {Stage} stage */
function changes({ deploymentId, changes }) {
  if (changes.length === 0 || deploymentId === null) {
    return [];
  }
  const words = { added: 'not served yet', removed: 'still served', changed: 'served as before' };
  const items = changes.map(({ kind, subject, details }) =>
    h('li', {}, h('strong', {}, subject), `: ${words[kind]}`, details.length > 0 && h('ul', {}, ...details.map((detail) => h('li', {}, detail)))),
  );
  return [h('p', {}, 'The account holds changes that the stage does not serve:'), h('ul', { class: 'changes' }, ...items)];
}

/**
 * Returns the deployment that was created before the one that a stage serves.
 *
 * @param {Api} api
 * @param {Stage} stage
 */
function previous({ deployments }, { deploymentId }) {
  const at = deployments.findIndex(({ id }) => id === deploymentId);
  return at > 0 ? deployments[at - 1].id : null;
}

/** @param {any} event */
function happened(event) {
  switch (event.event) {
    case 'deployed': {
      const { deployment, description } = event;
      return `Deployment ${deployment} was created${description && !isRecord(description) ? `: ${description}` : ''}.`;
    }
    case 'activated':
      return `Stage ${event.stage} serves ${event.deployment ?? 'nothing'}, before that ${event.previous ?? 'nothing'}.`;
    default:
      return `Changed in the account, and not served: ${event.what}.`;
  }
}
