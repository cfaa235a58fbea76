// The view of connections: a table with a search, and the timeline of the opened connection.

import { element, h } from './dom.js';
import { clock, duration, plural } from './format.js';
import { caller } from './store.js';
import { Timeline } from './timeline.js';
import { VirtualList } from './virtual-list.js';

/** @typedef {import('./store.js').Connection} Connection */

export class ConnectionsView {
  #search = element('search', HTMLInputElement);
  #summary = element('summary', HTMLParagraphElement);
  #empty = element('no-connections', HTMLParagraphElement);
  #host = element('list', HTMLDivElement);
  /** @type {VirtualList<Connection>} */
  #list;
  /** @type {Timeline} */
  #timeline;

  /**
   * @param {import('./store.js').Store} store
   * @param {(connection: Connection, body: string, send: boolean) => void} replay
   * @param {(connection: Connection, isPaced: boolean) => void} replayAll
   */
  constructor(store, replay, replayAll) {
    this.store = store;
    this.#timeline = new Timeline(replay, replayAll);
    this.#list = new VirtualList(this.#host, {
      key: ({ id }) => id,
      revision: ({ revision }) => revision,
      className: ({ state, errors }) => (errors > 0 ? `${state} failing` : state),
      render: columns,
      opened: ({ id }) => {
        location.hash = `connections/${encodeURIComponent(id)}`;
      },
    });
    this.#search.addEventListener('input', () => this.update());
    this.#search.addEventListener('keydown', (event) => {
      if (event.key === 'ArrowDown' || event.key === 'Enter') {
        event.preventDefault();
        this.#host.focus();
      }
    });
  }

  focusSearch() {
    this.#search.focus();
  }

  /** Shows the latest events. */
  update() {
    const { store } = this;
    const found = store.find(this.#search.value);
    this.#list.show(found);
    this.#empty.hidden = store.connections.size > 0;
    this.#host.hidden = store.connections.size === 0;
    const parts = [`${plural(store.open, 'open connection')}, ${store.connections.size.toLocaleString()} in all`];
    if (found.length < store.connections.size) {
      parts.push(`${found.length.toLocaleString()} found`);
    }
    if (store.dropped > 0) {
      parts.push(`${plural(store.dropped, 'event')} missed, because the gateway no longer keeps them`);
    }
    const text = `${parts.join('; ')}.`;
    if (this.#summary.textContent !== text) {
      this.#summary.textContent = text;
    }
    this.#timeline.update();
  }

  /**
   * Opens the timeline of a connection that was not known yet when the address named it.
   *
   * @param {string} id
   */
  openLate(id) {
    if (this.#timeline.connection === null && this.store.connections.has(id)) {
      this.open(id);
    }
  }

  /**
   * Opens the timeline of a connection, or closes it.
   *
   * @param {string | null} id
   */
  open(id) {
    const connection = id === null ? null : (this.store.connections.get(id) ?? null);
    element('connections', HTMLElement).classList.toggle('has-timeline', connection !== null);
    this.#list.select(connection === null ? null : connection.id);
    const wasOpen = this.#timeline.connection !== null;
    this.#timeline.open(connection);
    if (connection === null && wasOpen) {
      this.#host.focus({ preventScroll: true });
    }
  }
}

/** @param {Connection} connection */
function columns(connection) {
  const { id, stage, state, code, reason, since, until, received, sent, errors } = connection;
  const ended = state === 'open' ? 'open' : `${state} ${code}`;
  const age = until === null ? '' : duration(until - since);
  return [
    h('span', { class: 'state' }, ended),
    h('span', { class: 'caller' }, caller(connection)),
    h('code', { class: 'id' }, id),
    h('span', { class: 'stage' }, stage),
    h('span', { class: 'time' }, clock(since)),
    h('span', { class: 'counts' }, `${received} in, ${sent} out`, errors > 0 && `, ${plural(errors, 'error')}`),
    h('span', { class: 'why' }, state === 'open' ? '' : `${reason}${age === '' ? '' : ` (after ${age})`}`),
  ];
}
