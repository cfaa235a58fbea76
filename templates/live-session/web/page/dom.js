// Elements of the page.

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

/** @param {string} id */
export function button(id) {
  return element(id, HTMLButtonElement);
}

/**
 * Shows one of the page's sections, or none, and moves the focus to its heading if the user just left another one.
 *
 * @param {'sign-in' | 'setup' | 'live' | null} shown
 */
export function showSection(shown) {
  const hadFocus = document.activeElement !== document.body && document.activeElement !== null;
  for (const id of ['sign-in', 'setup', 'live']) {
    element(id, HTMLElement).hidden = id !== shown;
  }
  const heading = shown === null ? null : element(`${shown}-title`, HTMLElement);
  if (heading !== null && hadFocus) {
    heading.tabIndex = -1;
    heading.focus();
  }
}

/**
 * Makes a button that stays pressed until it is pressed again.
 *
 * @param {string} id
 * @param {[string, string]} labels Label while it is released, and while it is pressed.
 * @param {(pressed: boolean) => void} changed
 * @returns {(pressed: boolean) => void} Sets the state without calling `changed`.
 */
export function toggle(id, labels, changed) {
  const control = button(id);
  const set = (/** @type {boolean} */ pressed) => {
    control.setAttribute('aria-pressed', String(pressed));
    control.textContent = labels[pressed ? 1 : 0];
  };
  control.addEventListener('click', () => {
    const pressed = control.getAttribute('aria-pressed') !== 'true';
    set(pressed);
    changed(pressed);
  });
  return set;
}

/**
 * Connects the volume's slider. Returns a function that reads it, from 0 to 1.
 *
 * @param {(volume: number) => void} changed Receives the volume when the user has chosen it.
 * @param {'input' | 'change'} event `input` reports each step while the slider moves.
 */
export function volumeSlider(changed, event) {
  const slider = element('volume', HTMLInputElement);
  const read = () => Number(slider.value) / 100;
  slider.addEventListener('input', () => {
    element('volume-value', HTMLOutputElement).value = `${slider.value}%`;
  });
  slider.addEventListener(event, () => changed(read()));
  return read;
}

/**
 * Fills a list of languages with their names.
 *
 * @param {string} id
 * @param {string[]} languages
 * @param {string} chosen
 */
export function fillLanguages(id, languages, chosen) {
  const list = element(id, HTMLSelectElement);
  const all = languages.includes(chosen) ? languages : [chosen, ...languages];
  list.replaceChildren(...all.map((language) => new Option(languageName(language), language)));
  list.value = chosen;
}

/**
 * Returns the name of a language.
 *
 * @param {string} language
 */
export function languageName(language) {
  try {
    return new Intl.DisplayNames(undefined, { type: 'language' }).of(language) ?? language;
  } catch {
    return language;
  }
}

/**
 * Returns the configured language that the user's browser prefers, or the first one.
 *
 * @param {string[]} languages
 */
export function preferredLanguage(languages) {
  const main = (/** @type {string} */ language) => language.split('-')[0];
  for (const wanted of navigator.languages) {
    const found = languages.find((known) => known === wanted) ?? languages.find((known) => main(known) === main(wanted));
    if (found !== undefined) {
      return found;
    }
  }
  return languages[0];
}
