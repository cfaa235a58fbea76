// The timeline of a connection: what happened, why, and how to try it again.

import { button, element, h } from './dom.js';
import { bytes, clock, duration, plural, pretty } from './format.js';
import { explainRow } from './requests.js';

/** @typedef {import('./store.js').Connection} Connection */

/** Mark of a masked credential. */
export const MASK = '****';

export class Timeline {
  /** @type {Connection | null} */
  connection = null;
  #host = element('timeline', HTMLElement);
  #title = h('h2', { id: 'timeline-title' });
  #state = h('p', { class: 'ending' });
  #forgotten = h('p', { class: 'small' });
  #whole = h('p', { class: 'actions' });
  #entries = h('ol', { class: 'entries' });
  /** Events that are shown, with their elements. @type {Map<number, HTMLElement>} */
  #shown = new Map();

  /**
   * @param {(connection: Connection, body: string, send: boolean) => void} replay
   * @param {(connection: Connection, isPaced: boolean) => void} replayAll
   */
  constructor(replay, replayAll) {
    this.replay = replay;
    const all = (/** @type {boolean} */ isPaced) => () => this.connection !== null && replayAll(this.connection, isPaced);
    this.#whole.append(button('Replay the connection', all(true)), button('Replay it at once', all(false)));
  }

  /** @param {Connection | null} connection */
  open(connection) {
    this.connection = connection;
    this.#host.hidden = connection === null;
    this.#shown.clear();
    this.#entries.replaceChildren();
    if (connection !== null) {
      const back = h('a', { href: '#connections', class: 'back' }, 'All connections');
      this.#host.replaceChildren(back, this.#title, this.#state, this.#whole, this.#forgotten, this.#entries);
      this.#title.replaceChildren('Connection ', h('code', {}, connection.id));
      this.update();
      this.#host.focus({ preventScroll: true });
      scrollTo(0, 0);
    }
  }

  update() {
    const { connection } = this;
    if (connection === null) {
      return;
    }
    this.#state.textContent = describe(connection);
    this.#whole.hidden = !connection.isKnown || connection.state === 'refused' || connection.received === 0;
    this.#forgotten.textContent = connection.forgotten > 0
      ? `${plural(connection.forgotten, 'older event')} not shown.`
      : '';
    const current = new Set(connection.entries.map(({ id }) => id));
    for (const [id, entry] of this.#shown) {
      if (!current.has(id)) {
        entry.remove();
        this.#shown.delete(id);
      }
    }
    for (const event of connection.entries) {
      if (!this.#shown.has(event.id)) {
        const entry = this.#entry(connection, event);
        this.#shown.set(event.id, entry);
        this.#entries.append(entry);
      }
    }
  }

  /**
   * @param {Connection} connection
   * @param {any} event
   */
  #entry(connection, event) {
    const { title, style, open } = summarize(event);
    const summary = h('summary', {}, h('time', {}, clock(event.at)), ' ', title);
    const details = h('details', { class: style, open: open === true }, summary);
    const fill = () => {
      if (details.childElementCount === 1) {
        details.append(...contents(event), ...this.#actions(connection, event));
      }
    };
    // Filled when it is opened: a timeline may have hundreds of large frames.
    details.addEventListener('toggle', fill);
    if (open === true) {
      fill();
    }
    return h('li', {}, details);
  }

  /**
   * @param {Connection} connection
   * @param {any} event
   */
  #actions(connection, event) {
    // A frame is replayed by a client of its API.
    if (event.event !== 'message' || !connection.isKnown) {
      return [];
    }
    const replay = (/** @type {boolean} */ send) => () => this.replay(connection, event.body, send);
    return [
      h(
        'p',
        { class: 'actions' },
        button('Replay', replay(true), { 'data-key': `replay-${event.id}` }),
        button('Edit and send', replay(false), { 'data-key': `edit-${event.id}` }),
      ),
    ];
  }
}

/** @param {Connection} connection */
function describe({ state, code, reason, row, since, until, isKnown, principal }) {
  if (!isKnown) {
    const end = state === 'open' ? '' : ` Closed with ${code}: ${reason} (row ${row}).`;
    return `The gateway no longer keeps the handshake.${end}`;
  }
  const who = principal === null ? 'without a principal' : `as ${principal}`;
  switch (state) {
    case 'open':
      return `Open since ${clock(since)}, ${who}.`;
    case 'refused':
      return `Refused with ${code}: ${reason} (row ${row}).`;
    default:
      return `Closed with ${code} after ${duration((until ?? since) - since)}: ${reason} (row ${row}).`;
  }
}

/**
 * @param {any} event
 * @returns {{ title: string, style: string, open?: boolean }}
 */
function summarize(event) {
  switch (event.event) {
    case 'connected':
      return { title: `Handshake accepted, ${duration(event.tookMillis)}`, style: 'good' };
    case 'refused':
      return { title: `Handshake refused with ${event.status}, ${duration(event.tookMillis)}`, style: 'bad', open: true };
    case 'message':
      return message(event);
    case 'posted':
      return event.status === 200
        ? { title: `To the client: ${bytes(event.bytes)}, by @connections`, style: 'out' }
        : { title: `Not sent to the client: ${bytes(event.bytes)}, status ${event.status}`, style: 'bad' };
    case 'closed':
      return { title: `Closed with ${event.code} ${event.reason}`, style: 'end', open: true };
    case 'disconnected':
      return { title: `$disconnect, ${duration(event.tookMillis)}`, style: 'good' };
    case 'disconnectFailed':
      return { title: '$disconnect failed', style: 'bad', open: true };
    default:
      return { title: event.event, style: '' };
  }
}

