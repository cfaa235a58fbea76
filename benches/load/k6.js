// What `benches/load/run` lets k6 do: connections that stay open without messages, or that send the next message when the
// answer to the last arrived.
import { WebSocket } from 'k6/experimental/websockets';
import { Counter, Trend } from 'k6/metrics';

const { URL, CONNECTIONS, SECONDS, SENDS } = __ENV;
const openedAt = new Trend('opened_at');
const answers = new Counter('answers');

export const options = {
  scenarios: { all: { executor: 'per-vu-iterations', vus: Number(CONNECTIONS), iterations: 1, maxDuration: '10m' } },
};

export default function () {
  const socket = new WebSocket(URL);
  let number = 0;
  const send = () => socket.send(JSON.stringify({ n: number }));
  socket.onopen = () => {
    openedAt.add(Date.now());
    setTimeout(() => socket.close(), Number(SECONDS) * 1000);
    if (SENDS) send();
  };
  socket.onmessage = (message) => {
    if (JSON.parse(message.data).n !== number) throw new Error(`answer ${message.data} to ${number}`);
    answers.add(1);
    number += 1;
    send();
  };
}
