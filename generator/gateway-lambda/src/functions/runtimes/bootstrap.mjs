// Runs a Node.js handler for the local Lambda, over the Runtime API.
//
// Needs nothing but Node's own modules. Answers, errors and log lines are those of AWS's own client: version 3 up to
// nodejs22.x, and version 4 from nodejs24.x on, which supports no callbacks.

import childProcess from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import nodeModule, { createRequire } from "node:module";
import path from "node:path";
import { Writable } from "node:stream";
import { pathToFileURL } from "node:url";
import util from "node:util";

const require = createRequire(import.meta.url);
const env = process.env;
const isModern = Number(/nodejs(\d+)/.exec(env.AWS_EXECUTION_ENV)?.[1] ?? 0) >= 24;
const hasGlobal = !["1", "true"].includes(env.AWS_LAMBDA_NODEJS_NO_GLOBAL_AWSLAMBDA);

// ---- Errors ---------------------------------------------------------------------------------------------------------

/** Creates an error of the runtime itself. Logs show the names of the classes, and whether the error has its own `name`. */
function runtimeError(kind, message, properties) {
  const name = `Runtime.${kind}`;
  const hasSuffix = isModern && ["HandlerNotFound", "MalformedHandlerName", "CallbackHandlerDeprecated"].includes(kind);
  const RuntimeError = class extends Error {};
  Object.defineProperty(RuntimeError, "name", { value: hasSuffix ? `${kind}Error` : kind });
  if (isModern) return Object.assign(new RuntimeError(message), { name });
  RuntimeError.prototype.name = name;
  return Object.assign(new RuntimeError(message), properties);
}

/** Returns the error in the form of the Runtime API. */
function toApiError(error) {
  // Control characters would not survive the way to the caller.
  const clean = (text) => text?.replaceAll("\x7F", "%7F");
  const isErrorLike = () => ["name", "message", "stack"].every((key) => error?.[key] && typeof error[key] === "string");
  try {
    if (isModern ? error instanceof Error : util.types.isNativeError(error) || isErrorLike()) {
      const trace = clean(error.stack)?.split("\n") ?? [];
      return { errorType: clean(error.name), errorMessage: clean(error.message), trace };
    }
    return { errorType: typeof error, errorMessage: isModern ? String(error) : error.toString(), trace: [] };
  } catch {
    const errorMessage =
      "callback called with Error argument, but there was a problem while retrieving one or more of its message, name, and stack";
    return { errorType: "handled", errorMessage, ...(isModern && { trace: [] }) };
  }
}

// ---- Logs -----------------------------------------------------------------------------------------------------------

const isJsonLog = env.AWS_LAMBDA_LOG_FORMAT?.toUpperCase() === "JSON";
const current = { requestId: isModern ? "-" : undefined, tenantId: undefined };

const describeError = (error, stack) => ({ errorType: error.constructor?.name ?? "UnknownError", errorMessage: error.message, stackTrace: stack });
const stackOf = (error, otherwise) => (typeof error.stack === "string" ? error.stack.split("\n") : otherwise);

function jsonLine(timestamp, level, message, params) {
  const record = { timestamp, level, requestId: current.requestId };
  if (current.tenantId) record.tenantId = current.tenantId;
  if (params.length === 0) {
    record.message = message;
    const expand = (_key, value) =>
      value instanceof Error ? Object.assign(describeError(value, stackOf(value, value.stack)), value) : value;
    try {
      return JSON.stringify(record, expand);
    } catch {
      record.message = util.format(message);
      return JSON.stringify(record);
    }
  }
  record.message = util.format(message, ...params);
  const error = (isModern ? params : [message, ...params]).find((param) => param instanceof Error);
  return JSON.stringify(error ? Object.assign(record, describeError(error, stackOf(error, []))) : record);
}

/** Makes the methods of `console` write lines in Lambda's format. */
function patchConsole() {
  const levels = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
  const least = levels.indexOf(env.AWS_LAMBDA_LOG_LEVEL?.toUpperCase());
  levels.forEach((level, index) => {
    console[level.toLowerCase()] = (message, ...params) => {
      if (index < least) return;
      const time = new Date().toISOString();
      const line = isJsonLog
        ? jsonLine(time, level, message, params)
        : `${time}\t${current.requestId}\t${level}\t${util.format(message, ...params)}`;
      // One event of the log: only its end is a line feed.
      process.stdout.write(line.replaceAll("\n", "\r") + "\n");
    };
  });
  console.log = console.info;
}

