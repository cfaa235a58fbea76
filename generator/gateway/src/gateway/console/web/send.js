// The view for sending: clients in this page, frames from routes, and replayed frames.

import { Client } from './client.js';
import { credentialOf } from './credential.js';
import { element, h, notice } from './dom.js';
import { errorText, plural } from './format.js';
import { frames, handshake } from './recording.js';
import { mintToken } from './requests.js';
import { MASK } from './timeline.js';

/**
 * @typedef {import('./requests.js').Api} Api
 * @typedef {import('./requests.js').Stage} Stage
 * @typedef {import('./store.js').Connection} Connection
 *
 * @typedef {object} Target
 * @property {Api} api
 * @property {Stage} stage
 */

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
    const { kind, name } = credentialOf(this.#chosen()?.stage);
    this.#kind.value = kind;
    this.#name.value = name;
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
    const waiting = this.#waiting !== null && this.#waiting.api === target.api.apiId ? this.#waiting.body : null;
    this.#add(target, subject, url, protocols, waiting);
    if (waiting !== null) {
      this.#waiting = null;
      notice(waiting.includes(MASK) ? MASKED : '');
    }
  }

  /**
   * Connects a client.
   *
   * @param {Target} target
   * @param {string} subject
   * @param {URL} url
   * @param {string[]} protocols
   * @param {string | null} body Frame to begin with.
   */
  #add(target, subject, url, protocols, body) {
    // Throws if a subprotocol is not a token.
    const socket = new WebSocket(url, protocols);
    this.#count += 1;
    const client = new Client(this.#count, target, subject, socket, body, () => this.#remove(client));
    this.#all.unshift(client);
    this.#clients.prepend(client.element);
    return client;
  }

  /**
   * Connects as the caller of a recorded connection, and sends its frames in their order.
   *
   * @param {Connection} connection
   * @param {boolean} isPaced True to wait between frames as the client did.
   */
  async replayConnection(connection, isPaced) {
    try {
      const target = this.#targets.find(({ api, stage }) => api.apiId === connection.api && stage.name === connection.stage);
      if (target === undefined) {
        throw new Error('its stage is gone');
      }
      const script = frames(connection, isPaced);
      const { query, protocols, needsToken } = handshake(connection, credentialOf(target.stage));
      const subject = connection.principal ?? '';
      const token = needsToken ? await mintToken(subject) : '';
      const url = new URL(target.stage.url);
      const fill = (/** @type {string} */ text) => text.replaceAll(MASK, token);
      query.forEach(({ name, value }) => url.searchParams.append(name, fill(value)));
      const client = this.#add(target, subject, url, protocols.map(fill), null);
      client.play(script);
      const missing = connection.forgotten > 0 ? ' Older events of the connection are not known, and perhaps frames among them.' : '';
      notice(`Client ${client.number} replays ${plural(script.length, 'frame')}, with the headers and cookies of this browser.${missing}`);
    } catch (error) {
      notice(`The connection was not replayed: ${errorText(error)}.`);
    }
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

/**
 * @param {string} apiId
 * @param {string} stage
 */
function key(apiId, stage) {
  return `${apiId}/${stage}`;
}
