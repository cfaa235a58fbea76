// Types of the protocol. `handlers/functions/README.md` describes it.

/** @typedef {'speaker' | 'listener'} Role */

/**
 * @typedef {object} BroadcastState
 * @property {boolean} isActive True while the speaker is connected.
 * @property {boolean} isPaused
 * @property {boolean} isMuted
 * @property {number} volume From 0 to 1.
 */

/**
 * @typedef {object} AudioChunk
 * @property {string} audioData Audio in base64.
 * @property {number} timestamp The speaker's time, in milliseconds.
 * @property {string} format
 * @property {number} chunkIndex
 */

/**
 * @typedef {(
 *   | { type: 'sessionJoined', sessionId: string, targetLanguage: string, sourceLanguage: string, connectionId: string, timestamp: number }
 *   | { type: 'languageChanged', targetLanguage: string, timestamp: number }
 *   | { type: 'audio', sessionId: string } & AudioChunk
 *   | { type: 'heartbeatAck', timestamp: number }
 *   | { type: 'connectionRefreshRequired', sessionId: string, role: Role, targetLanguage?: string, connectionId?: string }
 *   | { type: 'connectionWarning', remainingMinutes: number }
 *   | { type: 'connectionRefreshComplete', sessionId: string, role: Role, targetLanguage?: string, timestamp: number }
 *   | { type: 'broadcastPaused' | 'broadcastResumed' | 'broadcastMuted' | 'broadcastUnmuted', timestamp: number }
 *   | { type: 'volumeChanged', volumeLevel: number, timestamp: number }
 *   | { type: 'speakerStateChanged', broadcastState: BroadcastState }
 *   | { type: 'sessionStatus', sessionId: string, listenerCount: number, languageDistribution: Record<string, number>, sessionDuration: number, broadcastState: BroadcastState, timestamp: number }
 *   | { type: 'sessionEnded', sessionId: string, reason?: string, timestamp: number }
 *   | { type: 'error', code: string, message: string, details?: { retryAfter: number }, timestamp: number }
 * )} ServerMessage
 */

/**
 * Parses a message from the server. Returns null for what is none, such as API Gateway's own error frames (rows M3 to M5).
 *
 * @param {unknown} data
 * @returns {ServerMessage | null}
 */
export function parseMessage(data) {
  if (typeof data !== 'string') {
    return null;
  }
  try {
    const message = JSON.parse(data);
    return message !== null && typeof message === 'object' && typeof message.type === 'string' ? message : null;
  } catch {
    return null;
  }
}

/**
 * Returns the message of an error frame of API Gateway, such as `Internal server error`, or null.
 *
 * @param {unknown} data
 * @returns {string | null}
 */
export function gatewayError(data) {
  try {
    const frame = JSON.parse(String(data));
    const isError = typeof frame?.message === 'string' && typeof frame?.requestId === 'string';
    return isError ? frame.message : null;
  } catch {
    return null;
  }
}

/**
 * Returns bytes as base64.
 *
 * @param {Uint8Array} bytes
 * @returns {string}
 */
export function toBase64(bytes) {
  let text = '';
  // In parts: an argument list has a maximum length.
  for (let offset = 0; offset < bytes.length; offset += 8_192) {
    text += String.fromCharCode(...bytes.subarray(offset, offset + 8_192));
  }
  return btoa(text);
}

/**
 * Returns the bytes of base64. Throws if the text is none.
 *
 * @param {string} text
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function fromBase64(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
