// The view for sending: clients in this page, frames from routes, and replayed frames.

import { button, element, h, notice } from './dom.js';
import { clock, errorText, pretty } from './format.js';
import { mintToken } from './requests.js';
import { MASK } from './timeline.js';

/**
 * @typedef {import('./requests.js').Api} Api
 * @typedef {import('./requests.js').Stage} Stage
 *
 * @typedef {object} Target
 * @property {Api} api
 * @property {Stage} stage
 */

/** Maximum number of frames in the log of a client. */
const MAX_FRAMES = 200;

/** Note about a masked frame. */
const MASKED = `A token in this frame is masked as ${MASK}. Replace it, then send.`;

export class SendView {
  #target = element('target', HTMLSelectElement);
  #subject = element('subject', HTMLInputElement);
  #kind = element('credential-kind', HTMLSelectElement);
  #name = element('credential-name', HTMLInputElement);
  #query = element('query', HTMLInputElement);
  #clients = element('clients', HTMLDivElement);
  /** @type {Target[]} */
  #targets = [];
  /** Clients, the latest first. @type {Client[]} */
  #all = [];
  #count = 0;
  /** Frame that waits for a client of its API. @type {{ api: string, body: string } | null} */
  #waiting = null;

  constructor() {
    element('connect-form', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      this.#connect().catch((error) => notice(`No client was connected: ${errorText(error)}.`));
    });
    this.#target.addEventListener('change', () => this.#suggest());
  }

  /** @param {import('./requests.js').ApiList} list */
  show({ apis, audiences }) {
    const before = this.#target.value;
    const sockets = apis.filter(({ protocolType }) => protocolType === 'WEBSOCKET');
    this.#targets = sockets.flatMap((api) => api.stages.map((stage) => ({ api, stage })));
    this.#target.replaceChildren(
      ...this.#targets.map(({ api, stage }) => h('option', { value: key(api.apiId, stage.name) }, `${api.name}/${stage.name}`)),
    );
    if (this.#targets.some(({ api, stage }) => key(api.apiId, stage.name) === before)) {
      this.#target.value = before;
    } else {
      this.#suggest();
    }
    const audience = audiences.length > 0 ? ` for ${audiences[0]}` : '';
    element('subject-help', HTMLParagraphElement).textContent =
      `The local issuer mints a token${audience}. A page cannot set headers; for those, use stackgen probe.`;
  }

  /** Suggests where the authorizer of the chosen stage looks for its token. */
  #suggest() {
    const sources = this.#chosen()?.stage.served?.identitySource ?? [];
    const parameter = sources.map((source) => /^route\.request\.querystring\.(.+)$/.exec(source)?.[1]).find(Boolean);
    const isProtocol = sources.some((source) => /sec-websocket-protocol$/i.test(source));
    this.#kind.value = isProtocol ? 'protocol' : 'query';
    this.#name.value = isProtocol ? 'bearer' : (parameter ?? 'token');
  }

  #chosen() {
    return this.#targets.find(({ api, stage }) => key(api.apiId, stage.name) === this.#target.value);
  }

  async #connect() {
    const target = this.#chosen();
    if (target === undefined) {
      throw new Error('there is no WebSocket API');
    }
    const url = new URL(target.stage.url);
    url.search = this.#query.value.trim();
    /** @type {string[]} */
    const protocols = [];
    const subject = this.#subject.value.trim();
    if (subject !== '') {
      const token = await mintToken(subject);
      const name = this.#name.value.trim();
      if (this.#kind.value === 'protocol') {
        protocols.push(...(name === '' ? [] : [name]), token);
      } else {
        url.searchParams.set(name, token);
      }
    }
    // Throws if a subprotocol is not a token.
    const socket = new WebSocket(url, protocols);
    this.#count += 1;
    const waiting = this.#waiting !== null && this.#waiting.api === target.api.apiId ? this.#waiting.body : null;
    const client = new Client(this.#count, target, subject, socket, waiting, () => this.#remove(client));
    if (waiting !== null) {
      this.#waiting = null;
      notice(waiting.includes(MASK) ? MASKED : '');
    }
    this.#all.unshift(client);
    this.#clients.prepend(client.element);
  }

  /** @param {Client} client */
  #remove(client) {
    this.#all = this.#all.filter((other) => other !== client);
    client.element.remove();
    this.#target.focus();
  }

  /**
   * Sends a recorded frame with a connected client of its API, or prepares it.
   *
   * @param {string} api
   * @param {string} body
   * @param {boolean} send
   */
  replay(api, body, send) {
    const client = this.#all.find((client) => client.isOpen && client.target.api.apiId === api);
    const isMasked = body.includes(MASK);
    if (client === undefined) {
      this.#waiting = { api, body };
      this.#target.focus();
      notice(`Connect a client. It gets the frame to send.${isMasked ? ` ${MASKED}` : ''}`);
      return;
    }
    client.prepare(body);
    if (send && !isMasked) {
      client.send();
      notice(`The frame was sent by client ${client.number}.`);
    } else {
      notice(isMasked ? MASKED : 'Edit the frame, then send it.');
    }
  }
}

