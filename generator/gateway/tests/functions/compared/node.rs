//! Node handlers on aws-lambda-ric: version 3 for runtimes up to nodejs22.x, version 4 from nodejs24.x on.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{HandlerCase, RuntimeClient, assert_equal, case};

const SUCCESS: &str = "console.log('init %s', 1, { a: 1 });
exports.handler = async (event, context) => {
  console.log('two\\nlines'); console.error('e'); console.debug('d'); console.warn({ a: 1 }); console.info();
  console.trace('t'); console.fatal('f'); process.stdout.write('raw\\n');
  const { functionName, functionVersion, memoryLimitInMB, logGroupName, logStreamName, invokedFunctionArn } = context;
  return { event, functionName, functionVersion, memoryLimitInMB, logGroupName, logStreamName, invokedFunctionArn,
    id: context.awsRequestId, hasTime: context.getRemainingTimeInMillis() > 0, keys: Object.keys(context).sort(),
    trace: process.env._X_AMZN_TRACE_ID, client: context.clientContext, identity: context.identity,
    argv: process.argv.length, main: String(require.main), isHere: process.cwd() === process.env.LAMBDA_TASK_ROOT,
    store: globalThis.awslambda.InvokeStore?.getRequestId() };
};";

const LOG: &str = "exports.handler = async () => {
  const error = Object.assign(new TypeError('te'), { code: 'C', x: { y: 1 } });
  const { stack } = error; error.stack = stack.split('\\n')[0];
  console.error(error); console.error('m', error); console.error(error, 'm'); console.log({ error });
  const circle = {}; circle.circle = circle; console.log(circle); console.log(1n); console.log(undefined);
  console.log('%s and %d', 'a', 1, 'b');
};";

fn js(name: &'static str, text: &'static str) -> HandlerCase {
    case(name, "app.js", text)
}

fn mjs(name: &'static str, text: &'static str) -> HandlerCase {
    case(name, "app.mjs", text)
}

