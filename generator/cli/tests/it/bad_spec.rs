//! Errors in a stackgen.yaml: each with its location, exit code 2, nothing written.

use insta::assert_snapshot;

use crate::common::{Run, Sandbox, root};

/// Runs `synth` on a starter with one part replaced, and checks that it wrote nothing.
fn changed(starter: &str, old: &str, new: &str) -> Run {
    let spec = root().join("templates").join(starter).join("stackgen.yaml");
    let spec = std::fs::read_to_string(spec).unwrap();
    assert!(spec.contains(old), "{starter} holds no {old:?}");
    refused(&spec.replacen(old, new, 1), "synth")
}

fn refused(spec: &str, line: &str) -> Run {
    let sandbox = Sandbox::with(spec);
    let run = sandbox.run(line);
    assert_eq!(run.code, Some(2), "{run}");
    assert_eq!(sandbox.files(), ["stackgen.yaml"]);
    run
}

#[test]
fn an_unknown_key() {
    assert_snapshot!(changed("echo", "twoWay:", "towWay:"), @"
    exit 2
    --- stderr
    error: unknown key `towWay` in `$default`
      --> stackgen.yaml:18:33
       |
    18 |     $default: { function: echo, towWay: true }
       |                                 ^^^^^^
       |
       = help: did you mean `twoWay`?

    1 error in stackgen.yaml
    ");
}

#[test]
fn a_wrong_type() {
    assert_snapshot!(changed("live-session", "memory: 256", "memory: [256]"), @"
    exit 2
    --- stderr
    error: `memory` must be a whole number, not a list
      --> stackgen.yaml:39:11
       |
    39 |   memory: [256]
       |           ^^^^^

    1 error in stackgen.yaml
    ");
}

#[test]
fn a_missing_function() {
    assert_snapshot!(changed("chat", "$connect: chat-handler", "$connect: chat-handlr"), @"
    exit 2
    --- stderr
    error: there is no function `chat-handlr`
      --> stackgen.yaml:50:15
       |
    50 |     $connect: chat-handlr
       |               ^^^^^^^^^^^
       |
       = help: did you mean `chat-handler`?

    1 error in stackgen.yaml
    ");
}

#[test]
fn a_missing_table() {
    assert_snapshot!(changed("chat", "      Rooms: [", "      Room: ["), @"
    exit 2
    --- stderr
    error: there is no table `Room`
      --> stackgen.yaml:35:7
       |
    35 |       Room: [PutItem, DeleteItem, Query]
       |       ^^^^
       |
       = help: did you mean `Rooms`?

    1 error in stackgen.yaml
    ");
}

#[test]
fn two_routes_that_collide() {
    let (one, other) = (
        "    GET /health:",
        "    GET /sessions/{id}: { function: session-http-handler, auth: none }\n    GET /health:",
    );
    assert_snapshot!(changed("live-session", one, other), @"
    exit 2
    --- stderr
    error: routes `GET /sessions/{id}` and `GET /sessions/{sessionId}` are the same route to API Gateway
       --> stackgen.yaml:209:5
        |
    209 |     GET /sessions/{sessionId}: { function: session-http-handler, auth: none }
        |     ^^^^^^^^^^^^^^^^^^^^^^^^^
    ...
    212 |     GET /sessions/{id}: { function: session-http-handler, auth: none }
        |     ------------------ the other route
        |
        = help: remove one of them: they differ only in the name of a path parameter, and API Gateway refuses the second

    1 error in stackgen.yaml
    ");
}

#[test]
fn a_duplicate_key() {
    let twice = "$connect: chat-handler\n    $connect: chat-handler";
    assert_snapshot!(changed("chat", "$connect: chat-handler", twice), @"
    exit 2
    --- stderr
    error: the key `$connect` is already used in this mapping
      --> stackgen.yaml:51:5
       |
    50 |     $connect: chat-handler
       |     -------- first here
    51 |     $connect: chat-handler
       |     ^^^^^^^^
       |
       = help: remove or rename one of the two; parsers silently keep only one

    1 error in stackgen.yaml
    ");
}

#[test]
fn an_identity_source_that_rejects_anonymous_callers() {
    let source = "callers: mixed\n    identitySource: [route.request.querystring.token]";
    assert_snapshot!(changed("live-session", "callers: mixed", source), @"
    exit 2
    --- stderr
    error: this identity source rejects anonymous callers, which `callers: mixed` admits
       --> stackgen.yaml:170:22
        |
    169 |     callers: mixed
        |              ----- some callers have no token
    170 |     identitySource: [route.request.querystring.token]
        |                      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
        |
        = note: row A2 of the API Gateway reference
        = help: remove `identitySource`, and let the authorizer's function distinguish callers: API Gateway answers callers without `route.request.querystring.token` with 401 and does not invoke the authorizer

    1 error in stackgen.yaml
    look up a row: stackgen explain A2
    ");
}

#[test]
fn an_identity_source_in_the_syntax_of_http_apis() {
    let (ours, theirs) = (
        "route.request.querystring.token",
        "$request.querystring.token",
    );
    assert_snapshot!(changed("chat", ours, theirs), @"
    exit 2
    --- stderr
    error: `$request.querystring.token` is not an identity source of a WebSocket API
      --> stackgen.yaml:48:22
       |
    48 |     identitySource: [$request.querystring.token]
       |                      ^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = note: row A3 of the API Gateway reference
       = help: write `route.request.querystring.token`; this is the syntax of HTTP APIs

    1 error in stackgen.yaml
    look up a row: stackgen explain A3
    ");
}

#[test]
fn an_authorizer_on_a_route_other_than_connect() {
    let (plain, authorized) = ("twoWay: true }", "twoWay: true, authorizer: echo }");
    assert_snapshot!(changed("echo", plain, authorized), @"
    exit 2
    --- stderr
    error: unknown key `authorizer` in `$default`
      --> stackgen.yaml:18:47
       |
    18 |     $default: { function: echo, twoWay: true, authorizer: echo }
       |                                               ^^^^^^^^^^
       |
       = note: row A1 of the API Gateway reference
       = help: use `websocket.authorizer`: API Gateway authorizes only `$connect`, once per connection, and passes the context that the authorizer returns to later routes in `requestContext.authorizer`

    1 error in stackgen.yaml
    look up a row: stackgen explain A1
    ");
}

#[test]
fn a_timeout_over_the_limit() {
    assert_snapshot!(changed("chat", "timeout: 10s", "timeout: 16m"), @"
    exit 2
    --- stderr
    error: a function's timeout must be 1 s to 900 s, not 960 s
      --> stackgen.yaml:33:14
       |
    33 |     timeout: 16m
       |              ^^^

    1 error in stackgen.yaml
    ");
}

#[test]
fn invalid_yaml() {
    assert_snapshot!(refused("name: [x\nfunctions: {}\n", "synth"), @"
    exit 2
    --- stderr
    error: a list in brackets ends before this `:`
     --> stackgen.yaml:2:10
      |
    2 | functions: {}
      |          ^
      |
      = help: close the bracket, or quote the text that contains it

    1 error in stackgen.yaml
    ");
}

#[test]
fn all_errors_of_a_file_are_reported_at_once() {
    let spec = "name: x\nfunctions:\n  a: { binry: a }\nwebsocket:\n  name: x\n  stage: { name: 1 }\n  rutes: {}\n";
    assert_snapshot!(refused(spec, "synth"), @"
    exit 2
    --- stderr
    error: unknown key `binry` in `a`
     --> stackgen.yaml:3:8
      |
    3 |   a: { binry: a }
      |        ^^^^^
      |
      = help: did you mean `binary`?

    error: `websocket` lacks `routes`
     --> stackgen.yaml:4:1
      |
    4 | websocket:
      | ^^^^^^^^^
      |
      = help: `routes`: Routes by key: `$connect`, `$disconnect`, `$default`, and the values that the route selection expression
              selects

    error: `name` must be a string, not a number
     --> stackgen.yaml:6:18
      |
    6 |   stage: { name: 1 }
      |                  ^
      |
      = help: put it in quotes

    error: unknown key `rutes` in `websocket`
     --> stackgen.yaml:7:3
      |
    7 |   rutes: {}
      |   ^^^^^
      |
      = help: did you mean `routes`?

    4 errors in stackgen.yaml
    ");
}

#[test]
fn json_has_location_and_hint_of_every_error() {
    let spec = "name: x\nfunctions:\n  a: { binary: a }\nwebsocket:\n  name: x\n  stage: { name: prod }\n  routes: { $default: b, $connect: c }\n";
    assert_snapshot!(refused(spec, "synth --json"), @r#"
    exit 2
    --- stdout
    {
      "errors": [
        {
          "message": "there is no function `b`",
          "file": "stackgen.yaml",
          "line": 7,
          "column": 23,
          "endLine": 7,
          "hint": "use `a`",
          "row": null,
          "related": null
        },
        {
          "message": "there is no function `c`",
          "file": "stackgen.yaml",
          "line": 7,
          "column": 36,
          "endLine": 7,
          "hint": "use `a`",
          "row": null,
          "related": null
        }
      ]
    }
    "#);
}

#[test]
fn control_characters_are_escaped() {
    let run = refused(
        "name: \"x\\e[31m\"\nfunctions: {}\n\"\\e[2J\": 1\n",
        "synth",
    );
    assert!(!run.stderr.contains('\x1b'), "{run}");
}

#[test]
fn an_undeclared_environment() {
    let sandbox = Sandbox::starter("live-session");
    let run = sandbox.run("synth --env prd");
    assert_snapshot!(run, @r#"
    exit 2
    --- stderr
    error: live-session has no environment "prd"
    help: it has: prod, dev, prod-hardened
    "#);
    assert_eq!(sandbox.files(), ["stackgen.yaml"]);
}