function logError(title, reason) {
  const error = reason instanceof Error ? reason : new Error(isModern ? String(reason) : reason);
  if (isJsonLog) return console.error(error);
  const expand = (_key, value) => {
    if (!(value instanceof Error)) return value;
    const fields = { errorType: value.name, errorMessage: value.message, code: value.code, ...value };
    if (typeof value.stack === "string") fields.stack = value.stack.split("\n");
    return fields;
  };
  let text;
  try {
    text = JSON.stringify(error, expand);
  } catch {
    text = JSON.stringify(toApiError(error));
  }
  console.error(title, `\t${text}`);
}

// ---- Runtime API ----------------------------------------------------------------------------------------------------

// Functions may patch these.
const { request: httpRequest } = http;
const { spawnSync } = childProcess;
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const [hostname, port] = env.AWS_LAMBDA_RUNTIME_API.split(":");
const target = (method, apiPath, headers) => ({ hostname, port, method, headers, path: `/2018-06-01/runtime/${apiPath}` });

function call(method, apiPath, body = "", headers = {}) {
  return new Promise((resolve) => {
    // The gateway has ended.
    const fail = () => process.exit(1);
    const request = httpRequest({ ...target(method, apiPath, headers), agent }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk)).on("error", fail);
      response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString() }));
    });
    request.on("error", fail).end(body);
  });
}

/** Posts that the gateway has not confirmed. */
const unconfirmed = [];

/** Posts JSON. AWS's client blocks meanwhile, so the post must not be lost if the function calls `process.exit` next. */
async function post(apiPath, json) {
  const headers = { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(json) };
  unconfirmed.push({ options: target("POST", apiPath, headers), json, isRepeated: true });
  const { status, body } = await call("POST", apiPath, json, headers);
  unconfirmed.shift();
  if (status > 299) process.stdout.write(refusal(status, body) + "\n");
}

/** Returns the log line for a post that the gateway refused. */
const refusal = (status, body) =>
  `[ERROR] [${Date.now()}] LAMBDA_RUNTIME Failed to post handler success response. Http response code: ${status}. ${body}`;

process.on("exit", () => {
  const script = `const { options, json, isRepeated } = JSON.parse(require("fs").readFileSync(0));
    const answered = ({ statusCode: status }, body) => isRepeated || status < 300 || console.log((${refusal})(status, body));
    require("http").request(options, (response) => {
      let body = "";
      response.on("data", (chunk) => (body += chunk)).on("end", () => answered(response, body));
    }).on("error", () => {}).end(json);`;
  for (const one of unconfirmed) {
    spawnSync(process.execPath, ["-e", script], { input: JSON.stringify(one), env: {}, stdio: ["pipe", "inherit", "inherit"] });
  }
});

const invocationPath = (id, what) => `invocation/${encodeURIComponent(id)}/${what}`;
const postAnswer = (id, json) => post(invocationPath(id, "response"), json);
const postError = (id, error) => post(invocationPath(id, "error"), JSON.stringify(toApiError(error)));

/** Posts an error when the process exits, so that no code of the function runs after it. */
function postErrorAtExit(apiPath, error) {
  const body = toApiError(error);
  const headers = { "Content-Type": "application/json" };
  if (apiPath === "init/error") headers[ERROR_TYPE] = headerValue(body.errorType);
  unconfirmed.push({ options: target("POST", apiPath, headers), json: JSON.stringify(body) });
}

const ERROR_TYPE = "Lambda-Runtime-Function-Error-Type";
const headerValue = (text) => String(text).replace(/[^\x20-\x7E]/g, "?");

function serialize(answer) {
  let json;
  try {
    json = JSON.stringify(answer === undefined ? null : answer);
  } catch {
    const message = "Unable to stringify response body";
    throw isModern ? runtimeError("JSONStringifyError", message) : new Error(message);
  }
  // A function or a symbol.
  if (json === undefined) throw new TypeError("Wrong arguments");
  return json;
}