/// Cases of logs and errors, for all versions.
fn log_and_error_cases() -> Vec<HandlerCase> {
    vec![
        js("success", SUCCESS),
        js("client context and identity", SUCCESS).headers(&[
            ("lambda-runtime-client-context", r#"{"custom":{"a":1}}"#),
            ("lambda-runtime-cognito-identity", r#"{"cognitoIdentityId":"i"}"#),
        ]),
        js("log", LOG),
        js("log of a level", SUCCESS).with("AWS_LAMBDA_LOG_LEVEL", "warn"),
        js("JSON log", LOG).with("AWS_LAMBDA_LOG_FORMAT", "JSON"),
        js("JSON log of an error", "exports.handler = async () => { throw new TypeError('x') }")
            .with("AWS_LAMBDA_LOG_FORMAT", "JSON"),
        js("throws", "exports.handler = async () => { throw new TypeError('on purpose\\nline 2') }"),
        js("throws its own class", "class My extends Error { constructor(m) { super(m); this.name = 'My'; this.extra = { a: 1 } } }
            exports.handler = async () => { throw new My('m') }"),
        js("throws at once", "exports.handler = () => { throw new RangeError('sync') }"),
        js("throws text", "exports.handler = async () => { throw 'text' }"),
        js("throws an object", "exports.handler = async () => { throw { a: 1 } }"),
        js("throws what is like an error", "exports.handler = async () => { throw { name: 'N', message: 'M', stack: 'S\\nT' } }"),
        js("throws undefined", "exports.handler = async () => { throw undefined }"),
        js("throws null", "exports.handler = async () => { throw null }"),
        js("throws control characters", "exports.handler = async () => { throw new Error('a\\x7fb\\u00e9') }"),
        js("rejects", "exports.handler = () => Promise.reject(new Error('rejected'))"),
        js("thenable", "exports.handler = () => ({ then(resolve) { resolve(5) } })"),
        js("never resolves with pending work", "exports.handler = () => new Promise(() => setInterval(() => {}, 1000))").hangs(),
    ]
}

/// Cases of loading a module, for all versions.
fn loading_cases() -> Vec<HandlerCase> {
    vec![
        js("syntax error", "exports.handler = async (=> {}").exits(),
        mjs(
            "syntax error in an ES module",
            "export const handler = async (=> {}",
        )
        .exits(),
        js(
            "missing module",
            "require('nope'); exports.handler = async () => 1",
        )
        .exits(),
        mjs(
            "missing module in an ES module",
            "import x from 'nope'; export const handler = async () => 1",
        )
        .exits(),
        mjs(
            "missing file in an ES module",
            "import x from './nope.mjs'; export const handler = async () => 1",
        )
        .exits(),
        case("missing file", "x.js", "").exits(),
        case(
            "TypeScript",
            "app.ts",
            "export const handler = async (): Promise<number> => 1",
        )
        .exits(),
        js("missing handler", "exports.other = 1").exits(),
        js("handler that is no function", "exports.handler = 5").exits(),
        js("malformed handler", "").handler("handler").exits(),
        js("handler above the code", "")
            .handler("../app.handler")
            .exits(),
    ]
}

/// Cases of answers and exits, for all versions.
fn answer_cases() -> Vec<HandlerCase> {
    vec![
        js("undefined", "exports.handler = async () => {}"),
        js("BigInt", "exports.handler = async () => ({ a: 1n })"),
        js("circular", "exports.handler = async () => { const a = {}; a.a = a; return a }"),
        js("function as an answer", "exports.handler = async () => () => 1"),
        js("huge answer", "exports.handler = async () => 'x'.repeat(7 * 1024 * 1024)"),
        js("process.exit", "exports.handler = async () => process.exit(3)").exits(),
        js("process.exit with success", "exports.handler = async () => process.exit(0)").exits(),
        js("unhandled rejection", "exports.handler = async () => { Promise.reject(new Error('lost')); await new Promise(() => setInterval(() => {}, 1000)) }").exits(),
        js("unhandled rejection of text", "exports.handler = async () => { Promise.reject('lost'); await new Promise(() => setInterval(() => {}, 1000)) }").exits(),
        js("unhandled rejection after the answer", "exports.handler = async () => { setTimeout(() => Promise.reject(new Error('late')), 500); return 1 }")
            .once().exits(),
        js("uncaught exception", "exports.handler = async () => { setTimeout(() => { throw new Error('thrown') }, 10); await new Promise(() => {}) }").exits(),
        js("throws while it is loaded", "throw new Error('at init')").exits(),
        js("throws text while it is loaded", "throw 'at init'").exits(),
        js("exits while it is loaded", "process.exit(7)").exits(),
        mjs("top-level await", "const v = await Promise.resolve(7); export const handler = async () => v"),
        mjs("top-level await that throws", "await Promise.reject(new Error('top')); export const handler = async () => 1").exits(),
        mjs("top-level await that never ends", "await new Promise(() => {}); export const handler = async () => 1").exits(),
        js("ES module in a .js file", "export const handler = async () => import.meta.url.endsWith('app.js')")
            .file("package.json", r#"{"type":"module"}"#),
        js("ES module in a .js file without a type", "export const handler = async () => 1"),
        case("CommonJS in a .cjs file", "app.cjs", "exports.handler = async () => 'cjs'"),
        case("folders", "src/a/b.js", "exports.handler = async () => __filename.slice(-8)").handler("src/a/b.handler"),
        js("nested export", "exports.y = { z: async () => 'nested' }").handler("app.y.z"),
        js("missing nested export", "exports.y = {}").handler("app.y.z.q").exits(),
        case("package", "node_modules/app/index.js", "exports.handler = async () => 'package'"),
        js("NODE_PATH", "exports.handler = async () => require('layer')").file("opt/layer.js", "module.exports = 'layer'").with("NODE_PATH", "opt"),
    ]
}

/// Cases of streams, for all versions.
fn stream_cases() -> Vec<HandlerCase> {
    vec![
        js("stream", "exports.handler = awslambda.streamifyResponse(async (event, stream, context) => {
            stream.setContentType('text/plain'); stream.write('a'); stream.write({ b: 1 }); stream.write(Buffer.from('c')); stream.end('d') })"),
        js("stream of HTTP", "exports.handler = awslambda.streamifyResponse(async (event, stream) => {
            stream = awslambda.HttpResponseStream.from(stream, { statusCode: 201, headers: { a: 'b' } }); stream.write('body'); stream.end() })"),
        js("stream of HTTP without a write", "exports.handler = awslambda.streamifyResponse(async (event, stream) => {
            stream = awslambda.HttpResponseStream.from(stream, { statusCode: 201 }); stream.end('body') })"),
        js("pipeline into a stream", "const { pipeline } = require('stream/promises'), { Readable } = require('stream');
            exports.handler = awslambda.streamifyResponse(async (event, stream) => pipeline(Readable.from(['a', 'b']), stream))"),
        js("stream with back pressure", "exports.handler = awslambda.streamifyResponse(async (event, stream) => {
            for (let i = 0; i < 50; i++) if (!stream.write(String(i).repeat(5000))) await new Promise((go) => stream.once('drain', go));
            stream.end() })"),
        js("stream with a value", "exports.handler = awslambda.streamifyResponse(async (event, stream) => { stream.write('a'); stream.end(); return 5 })"),
        js("stream that is not ended", "exports.handler = awslambda.streamifyResponse(async (event, stream) => { stream.write('a') })").hangs(),
    ]
}

/// Cases for all versions.
fn cases() -> Vec<HandlerCase> {
    [
        log_and_error_cases(),
        loading_cases(),
        answer_cases(),
        stream_cases(),
    ]
    .concat()
}

/// Cases of version 3.
fn classic_cases() -> Vec<HandlerCase> {
    vec![
        js("invalid client context", SUCCESS).headers(&[("lambda-runtime-client-context", "{x")]),
        js(
            "callback with an error",
            "exports.handler = (e, c, done) => done(new Error('called back'))",
        ),
        js(
            "callback with text as an error",
            "exports.handler = (e, c, done) => done('called back')",
        ),
        js(
            "callback",
            "exports.handler = (e, c, done) => done(null, { ok: 1 })",
        ),
        js(
            "callback that waits for an empty event loop",
            "exports.handler = (e, c, done) => { setTimeout(() => console.log('later'), 50); done(null, 1) }",
        ),
        js(
            "callback that does not wait",
            "exports.handler = (e, c, done) => { c.callbackWaitsForEmptyEventLoop = false; setInterval(() => {}, 1000); done(null, 1) }",
        ),
        js(
            "two callbacks",
            "exports.handler = (e, c, done) => { done(null, 1); done(null, 2); c.succeed(3) }",
        ),
        js(
            "callback and an error",
            "exports.handler = (e, c, done) => { done(null, 1); throw new Error('after') }",
        ),
        js(
            "callback with a BigInt",
            "exports.handler = (e, c, done) => done(null, 1n)",
        )
        .exits(),
    ]
}

/// Cases of `context` and of functions that do not call back, of version 3.
fn context_cases() -> Vec<HandlerCase> {
    vec![
        js(
            "context.done",
            "exports.handler = (e, c) => { c.done(null, 1) }",
        ),
        js(
            "context.succeed and process.exit",
            "exports.handler = (e, c) => { c.succeed(1); process.exit(0) }",
        )
        .exits(),
        js(
            "context.fail",
            "exports.handler = (e, c) => { c.fail(new Error('failed')) }",
        ),
        js(
            "context.fail without an error",
            "exports.handler = (e, c) => { c.fail() }",
        ),
        js("value without a promise", "exports.handler = () => 5"),
        js(
            "never resolves",
            "exports.handler = () => new Promise(() => {})",
        ),
        js(
            "never calls back",
            "exports.handler = (e, c) => { setTimeout(() => console.log('t'), 10) }",
        ),
    ]
}

/// Cases of modules and streams of version 3.
fn classic_module_cases() -> Vec<HandlerCase> {
    vec![
        // Version 4 asks for the next event before it has ended a failed stream, which is a race.
        js(
            "stream that throws in the middle",
            "exports.handler = awslambda.streamifyResponse(async (event, stream) => {
            stream.write('a'); stream.write('b'); throw new Error('middle') })",
        ),
        js(
            "stream with a type that is set too late",
            "exports.handler = awslambda.streamifyResponse(async (event, stream) => {
            stream.write('a'); stream.setContentType('x') })",
        ),
        js(
            "stream of a function that is not async",
            "exports.handler = awslambda.streamifyResponse((event, stream) => { stream.write('a'); stream.end() })",
        ),
        js("broken package.json", "exports.handler = async () => 1").file("package.json", "{"),
        case(
            "folder as a module",
            "app/index.js",
            "exports.handler = async () => 'index'",
        ),
        js(
            "stream that throws at once",
            "exports.handler = awslambda.streamifyResponse(async () => { throw new Error('early') })",
        ),
    ]
}

