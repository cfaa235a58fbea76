// The view of the stack: its graph, functions, tables, the issuer, and the linter's findings.

import { button, element, h, notice } from './dom.js';
import { errorText, plural } from './format.js';
import { FunctionPanel } from './function.js';
import { Graph } from './graph.js';
import { ItemsPanel } from './items.js';
import { mintToken, readStack } from './requests.js';
import { CHANGES } from './store.js';

/**
 * @typedef {import('./requests.js').Stack} Stack
 * @typedef {import('./requests.js').StackNode} StackNode
 */

/** Least time between two reads of a function's log, in milliseconds. */
const PAUSE = 1_000;

export class StackView {
  #graph;
  #resource = element('resource', HTMLElement);
  /** @type {Stack | null} */
  #stack = null;
  /** Box that is open. @type {string | null} */
  #opened = null;
  /** @type {FunctionPanel | ItemsPanel | null} */
  #panel = null;
  #isWaiting = false;
  /** Latest read of the stack. @type {Promise<void>} */
  #reading = Promise.resolve();

  constructor() {
    this.#graph = new Graph(element('graph', HTMLDivElement), ({ id }) => {
      location.hash = `stack/${encodeURIComponent(id)}`;
    });
    element('refresh-stack', HTMLButtonElement).addEventListener('click', () => this.#load());
    element('mint-form', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      this.#mint().catch((error) => notice(`No token was minted: ${errorText(error)}.`));
    });
  }

  /**
   * Reads the stack, and shows a box of it.
   *
   * @param {string | null} id
   */
  async open(id) {
    if (id === null && this.#opened !== null) {
      this.#graph.focus(this.#opened);
    }
    this.#opened = id;
    await this.#load();
    const node = this.#stack?.nodes.find((node) => node.id === id) ?? null;
    // Another box may be open by now.
    if (this.#opened === id) {
      this.#graph.select(node === null ? null : node.id);
      this.#show(node);
    }
  }

  /** @param {any[]} events */
  received(events) {
    if (events.some(({ event }) => CHANGES.has(event))) {
      this.#load();
    }
    const { name } = this.#panel ?? {};
    const isCalled = events.some((event) => event.event === 'log' && event.function === name);
    if (isCalled && this.#panel instanceof FunctionPanel && !this.#isWaiting) {
      this.#isWaiting = true;
      setTimeout(() => {
        this.#isWaiting = false;
        if (this.#panel instanceof FunctionPanel) {
          this.#panel.load();
        }
      }, PAUSE);
    }
  }

  /** Reads the stack after earlier reads, so that an older answer never replaces a newer one. */
  #load() {
    const read = () => this.#read();
    this.#reading = this.#reading.then(read, read);
    return this.#reading;
  }

  async #read() {
    try {
      this.#stack = await readStack();
    } catch (error) {
      notice(`The stack cannot be read: ${errorText(error)}.`);
      return;
    }
    this.#graph.show(this.#stack);
    element('findings', HTMLDivElement).replaceChildren(...findings(this.#stack));
    element('issuer', HTMLDivElement).replaceChildren(...issuer(this.#stack));
  }

  /** @param {StackNode | null} node */
  #show(node) {
    this.#resource.hidden = node === null;
    this.#panel = null;
    if (node === null) {
      this.#resource.replaceChildren();
      return;
    }
    const back = h('a', { href: '#stack', class: 'back' }, 'Close');
    const title = h('h3', { id: 'resource-title' }, node.lines.join(', '));
    const { kind, name } = node;
    if (kind === 'function' && name !== null) {
      this.#panel = new FunctionPanel(name);
    } else if (kind === 'table' && name !== null) {
      this.#panel = new ItemsPanel(name);
    }
    const content = this.#panel?.element ?? this.#neighbours(node);
    this.#resource.replaceChildren(back, title, content);
    this.#panel?.load();
    this.#resource.focus({ preventScroll: true });
    this.#resource.scrollIntoView({ block: 'nearest' });
  }

  /**
   * Shows what leads to a box, and to what it leads.
   *
   * @param {StackNode} node
   */
  #neighbours(node) {
    const { nodes, edges } = /** @type {Stack} */ (this.#stack);
    const link = (/** @type {StackNode} */ { id, lines }) => h('a', { href: `#stack/${encodeURIComponent(id)}` }, lines.join(', '));
    const items = edges.flatMap(({ from, to, label }) => {
      const words = label === '' ? '' : ` (${label})`;
      if (nodes[from] === node) {
        return [h('li', {}, 'to ', link(nodes[to]), words)];
      }
      return nodes[to] === node ? [h('li', {}, 'from ', link(nodes[from]), words)] : [];
    });
    return h('div', {}, ...node.details.map((detail) => h('p', {}, detail)), h('ul', {}, ...items));
  }

  async #mint() {
    const subject = element('mint-subject', HTMLInputElement).value.trim();
    const text = element('mint-claims', HTMLInputElement).value.trim();
    const claims = text === '' ? {} : JSON.parse(text);
    if (typeof claims !== 'object' || claims === null || Array.isArray(claims)) {
      throw new Error('the claims are not a JSON object');
    }
    const token = await mintToken(subject, claims);
    const copy = button('Copy', () => {
      navigator.clipboard.writeText(token).then(() => notice('The token was copied.'), () => notice('The browser does not allow copying.'));
    });
    element('minted', HTMLDivElement).replaceChildren(
      h('pre', { tabindex: 0, 'aria-label': 'Token' }, token),
      h('p', { class: 'actions' }, copy),
    );
  }
}

