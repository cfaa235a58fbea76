// Connections and their events, within a fixed memory.

/** Maximum number of connections. The first that ended are forgotten first. */
const MAX_CONNECTIONS = 20_000;

/** Maximum number of events of one connection. */
const MAX_ENTRIES = 300;

/** Maximum number of events of all connections, without handshakes. */
const MAX_ALL_ENTRIES = 60_000;

/** Maximum size of these events, in characters. */
const MAX_WEIGHT = 40_000_000;

/** Maximum size of all handshakes, in characters. */
const MAX_HANDSHAKE_WEIGHT = 40_000_000;

/** Maximum number of changes of deployments. */
const MAX_ACTIVITY = 200;

/** Events after which the APIs and the stack are read again. */
export const CHANGES = new Set(['started', 'deployed', 'activated', 'undeployed']);

/**
 * A connection, or a refused handshake.
 *
 * @typedef {object} Connection
 * @property {string} id
 * @property {string} api
 * @property {string} stage
 * @property {boolean} isKnown False if the gateway no longer keeps the handshake: API, stage and principal are unknown.
 * @property {string | null} principal
 * @property {'open' | 'closed' | 'refused'} state
 * @property {number} since Time of the first known event.
 * @property {number | null} until
 * @property {number | null} code Close code, or status of a refusal.
 * @property {string} reason
 * @property {string} row
 * @property {number} received Number of messages of the client.
 * @property {number} sent Number of messages to the client.
 * @property {number} errors
 * @property {any[]} entries
 * @property {number} forgotten Number of entries that were dropped.
 * @property {number} revision Grows with each event.
 * @property {{ revision: number, text: string } | null} searched What a search compares, as of a revision.
 *
 * An entry of a connection. It is gone if the connection has dropped it already.
 *
 * @typedef {{ connection: Connection, id: number }} EntryRecord
 */

export class Store {
  /** @type {Map<string, Connection>} */
  connections = new Map();
  /** Changes of deployments, the latest first. @type {any[]} */
  activity = [];
  /** Number of events that the gateway dropped. */
  dropped = 0;
  open = 0;
  /** @type {string | null} */
  #run = null;
  #lastId = 0;
  /** Entries of all connections. Handshakes are dropped last: they explain their connections. */
  #entries = new Budget(MAX_ALL_ENTRIES, MAX_WEIGHT);
  #handshakes = new Budget(MAX_CONNECTIONS, MAX_HANDSHAKE_WEIGHT);
  /** IDs of connections that ended, in the order of their ends. @type {Queue<string>} */
  #ended = new Queue();

  /**
   * Adds an event of the stream.
   *
   * @param {any} event
   */
  add(event) {
    if (event.event === 'started') {
      this.#start(event.run);
    } else if (event.event === 'dropped') {
      this.dropped += event.count;
    } else if (event.id > this.#lastId) {
      this.#lastId = event.id;
      this.#record(event);
    }
  }