/// Cases of version 4.
fn modern_cases() -> Vec<HandlerCase> {
    vec![
        js(
            "callback",
            "exports.handler = (e, c, done) => done(null, 1)",
        )
        .exits(),
        js("value without a promise", "exports.handler = () => 5"),
        js(
            "never resolves",
            "exports.handler = () => new Promise(() => {})",
        )
        .exits(),
        mjs(
            "handler of the default export",
            "export default { handler: async () => 1 }",
        ),
        case(
            "folder as a module",
            "app/index.js",
            "exports.handler = async () => 'index'",
        )
        .exits(),
    ]
}

/// Copies a client into a folder where it finds the stand-in of its native part.
fn aws_client(index: &Path) -> (TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let native = folder.path().join("rapid-client.node");
    std::fs::create_dir(&native).expect("a folder");
    std::fs::write(native.join("index.js"), include_str!("rapid-client.js")).expect("a file");
    std::fs::copy(index, folder.path().join("index.mjs")).expect("a copy");
    let main = "import { run } from './index.mjs';\nawait run(process.env.LAMBDA_TASK_ROOT, process.env._HANDLER);\n";
    std::fs::write(folder.path().join("main.mjs"), main).expect("a file");
    let path = folder
        .path()
        .canonicalize()
        .expect("a path")
        .display()
        .to_string();
    (folder, path)
}

