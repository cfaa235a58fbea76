// The panel of a table: its items, with a search, and an editor.

import { button, h, notice } from './dom.js';
import { errorText, plural } from './format.js';
import { changeItem, readItems } from './requests.js';

/** @typedef {import('./requests.js').Item} Item */

export class ItemsPanel {
  element = h('div');
  #search = h('input', { id: 'item-search', type: 'search', autocomplete: 'off', spellcheck: 'false' });
  #summary = h('p', { class: 'small', role: 'status' });
  #items = h('ol', { class: 'frames', 'aria-label': 'Items' });
  #more = button('More', () => this.#read(this.#next));
  #new;
  /** Names of the key's attributes. @type {string[]} */
  #key = [];
  /** @type {Item | null} */
  #next = null;
  #count = 0;
  #scanned = 0;
  /** Number of the latest request. The answers of earlier ones are ignored. */
  #request = 0;

  /** @param {string} name */
  constructor(name) {
    this.name = name;
    const place = h('div');
    this.#new = button('New item', () => {
      const item = Object.fromEntries(this.#key.map((attribute) => [attribute, { S: '' }]));
      this.#edit(place, item, null, () => place.replaceChildren());
    });
    this.#search.addEventListener('change', () => this.load());
    this.element.append(
      h('label', { for: 'item-search' }, 'Search names and values'),
      this.#search,
      this.#summary,
      h('p', { class: 'actions' }, this.#new, button('Refresh', () => this.load())),
      place,
      this.#items,
      h('p', {}, this.#more),
    );
    this.#more.hidden = true;
  }

  load() {
    this.#items.replaceChildren();
    this.#count = this.#scanned = 0;
    this.#next = null;
    this.#more.hidden = true;
    return this.#read(null);
  }

  /** @param {Item | null} after */
  async #read(after) {
    this.#request += 1;
    const request = this.#request;
    try {
      const page = await readItems(this.name, this.#search.value, after);
      if (request !== this.#request) {
        return;
      }
      this.#key = page.key;
      this.#next = page.next;
      this.#count += page.items.length;
      this.#scanned += page.scanned;
      this.#items.append(...page.items.map((item) => this.#row(item)));
    } catch (error) {
      if (request !== this.#request) {
        return;
      }
      notice(`The items cannot be read: ${errorText(error)}.`);
      return;
    }
    const rest = this.#next === null ? '' : '; there are more';
    this.#summary.textContent = `${plural(this.#count, 'item')}, of ${this.#scanned.toLocaleString()} that were read${rest}. The key is ${this.#key.join(', ')}.`;
    this.#more.hidden = this.#next === null;
  }

  /** @param {Item} item */
  #row(item) {
    const row = h('li');
    const show = () => {
      const edit = button('Edit', () => this.#edit(row, item, item, show), { 'aria-label': `Edit ${this.#title(item)}` });
      const remove = button('Delete', () => this.#change({ action: 'delete', item }, 'The item was deleted.'), { 'aria-label': `Delete ${this.#title(item)}` });
      row.replaceChildren(
        h('pre', { tabindex: 0, 'aria-label': `Item ${this.#title(item)}` }, plain(item)),
        h('p', { class: 'actions' }, edit, remove),
      );
    };
    show();
    return row;
  }

  /** @param {Item} item */
  #title(item) {
    return this.#key.map((name) => Object.values(item[name] ?? {}).join()).join(', ');
  }

  /**
   * @param {HTMLElement} place
   * @param {Item} item
   * @param {Item | null} before Item that is edited; null for a new one.
   * @param {() => void} close
   */
  #edit(place, item, before, close) {
    const text = h('textarea', { 'aria-label': 'Item, in DynamoDB’s JSON', spellcheck: 'false', rows: 8 });
    text.value = JSON.stringify(item, null, 2);
    const save = () => {
      try {
        const edited = JSON.parse(text.value);
        this.#change({ action: 'put', item: edited, before }, 'The item was saved.', close);
      } catch (error) {
        notice(`The item is not JSON: ${errorText(error)}.`);
      }
    };
    place.replaceChildren(h('div', { class: 'item' }, text, h('p', { class: 'actions' }, button('Save', save, { class: 'main' }), button('Cancel', close))));
    text.focus();
  }

  /**
   * @param {Parameters<typeof changeItem>[1]} change
   * @param {string} done
   * @param {() => void} [close]
   */
  async #change(change, done, close) {
    try {
      await changeItem(this.name, change);
    } catch (error) {
      notice(`The item was not changed: ${errorText(error)}.`);
      return;
    }
    close?.();
    await this.load();
    notice(done);
  }
}

/**
 * Returns an item without the types of its attributes.
 *
 * @param {Item} item
 */
function plain(item) {
  /**
   * @param {Record<string, any>} typed
   * @returns {any}
   */
  const value = (typed) => {
    const [[type, content]] = Object.entries(typed);
    switch (type) {
      case 'M':
        return object(content);
      case 'L':
        return content.map(value);
      case 'N':
        // A number of DynamoDB may have more digits than one of JavaScript.
        return String(Number(content)) === content ? Number(content) : content;
      case 'NULL':
        return null;
      default:
        return content;
    }
  };
  /** @param {Record<string, any>} item */
  const object = (item) => Object.fromEntries(Object.entries(item).map(([name, typed]) => [name, value(typed)]));
  return JSON.stringify(object(item), null, 2);
}
