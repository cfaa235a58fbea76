// A client of the page: a WebSocket with its frames.

import { button, h } from './dom.js';
import { clock, pretty } from './format.js';

/**
 * @typedef {import('./send.js').Target} Target
 *
 * A frame that a client sent, and the time since the one before it, in milliseconds.
 *
 * @typedef {{ body: string, pause: number }} RecordedFrame
 */

/** Maximum number of frames in the log of a client. */
const MAX_FRAMES = 200;

export class Client {
  #socket;
  #state = h('span', { class: 'badge', role: 'status' }, 'connecting');
  #text;
  #frames = h('ol', { class: 'frames', 'aria-label': 'Frames' });
  #sendButton;
  #closeButton;
  /** Frames of a recorded connection that are still to be sent. @type {RecordedFrame[]} */
  #script = [];

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
      this.#play(this.#script.length);
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

  /**
   * Sends frames once the socket is open, each after its pause.
   *
   * @param {RecordedFrame[]} frames
   */
  play(frames) {
    this.#script = [...frames];
  }

  /** @param {number} count Number of frames at the beginning. */
  #play(count) {
    const next = this.#script.shift();
    if (next === undefined) {
      return;
    }
    setTimeout(() => {
      if (!this.isOpen) {
        this.#script = [];
        return;
      }
      this.#show(`open, replayed ${count - this.#script.length} of ${count}`, 'good');
      this.#text.value = next.body;
      this.send();
      this.#play(count);
    }, next.pause);
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