async fn compare(index: &str, main: &str, runtime: &'static str, cases: Vec<HandlerCase>) {
    let Some(program) = stackgen_test_tools::on_path("node") else {
        return;
    };
    let Some(index) =
        stackgen_test_tools::installed(&format!("aws-lambda-ric/node_modules/{index}"))
    else {
        return;
    };
    let (_folder, client) = aws_client(&index);
    let bootstrap: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../gateway-lambda/src/functions/runtimes/bootstrap.mjs");
    let bootstrap = bootstrap
        .canonicalize()
        .expect("a path")
        .display()
        .to_string();
    let aws = RuntimeClient {
        program: program.clone(),
        arguments: vec![format!("{client}/{main}")],
        own: vec![
            format!("{client}/main.mjs"),
            format!("{client}/index.mjs"),
            client,
        ],
    };
    let ours = RuntimeClient {
        program,
        arguments: vec![bootstrap.clone()],
        own: vec![bootstrap],
    };
    let cases = cases
        .into_iter()
        .map(|case| case.with("AWS_EXECUTION_ENV", runtime))
        .collect();
    assert_equal(&aws, &ours, cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn node_handlers_behave_as_on_version_3_of_aws_lambda_ric() {
    let cases = [
        cases(),
        classic_cases(),
        context_cases(),
        classic_module_cases(),
    ]
    .concat();
    compare(
        "aws-lambda-ric/dist/index.mjs",
        "main.mjs",
        "AWS_Lambda_nodejs22.x",
        cases,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn node_24_handlers_behave_as_on_version_4_of_aws_lambda_ric() {
    let cases = [cases(), modern_cases()].concat();
    compare(
        "aws-lambda-ric-4/index.mjs",
        "index.mjs",
        "AWS_Lambda_nodejs24.x",
        cases,
    )
    .await;
}