/** A client of this page. */
class Client {
  #socket;
  #state = h('span', { class: 'badge', role: 'status' }, 'connecting');
  #text;
  #frames = h('ol', { class: 'frames', 'aria-label': 'Frames' });
  #sendButton;
  #closeButton;

  /**
   * @param {number} number
   * @param {Target} target
   * @param {string} subject
   * @param {WebSocket} socket
   * @param {string | null} body Frame to begin with.
   * @param {() => void} removed
   */
  constructor(number, target, subject, socket, body, removed) {
    this.number = number;
    this.target = target;
    this.#socket = socket;
    const id = `client-${number}`;
    this.#text = h('textarea', { id: `${id}-text`, rows: 4, spellcheck: 'false' });
    this.#sendButton = button('Send', () => this.send(), { class: 'main' });
    this.#closeButton = button('Close', () => socket.close(1000, 'closed in the console'));
    const routes = this.#routes(`${id}-route`);
    this.#text.value = body ?? this.#template(target.stage.served?.routes.find(isSendable)?.key);
    const who = subject === '' ? 'without a token' : `as ${subject}`;
    this.element = h(
      'section',
      { class: 'client', 'aria-labelledby': `${id}-title` },
      h('h3', { id: `${id}-title` }, `Client ${number} `, h('span', { class: 'small' }, `${target.api.name}/${target.stage.name}, ${who}`), ' ', this.#state),
      h('label', { for: `${id}-route` }, 'Route'),
      routes,
      h('label', { for: `${id}-text` }, 'Frame'),
      this.#text,
      h('p', { class: 'actions' }, this.#sendButton, this.#closeButton, button('Remove', () => {
        socket.close(1000, 'removed in the console');
        removed();
      })),
      this.#frames,
    );
    this.#enable(false);
    this.#text.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        this.send();
      }
    });
    this.#follow();
  }

  get isOpen() {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  /** @param {string} id */
  #routes(id) {
    const routes = (this.target.stage.served?.routes ?? []).filter(isSendable);
    const options = routes.map(({ key, function: name, twoWay }) =>
      h('option', { value: key }, `${key}${name === null ? '' : ` → ${name}`}${twoWay ? ', answers' : ''}`),
    );
    const list = h('select', { id }, ...options);
    list.addEventListener('change', () => {
      this.#text.value = this.#template(list.value);
    });
    return list;
  }

  /**
   * Returns a frame that selects a route.
   *
   * @param {string | undefined} route
   */
  #template(route) {
    const expression = this.target.stage.served?.routeSelectionExpression ?? '';
    const field = /^\$\{?request\.body\.([\w.]+)\}?$/.exec(expression)?.[1];
    if (field === undefined || route === undefined || route === '$default') {
      return '{}';
    }
    const frame = field.split('.').reduceRight((/** @type {unknown} */ value, name) => ({ [name]: value }), route);
    return JSON.stringify(frame);
  }

  /** Shows what the socket does. */
  #follow() {
    const socket = this.#socket;
    let wasOpen = false;
    socket.onopen = () => {
      wasOpen = true;
      this.#show('open', 'good');
      this.#enable(true);
      this.#text.focus();
    };
    socket.onmessage = ({ data }) => this.#log('in', 'received', String(data));
    socket.onclose = ({ code, reason }) => {
      this.#enable(false);
      if (wasOpen) {
        this.#show(`closed ${code}`, 'bad');
        this.#log('end', 'closed', `${code} ${reason}`.trim());
      } else {
        this.#show('refused', 'bad');
        this.#log('end', 'refused', 'The handshake failed. Browsers hide the status (row X2); the latest refused connection under Connections has it.');
      }
    };
  }

  /** @param {string} body */
  prepare(body) {
    this.#text.value = body;
    this.#text.focus();
  }

  send() {
    if (this.isOpen) {
      this.#socket.send(this.#text.value);
      this.#log('out', 'sent', this.#text.value);
    }
  }

  /** @param {boolean} isOpen */
  #enable(isOpen) {
    this.#sendButton.disabled = !isOpen;
    this.#closeButton.disabled = !isOpen;
  }

  /**
   * @param {string} text
   * @param {string} style
   */
  #show(text, style) {
    this.#state.textContent = text;
    this.#state.className = `badge ${style}`;
  }

  /**
   * @param {string} style
   * @param {string} what
   * @param {string} body
   */
  #log(style, what, body) {
    const content = style === 'end' ? h('p', {}, body) : h('pre', { tabindex: 0, 'aria-label': `Frame ${what}` }, pretty(body));
    this.#frames.prepend(h('li', { class: style }, h('span', {}, h('time', {}, clock(Date.now())), ` ${what}`), content));
    while (this.#frames.childElementCount > MAX_FRAMES) {
      this.#frames.lastElementChild?.remove();
    }
  }
}

/** @param {import('./requests.js').Route} route */
function isSendable({ key }) {
  return key !== '$connect' && key !== '$disconnect';
}

/**
 * @param {string} apiId
 * @param {string} stage
 */
function key(apiId, stage) {
  return `${apiId}/${stage}`;
}
