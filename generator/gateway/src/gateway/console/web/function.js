// The panel of a function: versions, aliases, environment, invocations and log.

import { button, h, notice, replace } from './dom.js';
import { clock, date, duration, errorText } from './format.js';
import { readFunction } from './requests.js';

/** @typedef {import('./requests.js').FunctionDetails} FunctionDetails */

export class FunctionPanel {
  element = h('div');
  /** Sections that the user closed. @type {Set<string>} */
  #closed = new Set();

  /** @param {string} name */
  constructor(name) {
    this.name = name;
  }

  async load() {
    try {
      this.#show(await readFunction(this.name));
    } catch (error) {
      notice(`The function cannot be read: ${errorText(error)}.`);
    }
  }

  /** @param {FunctionDetails} details */
  #show(details) {
    const { runtime, handler, role, timeoutSeconds, memoryMb, environment, versions, aliases, logGroup, invocations, log } = details;
    const settings = `${runtime}, ${handler}, ${memoryMb} MB, ${timeoutSeconds} s`;
    const lines = log.map(({ at, line }) => `${clock(at)} ${line}`).join('\n');
    replace(
      this.element,
      h('p', {}, 'Function ', h('code', {}, details.name), `: ${settings}`),
      h('p', { class: 'small' }, `Role ${role}`),
      h('p', { class: 'actions' }, button('Refresh', () => this.load(), { 'data-key': 'refresh' })),
      this.#section('Versions', table(['Version', 'Aliases', 'Changed', 'Description'], versions.map(({ version, description, lastModified }) => [
        version,
        aliases.filter((alias) => alias.version === version).map((alias) => alias.name).join(', '),
        date(lastModified),
        description,
      ]))),
      this.#section('Environment', table(['Variable', 'Value'], environment.map(({ name, value }) => [name, value]))),
      this.#section('Invocations', table(['Ended', 'Version', 'Duration', 'Status', 'Request ID'], invocations.map((it) => [
        clock(it.at),
        it.version ?? '',
        `${it.durationMillis === null ? '' : duration(it.durationMillis)}${it.initMillis === null ? '' : `, after a start of ${duration(it.initMillis)}`}`,
        it.status ?? '',
        it.requestId,
      ]))),
      this.#section('Log', lines === '' ? h('p', {}, 'None.') : h('pre', { tabindex: 0, 'aria-label': `Log ${logGroup}` }, lines)),
    );
  }

  /**
   * @param {string} title
   * @param {HTMLElement} content
   */
  #section(title, content) {
    const section = h('details', { open: !this.#closed.has(title) }, h('summary', { 'data-key': `section-${title}` }, title), content);
    section.addEventListener('toggle', () => {
      if (section.open) {
        this.#closed.delete(title);
      } else {
        this.#closed.add(title);
      }
    });
    return section;
  }
}

/**
 * @param {string[]} titles
 * @param {string[][]} rows
 */
function table(titles, rows) {
  if (rows.length === 0) {
    return h('p', {}, 'None.');
  }
  const head = titles.map((title) => h('th', { scope: 'col' }, title));
  const body = rows.map(([first, ...rest]) => h('tr', {}, h('th', { scope: 'row' }, first), ...rest.map((text) => h('td', {}, text))));
  return h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': titles[0] },
    h('table', {}, h('thead', {}, h('tr', {}, ...head)), h('tbody', {}, ...body)));
}
