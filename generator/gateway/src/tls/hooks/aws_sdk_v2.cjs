// Loaded by `stackgen dev` into Node.js functions (NODE_OPTIONS=--require). Version 2 of the AWS SDK for JavaScript does not
// read AWS_ENDPOINT_URL, so its calls would leave this machine. It gets that endpoint here, unless the code sets another one.
"use strict";

const Module = require("node:module");

const endpoint = process.env.AWS_ENDPOINT_URL;
const load = Module._load;

// Sets the endpoint in each loaded copy of the SDK.
function setEndpoint() {
  for (const [file, module] of Object.entries(Module._cache)) {
    const config = /[/]aws-sdk[/]lib[/]core\.js$/.test(file) ? module.exports.config : undefined;
    if (config && config.endpoint === undefined) config.update({ endpoint });
  }
}

if (endpoint) {
  // An imported package is not loaded here, but what it requires is: each module of the SDK requires `core` in the end.
  Module._load = function (request, ...others) {
    const exports = load.call(this, request, ...others);
    if (/(^|[/])core(\.js)?$/.test(request) || /^aws-sdk($|[/])/.test(request)) setEndpoint();
    return exports;
  };
}
