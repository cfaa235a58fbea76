//! `verify`: callers that verify a stage. They are declared, checked and merged, and render nothing.

use std::collections::BTreeMap;

use insta::assert_snapshot;
use stackgen_cfn::emit;
use stackgen_synth::spec::{VerifyApi, VerifyCallerSpec, VerifyValue};

use super::{STARTERS, errors, load, render};

const STACK: &str = "name: s
functions: { f: { binary: f } }
websocket: { name: api, routes: { $connect: f, $default: { function: f, twoWay: true } } }
";
const HTTP: &str = "http: { name: web, routes: { GET /health: { function: f, auth: none } } }\n";

/// Returns the callers of an environment by name.
fn callers(text: &str, environment: &str) -> BTreeMap<String, VerifyCallerSpec> {
    load(text)
        .verify_callers(environment)
        .into_iter()
        .map(|(name, caller)| (name.to_owned(), caller.clone()))
        .collect()
}

fn verified(rest: &str) -> String {
    format!("{STACK}{rest}")
}

#[test]
fn a_caller_has_every_setting_of_the_file() {
    let text = verified(
        r#"verify:
  speaker:
    query: { token: env:SPEAKER_TOKEN, sessionId: "text:merciful-truth" }
    headers: { Authorization: 'command:./mint-token speaker' }
    subprotocols: [text:bearer, env:SPEAKER_TOKEN]
    send: '{"action":"getSessionStatus"}'
    expect: sessionStatus
"#,
    );
    let callers = callers(&text, "dev");
    let speaker = &callers["speaker"];
    assert_eq!(speaker.api, VerifyApi::WebSocket);
    assert_eq!(speaker.expected_status(), 101);
    assert_eq!(
        speaker.query["token"],
        VerifyValue::Environment("SPEAKER_TOKEN".to_owned())
    );
    assert_eq!(
        speaker.query["sessionId"],
        VerifyValue::Text("merciful-truth".to_owned())
    );
    assert_eq!(
        speaker.headers["Authorization"],
        VerifyValue::Command("./mint-token speaker".to_owned())
    );
    assert_eq!(speaker.subprotocols.len(), 2);
    assert_eq!(
        speaker.send.as_deref(),
        Some(r#"{"action":"getSessionStatus"}"#)
    );
    assert_eq!(speaker.expect.as_deref(), Some("sessionStatus"));
}

#[test]
fn a_caller_of_the_http_api_has_a_method_a_path_and_status_200() {
    let text = format!(
        "{STACK}{HTTP}verify:\n  health: {{ api: http, path: /health }}\n  root: {{ api: http, method: POST, status: 401 }}\n"
    );
    let callers = callers(&text, "dev");
    let health = &callers["health"];
    assert_eq!(health.api, VerifyApi::Http);
    assert_eq!((health.method(), health.path()), ("GET", "/health"));
    assert_eq!(health.expected_status(), 200);
    let root = &callers["root"];
    assert_eq!((root.method(), root.path()), ("POST", "/"));
    assert_eq!(root.expected_status(), 401);
}

#[test]
fn callers_merge_per_environment_like_everything_else() {
    let text = verified(
        "verify:
  anonymous: {}
  speaker: { query: { token: env:DEV_TOKEN, sessionId: text:a }, status: 101 }
environments:
  dev: {}
  prod:
    verify:
      anonymous: null
      speaker: { query: { token: env:PROD_TOKEN } }
      late: { status: 401 }
",
    );
    let names = |environment| callers(&text, environment).into_keys().collect::<Vec<_>>();
    assert_eq!(names("dev"), ["anonymous", "speaker"]);
    assert_eq!(names("prod"), ["late", "speaker"]);
    let speaker = &callers(&text, "prod")["speaker"];
    assert_eq!(
        speaker.query["token"],
        VerifyValue::Environment("PROD_TOKEN".to_owned())
    );
    assert_eq!(
        speaker.query["sessionId"],
        VerifyValue::Text("a".to_owned())
    );
}

#[test]
fn unknown_environments_and_files_without_callers_have_none() {
    let text = verified("verify: { anonymous: {} }\n");
    assert!(load(&text).verify_callers("prod").is_empty());
    assert!(load(STACK).verify_callers("dev").is_empty());
}

#[test]
fn a_value_without_a_prefix_is_refused_because_it_may_be_a_token() {
    assert_snapshot!(errors(&verified(
        r#"verify:
  speaker:
    query: { token: eyJhbGciOiJSUzI1NiJ9, a: "env:", b: "env:1X", c: "command: ", e: 1 }
    headers: { Authorization: Bearer abc, X-Region: ENV:REGION }
    subprotocols: [bearer, "text:a b"]
"#
    )), @"
    6:21 a value must begin with `env:`, `command:` or `text:`
        help: write `env:NAME` for an environment variable, `command:LINE` for the output of a command, or `text:VALUE` for a value that is not secret; keep tokens out of this file
    6:46 `env:` needs the name of an environment variable
        help: use letters, digits and `_`, and do not begin with a digit, such as `env:TOKEN`
    6:57 `env:` needs the name of an environment variable
        help: use letters, digits and `_`, and do not begin with a digit, such as `env:TOKEN`
    6:70 `command:` needs a command line
        help: write a command, such as `command:./mint-token speaker`
    6:86 `e` must be a string, not a number
        help: put it in quotes
    7:31 a value must begin with `env:`, `command:` or `text:`
        help: write `env:NAME` for an environment variable, `command:LINE` for the output of a command, or `text:VALUE` for a value that is not secret; keep tokens out of this file
    7:53 a value must begin with `env:`, `command:` or `text:`
        help: write `env:NAME` for an environment variable, `command:LINE` for the output of a command, or `text:VALUE` for a value that is not secret; keep tokens out of this file
    8:20 a value must begin with `env:`, `command:` or `text:`
        help: write `env:NAME` for an environment variable, `command:LINE` for the output of a command, or `text:VALUE` for a value that is not secret; keep tokens out of this file
    8:28 this is not a valid subprotocol
        help: use letters, digits and ``!#$%&'*+-.^_`|~``, without spaces
    ");
}

#[test]
fn line_breaks_and_control_characters_are_refused_in_values() {
    assert_snapshot!(errors(&verified(
        r#"verify:
  speaker:
    query: { a: "text:x\r\nHost: y", b: "command:one\ntwo", c: "env:A\nB" }
    headers: { X-One: "text:x\ny", X-Two: "text:é" }
"#
    )), @"
    6:17 a value cannot contain line breaks or other control characters
        help: remove them; put a long command in a script
    6:41 a value cannot contain line breaks or other control characters
        help: remove them; put a long command in a script
    6:64 a value cannot contain line breaks or other control characters
        help: remove them; put a long command in a script
    7:23 a value cannot contain line breaks or other control characters
        help: remove them; put a long command in a script
    7:43 the value of `X-Two` is not ASCII
        help: encode other characters, such as `%C3%A9` for `é`
    ");
}

#[test]
fn names_of_callers_headers_and_parameters_are_checked() {
    assert_snapshot!(errors(&verified(
        r#"verify:
  "a b": {}
  aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: {}
  1_ok-too: {}
  speaker:
    query: { "": text:x }
    headers:
      Host: text:x
      upgrade: text:x
      Sec-WebSocket-Protocol: text:x
      "X Y": text:x
      X-Twice: text:x
      x-twice: text:y
"#
    )), @"
    5:3 `a b` is not a valid caller name
        help: use letters, digits, `-` and `_`, at most 40 characters
    6:3 `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa` is not a valid caller name
        help: use letters, digits, `-` and `_`, at most 40 characters
    9:14 `` is not a valid query parameter name
        help: write the name without encoding; stackgen encodes it
    11:7 `Host` is a header that the client sets itself
        help: remove it
    12:7 `upgrade` is a header that the client sets itself
        help: remove it
    13:7 `Sec-WebSocket-Protocol` is a header that the client sets itself
        help: list the subprotocols under `subprotocols`
    14:7 `X Y` is not a valid header name
        help: use letters, digits and ``!#$%&'*+-.^_`|~``, such as `Authorization`
    16:7 headers `X-Twice` and `x-twice` are the same header
        15:7 the other header
        help: remove one of them: header names are case-insensitive
    ");
}

#[test]
fn keys_of_the_other_api_are_refused() {
    assert_snapshot!(errors(&format!(
        "{STACK}{HTTP}{}",
        r#"verify:
  health: { api: http, send: "{}", expect: ok, subprotocols: [text:a], path: health }
  query: { api: http, path: /health?deep=1, query: { deep: text:1 }, method: get, headers: { Host: text:x } }
  speaker: { method: GET, path: /, status: 401, send: "{}", expect: ok }
  late: { api: https, status: 99, token: x, headrs: {} }
  later: { status: 600, api: http }
"#
    )), @"
    6:24 `send` applies only to callers of the WebSocket API
        help: remove it; callers of the HTTP API have `method`, `path`, `query`, `headers` and `status`
    6:36 `expect` applies only to callers of the WebSocket API
        help: remove it; callers of the HTTP API have `method`, `path`, `query`, `headers` and `status`
    6:48 `subprotocols` applies only to callers of the WebSocket API
        help: remove it; callers of the HTTP API have `method`, `path`, `query`, `headers` and `status`
    6:78 `health` is not a valid request path
        help: begin with `/`, leave out the stage, as in `/health`, and percent-encode special characters (`%20`)
    7:29 `/health?deep=1` is not a valid request path
        help: write the part after `?` under `query`
    7:78 `get` is not a valid request method
        help: use `GET`, `HEAD`, `OPTIONS`, `POST`, `PUT`, `PATCH` or `DELETE`
    7:94 `Host` is a header that the client sets itself
        help: remove it
    8:14 `method` applies only to callers of the HTTP API
        help: remove it, or write `api: http` to send a request: a handshake is always a GET of the stage's URL
    8:27 `path` applies only to callers of the HTTP API
        help: remove it, or write `api: http` to send a request: a handshake is always a GET of the stage's URL
    8:49 `send` needs a connection, and status 401 does not open one
        8:44 the handshake is expected to fail
        help: remove one of the two
    8:61 `expect` needs a connection, and status 401 does not open one
        8:44 the handshake is expected to fail
        help: remove one of the two
    9:16 `api` cannot be `https`
        help: did you mean `http`?
    9:31 `status` is 99; it must be between 100 and 599
    9:35 unknown key `token` in `late`
        help: write `query: { token: env:TOKEN }` or `headers: { Authorization: 'command:./mint-token' }`
    9:45 unknown key `headrs` in `late`
        help: did you mean `headers`?
    10:20 `status` is 600; it must be between 100 and 599
    ");
}

#[test]
fn a_caller_of_a_missing_api_is_refused() {
    assert_snapshot!(errors(&verified("verify: { health: { api: http, path: /health } }\n")), @"
    4:26 caller `health` calls an HTTP API that the stack does not have
        help: remove the caller, or add `http`
    ");
    assert_snapshot!(errors(&format!("name: s\nfunctions: {{ f: {{ binary: f }} }}\n{HTTP}verify: {{ anonymous: {{}} }}\n")), @"
    4:11 caller `anonymous` calls a WebSocket API that the stack does not have
        help: write `api: http` to call the HTTP API
    ");
}

#[test]
fn expect_works_without_send() {
    assert_eq!(
        errors(&verified("verify: { anonymous: { expect: hello } }\n")),
        ""
    );
}

#[test]
fn callers_render_nothing_and_change_no_digest() {
    let callers = "verify:\n  tried-by-a-test:\n    query: { token: env:TOKEN }\n    send: '{}'\n    expect: ok\n";
    for (name, text) in STARTERS {
        let (without, _) = text.split_once("\nverify:").unwrap_or((text, ""));
        let rest = text.rsplit_once("\nenvironments:").unwrap().1;
        let without = format!(
            "{}\nenvironments:{rest}",
            without.split("\nenvironments:").next().unwrap()
        );
        let with = without.replace("\nenvironments:", &format!("\n{callers}\nenvironments:"));
        for environment in load(text).environments() {
            let rendered = |text: &str| emit::yaml(&render(text, environment));
            assert!(!load(&with).verify_callers(environment).is_empty());
            assert_eq!(rendered(&with), rendered(&without), "{name} {environment}");
            assert_eq!(rendered(text), rendered(&without), "{name} {environment}");
        }
    }
}

#[test]
fn every_starter_that_needs_no_secret_declares_callers() {
    let names = |starter: usize| {
        let stack = load(STARTERS[starter].1);
        stack
            .environments()
            .into_iter()
            .map(|environment| {
                let callers = stack.verify_callers(environment);
                callers
                    .into_iter()
                    .map(|(name, _)| name.to_owned())
                    .collect::<Vec<_>>()
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(names(0), [["anonymous", "health"]; 3]);
    assert_eq!(names(2), [["anonymous"]]);
}