/** Waits for an event. */
async function nextEvent() {
  const { headers, body } = await call("GET", "invocation/next");
  const id = headers["lambda-runtime-aws-request-id"];
  Object.assign(current, { requestId: id, tenantId: headers["lambda-runtime-aws-tenant-id"] });
  return { id, headers, body };
}

/** Returns what all versions have in `context`. */
function contextData(headers) {
  const header = (name) => headers[`lambda-runtime-${name}`];
  const traceId = header("trace-id");
  if (traceId) env._X_AMZN_TRACE_ID = traceId;
  else delete env._X_AMZN_TRACE_ID;
  const json = (name, title) => {
    try {
      return header(name) ? JSON.parse(header(name)) : undefined;
    } catch (error) {
      throw new Error(`Cannot parse ${title} as json: ${error}`);
    }
  };
  const deadline = Number(header("deadline-ms"));
  return {
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: json("client-context", "ClientContext"),
    identity: json("cognito-identity", "CognitoIdentity"),
    invokedFunctionArn: header("invoked-function-arn"),
    awsRequestId: header("aws-request-id"),
    tenantId: header("aws-tenant-id"),
    ...(isModern && { xRayTraceId: traceId }),
    getRemainingTimeInMillis: () => deadline - Date.now(),
  };
}

// ---- Streaming ------------------------------------------------------------------------------------------------------

const STREAMING = Symbol.for("aws.lambda.runtime.handler.streaming");

/** Answer that a function writes in pieces. The gateway delivers it whole. */
class ResponseStream extends Writable {
  #request;
  #isStarted = false;
  #abort;
  answered;

  constructor(id) {
    super({ decodeStrings: false });
    const headers = {
      "Lambda-Runtime-Function-Response-Mode": "streaming",
      Trailer: `${ERROR_TYPE}, Lambda-Runtime-Function-Error-Body`,
      "Content-Type": "application/octet-stream",
      "Transfer-Encoding": "chunked",
    };
    this.answered = new Promise((resolve, reject) => {
      this.#request = httpRequest({ ...target("POST", invocationPath(id, "response"), headers), agent }, (response) =>
        response.on("end", resolve).resume(),
      );
      this.#request.on("error", reject);
      this.#abort = reject;
    });
    // The runtime reports it, if it waits for the answer.
    this.answered.catch(() => {});
    this.on("error", () => {});
  }

  setContentType(contentType) {
    if (this.#isStarted) throw runtimeError("InvalidStreamingOperation", "Cannot set content-type, too late.");
    this.#request.setHeader("Content-Type", contentType);
  }

  write(chunk, ...rest) {
    const before = this.#isStarted ? undefined : this._onBeforeFirstWrite;
    this.#isStarted = true;
    before?.((prelude) => super.write(prelude));
    const isPlain = typeof chunk === "string" || chunk instanceof Uint8Array;
    return super.write(isPlain ? chunk : JSON.stringify(chunk), ...rest);
  }

  // As with AWS's client, a chunk that is given here is not the first write: `_onBeforeFirstWrite` is not called.
  end(chunk, ...rest) {
    if (typeof chunk === "string" || chunk instanceof Uint8Array) super.write(chunk);
    return super.end(...[chunk, ...rest].filter((one) => typeof one === "function"));
  }

  _write(chunk, encoding, done) {
    this.#request.write(chunk, Buffer.isBuffer(chunk) ? undefined : encoding, done);
  }

  _final(done) {
    this.#request.end(done);
  }

  _destroy(error, done) {
    if (!this.writableFinished) this.#abort(error ?? new Error("socket hang up"));
    done(error);
  }

  /** Ends the answer with an error, unless the function has ended it. */
  async fail(error) {
    const body = toApiError(error);
    if (this.writableEnded) return;
    this.#request.addTrailers({
      [ERROR_TYPE]: headerValue(body.errorType),
      "Lambda-Runtime-Function-Error-Body": Buffer.from(JSON.stringify(body)).toString("base64"),
    });
    await new Promise((resolve) => (this.destroyed ? this.#request.end(resolve) : super.end(resolve)));
  }
}

class HttpResponseStream {
  static from(stream, prelude) {
    stream.setContentType("application/vnd.awslambda.http-integration-response");
    const metadata = JSON.stringify(prelude);
    stream._onBeforeFirstWrite = (write) => {
      write(metadata);
      write(new Uint8Array(8));
    };
    return stream;
  }
}

