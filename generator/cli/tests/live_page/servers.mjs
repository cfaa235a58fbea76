// A static server for the page, and a line that can be cut.

import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect, createServer as createTcpServer } from 'node:net';
import { dirname, extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = dirname(fileURLToPath(import.meta.url));

const TYPES = {
  '.css': 'text/css',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
};

/** Serves the folder of the page, and the recorder under `/test/`. Returns the server's address and the paths not found. */
export async function servePage(folder) {
  const missing = [];
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url, 'http://x').pathname);
    const file = path.startsWith('/test/') ? join(HERE, path.slice(6)) : join(folder, path);
    if (!existsSync(file) || !statSync(file).isFile()) {
      missing.push(path);
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream', 'cache-control': 'no-store' });
    createReadStream(file).pipe(response);
  });
  const { port } = await listening(server);
  return { origin: `http://127.0.0.1:${port}`, missing, close: () => server.close() };
}

/** Passes connections on to a WebSocket API until it is cut. */
export async function openLine(websocketUrl) {
  const url = new URL(websocketUrl);
  const port = Number(url.port);
  const pairs = new Set();
  let isCut = false;
  const server = createTcpServer((near) => {
    if (isCut) {
      near.resetAndDestroy();
      return;
    }
    const far = connect(port, '127.0.0.1');
    const pair = [near, far];
    pairs.add(pair);
    near.pipe(far).pipe(near);
    for (const socket of pair) {
      socket.on('error', () => {});
      socket.on('close', () => {
        pairs.delete(pair);
        pair.forEach((other) => other.destroy());
      });
    }
  });
  url.port = String((await listening(server)).port);
  return {
    url: url.href,
    cut() {
      isCut = true;
      pairs.forEach((pair) => pair.forEach((socket) => socket.resetAndDestroy()));
    },
    mend() {
      isCut = false;
    },
    close: () => server.close(),
  };
}

function listening(server) {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address())));
}
