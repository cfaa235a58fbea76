// Loaded by `stackgen dev` into Node.js functions (NODE_OPTIONS=--require). Connections to port 443 of hosts that the local
// gateway stands for go to the gateway. All other connections are unchanged, and so are the names that TLS verifies.
"use strict";

const fs = require("node:fs");
const net = require("node:net");

const table = process.env._STACKGEN_HOSTS;

// Returns the gateway's port for a host, or undefined. The table changes while functions run.
function portOf(host, port) {
  if (!table || Number(port) !== 443 || typeof host !== "string") return undefined;
  const name = host.toLowerCase();
  if (!/\.amazonaws\.com(\.cn)?$/.test(name)) return undefined;
  const api = /^([^.]+)\.execute-api\./.exec(name);
  try {
    const ports = JSON.parse(fs.readFileSync(table, "utf8"));
    // The hosts of an API in all regions, and all other hosts of AWS.
    for (const key of [name, api ? `${api[1]}.execute-api` : "*"]) {
      if (Object.hasOwn(ports, key)) return ports[key];
    }
    return undefined;
  } catch {
    return undefined;
  }
}

const connect = net.Socket.prototype.connect;

// Every client connection ends here: those of net, tls, http, https, http2 and fetch.
net.Socket.prototype.connect = function (...args) {
  // net.connect passes its arguments as one array, which starts with the options.
  const normalized = Array.isArray(args[0]);
  const first = normalized ? args[0][0] : args[0];
  if (first !== null && typeof first === "object") {
    const port = first.path ? undefined : portOf(first.host, first.port);
    if (port !== undefined) {
      // A copy: TLS verifies the host of the original options.
      const options = { ...first, host: "127.0.0.1", port };
      if (normalized) args[0][0] = options;
      else args[0] = options;
    }
  } else {
    const port = portOf(args[1], first);
    if (port !== undefined) args.splice(0, 2, port, "127.0.0.1");
  }
  return connect.apply(this, args);
};