/** Calls a streaming handler and waits until its answer is complete. */
async function runStreaming(runtime, stream, event, context) {
  const pending = runtime.handler(event, stream, context);
  if (typeof pending?.then !== "function") {
    const message = "Streaming does not support non-async handlers.";
    throw isModern ? new Error(message) : message;
  }
  if ((await pending) !== undefined) console.warn("Streaming handlers ignore return values.");
  await stream.answered;
  if (!stream.writableFinished) {
    const message = "Response stream is not finished.";
    throw isModern ? new Error(message) : message;
  }
}

// ---- Handler --------------------------------------------------------------------------------------------------------

const importFile = (file) => import(pathToFileURL(file).href);

/** Loads a module as version 4 does. */
async function loadModern(file) {
  for (const extension of ["", ".js", ".mjs", ".cjs"]) {
    if (fs.existsSync(file + extension)) return importFile(file + extension);
  }
  return undefined;
}

/** Loads a module as version 3 does. */
async function loadClassic(file) {
  if (fs.existsSync(file)) return require(file);
  if (fs.existsSync(`${file}.js`)) return isEsModule(`${file}.js`) ? importFile(`${file}.js`) : require(`${file}.js`);
  if (fs.existsSync(`${file}.mjs`)) return importFile(`${file}.mjs`);
  return fs.existsSync(`${file}.cjs`) ? require(`${file}.cjs`) : undefined;
}

/** Returns true if the nearest package.json says `"type": "module"`. */
function isEsModule(file) {
  for (let folder = path.dirname(file); !folder.endsWith("/node_modules"); folder = path.dirname(folder)) {
    const manifest = path.join(folder, "package.json");
    if (fs.existsSync(manifest)) {
      try {
        return JSON.parse(fs.readFileSync(manifest))?.type === "module";
      } catch (error) {
        console.warn(`${manifest} cannot be read, it will be ignored for ES module detection purposes.`, error);
        return false;
      }
    }
    if (folder === path.dirname(folder)) break;
  }
  return false;
}

async function loadModule(root, folder, name) {
  try {
    const file = path.resolve(root, folder, name);
    const loaded = await (isModern ? loadModern(file) : loadClassic(file));
    return loaded ?? require(require.resolve(name, { paths: [root, path.join(root, folder)] }));
  } catch (error) {
    if (error instanceof SyntaxError) {
      const wrapped = runtimeError("UserCodeSyntaxError", String(error));
      throw isModern ? Object.assign(wrapped, { stack: error.stack }) : wrapped;
    }
    throw error?.code === "MODULE_NOT_FOUND" ? runtimeError("ImportModuleError", String(error)) : error;
  }
}

/** Lets ES modules find the packages of layers: Lambda's Node.js searches `NODE_PATH` for them too. */
function searchNodePath() {
  const folders = (env.NODE_PATH ?? "").split(":").filter((folder) => path.basename(folder) === "node_modules");
  if (folders.length === 0 || !nodeModule.register) return;
  const parents = folders.map((folder) => pathToFileURL(path.join(path.dirname(folder), "parent.js")).href);
  const hook = `
    export async function resolve(specifier, context, next) {
      try {
        return await next(specifier, context);
      } catch (error) {
        if (error?.code !== "ERR_MODULE_NOT_FOUND" || /^([./#]|[a-z]+:)/.test(specifier)) throw error;
        for (const parentURL of ${JSON.stringify(parents)}) {
          try {
            return await next(specifier, { ...context, parentURL });
          } catch {}
        }
        throw error;
      }
    }`;
  nodeModule.register(`data:text/javascript,${encodeURIComponent(hook)}`);
}

