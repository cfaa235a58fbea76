// The stream of events, in batches: a page that is redrawn for each event would not keep up with the gateway.

/** Time between two batches, in milliseconds. */
const INTERVAL = 100;

/**
 * Follows the stream. The browser reconnects by itself, and resumes after the last event that it got.
 *
 * @param {(events: any[]) => void} received Receives the next events. The first one of each connection is `started`.
 * @param {(state: 'open' | 'reconnecting' | 'closed') => void} changed
 */
export function follow(received, changed) {
  /** @type {any[]} */
  let waiting = [];
  let isScheduled = false;
  const source = new EventSource('/_stackgen/events');
  source.onopen = () => changed('open');
  source.onerror = () => changed(source.readyState === EventSource.CLOSED ? 'closed' : 'reconnecting');
  source.onmessage = ({ data }) => {
    waiting.push(JSON.parse(data));
    if (!isScheduled) {
      isScheduled = true;
      setTimeout(() => {
        const events = waiting;
        waiting = [];
        isScheduled = false;
        received(events);
      }, INTERVAL);
    }
  };
}
