// The status line.

import { element } from './dom.js';

/** @typedef {import('../client/session.js').Status} Status */
/** @typedef {import('../client/closes.js').Explanation} Explanation */

const STATES = Object.freeze({
  connecting: 'Connecting…',
  open: 'Connected.',
  reconnecting: 'Connection lost.',
  ended: 'The session has ended.',
  closed: 'Not connected.',
});

/** @type {ReturnType<typeof setInterval> | undefined} */
let countdown;

/**
 * Shows a sentence of the page itself.
 *
 * @param {string} text
 * @param {'idle' | 'failed'} [state]
 */
export function showText(text, state = 'idle') {
  write(text, state);
  showCountdown(null);
}

/**
 * Shows an error of the page itself.
 *
 * @param {unknown} error
 */
export function showFailure(error) {
  const text = error instanceof Error ? error.message : String(error);
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  showText(/[.!?]$/.test(capital) ? capital : `${capital}.`, 'failed');
}

/**
 * Shows the status of the connection, and why it is so.
 *
 * @param {Status} status
 */
export function showStatus(status) {
  const { state, explanation, retryAt } = status;
  if (state !== 'open') {
    showNotice('');
  }
  const sentences = explanation ? `${explanation.summary} ${explanation.action}` : STATES[state];
  write(status.handingOver ? `${sentences} Moving to a new connection.` : sentences, state);
  showCountdown(state === 'reconnecting' ? retryAt : null);
}

/**
 * Shows a problem that does not change the status, until the next connection.
 *
 * @param {string} text
 */
export function showNotice(text) {
  element('notice', HTMLElement).textContent = text;
}

/**
 * Keeps the technical side of the last close.
 *
 * @param {Explanation} explanation
 */
export function showTechnical(explanation) {
  const { code, row, summary } = explanation;
  const time = new Date().toLocaleTimeString();
  const about = row === null ? '' : ` "stackgen explain ${row}" says more.`;
  element('technical', HTMLElement).hidden = false;
  element('technical-text', HTMLElement).textContent =
    code === null ? `${time}: ${summary}${about}` : `${time}: close code ${code}. ${summary}${about}`;
}

/**
 * @param {string} text
 * @param {string} state
 */
function write(text, state) {
  const line = element('status', HTMLElement);
  line.dataset.state = state;
  // Screen readers would repeat a text that did not change.
  if (line.textContent !== text) {
    line.textContent = text;
  }
}

/** @param {number | null} until */
function showCountdown(until) {
  clearInterval(countdown);
  const line = element('countdown', HTMLElement);
  const show = () => {
    const seconds = until === null ? 0 : Math.ceil((until - Date.now()) / 1_000);
    line.textContent = seconds > 0 ? `Next attempt in ${seconds} s.` : '';
  };
  show();
  if (until !== null) {
    countdown = setInterval(show, 1_000);
  }
}
