// A line that can be cut.

import { connect, createServer as createTcpServer } from 'node:net';

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
