// A list of which only the visible rows are elements.

import { h } from './dom.js';

/** Rows above and below the visible ones. */
const MARGIN = 8;

/**
 * @template T
 * @typedef {object} ListOptions
 * @property {(item: T) => string} key
 * @property {(item: T) => number} revision Another number tells that the item has changed.
 * @property {(item: T) => Element[]} render Returns the columns of a row, always the same elements.
 * @property {(item: T) => string} className
 * @property {(item: T) => void} opened Receives the item that the user opens.
 */

/**
 * @template T
 * @typedef {object} Row
 * @property {HTMLElement} element
 * @property {T} item
 * @property {number} revision
 */

/** @template T */
export class VirtualList {
  /** @type {T[]} */
  #items = [];
  /** Key of the selected item. @type {string | null} */
  #selected = null;
  #rows = h('div', { role: 'presentation', class: 'rows' });
  /** Visible rows by key. They stay the same elements, so that a click that began on a row ends on it. @type {Map<string, Row<T>>} */
  #shown = new Map();
  #isScheduled = false;

  /**
   * @param {HTMLElement} host Element with the role `listbox`. Its style has `--row-height` in rem.
   * @param {ListOptions<T>} options
   */
  constructor(host, options) {
    this.host = host;
    this.options = options;
    host.append(this.#rows);
    host.addEventListener('scroll', () => this.#schedule(), { passive: true });
    host.addEventListener('keydown', (event) => this.#key(event));
    this.#rows.addEventListener('click', (event) => this.#click(event));
    new ResizeObserver(() => this.#schedule()).observe(host);
  }

  /** @param {T[]} items */
  show(items) {
    this.#items = items;
    this.#draw();
  }

  /** @param {string | null} key */
  select(key) {
    this.#selected = key;
    this.#draw();
  }

  /** Height of a row in pixels. It follows the size of the text. */
  get #rowHeight() {
    const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
    const height = Number.parseFloat(getComputedStyle(this.host).getPropertyValue('--row-height'));
    return rem * (height || 3);
  }

  #schedule() {
    if (!this.#isScheduled) {
      this.#isScheduled = true;
      requestAnimationFrame(() => {
        this.#isScheduled = false;
        this.#draw();
      });
    }
  }

  #draw() {
    const height = this.#rowHeight;
    const first = Math.max(0, Math.floor(this.host.scrollTop / height) - MARGIN);
    const count = Math.ceil(this.host.clientHeight / height) + 2 * MARGIN;
    const visible = this.#items.slice(first, first + count);
    this.#rows.style.height = `${this.#items.length * height}px`;
    const keys = new Set(visible.map((item) => this.options.key(item)));
    for (const [key, { element }] of this.#shown) {
      if (!keys.has(key)) {
        element.remove();
        this.#shown.delete(key);
      }
    }
    /** @type {Element | null} */
    let next = this.#rows.firstElementChild;
    visible.forEach((item, index) => {
      const at = first + index;
      const row = this.#row(item);
      setAttributes(row, {
        id: `row-${at}`,
        'aria-selected': row.dataset.key === this.#selected ? 'true' : 'false',
        'aria-setsize': String(this.#items.length),
        'aria-posinset': String(at + 1),
      });
      row.style.transform = `translateY(${at * height}px)`;
      if (row === next) {
        next = row.nextElementSibling;
      } else {
        this.#rows.insertBefore(row, next);
      }
    });
    const selected = visible.findIndex((item) => this.options.key(item) === this.#selected);
    if (selected >= 0) {
      this.host.setAttribute('aria-activedescendant', `row-${first + selected}`);
    } else {
      this.host.removeAttribute('aria-activedescendant');
    }
  }

  /**
   * Returns the row of an item, with the item's latest columns.
   *
   * @param {T} item
   */
  #row(item) {
    const { key, revision, className, render } = this.options;
    const shown = this.#shown.get(key(item));
    if (shown !== undefined && shown.item === item && shown.revision === revision(item)) {
      return shown.element;
    }
    const element = shown?.element ?? h('div', { role: 'option', 'data-key': key(item) });
    setAttributes(element, { class: `row ${className(item)}` });
    const columns = render(item);
    if (element.childElementCount === columns.length) {
      columns.forEach((column, at) => {
        const before = element.children[at];
        if (!before.isEqualNode(column)) {
          before.replaceChildren(...column.childNodes);
        }
      });
    } else {
      element.replaceChildren(...columns);
    }
    this.#shown.set(key(item), { element, item, revision: revision(item) });
    return element;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const at = this.#items.findIndex((item) => this.options.key(item) === this.#selected);
    const page = Math.max(1, Math.floor(this.host.clientHeight / this.#rowHeight) - 1);
    const last = this.#items.length - 1;
    const targets = new Map([
      ['ArrowDown', at + 1],
      ['ArrowUp', at - 1],
      ['PageDown', at + page],
      ['PageUp', at - page],
      ['Home', 0],
      ['End', last],
    ]);
    const target = targets.get(event.key);
    if (target !== undefined && last >= 0) {
      event.preventDefault();
      const next = Math.min(Math.max(target, 0), last);
      this.#selected = this.options.key(this.#items[next]);
      this.#reveal(next);
      this.#draw();
    } else if (event.key === 'Enter' && at >= 0) {
      event.preventDefault();
      this.options.opened(this.#items[at]);
    }
  }

  /** @param {number} index */
  #reveal(index) {
    const height = this.#rowHeight;
    const [top, bottom] = [index * height, (index + 1) * height];
    if (top < this.host.scrollTop) {
      this.host.scrollTop = top;
    } else if (bottom > this.host.scrollTop + this.host.clientHeight) {
      this.host.scrollTop = bottom - this.host.clientHeight;
    }
  }

  /** @param {MouseEvent} event */
  #click(event) {
    const row = event.target instanceof Element ? event.target.closest('[data-key]') : null;
    const key = row instanceof HTMLElement ? row.dataset.key : undefined;
    const item = this.#items.find((item) => this.options.key(item) === key);
    if (item !== undefined) {
      this.#selected = this.options.key(item);
      this.#draw();
      this.options.opened(item);
    }
  }
}

/**
 * Sets the attributes that differ.
 *
 * @param {Element} element
 * @param {Record<string, string>} attributes
 */
function setAttributes(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (element.getAttribute(name) !== value) {
      element.setAttribute(name, value);
    }
  }
}
