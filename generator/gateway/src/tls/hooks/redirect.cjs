// Loaded by `stackgen dev` into Node.js functions (NODE_OPTIONS=--require). Connections to port 443 of hosts that the local
// gateway stands for go to the gateway. All other connections are unchanged, and so are the names that TLS verifies.
"use strict";

const fs = require("node:fs");
const net = require("node:net");

const table = process.env._STACKGEN_HOSTS;

// Labels in the names of customers' resources, such as load balancers. Those hosts are reached as they are.
const ofCustomers = [
  "elb", "compute", "compute-1", "appsync-api", "appsync-realtime-api", "iot", "es", "aoss", "cloudsearch", "eks",
];
// First labels of names that are a service's all the same.
const ofServices = ["api", "data", "data-ats"];

// Returns the key of a host's port in the table: that of an API in all regions, or that of all services.
function keyOf(host) {
  const domain = /\.amazonaws\.com(\.cn)?$/;
  if (!domain.test(host)) return undefined;
  const name = host.replace(domain, "");
  const [first, ...rest] = name.split(".");
  if (name === "checkip") return undefined;
  if (rest[0] === "execute-api") return rest.length === 2 ? `${first}.execute-api` : undefined;
  const ofCustomer = rest.slice(-2).some((label) => ofCustomers.includes(label));
  return ofCustomer && !ofServices.includes(first) ? undefined : "*";
}

// Returns the gateway's port for a host, or undefined. The table changes while functions run.
function portOf(host, port) {
  if (!table || Number(port) !== 443 || typeof host !== "string") return undefined;
  const name = host.toLowerCase();
  const shared = keyOf(name);
  if (shared === undefined) return undefined;
  try {
    const ports = JSON.parse(fs.readFileSync(table, "utf8"));
    for (const key of [name, shared]) {
      if (Object.hasOwn(ports, key)) return ports[key];
    }
    return undefined;
  } catch {
    return undefined;
  }
}

// Returns where a connection goes instead: to the gateway, or to this machine if an SDK put the prefix of an operation before
// the endpoint's address (`sync-127.0.0.1`), which no name can be. Returns undefined for all others.
function targetOf(host, port) {
  if (typeof host === "string" && /[-.]127\.0\.0\.1$/.test(host)) return { host: "127.0.0.1", port };
  const own = portOf(host, port);
  return own === undefined ? undefined : { host: "127.0.0.1", port: own };
}

const connect = net.Socket.prototype.connect;

// Every client connection ends here: those of net, tls, http, https, http2 and fetch.
net.Socket.prototype.connect = function (...args) {
  // net.connect passes its arguments as one array, which starts with the options.
  const normalized = Array.isArray(args[0]);
  const first = normalized ? args[0][0] : args[0];
  if (first !== null && typeof first === "object") {
    const target = first.path ? undefined : targetOf(first.host, first.port);
    if (target !== undefined) {
      // A copy: TLS verifies the host of the original options.
      const options = { ...first, ...target };
      if (normalized) args[0][0] = options;
      else args[0] = options;
    }
  } else {
    const target = targetOf(args[1], first);
    if (target !== undefined) args.splice(0, 2, target.port, target.host);
  }
  return connect.apply(this, args);
};
