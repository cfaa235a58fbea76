// A clock, sockets and an HTTP API in memory.

/** Clock whose time passes only when a test says so. */
export class FakeClock {
  time = 1_000_000;
  #timers = new Map();
  #next = 1;

  setTimer = (callback, milliseconds) => {
    const id = this.#next++;
    this.#timers.set(id, { callback, at: this.time + milliseconds });
    return id;
  };

  clearTimer = (id) => void this.#timers.delete(id);

  /** Runs all timers of the next milliseconds in order, and what promises do in between. */
  async pass(milliseconds) {
    const until = this.time + milliseconds;
    await settle();
    for (;;) {
      const due = [...this.#timers].filter(([, timer]) => timer.at <= until);
      const [first] = due.sort(([a, one], [b, other]) => one.at - other.at || a - b);
      if (first === undefined) {
        break;
      }
      const [id, timer] = first;
      this.#timers.delete(id);
      this.time = Math.max(this.time, timer.at);
      timer.callback();
      await settle();
    }
    this.time = until;
  }

  /** Lets time pass without timers, as a sleeping computer does. */
  sleep(milliseconds) {
    this.time += milliseconds;
  }
}

/** Lets all promises that can go on go on. */
export function settle() {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Socket that a test opens, feeds and closes. */
export class FakeSocket extends EventTarget {
  sent = [];
  closes = [];
  bufferedAmount = 0;

  constructor(url, protocols) {
    super();
    this.url = new URL(url);
    this.protocols = protocols;
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close(...codeAndReason) {
    this.closes.push(codeAndReason);
  }

  open() {
    this.dispatchEvent(new Event('open'));
  }

  receive(message) {
    const data = typeof message === 'string' ? message : JSON.stringify(message);
    this.dispatchEvent(Object.assign(new Event('message'), { data }));
  }

  /** Ends as the server or the network ends it. */
  end(code, reason = '') {
    this.dispatchEvent(Object.assign(new Event('close'), { code, reason }));
  }

  actions() {
    return this.sent.map((message) => message.action);
  }
}

/** Everything around a client. */
export class World {
  clock = new FakeClock();
  sockets = [];
  requests = [];
  randomness = 0.5;
  tickets = 0;
  /** Answers requests; a test replaces it. */
  answer = ({ method, path }) => {
    if (method === 'POST' && path.endsWith('/tickets')) {
      return { status: 201, body: { ticket: `ticket-${++this.tickets}` } };
    }
    return { status: 200, body: { sessionId: 'a', sourceLanguage: 'en', status: 'active', listenerCount: 0 } };
  };

  environment = {
    openSocket: (url, protocols) => {
      const socket = new FakeSocket(url, protocols);
      this.sockets.push(socket);
      return socket;
    },
    fetch: async (url, init) => {
      const request = { method: init.method, path: new URL(url).pathname, headers: init.headers, body: init.body };
      this.requests.push(request);
      const { status, body, headers } = this.answer(request);
      if (status === 0) {
        throw new TypeError('no network');
      }
      const text = body === undefined ? null : JSON.stringify(body);
      return new Response(text, { status, headers });
    },
    now: () => this.clock.time,
    random: () => this.randomness,
    setTimer: this.clock.setTimer,
    clearTimer: this.clock.clearTimer,
  };

  get socket() {
    return this.sockets.at(-1);
  }
}

/** Generator of numbers from 0 to 1 that a seed determines (mulberry32). */
export function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}
