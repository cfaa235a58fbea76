//! Python handlers on awslambdaric.

use std::path::{Path, PathBuf};

use super::{HandlerCase, RuntimeClient, assert_equal, case};

const SUCCESS: &str = "import os, sys
print('loading')
def handler(event, context):
    print('a', 'b'); print('c', file=sys.stderr); context.log('logged\\n')
    return {'event': event, 'context': repr(context), 'has_time': context.get_remaining_time_in_millis() > 0,
            'trace': os.environ['_X_AMZN_TRACE_ID'], 'w3c': context.w3c(), 'is_here': os.getcwd() in sys.path}
";

const LOG: &str = "import logging
logging.warning('at init')
log = logging.getLogger('x')
def handler(event, context):
    log.setLevel('DEBUG'); log.debug('d %s', 1); log.info('i'); log.warning('two\\nlines'); log.log(35, 'between')
    try: 1 / 0
    except Exception: log.exception('caught')
    log.error({'a': 1}); log.error('e', extra={'k': {'v': b'1'}})
";

const VALUES: &str = "import collections, decimal, enum
Pair = collections.namedtuple('Pair', 'a b')
class Kind(enum.IntEnum): A = 1
def handler(event, context):
    d = decimal.Decimal
    return [d('1.10'), d('NaN'), Pair(1, (2,)), b'bytes', {'k': b'x', 1: 2, None: 3, True: 4, 1.5: 5}, float('nan'),
            float('-inf'), 1e100, 10**30, '\\u00e9\\u2028\\u0000\\U0001f600\"', Kind.A, True, None, [], {}, ()]
";

/// Cases of the context and of errors.
fn error_cases() -> Vec<HandlerCase> {
    vec![
        case("success", "app.py", SUCCESS),
        case("client context and identity", "app.py", SUCCESS).headers(&[
            (
                "lambda-runtime-client-context",
                r#"{"custom":{"a":1},"client":{"app_title":"t"},"w3c":{"traceparent":"00"}}"#,
            ),
            (
                "lambda-runtime-cognito-identity",
                r#"{"cognitoIdentityId":"i","cognitoIdentityPoolId":"p"}"#,
            ),
        ]),
        case("invalid client context", "app.py", SUCCESS)
            .headers(&[("lambda-runtime-client-context", "{x")]),
        case(
            "throws",
            "app.py",
            "def f():\n  raise ValueError('on purpose\\nline 2')\ndef handler(e, c):\n  f()",
        ),
        case(
            "throws without a message",
            "app.py",
            "class My(Exception): pass\ndef handler(e, c):\n  try: 1/0\n  except Exception as x: raise My() from x",
        ),
    ]
}

/// Cases of importing a module.
fn loading_cases() -> Vec<HandlerCase> {
    vec![
        case("syntax error", "app.py", "def handler(e, c)\n  pass").exits(),
        case("missing module", "app.py", "import nope.x").exits(),
        case("missing name", "app.py", "from x import y")
            .file("x.py", "")
            .exits(),
        case("missing file", "other.py", "").exits(),
        case("missing handler", "app.py", "x = 1").exits(),
        case("malformed handler", "app.py", "")
            .handler("handler")
            .exits(),
        case("built-in module", "app.py", "")
            .handler("sys.exit")
            .exits(),
        case(
            "folders",
            "src/a/b.py",
            "def handler(e, c): return __name__",
        )
        .handler("src/a/b.handler"),
        case(
            "package",
            "src/a/b.py",
            "def handler(e, c): return __name__",
        )
        .handler("src.a.b.handler"),
        case(
            "import throws",
            "app.py",
            "def f():\n  raise KeyError('x')\nf()",
        )
        .exits(),
        case("import exits", "app.py", "import sys\nsys.exit(3)").exits(),
    ]
}

/// Cases of answers.
fn answer_cases() -> Vec<HandlerCase> {
    vec![
        case("none", "app.py", "def handler(e, c): pass"),
        case(
            "datetime",
            "app.py",
            "import datetime\ndef handler(e, c): return {'a': datetime.datetime.now()}",
        ),
        case(
            "circular",
            "app.py",
            "def handler(e, c):\n  a = []; a.append(a); return a",
        ),
        case("set", "app.py", "def handler(e, c): return {1}"),
        case(
            "tuple as key",
            "app.py",
            "def handler(e, c): return {(1,): 1}",
        ),
        case("values", "app.py", VALUES),
        case("values in a newer runtime", "app.py", VALUES)
            .with("AWS_EXECUTION_ENV", "AWS_Lambda_python3.13"),
    ]
}

/// Cases of bytes and large answers.
fn bytes_cases() -> Vec<HandlerCase> {
    vec![
        case("bytes", "app.py", "def handler(e, c): return b'\\x00a'"),
        case(
            "invalid UTF-8",
            "app.py",
            "def handler(e, c): return [b'\\xff']",
        ),
        case(
            "surrogates",
            "app.py",
            "def handler(e, c): return '\\ud800'",
        )
        .with("AWS_EXECUTION_ENV", "AWS_Lambda_python3.13")
        .exits(),
        case(
            "huge answer",
            "app.py",
            "def handler(e, c): return 'x' * (7 * 1024 * 1024)",
        )
        .exits(),
    ]
}

/// Cases of exits and logs.
fn exit_and_log_cases() -> Vec<HandlerCase> {
    vec![
        case(
            "sys.exit",
            "app.py",
            "import sys\ndef handler(e, c): sys.exit(4)",
        )
        .exits(),
        case(
            "sys.exit with a message",
            "app.py",
            "import sys\ndef handler(e, c): sys.exit('bye')",
        )
        .exits(),
        case(
            "os._exit",
            "app.py",
            "import os\ndef handler(e, c): os._exit(5)",
        )
        .exits(),
        case(
            "interrupt",
            "app.py",
            "def handler(e, c): raise KeyboardInterrupt()",
        )
        .exits(),
        case(
            "never returns",
            "app.py",
            "import threading\ndef handler(e, c): threading.Event().wait()",
        )
        .hangs(),
        case("coroutine", "app.py", "async def handler(e, c): return 1"),
        case("log", "app.py", LOG),
        case("log of a level", "app.py", LOG).with("AWS_LAMBDA_LOG_LEVEL", "error"),
        case("JSON log", "app.py", LOG).with("AWS_LAMBDA_LOG_FORMAT", "JSON"),
        case(
            "JSON log of an error",
            "app.py",
            "def handler(e, c): raise ValueError('x')",
        )
        .with("AWS_LAMBDA_LOG_FORMAT", "JSON"),
        case("JSON log of a failed start", "app.py", "1/0")
            .with("AWS_LAMBDA_LOG_FORMAT", "JSON")
            .exits(),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn python_handlers_behave_as_on_awslambdaric() {
    let Some(program) = stackgen_test_tools::installed("venv/bin/python") else {
        return;
    };
    let text = |path: &Path| path.display().to_string();
    let bootstrap = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../gateway-lambda/src/functions/runtimes/bootstrap.py");
    let aws = RuntimeClient {
        program: program.clone(),
        arguments: ["-m", "awslambdaric", "{handler}"]
            .map(str::to_owned)
            .into(),
        own: Vec::new(),
    };
    let ours = RuntimeClient {
        program,
        arguments: vec!["-u".to_owned(), text(&PathBuf::from(&bootstrap))],
        own: vec![text(&bootstrap)],
    };
    let cases = [
        error_cases(),
        loading_cases(),
        answer_cases(),
        bytes_cases(),
        exit_and_log_cases(),
    ]
    .concat();
    assert_equal(&aws, &ours, cases).await;
}
