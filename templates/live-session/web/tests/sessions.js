// Sessions for tests, and messages that the server sends.

import { LiveSession } from '../client/session.js';

/** Starts a session, and collects its events. */
export async function start(world, options = {}) {
  const session = new LiveSession({
    websocketUrl: 'wss://api.example.com/prod',
    httpUrl: 'https://api.example.com/',
    sessionId: 'merciful-truth-455-k7dq2m9x4hw3t',
    role: 'speaker',
    token: async () => 'token',
    environment: world.environment,
    ...options,
  });
  const events = { status: [], message: [], chunk: [], gap: [], close: [], gatewayError: [], dropped: [] };
  for (const [type, list] of Object.entries(events)) {
    session.on(type, (detail) => list.push(detail));
  }
  session.connect();
  await world.clock.pass(0);
  return { session, events };
}

export const listener = { role: 'listener', targetLanguage: 'de' };
export const audio = (chunkIndex) => ({ type: 'audio', sessionId: 's', audioData: 'AAAA', timestamp: 1, format: 'pcm', chunkIndex });
export const joined = (connectionId) => ({ type: 'sessionJoined', sessionId: 's', targetLanguage: 'de', sourceLanguage: 'en', connectionId, timestamp: 1 });
export const refreshRequired = (connectionId) => ({ type: 'connectionRefreshRequired', sessionId: 's', role: 'speaker', connectionId });
export const complete = { type: 'connectionRefreshComplete', sessionId: 's', role: 'speaker', timestamp: 1 };
export const indices = (events) => events.chunk.map((chunk) => chunk.chunkIndex);
