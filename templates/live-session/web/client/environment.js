// What the client needs of its surroundings. Tests replace it, so that they need neither a network nor time.

/**
 * @typedef {object} Environment
 * @property {(url: string, protocols: string[]) => WebSocket} openSocket Opens a WebSocket.
 * @property {(url: string, init: RequestInit) => Promise<Response>} fetch Sends an HTTP request.
 * @property {() => number} now Returns the time in milliseconds since 1970.
 * @property {() => number} random Returns a number from 0 to 1, without 1.
 * @property {(callback: () => void, milliseconds: number) => unknown} setTimer Starts a timer.
 * @property {(timer: any) => void} clearTimer Stops a timer.
 */

/**
 * Returns the browser's environment.
 *
 * @returns {Environment}
 */
export function browserEnvironment() {
  return {
    openSocket: (url, protocols) => new WebSocket(url, protocols),
    fetch: (url, init) => fetch(url, init),
    now: () => Date.now(),
    random: () => Math.random(),
    setTimer: (callback, milliseconds) => setTimeout(callback, milliseconds),
    clearTimer: (timer) => clearTimeout(timer),
  };
}
