// The console: views of one stream of events, and of the stack.

import { ConnectionsView } from './connections.js';
import { DeploymentsView } from './deployments.js';
import { element, notice } from './dom.js';
import { SendView } from './send.js';
import { StackView } from './stack.js';
import { CHANGES, Store } from './store.js';
import { follow } from './stream.js';

const VIEWS = ['connections', 'deployments', 'send', 'stack'];

const store = new Store();
const send = new SendView();
const connections = new ConnectionsView(
  store,
  (connection, body, isSent) => {
    location.hash = 'send';
    show();
    send.replay(connection.api, body, isSent);
  },
  (connection, isPaced) => {
    location.hash = 'send';
    show();
    send.replayConnection(connection, isPaced);
  },
);
const deployments = new DeploymentsView(store, (list) => {
  element('stack-name', HTMLSpanElement).textContent = list.stack ?? '';
  send.show(list);
});

const stack = new StackView();

/** View that is shown. */
let shown = '';

/** Returns the view that the address names, and the connection or the box of the stack that it shows. */
function named() {
  const [name, id] = location.hash.slice(1).split('/');
  return { name, id: id === undefined ? null : decoded(id) };
}

/**
 * Decodes a part of the address; null if it is malformed.
 *
 * @param {string} part
 */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}

/** Shows the view that the address names. */
function show() {
  const { name, id } = named();
  const view = VIEWS.includes(name) ? name : 'connections';
  for (const other of VIEWS) {
    element(other, HTMLElement).hidden = other !== view;
    const link = document.querySelector(`nav a[href="#${other}"]`);
    if (other === view) {
      link?.setAttribute('aria-current', 'page');
    } else {
      link?.removeAttribute('aria-current');
    }
  }
  if (view !== shown) {
    notice('');
    shown = view;
  }
  document.title = `${view[0].toUpperCase()}${view.slice(1)} – stackgen console`;
  if (view === 'connections') {
    connections.update();
    connections.open(id);
  } else if (view === 'stack') {
    stack.open(id);
  }
}

/** @param {any[]} events */
function received(events) {
  for (const event of events) {
    store.add(event);
  }
  if (!element('connections', HTMLElement).hidden) {
    connections.update();
    const { id } = named();
    if (id !== null) {
      connections.openLate(id);
    }
  }
  if (events.some(({ event }) => CHANGES.has(event))) {
    deployments.update();
    deployments.load();
  }
  if (!element('stack', HTMLElement).hidden) {
    stack.received(events);
  }
}

/** @param {'open' | 'reconnecting' | 'closed'} state */
function changed(state) {
  const texts = {
    open: 'Live',
    reconnecting: 'The gateway does not answer. Reconnecting.',
    closed: 'The gateway was started again: stackgen console prints a new link.',
  };
  const status = element('stream', HTMLParagraphElement);
  status.textContent = texts[state];
  status.dataset.state = state;
}

/** @param {KeyboardEvent} event */
function shortcut(event) {
  const { target } = event;
  const isTyping = target instanceof HTMLElement && target.matches('input, textarea, select');
  if (event.key === 'Escape' && !isTyping && /^#(connections|stack)\//.test(location.hash)) {
    location.hash = location.hash.slice(1).split('/')[0];
  }
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey) {
    return;
  }
  const view = VIEWS[Number(event.key) - 1];
  if (view !== undefined) {
    location.hash = view;
  } else if (event.key === '/' && !element('connections', HTMLElement).hidden) {
    event.preventDefault();
    connections.focusSearch();
  }
}

addEventListener('hashchange', show);
document.addEventListener('keydown', shortcut);
show();
follow(received, changed);
