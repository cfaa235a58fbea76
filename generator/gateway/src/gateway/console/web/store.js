// Connections and their events, within a fixed memory.

/** Maximum number of connections. The first that ended are forgotten first. */
const MAX_CONNECTIONS = 20_000;

/** Maximum number of events of one connection. */
const MAX_ENTRIES = 300;

/** Maximum number of events of all connections. */
const MAX_ALL_ENTRIES = 60_000;

/** Maximum size of the texts in all events, in characters. */
const MAX_WEIGHT = 40_000_000;

/** Maximum number of changes of deployments. */
const MAX_ACTIVITY = 200;

/**
 * A connection, or a refused handshake.
 *
 * @typedef {object} Connection
 * @property {string} id
 * @property {string} api
 * @property {string} stage
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
  /** IDs of the connections of all entries, in their order. @type {Queue<{ id: string, weight: number }>} */
  #entries = new Queue();
  #weight = 0;
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
      this.dropped = this.open = this.#lastId = this.#weight = 0;
      this.#entries = new Queue();
      this.#ended = new Queue();
    }
    this.#run = run;
  }

  /** @param {any} event */
  #record(event) {
    switch (event.event) {
      case 'connected':
      case 'refused':
      case 'message':
      case 'closed':
      case 'disconnected':
      case 'disconnectFailed':
        this.#of(event);
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
    switch (event.event) {
      case 'connected':
        Object.assign(connection, { api: event.api, stage: event.stage, principal: event.principal });
        break;
      case 'refused':
        Object.assign(connection, { api: event.api, stage: event.stage, principal: denied(event) });
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
      principal: null,
      state: /** @type {'open'} */ ('open'),
      since: event.at,
      until: null,
      code: null,
      reason: '',
      row: '',
      received: 0,
      sent: 0,
      errors: 0,
      entries: [],
      forgotten: 0,
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
    if (this.connections.get(id)?.state === 'open') {
      this.open -= 1;
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
    const weight = 500 + (event.body?.length ?? 0) + (event.answer?.length ?? 0);
    connection.entries.push(event);
    this.#entries.push({ id: connection.id, weight });
    this.#weight += weight;
    if (connection.entries.length > MAX_ENTRIES) {
      // The handshake stays: it explains the connection.
      connection.entries.splice(1, 1);
      connection.forgotten += 1;
    }
    while (this.#entries.length > MAX_ALL_ENTRIES || this.#weight > MAX_WEIGHT) {
      const oldest = this.#entries.shift();
      if (oldest === undefined) {
        break;
      }
      this.#weight -= oldest.weight;
      const of = this.connections.get(oldest.id);
      if (of !== undefined && of.entries.length > 1) {
        of.entries.splice(1, 1);
        of.forgotten += 1;
      }
    }
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

/**
 * @param {Connection} connection
 * @param {string[]} words
 */
function matches({ id, principal, stage, state, code, reason, row }, words) {
  const text = `${id} ${principal ?? 'anonymous'} ${stage} ${state} ${code ?? ''} ${reason} ${row}`.toLowerCase();
  return words.every((word) => text.includes(word));
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
