// Delays between attempts to connect.

/** Shortest delay before the first attempt, in milliseconds, by the kind of failure. */
const FIRST_DELAY = Object.freeze({
  // A lost connection.
  soon: 500,
  // A restart, which all clients notice at once.
  spread: 4_000,
  // A refusal that time may cure: a rate limit, a full or paused session.
  later: 10_000,
});

/** Longest delay, in milliseconds. */
export const MAX_DELAY = 30_000;

/**
 * @typedef {keyof typeof FIRST_DELAY} Urgency
 */

/**
 * Returns the delay before an attempt: it doubles with each failure, and half of it is random, so that clients that lost
 * their connections together do not return together.
 *
 * @param {number} failures Number of failures since the last stable connection, from 1.
 * @param {Urgency} urgency
 * @param {() => number} random
 * @returns {number} Milliseconds.
 */
export function delayBefore(failures, urgency, random) {
  const doubled = FIRST_DELAY[urgency] * 2 ** Math.min(Math.max(failures, 1) - 1, 16);
  const delay = Math.min(doubled, MAX_DELAY);
  return delay / 2 + (random() * delay) / 2;
}
