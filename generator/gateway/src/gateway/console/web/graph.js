// The graph of the stack: boxes that are buttons, in columns, and arrows between them.

import { h } from './dom.js';

/**
 * @typedef {import('./requests.js').Stack} Stack
 * @typedef {import('./requests.js').StackNode} StackNode
 */

const NAMESPACE = 'http://www.w3.org/2000/svg';

/** @type {{ title: string, kinds: StackNode['kind'][] }[]} */
const COLUMNS = [
  { title: 'APIs', kinds: ['api'] },
  { title: 'Routes, sources', kinds: ['routes', 'source'] },
  { title: 'Functions, targets', kinds: ['function', 'authorizer', 'other'] },
  { title: 'Tables', kinds: ['table'] },
];

const KINDS = {
  api: 'API',
  routes: 'Routes',
  authorizer: 'Authorizer',
  function: 'Function',
  other: 'Target',
  table: 'Table',
  source: 'Event source',
};

export class Graph {
  #arrows = svg('svg', { 'aria-hidden': 'true' });
  /** Boxes in the order of the nodes. @type {HTMLElement[]} */
  #boxes = [];
  /** @type {Stack | null} */
  #stack = null;
  /** @type {string | null} */
  #selected = null;

  /**
   * @param {HTMLElement} host
   * @param {(node: StackNode) => void} opened
   */
  constructor(host, opened) {
    this.host = host;
    this.opened = opened;
    new ResizeObserver(() => this.#draw()).observe(host);
  }

  /** @param {Stack} stack */
  show(stack) {
    const focused = this.#boxes.findIndex((box) => box === document.activeElement);
    const id = focused < 0 ? null : this.#boxes[focused].id;
    this.#stack = stack;
    this.#boxes = stack.nodes.map((node, index) => this.#box(node, neighbours(stack, index)));
    const columns = COLUMNS.map(({ title, kinds }) => {
      const boxes = this.#boxes.filter((_, index) => kinds.includes(stack.nodes[index].kind));
      return boxes.length === 0 ? null : h('div', { class: 'column' }, h('h3', { class: 'small' }, title), ...boxes);
    });
    this.host.replaceChildren(this.#arrows, ...columns.filter((column) => column !== null));
    this.#boxes.find((box) => box.id === id)?.focus();
    this.#draw();
  }

  /** @param {string | null} id */
  select(id) {
    this.#selected = id;
    this.#stack?.nodes.forEach((node, index) => {
      this.#boxes[index].setAttribute('aria-pressed', node.id === id ? 'true' : 'false');
    });
    this.#draw();
  }

  /** @param {string} id */
  focus(id) {
    this.#boxes.find((box) => box.id === `box-${id}`)?.focus();
  }

  /**
   * @param {StackNode} node
   * @param {string} described
   */
  #box(node, described) {
    const box = h(
      'button',
      { type: 'button', id: `box-${node.id}`, class: `box ${node.kind}`, 'aria-pressed': node.id === this.#selected ? 'true' : 'false', title: described },
      h('span', { class: 'small' }, KINDS[node.kind]),
      ...node.lines.map((line) => h('strong', {}, line)),
      ...node.details.map((detail) => h('span', { class: 'small' }, detail)),
    );
    box.addEventListener('click', () => this.opened(node));
    return box;
  }

  /** Draws the arrows between the boxes, where these are now. */
  #draw() {
    const stack = this.#stack;
    if (stack === null || this.host.clientWidth === 0) {
      return;
    }
    const origin = this.host.getBoundingClientRect();
    const place = (/** @type {number} */ index) => {
      const { left, right, top, height } = this.#boxes[index].getBoundingClientRect();
      const [x, y] = [this.host.scrollLeft - origin.left, this.host.scrollTop - origin.top];
      return { left: left + x, right: right + x, middle: top + y + height / 2 };
    };
    // Its own size must not count.
    this.#arrows.setAttribute('width', '0');
    this.#arrows.setAttribute('height', '0');
    const { scrollWidth, scrollHeight } = this.host;
    this.#arrows.setAttribute('width', String(scrollWidth));
    this.#arrows.setAttribute('height', String(scrollHeight));
    const drawn = stack.edges.flatMap((edge) => {
      const [from, to] = [place(edge.from), place(edge.to)];
      const isLit = [edge.from, edge.to].some((index) => stack.nodes[index].id === this.#selected);
      return arrow(from, to, edge, isLit);
    });
    this.#arrows.replaceChildren(...drawn);
  }
}

/**
 * @param {{ left: number, right: number, middle: number }} from
 * @param {{ left: number, right: number, middle: number }} to
 * @param {import('./requests.js').Edge} edge
 * @param {boolean} isLit
 */
function arrow(from, to, { label, dashed }, isLit) {
  // An arrow back, such as that of a stream, goes from left to right side.
  const isBack = to.left < from.right;
  const [x1, x2] = isBack ? [from.left, to.right] : [from.right, to.left];
  const bend = (x2 - x1) / 2;
  const line = svg('path', {
    class: `${dashed ? 'dashed' : ''} ${isLit ? 'lit' : ''}`,
    d: `M${x1} ${from.middle} C${x1 + bend} ${from.middle} ${x2 - bend} ${to.middle} ${x2} ${to.middle}`,
  });
  const tip = isBack ? 7 : -7;
  const head = svg('path', {
    class: isLit ? 'lit' : '',
    d: `M${x2 + tip} ${to.middle - 5} L${x2} ${to.middle} L${x2 + tip} ${to.middle + 5}`,
  });
  if (label === '') {
    return [line, head];
  }
  const text = svg('text', { x: String((x1 + x2) / 2), y: String((from.middle + to.middle) / 2 - 4) });
  text.textContent = label;
  return [line, head, text];
}

/**
 * Returns the arrows of a box in words.
 *
 * @param {Stack} stack
 * @param {number} index
 */
function neighbours({ nodes, edges }, index) {
  const name = (/** @type {number} */ other) => nodes[other].lines.join(', ');
  const words = edges.flatMap(({ from, to, label }) => {
    if (from === index) {
      return [`${label === '' ? 'leads to' : label} ${name(to)}`];
    }
    return to === index ? [`from ${name(from)}${label === '' ? '' : `: ${label}`}`] : [];
  });
  return words.join('; ');
}

/**
 * @param {string} name
 * @param {Record<string, string>} attributes
 */
function svg(name, attributes) {
  const created = document.createElementNS(NAMESPACE, name);
  for (const [attribute, value] of Object.entries(attributes)) {
    created.setAttribute(attribute, value);
  }
  return created;
}
