// Elements. Texts become text nodes: nothing that a client, a function or a template contains is ever parsed as HTML.

/**
 * Returns the element with an ID. Throws if the page has none of that type.
 *
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
export function element(id, type) {
  const found = document.getElementById(id);
  if (!(found instanceof type)) {
    throw new Error(`the page has no ${type.name} with the ID ${id}`);
  }
  return found;
}

/**
 * Creates an element with attributes and children. Children that are null or false are left out.
 *
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string | number | boolean>} [attributes]
 * @param {...(Node | string | number | null | undefined | false)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, attributes = {}, ...children) {
  const created = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) {
      created.setAttribute(name, '');
    } else if (value !== false) {
      created.setAttribute(name, String(value));
    }
  }
  for (const child of children) {
    if (child !== null && child !== undefined && child !== false) {
      created.append(child instanceof Node ? child : String(child));
    }
  }
  return created;
}

/**
 * Creates a button.
 *
 * @param {string} label
 * @param {() => void} pressed
 * @param {Record<string, string | number | boolean>} [attributes]
 */
export function button(label, pressed, attributes = {}) {
  const created = h('button', { type: 'button', ...attributes }, label);
  created.addEventListener('click', pressed);
  return created;
}

/**
 * Replaces the children of an element. The focus stays on the element with the same `data-key`.
 *
 * @param {HTMLElement} host
 * @param {...Node} children
 */
export function replace(host, ...children) {
  const focused = document.activeElement;
  const key = focused instanceof HTMLElement && host.contains(focused) ? focused.dataset.key : undefined;
  host.replaceChildren(...children);
  if (key !== undefined) {
    for (const candidate of host.querySelectorAll('[data-key]')) {
      if (candidate instanceof HTMLElement && candidate.dataset.key === key) {
        candidate.focus();
        return;
      }
    }
  }
}

/**
 * Shows a note for the user, which screen readers announce.
 *
 * @param {string} text
 */
export function notice(text) {
  element('notice', HTMLParagraphElement).textContent = text;
}