  /** @param {string} run */
  #start(run) {
    if (this.#run !== null && this.#run !== run) {
      this.connections.clear();
      this.activity = [];
      this.dropped = this.open = this.#lastId = 0;
      this.#entries = new Budget(MAX_ALL_ENTRIES, MAX_WEIGHT);
      this.#handshakes = new Budget(MAX_CONNECTIONS, MAX_HANDSHAKE_WEIGHT);
      this.#ended = new Queue();
    }
    this.#run = run;
  }

  /** @param {any} event */
  #record(event) {
    switch (event.event) {
      case 'connected':
      case 'refused':
      case 'closed':
        this.#of(event);
        break;
      case 'message':
      case 'disconnected':
      case 'disconnectFailed':
        // The close may be forgotten: the connection must not look open again.
        if (this.connections.has(event.connection)) {
          this.#of(event);
        }
        break;
      case 'posted':
        // A function may post during its handshake. Posts to connections that never were are errors of the function.
        if (event.status === 200 || this.connections.has(event.connection)) {
          this.#of(event);
        }
        break;
      case 'deployed':
      case 'activated':
      case 'undeployed':
        this.activity.unshift(event);
        this.activity.length = Math.min(this.activity.length, MAX_ACTIVITY);
        break;
    }
  }

  /** @param {any} event */
  #of(event) {
    const connection = this.connections.get(event.connection) ?? this.#create(event);
    connection.revision += 1;
    switch (event.event) {
      case 'connected':
        Object.assign(connection, { isKnown: true, api: event.api, stage: event.stage, principal: event.principal });
        break;
      case 'refused':
        Object.assign(connection, { isKnown: true, api: event.api, stage: event.stage, principal: denied(event) });
        this.#end(connection, 'refused', event.status, event);
        break;
      case 'closed':
        this.#end(connection, 'closed', event.code, event);
        break;
      case 'message':
        connection.received += 1;
        connection.sent += event.answer === null ? 0 : 1;
        connection.errors += ['error', 'failed'].includes(event.outcome.kind) ? 1 : 0;
        break;
      case 'posted':
        connection.sent += event.status === 200 ? 1 : 0;
        connection.errors += event.status === 200 ? 0 : 1;
        break;
      case 'disconnectFailed':
        connection.errors += 1;
        break;
    }
    this.#keep(connection, event);
  }

  /**
   * @param {any} event
   * @returns {Connection}
   */
  #create(event) {
    const connection = {
      id: event.connection,
      api: '',
      stage: '',
      isKnown: false,
      principal: null,
      state: /** @type {'open'} */ ('open'),
      since: event.at - (event.ageMillis ?? 0),
      until: null,
      code: null,
      reason: '',
      row: '',
      received: 0,
      sent: 0,
      errors: 0,
      entries: [],
      forgotten: 0,
      revision: 0,
      searched: null,
    };
    this.connections.set(connection.id, connection);
    this.open += 1;
    if (this.connections.size > MAX_CONNECTIONS) {
      const oldest = this.#ended.shift() ?? this.connections.keys().next().value;
      this.#forget(/** @type {string} */ (oldest));
    }
    return connection;
  }

  /** @param {string} id */
  #forget(id) {
    const connection = this.connections.get(id);
    if (connection === undefined) {
      return;
    }
    if (connection.state === 'open') {
      this.open -= 1;
    }
    while (connection.entries.length > 0) {
      this.#drop(connection, 0);
    }
    this.connections.delete(id);
  }

  /**
   * @param {Connection} connection
   * @param {'closed' | 'refused'} state
   * @param {number} code
   * @param {any} event
   */
  #end(connection, state, code, event) {
    if (connection.state === 'open') {
      this.open -= 1;
      this.#ended.push(connection.id);
    }
    const reason = event.meaning ?? event.reason;
    Object.assign(connection, { state, code, reason, row: event.row, until: event.at });
  }

  /**
   * @param {Connection} connection
   * @param {any} event
   */
  #keep(connection, event) {
    connection.entries.push(event);
    this.#budget(event).add(connection, event);
    if (connection.entries.length > MAX_ENTRIES) {
      this.#drop(connection, oldest(connection));
    }
    for (const budget of [this.#entries, this.#handshakes]) {
      while (budget.isExceeded) {
        const next = budget.next();
        if (next === undefined) {
          break;
        }
        const at = next.connection.entries.findIndex(({ id }) => id === next.id);
        if (at >= 0) {
          this.#drop(next.connection, at);
        }
      }
    }
  }

  /**
   * @param {Connection} connection
   * @param {number} at
   */
  #drop(connection, at) {
    const [event] = connection.entries.splice(at, 1);
    connection.forgotten += 1;
    this.#budget(event).remove(event);
  }

  /** @param {any} event */
  #budget(event) {
    return isHandshake(event) ? this.#handshakes : this.#entries;
  }

  /**
   * Returns the connections that match a search, the latest first.
   *
   * @param {string} search
   */
  find(search) {
    const words = search.toLowerCase().split(/\s+/).filter((word) => word !== '');
    const found = [];
    for (const connection of this.connections.values()) {
      if (words.length === 0 || matches(connection, words)) {
        found.push(connection);
      }
    }
    return found.reverse();
  }
}

