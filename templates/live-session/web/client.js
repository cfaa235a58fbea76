// Client of live sessions, without dependencies. See README.md, section "Web page".

export { SessionApi, ApiError } from './client/api.js';
export { ChunkBatcher, CHUNK_BYTES, CHUNK_MILLISECONDS } from './client/batch.js';
export { CloseCode, explainClose } from './client/closes.js';
export { browserEnvironment } from './client/environment.js';
export { fromBase64, toBase64 } from './client/messages.js';
export { ChunkOrder } from './client/order.js';
export { LiveSession } from './client/session.js';