/** Loads the handler that `folder/module.export` names. */
async function loadHandler(root, name) {
  if (name.includes("..")) {
    const advice = "Use absolute paths when specifying root directories in handler names.";
    throw runtimeError("MalformedHandlerName", `'${name}' is not a valid handler name. ${advice}`);
  }
  const base = path.basename(name);
  const parts = /^([^.]*)\.(.*)$/.exec(base);
  if (!parts) throw runtimeError("MalformedHandlerName", "Bad handler");
  const loaded = await loadModule(root, name.slice(0, name.indexOf(base)), parts[1]);
  const find = (object) => parts[2].split(".").reduce((nested, key) => nested && nested[key], object);
  const handler = find(loaded) || (isModern && find(loaded.default));
  if (!handler) throw runtimeError("HandlerNotFound", `${name} is undefined or not exported`);
  if (typeof handler !== "function") throw runtimeError("HandlerNotFound", `${name} is not a function`);
  if (handler[STREAMING] && handler[STREAMING] !== "response") {
    throw runtimeError("MalformedStreamingHandler", "Only response streaming is supported.");
  }
  if (isModern && handler.length >= 3 && !handler[STREAMING]) {
    const message =
      "ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. You need to modify this function to use a supported handler signature to use Node.js 24 or later. For more information see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.";
    throw runtimeError("CallbackHandlerDeprecated", message);
  }
  return handler;
}

// ---- Version 4: handlers return a value or a promise ----------------------------------------------------------------

// Handlers are methods of these, as in AWS's client: the names appear in stack traces.
class BufferedInvokeProcessor {}
class StreamingInvokeProcessor {}

async function serveModern(handler) {
  const Runtime = handler[STREAMING] ? StreamingInvokeProcessor : BufferedInvokeProcessor;
  const runtime = Object.assign(new Runtime(), { handler });
  const turn = () => new Promise(setImmediate);
  for (;;) {
    const { id, headers, body } = await nextEvent();
    const context = contextData(headers);
    const event = JSON.parse(body);
    invokeStore.enter(id, context.xRayTraceId);
    if (handler[STREAMING]) {
      const stream = new ResponseStream(id);
      try {
        await runStreaming(runtime, stream, event, context);
      } catch (error) {
        await turn();
        logError("Invoke Error", error);
        await stream.fail(error);
      }
      continue;
    }
    try {
      const answer = await runtime.handler(event, context);
      await turn();
      await postAnswer(id, serialize(answer));
    } catch (error) {
      await turn();
      logError("Invoke Error", error);
      await postError(id, error);
    }
  }
}

/** Values of the current invocation, `awslambda.InvokeStore`. */
const invokeStore = {
  values: undefined,
  enter(id, traceId) {
    this.values = {
      [Symbol.for("_AWS_LAMBDA_REQUEST_ID")]: id,
      [Symbol.for("_AWS_LAMBDA_X_RAY_TRACE_ID")]: traceId,
    };
  },
  getContext: () => invokeStore.values,
  hasContext: () => invokeStore.values !== undefined,
  get: (key) => invokeStore.values?.[key],
  set(key, value) {
    const own = ["REQUEST_ID", "X_RAY_TRACE_ID", "TENANT_ID"].map((name) => Symbol.for(`_AWS_LAMBDA_${name}`));
    if (own.includes(key)) throw new Error(`Cannot modify protected Lambda context field: ${String(key)}`);
    invokeStore.values = { ...invokeStore.values, [key]: value };
  },
  run(values, work) {
    invokeStore.values = values;
    return work();
  },
  getRequestId: () => current.requestId,
  getXRayTraceId: () => invokeStore.get(Symbol.for("_AWS_LAMBDA_X_RAY_TRACE_ID")),
  getTenantId: () => current.tenantId,
};

// ---- Version 3: handlers may call back ------------------------------------------------------------------------------

const classic = {
  /** Runs when nothing is left to do. */
  whenIdle: () => {},
  /** Path for errors that no handler caught. */
  errorPath: "init/error",
};

// Handlers are its methods, as in AWS's client: the name appears in stack traces.
class Runtime {}

function serveClassic(handler) {
  const runtime = Object.assign(new Runtime(), { handler });
  const serve = handler[STREAMING] ? streamOnce : answerOnce;
  const next = () =>
    setImmediate(() =>
      serve(runtime, next).catch((error) => {
        console.log(`Unexpected Top Level Error: ${error}`);
        postErrorAtExit(classic.errorPath, error);
        process.exit(129);
      }),
    );
  next();
}

/** Adds `callbackWaitsForEmptyEventLoop` to an object. Returns a function that reads it. */
function addWaitOption(context) {
  let waits = true;
  Object.defineProperty(context, "callbackWaitsForEmptyEventLoop", {
    enumerable: true,
    get: () => waits,
    set: (value) => (waits = value),
  });
  return () => waits;
}