/**
 * Returns the principal that an authorizer denied.
 *
 * @param {any} event
 * @returns {string | null}
 */
function denied({ handshake }) {
  const principal = handshake.authorizer?.output?.principalId;
  return typeof principal === 'string' ? principal : null;
}

/** @param {any} event */
function isHandshake({ event }) {
  return event === 'connected' || event === 'refused';
}

/**
 * Returns the index of the oldest entry that is not the handshake.
 *
 * @param {Connection} connection
 */
function oldest({ entries }) {
  return isHandshake(entries[0]) ? 1 : 0;
}

/**
 * Returns about how much memory an event takes, in characters.
 *
 * @param {any} event
 */
function weigh({ body, answer, handshake, evidence }) {
  const objects = [handshake, evidence].filter((value) => value != null);
  const sizes = objects.map((value) => JSON.stringify(value).length);
  return sizes.reduce((sum, size) => sum + size, 500 + (body?.length ?? 0) + (answer?.length ?? 0));
}

/**
 * Returns the name of who connected.
 *
 * @param {Connection} connection
 */
export function caller({ isKnown, principal }) {
  return isKnown ? (principal ?? 'anonymous') : 'unknown';
}

/**
 * @param {Connection} connection
 * @param {string[]} words
 */
function matches(connection, words) {
  const { id, stage, state, code, reason, row, revision } = connection;
  // A search runs at each batch of events, and few connections change meanwhile.
  if (connection.searched?.revision !== revision) {
    const text = `${id} ${caller(connection)} ${stage} ${state} ${code ?? ''} ${reason} ${row}`.toLowerCase();
    connection.searched = { revision, text };
  }
  const { text } = connection.searched;
  return words.every((word) => text.includes(word));
}

/** Entries within a number and a size. */
class Budget {
  /** Entries in their order. Those that are gone stay until their turn comes. @type {Queue<EntryRecord>} */
  #records = new Queue();
  #count = 0;
  #weight = 0;

  /**
   * @param {number} maxCount
   * @param {number} maxWeight
   */
  constructor(maxCount, maxWeight) {
    this.maxCount = maxCount;
    this.maxWeight = maxWeight;
  }

  get isExceeded() {
    return this.#count > this.maxCount || this.#weight > this.maxWeight;
  }

  /**
   * @param {Connection} connection
   * @param {any} event
   */
  add(connection, event) {
    this.#records.push({ connection, id: event.id });
    this.#count += 1;
    this.#weight += weigh(event);
    if (this.#records.length > 2 * this.maxCount) {
      this.#records.keep(({ connection: { entries }, id }) => entries.some((entry) => entry.id === id));
    }
  }

  /**
   * Subtracts an entry that its connection dropped.
   *
   * @param {any} event
   */
  remove(event) {
    this.#count -= 1;
    this.#weight -= weigh(event);
  }

  /** Returns the oldest record, and removes it. Its entry may be gone. */
  next() {
    return this.#records.shift();
  }
}

/**
 * A queue whose first item is removed at once.
 *
 * @template T
 */
class Queue {
  /** @type {T[]} */
  #items = [];
  #start = 0;

  get length() {
    return this.#items.length - this.#start;
  }

  /** @param {T} item */
  push(item) {
    this.#items.push(item);
  }

  /**
   * Removes the items for which a condition is false.
   *
   * @param {(item: T) => boolean} condition
   */
  keep(condition) {
    this.#items = this.#items.slice(this.#start).filter(condition);
    this.#start = 0;
  }

  /** @returns {T | undefined} */
  shift() {
    const item = this.#items[this.#start];
    if (this.length > 0) {
      this.#start += 1;
    }
    if (this.#start > 1_000 && this.#start * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#start);
      this.#start = 0;
    }
    return item;
  }
}
