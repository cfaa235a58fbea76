//! Errors: each with its location and a hint, all errors of a file at once.

use insta::assert_snapshot;

use super::errors;

const FUNCTION: &str = "functions: { f: { binary: f } }\n";

fn stack(rest: &str) -> String {
    format!("name: s\n{FUNCTION}{rest}")
}

#[test]
fn all_errors_of_a_file_are_reported_at_once() {
    assert_snapshot!(errors(
        "name: my stack
descripton: typo
functions:
  handler: { binary: handler, timeout: 1000s, memory: 64, environment: { AWS_REGION: x } }
websocket:
  name: api
  stage: { throttling: { burstLimit: 0, rateLimit: fast } }
  routes:
    $connect: handlr
    send: { function: handler, twoway: true }
tables: []
"
    ), @"
    1:7 `my stack` is not a valid stack name
        help: use letters, digits and `-`, begin with a letter, at most 100 characters
    2:1 unknown key `descripton` at the top of the file
        help: did you mean `description`?
    4:40 a function's timeout must be 1 s to 900 s, not 1000 s
    4:55 `memory` is 64; it must be between 128 and 10240
    4:74 `AWS_REGION` is reserved by Lambda
        help: remove it, and read `AWS_REGION`, which Lambda sets in every function
    7:38 `burstLimit` is 0; it must be at least 1
        help: raise it: with 0, API Gateway answers every handshake with 429
        row D18
    7:52 `rateLimit` must be a number, not a string
    9:15 there is no function `handlr`
        help: did you mean `handler`?
    10:32 unknown key `twoway` in `send`
        help: did you mean `twoWay`?
    11:9 `tables` must be a mapping, not a list
    ");
}

#[test]
fn errors_between_values_are_all_reported_at_once() {
    assert_snapshot!(errors(
        "name: s
functions:
  handler: { binary: handler, timeout: 1000s, tables: { Session: [GetItem] } }
tables:
  Sessions: { partitionKey: { name: id, type: S } }
websocket:
  name: api
  timeout: 60s
  routes:
    $connect: handlr
    send: { function: handler, timeout: 10ms }
"
    ), @"
    3:40 a function's timeout must be 1 s to 900 s, not 1000 s
    3:57 there is no table `Session`
        help: did you mean `Sessions`?
    8:12 a WebSocket integration's timeout must be 50 ms to 29 s, not 60 s
        row C8
    10:15 there is no function `handlr`
        help: did you mean `handler`?
    11:41 a WebSocket integration's timeout must be 50 ms to 29 s, not 10 ms
        row C8
    ");
}

#[test]
fn an_identity_source_that_rejects_mixed_callers_is_an_error() {
    assert_snapshot!(errors(&stack(
        "websocket:
  name: api
  authorizer:
    function: f
    callers: mixed
    identitySource: [route.request.querystring.token]
  routes: { $connect: f }
"
    )), @"
    8:22 this identity source rejects anonymous callers, which `callers: mixed` admits
        7:14 some callers have no token
        help: remove `identitySource`, and let the authorizer's function distinguish callers: API Gateway answers callers without `route.request.querystring.token` with 401 and does not invoke the authorizer
        row A2
    ");
}

#[test]
fn the_identity_source_syntax_of_http_apis_is_corrected() {
    assert_snapshot!(errors(&stack(
        "websocket:
  name: api
  authorizer: { function: f, callers: authenticated, identitySource: [$request.header.Authorization, token] }
  routes: { $connect: f }
"
    )), @"
    5:71 `$request.header.Authorization` is not an identity source of a WebSocket API
        help: write `route.request.header.Authorization`; this is the syntax of HTTP APIs
        row A3
    5:102 `token` is not an identity source
        help: write `route.request.querystring.token`, `route.request.header.Authorization`, `context.…` or `stageVariables.…`
        row A3
    ");
}

#[test]
fn only_connect_can_have_an_authorizer() {
    assert_snapshot!(errors(&stack(
        "websocket:
  name: api
  authorizer: { function: f, callers: authenticated, resultTtlInSeconds: 0, payloadFormatVersion: '2.0', type: JWT }
  routes:
    $connect: f
    send: { function: f, authorizer: f }
"
    )), @"
    5:54 unknown key `resultTtlInSeconds` in `authorizer`
        help: remove it: API Gateway does not cache results of a WebSocket authorizer and refuses a TTL, even 0
        row A11
    5:77 unknown key `payloadFormatVersion` in `authorizer`
        help: remove it: only HTTP APIs have simple responses and payload format versions
        row A12
    5:106 unknown key `type` in `authorizer`
        help: remove it: a WebSocket API supports only REQUEST authorizers; validate a JWT in the function
        row F6
    8:26 unknown key `authorizer` in `send`
        help: use `websocket.authorizer`: API Gateway authorizes only `$connect`, once per connection, and passes the context that the authorizer returns to later routes in `requestContext.authorizer`
        row A1
    ");
}

#[test]
fn http_routes_that_are_the_same_to_api_gateway_are_refused() {
    assert_snapshot!(errors(&stack(
        "http:
  name: api
  routes:
    GET /rooms/{id}: { function: f, auth: none }
    GET /rooms/{roomId}: { function: f, auth: jwt }
    get /x: { function: f, auth: none }
"
    )), @"
    7:5 routes `GET /rooms/{id}` and `GET /rooms/{roomId}` are the same route to API Gateway
        6:5 the other route
        help: remove one of them: they differ only in the name of a path parameter, and API Gateway refuses the second
    7:47 `auth: jwt` needs an authorizer, which the HTTP API does not have
        help: add `http.authorizer` with `issuer` and `audience`, or write `auth: none`
    8:5 `get /x` is not a valid route key of an HTTP API
        help: write a method and a path, such as `POST /sessions` or `GET /sessions/{sessionId}`, or `$default`
    ");
}

#[test]
fn a_repeated_route_key_is_a_duplicate_key() {
    assert_snapshot!(errors(&stack("websocket:\n  name: api\n  routes:\n    send: f\n    send: f\n    $own: f\n")), @"
    7:5 the key `send` is already used in this mapping
        6:5 first here
        help: remove or rename one of the two; parsers silently keep only one
    ");
}

#[test]
fn names_with_the_same_logical_id_are_refused() {
    assert_snapshot!(errors(
        "name: s
functions:
  my-function: { binary: a }
  my_function: { binary: b }
parameters:
  MyFunctionRole: { Type: String }
resources:
  MyFunctionFunction: { Type: 'AWS::SNS::Topic' }
  my-topic: { Type: 'AWS::SNS::Topic' }
"
    ), @"
    4:3 `my_function` gets the logical ID `MyFunctionLogGroup`, which is taken
        3:3 taken by this one
        help: rename one of them: logical IDs have only letters and digits, so names that differ only in punctuation collide
    6:3 stackgen already makes a resource `MyFunctionRole`
        help: choose another logical ID
    8:3 stackgen already makes a resource `MyFunctionFunction`
        help: choose another logical ID
    9:3 `my-topic` is not a valid logical ID
        help: use letters and digits only, at most 255
    ");
}

#[test]
fn references_that_do_not_resolve_are_errors() {
    assert_snapshot!(errors(
        "name: s
functions:
  f:
    binary: f
    environment:
      AA: !Ref Isuer
      BB: !GetAtt FFunctoin.Arn
      CC: !Sub '${AWS::Regio}-${FRole}-${!Literal}'
      DD: !If [IsProd, a, b]
parameters:
  Issuer: { Type: String }
conditions:
  IsProduction: !Equals [!Ref Issuer, x]
"
    ), @"
    6:16 there is no parameter or resource `Isuer`
        help: did you mean `Issuer`?
    7:19 there is no resource `FFunctoin`
        help: did you mean `FFunction`?
    8:16 there is no pseudo parameter `AWS::Regio`
        help: did you mean `AWS::Region`?
    9:16 there is no condition `IsProd`
        help: declare it under `conditions`
    ");
}

#[test]
fn a_duration_needs_a_unit() {
    assert_snapshot!(errors(
        "name: s\nfunctions:\n  f: { binary: f, timeout: 25 }\n  g: { binary: g, timeout: fast }\n  h: { binary: h, timeout: [1s] }\n"
    ), @"
    3:28 `timeout` lacks a unit: `25`
        help: write `25s`, or use `ms`, `m` or `h`
    4:28 `fast` is not a duration
        help: write a whole number and its unit: `500ms`, `5s`, `10m`, `1h`
    5:28 `timeout` must be a string, not a list
    ");
}

#[test]
fn a_function_has_one_kind_of_code() {
    assert_snapshot!(errors(
        "name: s
functions:
  none: {}
  both: { binary: a, zip: a.zip }
  zip: { zip: a.zip, handler: index.handler }
  handled: { binary: a, handler: x }
"
    ), @"
    3:3 function `none` has no code
        help: write `binary: none` for a cargo binary, or `zip:` and the path of a zip file
    4:22 function `both` has both `binary` and `zip`
        4:11 `binary` is here
        help: remove one of them
    5:10 function `zip` has a zip file but no `runtime`
        help: write, for example, `runtime: nodejs22.x` and `handler: index.handler`
    6:25 `handler` does not apply to a binary
        help: remove it; only zip files need a handler
    ");
}

#[test]
fn variables_that_stackgen_sets_cannot_be_set_in_the_file() {
    assert_snapshot!(errors(
        "name: s
tables: { Rooms: { partitionKey: { name: id, type: S } } }
functions:
  f:
    binary: f
    tables: { Rooms: [] }
    manageConnections: [POST]
    environment: { ROOMS_TABLE: x, MANAGEMENT_ENDPOINT: x }
"
    ), @"
    6:22 the list of actions for table `Rooms` is empty
        help: list the actions that the function needs, such as `[GetItem, UpdateItem]`
    7:5 `manageConnections` needs a WebSocket API, which the stack does not have
    8:20 `ROOMS_TABLE` cannot be set here: stackgen sets it because of `Rooms`
        help: remove the variable
    8:36 `MANAGEMENT_ENDPOINT` cannot be set here: stackgen sets it because of `manageConnections`
        help: remove the variable
    ");
}

#[test]
fn authorizer_callers_cannot_be_set_in_the_file() {
    assert_snapshot!(errors(
        "name: s
functions:
  f: { binary: f, environment: { AUTHORIZER_CALLERS: mixed } }
websocket:
  name: api
  authorizer: { function: f, callers: authenticated }
  routes: { $connect: f }
"
    ), @"
    3:34 `AUTHORIZER_CALLERS` cannot be set here: stackgen sets it because of `callers`
        help: remove the variable
    ");
}

#[test]
fn intrinsic_functions_are_refused_where_stackgen_needs_the_value() {
    assert_snapshot!(errors(
        "name: !Ref AWS::StackName
functions:
  f: { binary: f, memory: !Ref Memory, environment: { REGION: !Ref 'AWS::Region' } }
"
    ), @"
    1:7 `name` cannot be an intrinsic function
        help: write the value itself, per environment if it differs: stackgen needs it to render the template
    3:27 `memory` cannot be an intrinsic function
        help: write the value itself, per environment if it differs: stackgen needs it to render the template
    ");
}

#[test]
fn an_error_of_an_environment_is_reported_once_in_its_own_lines() {
    assert_snapshot!(errors(&stack(
        "tables: { T: { partitionKey: { name: id, type: Number } } }
environments:
  dev: { release: lve }
  prod:
    name: other
    tables: { T: { removal: keep } }
  Staging: {}
"
    )), @"
    3:48 `type` cannot be `Number`
        help: use `S`, `N` or `B`
    5:19 `release` cannot be `lve`
        help: did you mean `live`?
    7:5 an environment cannot change `name`
        help: remove the key: names already end in the environment's name, so copies of a stack do not collide
    8:29 `removal` cannot be `keep`
        help: use `retain` or `delete`
    9:3 `Staging` is not a valid environment name
        help: use lower-case letters, digits and `-`, begin with a letter, at most 20 characters: every name ends in it
    ");
}

#[test]
fn connect_and_disconnect_cannot_be_two_way() {
    assert_snapshot!(errors(&stack(
        "websocket:
  name: api
  routes:
    $connect: { function: f, twoWay: true }
    $disconnect: { function: f, twoWay: true }
"
    )), @"
    6:30 `$connect` cannot be two-way
        help: remove `twoWay`: `$connect` returns the handshake's status, and its body is never sent
        row C9
    7:33 `$disconnect` cannot be two-way
        help: remove `twoWay`: the connection is closed when `$disconnect` runs
        row M18
    ");
}

#[test]
fn an_empty_file_a_list_and_an_empty_stack_are_refused() {
    assert_snapshot!(errors(""), @"
    1:1 the file is empty
        help: run `stackgen init echo` for an example
    ");
    assert_snapshot!(errors("- a\n"), @"1:1 the file must be a mapping, not a list");
    assert_snapshot!(errors("name: s\n"), @"
    1:1 the stack is empty
        help: add `functions`, `websocket`, `http`, `tables`, `queues` or `resources`; run `stackgen init echo` for an example
    ");
}

#[test]
fn more_than_500_resources_are_refused_with_counts_by_type() {
    let functions: String = (0..90)
        .map(|n| format!("  f{n}: {{ binary: f{n} }}\n"))
        .collect();
    let routes: String = (0..90).map(|n| format!("    r{n}: f{n}\n")).collect();
    assert_snapshot!(errors(&format!("name: s\nfunctions:\n{functions}websocket:\n  name: api\n  routes:\n{routes}")), @"
    1:1 environment `dev` has 543 resources, and a stack can have 500: 90 AWS::ApiGatewayV2::Integration, 90 AWS::ApiGatewayV2::Route, 90 AWS::IAM::Role, 90 AWS::Lambda::Function, 90 AWS::Lambda::Permission, 90 AWS::Logs::LogGroup, 1 AWS::ApiGatewayV2::Api, 1 AWS::ApiGatewayV2::Deployment, 1 AWS::ApiGatewayV2::Stage
        help: let routes share a function (each function has a role, a log group and an integration), use `release: pinned` (one invoke role instead of one permission per route), or move tables or the HTTP API to a stack of their own
    ");
}