const onIdle = (work) => (classic.whenIdle = () => setImmediate(work));

async function answerOnce(runtime, next) {
  const { id, headers, body } = await nextEvent();
  let isComplete = false;
  const complete = (answer) => {
    if (isComplete) {
      console.error("Invocation has already been reported as done. Cannot call complete more than once per invocation.");
      return;
    }
    isComplete = true;
    postAnswer(id, serialize(answer)).then(next);
  };
  const fail = (error) => {
    logError("Invoke Error", error);
    postError(id, error).then(next);
  };
  const isError = (error) => error !== undefined && error !== null;
  const finish = (work) => {
    classic.whenIdle = () => {};
    work();
  };
  let isFinished = false;
  // If it throws, such as for an answer that is no JSON, the next call counts.
  const once = (work) => (...args) => {
    if (isFinished) return;
    work(...args);
    isFinished = true;
  };
  const context = {};
  const waits = addWaitOption(context);
  const done = (error, answer) => finish(() => (isError(error) ? fail(error) : complete(answer)));
  context.succeed = once((answer) => done(null, answer));
  context.fail = once((error) => done(isError(error) ? error : "handled"));
  context.done = once(done);
  const callback = once((error, answer) =>
    finish(() => {
      if (isError(error)) fail(error);
      else if (waits()) onIdle(() => complete(answer));
      else complete(answer);
    }),
  );
  classic.errorPath = invocationPath(id, "error");
  classic.whenIdle = () => {
    isComplete = true;
    postAnswer(id, "null").then(next);
  };
  try {
    const result = runtime.handler(JSON.parse(body), Object.assign(context, contextData(headers)), callback);
    if (typeof result?.then === "function") result.then(context.succeed, context.fail).catch(context.fail);
  } catch (error) {
    callback(error);
  }
}

async function streamOnce(runtime, next) {
  const { id, headers, body } = await nextEvent();
  const stream = new ResponseStream(id);
  const context = {};
  const waits = addWaitOption(context);
  const proceed = () => (waits() ? onIdle(next) : next());
  classic.errorPath = invocationPath(id, "error");
  classic.whenIdle = next;
  try {
    await runStreaming(runtime, stream, JSON.parse(body), Object.assign(context, contextData(headers)));
  } catch (error) {
    logError("Invoke Error", error);
    await stream.fail(error);
  }
  classic.whenIdle = () => {};
  proceed();
}

function reportUncaughtErrors() {
  process.on("uncaughtException", (error) => {
    logError("Uncaught Exception", error);
    postErrorAtExit(classic.errorPath, error);
    process.exit(129);
  });
  process.on("unhandledRejection", (reason, promise) => {
    const error = runtimeError("UnhandledPromiseRejection", reason, { reason, promise });
    logError("Unhandled Promise Rejection", error);
    postErrorAtExit(classic.errorPath, error);
    process.exit(128);
  });
  process.on("beforeExit", () => classic.whenIdle());
}

// ---- Start ----------------------------------------------------------------------------------------------------------

async function start() {
  patchConsole();
  if (!isModern) reportUncaughtErrors();
  if (hasGlobal) {
    const streamifyResponse = (handler, options) => Object.assign(handler, {
      [STREAMING]: "response",
      ...(typeof options?.highWaterMark === "number" && {
        [Symbol.for("aws.lambda.runtime.handler.streaming.highWaterMark")]: Math.trunc(options.highWaterMark),
      }),
    });
    globalThis.awslambda = { ...(isModern && { InvokeStore: invokeStore }), streamifyResponse, HttpResponseStream };
  }
  let handler;
  try {
    searchNodePath();
    handler = await loadHandler(env.LAMBDA_TASK_ROOT, env._HANDLER);
  } catch (error) {
    logError(isModern ? "Init Error" : "Uncaught Exception", error);
    postErrorAtExit("init/error", error);
    if (isModern) throw error;
    process.exit(129);
  }
  await (isModern ? serveModern(handler) : serveClassic(handler));
}

const started = start();
// As with AWS's client, a module that never finishes loading ends the process with an error.
if (!isModern) await started;