/** @param {any} event */
function message({ route, bytes: size, outcome, tookMillis }) {
  const results = {
    taken: () => 'no answer',
    answered: () => `answered ${bytes(outcome.bytes)}`,
    failed: () => `the function returned ${outcome.status}, which the client does not see`,
    error: () => `${outcome.message}`,
  };
  const result = results[/** @type {keyof typeof results} */ (outcome.kind)]();
  const failed = outcome.kind === 'failed' || outcome.kind === 'error';
  return {
    title: `From the client: ${route ?? 'no route'}, ${bytes(size)}, ${result}, ${duration(tookMillis)}`,
    style: failed ? 'bad' : 'in',
  };
}

/**
 * Returns the details of an event.
 *
 * @param {any} event
 * @returns {HTMLElement[]}
 */
function contents(event) {
  switch (event.event) {
    case 'connected':
      return handshake(event.handshake);
    case 'refused':
      return [reason(event.reason, event.row), ...evidence(event.evidence), ...handshake(event.handshake)];
    case 'message': {
      const { outcome, body, answer, call } = event;
      return [
        ...(outcome.kind === 'error' ? [reason(outcome.reason, outcome.row)] : []),
        ...(outcome.kind === 'failed' ? [reason('The client does not see the status.', 'M7')] : []),
        ...evidence(event.evidence),
        text('Message', body),
        ...functionCall('Function', call),
        ...(answer === null ? [] : [text('Frame to the client', answer)]),
      ];
    }
    case 'posted':
      return [
        ...(event.reason ? [reason(event.reason, 'K1')] : []),
        event.body === null ? h('p', {}, 'The message was refused unread.') : text('Message', event.body),
      ];
    case 'closed':
      return [reason(event.meaning, event.row)];
    case 'disconnected':
      return functionCall('Function', event.call);
    case 'disconnectFailed':
      return [reason(event.reason, 'M18'), ...evidence(event.evidence)];
    default:
      return [];
  }
}

/** @param {any} details */
function handshake({ requestId, deployment, path, query, headers, sourceIp, authorizer, connect }) {
  return [
    h('h3', {}, 'Request'),
    h('p', {}, h('code', {}, `GET ${path}`), ` from ${sourceIp}, request ID `, h('code', {}, requestId)),
    ...(deployment === null ? [] : [h('p', {}, 'Deployment ', h('code', {}, deployment))]),
    ...pairs('Query parameters', query),
    ...pairs('Headers', headers),
    h('h3', {}, 'Authorizer'),
    ...(authorizer === null ? [h('p', {}, 'Not called.')] : authorizerCall(authorizer)),
    h('h3', {}, '$connect'),
    ...(connect === null ? [h('p', {}, 'No function answered.')] : functionCall(null, connect)),
  ];
}

/** @param {any} call */
function authorizerCall({ function: name, version, event, output, tookMillis }) {
  const { policyDocument = null, context = null } = output ?? {};
  const parts = policyDocument === null
    ? [text('Output', output === null ? 'none' : JSON.stringify(output))]
    : [text('Policy', JSON.stringify(policyDocument)), text('Context', JSON.stringify(context ?? {}))];
  return [
    h('p', {}, h('code', {}, name), version === null ? '' : ` version ${version}`, `, ${duration(tookMillis)}`),
    ...parts,
    h('details', {}, h('summary', {}, 'Event'), text('Event of the authorizer', JSON.stringify(event))),
  ];
}

/**
 * @param {string | null} title
 * @param {any} call
 */
function functionCall(title, call) {
  if (call === null) {
    return [];
  }
  const name = h('code', {}, call.function);
  const rest = ` version ${call.version}, ${duration(call.durationMillis)}${call.failed ? ', failed' : ''}, request ID `;
  return [h('p', {}, title === null ? '' : `${title} `, name, rest, h('code', {}, call.requestId))];
}

/**
 * Explains a reason by its row.
 *
 * @param {string} because
 * @param {string} row
 */
function reason(because, row) {
  const explanation = h('p', { class: 'explanation' });
  if (row !== '') {
    explainRow(row).then((found) => {
      explanation.textContent = found === null ? '' : `Row ${row}: ${found}`;
    });
  }
  return h('div', { class: 'reason' }, h('p', {}, because), explanation);
}

/** @param {any} found */
function evidence(found) {
  if (found === null || (found.error === null && found.log.length === 0)) {
    return [];
  }
  const { error, log } = found;
  const lines = error === null ? [] : [`${error.errorType}: ${error.message}`, ...error.trace];
  return [
    ...(lines.length === 0 ? [] : [text('Error of the function', lines.join('\n'))]),
    ...(log.length === 0 ? [] : [text('Log of the function', log.join('\n'))]),
  ];
}

/**
 * @param {string} title
 * @param {{ name: string, value: string }[]} list
 */
function pairs(title, list) {
  if (list.length === 0) {
    return [];
  }
  const rows = list.map(({ name, value }) => h('tr', {}, h('th', { scope: 'row' }, name), h('td', {}, value)));
  return [h('table', { class: 'pairs' }, h('caption', {}, title), h('tbody', {}, ...rows))];
}

/**
 * @param {string} title
 * @param {string} content
 */
function text(title, content) {
  const shown = pretty(content);
  return h('figure', {}, h('figcaption', {}, title), h('pre', { tabindex: 0, 'aria-label': title }, shown));
}