/** @param {Stack} stack */
function findings({ findings, file }) {
  if (findings.length === 0) {
    return [h('p', {}, 'None.')];
  }
  const items = findings.map(({ rule, name, severity, message, hint, line, text }) => {
    const place = line !== null && h('pre', { tabindex: 0, 'aria-label': `Line ${line}` }, `${line}  ${text?.trim() ?? '(not shown, because it may contain a secret)'}`);
    return h(
      'li',
      { class: severity },
      h('p', {}, h('strong', {}, `${severity} ${rule}`), ` ${name}: ${message}`),
      place,
      hint !== null && h('p', { class: 'small' }, hint),
    );
  });
  const hasLines = findings.some(({ line }) => line !== null);
  return [h('p', { class: 'small' }, `${plural(findings.length, 'finding')}. ${linesOf(file, hasLines)}`), h('ul', { class: 'findings' }, ...items)];
}

/**
 * Returns whose lines the findings show.
 *
 * @param {string} file
 * @param {boolean} hasLines
 */
function linesOf(file, hasLines) {
  if (file.endsWith('.tf')) {
    return 'stackgen lint shows their lines in the Terraform configuration.';
  }
  if (!hasLines) {
    return 'stackgen lint shows their lines.';
  }
  const isRendered = /stackgen\.ya?ml$/.test(file);
  return isRendered ? 'Lines of the template that stackgen.yaml renders.' : `Lines of ${file.split('/').at(-1)}.`;
}

/** @param {Stack} stack */
function issuer({ issuer: { url, keys, audiences } }) {
  const rows = keys.map((key, index) =>
    h('li', {}, h('code', {}, key.kid), index === 0 ? ' signs' : ' signed before', h('details', {}, h('summary', {}, 'Public key'), h('pre', { tabindex: 0, 'aria-label': `Public key ${key.kid}` }, JSON.stringify(key, null, 2)))),
  );
  return [
    h('p', {}, 'Issuer ', h('code', {}, url)),
    h('p', {}, audiences.length === 0 ? 'The stack declares no audience.' : `Audiences: ${audiences.join(', ')}`),
    h('ul', { class: 'keys' }, ...rows),
  ];
}
