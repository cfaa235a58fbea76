//! `stackgen probe` against the local gateway, whose functions are real processes.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use serde_json::{Value, json};
use stackgen_gateway::Settings;
use stackgen_gateway::gateway::{Gateway, GatewayOptions};
use stackgen_gateway::stack::{StackCode, StackTemplate};
use tokio::runtime::Runtime;

use crate::common::{Run, Sandbox};

/// Function that answers as the event requests, and as an authorizer as the token requests. It implements the Runtime API.
const FUNCTION: &str = r#"
import json, os, urllib.request

api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"


def answer(event):
    if event.get("type") == "REQUEST":
        token = event["queryStringParameters"]["token"]
        if token == "unauthorized":
            raise Exception("Unauthorized")
        if token.startswith("broken"):
            raise Exception("broken by " + token)
        effect = "Deny" if token == "denied" else "Allow"
        statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": event["methodArn"]}
        return {"principalId": "p", "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
    if event["requestContext"]["eventType"] == "CONNECT":
        query = event.get("queryStringParameters", {})
        headers = {"Sec-WebSocket-Protocol": query["choose"]} if "choose" in query else {}
        if query.get("do") == "throw":
            raise Exception("thrown")
        return {"statusCode": int(query.get("status", 200)), "headers": headers}
    body = json.loads(event.get("body", "{}"))
    if body.get("do") == "throw":
        raise Exception("thrown")
    return {"statusCode": 200, "body": json.dumps({"echo": body})}


while True:
    with urllib.request.urlopen(api + "next") as request:
        id = request.headers["Lambda-Runtime-Aws-Request-Id"]
        event = json.load(request)
    try:
        path, result = "/response", answer(event)
    except Exception as error:
        path, result = "/error", {"errorMessage": str(error), "errorType": "Exception"}
    urllib.request.urlopen(api + id + path, json.dumps(result).encode())
"#;

const TEMPLATE: &str = r#"
Resources:
  Role: { Type: AWS::IAM::Role, Properties: { AssumeRolePolicyDocument: {} } }
  Function:
    Type: AWS::Lambda::Function
    Properties: { FunctionName: f, Role: !GetAtt Role.Arn, Runtime: provided.al2023, Handler: bootstrap, Timeout: 20, Code: { ZipFile: "" } }
  Permission:
    Type: AWS::Lambda::Permission
    Properties: { FunctionName: !Ref Function, Action: lambda:InvokeFunction, Principal: apigateway.amazonaws.com }
  Api:
    Type: AWS::ApiGatewayV2::Api
    Properties: { Name: probed, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.action }
  Authorizer:
    Type: AWS::ApiGatewayV2::Authorizer
    Properties:
      ApiId: !Ref Api
      Name: a
      AuthorizerType: REQUEST
      AuthorizerUri: !Sub arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Function.Arn}/invocations
      IdentitySource: [route.request.querystring.token]
  Integration:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Api
      IntegrationType: AWS_PROXY
      IntegrationUri: !Sub arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Function.Arn}/invocations
  Connect:
    Type: AWS::ApiGatewayV2::Route
    Properties: { ApiId: !Ref Api, RouteKey: $connect, AuthorizationType: CUSTOM, AuthorizerId: !Ref Authorizer, Target: !Sub "integrations/${Integration}" }
  OneWay:
    Type: AWS::ApiGatewayV2::Route
    Properties: { ApiId: !Ref Api, RouteKey: oneWay, AuthorizationType: NONE, Target: !Sub "integrations/${Integration}" }
  TwoWay:
    Type: AWS::ApiGatewayV2::Route
    Properties: { ApiId: !Ref Api, RouteKey: twoWay, AuthorizationType: NONE, RouteResponseSelectionExpression: $default, Target: !Sub "integrations/${Integration}" }
  TwoWayResponse:
    Type: AWS::ApiGatewayV2::RouteResponse
    Properties: { ApiId: !Ref Api, RouteId: !Ref TwoWay, RouteResponseKey: $default }
  Deployment:
    Type: AWS::ApiGatewayV2::Deployment
    DependsOn: [Connect, OneWay, TwoWay, TwoWayResponse]
    Properties: { ApiId: !Ref Api }
  Prod:
    Type: AWS::ApiGatewayV2::Stage
    Properties: { ApiId: !Ref Api, StageName: prod, DeploymentId: !Ref Deployment }
  Empty:
    Type: AWS::ApiGatewayV2::Stage
    Properties: { ApiId: !Ref Api, StageName: empty }
"#;

/// A gateway for concurrent tests of this file; the last one ends it.
pub(crate) struct Local {
    runtime: Runtime,
    gateway: Option<Gateway>,
    _code: Sandbox,
    /// Creates a folder with the file that `stackgen dev` would write.
    state: Value,
}

impl Drop for Local {
    fn drop(&mut self) {
        if let Some(gateway) = self.gateway.take() {
            self.runtime.block_on(gateway.shutdown());
        }
    }
}

fn local() -> Arc<Local> {
    static LOCAL: Mutex<Weak<Local>> = Mutex::new(Weak::new());
    let mut shared = LOCAL.lock().unwrap();
    if let Some(local) = shared.upgrade() {
        return local;
    }
    let local = Arc::new(Local::start(Settings::default()));
    *shared = Arc::downgrade(&local);
    local
}

impl Local {
    fn start(settings: Settings) -> Self {
        Local::run_template(settings, TEMPLATE, FUNCTION)
    }

    /// Runs a template whose resource `Function` has this code, in Python.
    pub(crate) fn run_template(settings: Settings, template: &str, function: &str) -> Self {
        let code = Sandbox::new();
        code.write("function", format!("#!/usr/bin/env python3\n{function}"));
        let program = code.path().join("function");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let (gateway, state) = runtime.block_on(async {
            let options = GatewayOptions {
                settings,
                ..GatewayOptions::default()
            };
            let gateway = Gateway::start(options).await.unwrap();
            let template = StackTemplate {
                stack: "probed".to_owned(),
                file: "template.yaml".to_owned(),
                text: template.to_owned(),
                code: [("Function".to_owned(), StackCode::Program(program))].into(),
                ..StackTemplate::default()
            };
            gateway.apply(template).await.unwrap();
            let mut state = serde_json::to_value(gateway.state().await).unwrap();
            state["pid"] = json!(std::process::id());
            state["key"] = json!(gateway.key());
            (gateway, state)
        });
        Local {
            runtime,
            gateway: Some(gateway),
            _code: code,
            state,
        }
    }

    /// Creates a folder for which the gateway runs.
    pub(crate) fn project(&self) -> Sandbox {
        let sandbox = Sandbox::new();
        sandbox.write(".stackgen/gateway.json", self.state.to_string());
        sandbox
    }
}

/// Probes the stage `prod` of the local gateway.
fn probed(line: &str) -> Run {
    probed_at("prod", line)
}

fn probed_at(stage: &str, line: &str) -> Run {
    let local = local();
    local
        .project()
        .run(&format!("probe --local --stage-name {stage} {line}"))
}

/// Returns the exit code and the rows of the likeliest explanation.
fn explained(line: &str) -> (Option<i32>, String) {
    let run = probed(&format!("{line} --json"));
    (run.code, rows(&run))
}

fn rows(run: &Run) -> String {
    let rows = run.json()["explanations"][0]["rows"].clone();
    let rows: Vec<String> = serde_json::from_value(rows).unwrap_or_default();
    rows.join(" ")
}

fn is(code: i32, rows: &str) -> (Option<i32>, String) {
    (Some(code), rows.to_owned())
}

#[test]
fn handshakes_are_explained() {
    assert_eq!(explained("--as anonymous"), is(3, "A2"));
    assert_eq!(explained("--token unauthorized"), is(3, "A6"));
    assert_eq!(explained("--token denied"), is(3, "A5"));
    assert_eq!(explained("--token broken"), is(3, "A7"));
    assert_eq!(explained("--token good --query do=throw"), is(3, "C6"));
    assert_eq!(explained("--token good --query status=418"), is(3, "C5"));
    assert_eq!(explained("--token good --query status=404"), is(3, "C5"));
    assert_eq!(explained("--token good"), is(0, ""));
    assert_eq!(rows(&probed_at("empty", "--as anonymous --json")), "C3");
    assert_eq!(explained("--as anonymous --expect-status 401").0, Some(0));
}

/// Replaces values that differ between runs.
fn steady(test: impl FnOnce()) {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT");
    settings.add_filter(r" +\d+\.\d\d\d s  ", "    TIME  ");
    settings.add_filter(r"\d+(\.\d+)? ms", "TIME");
    settings.add_filter(r"\d+\.\d+ s", "TIME");
    settings.add_filter(r#""(connectionId|requestId)":"[^"]+""#, r#""$1":"…""#);
    settings.add_filter(r"deployment [a-z0-9]+", "deployment ID");
    settings.add_filter(r"000000000000:[a-z0-9]+/", "000000000000:API/");
    settings.bind(test);
}

#[test]
fn the_gateways_reason_of_a_failed_handshake_replaces_guesses() {
    let thrown = probed("--token good --query do=throw");
    let denied = probed("--token denied");
    steady(|| {
        insta::assert_snapshot!(thrown, @r#"
        exit 3
        --- stdout
        ws://127.0.0.1:PORT/prod?do=throw&token=[hidden] as a caller with a token in the query
        connected to 127.0.0.1:PORT (DNS TIME, TCP TIME)
        502 Bad Gateway after TIME: {"message":"Internal server error","connectionId":"…","requestId":"…"}

        certain (row C6)
          The local gateway reports: the function failed with Exception.
          seen: 502 Bad Gateway after TIME: "Internal server error"
          seen: local gateway: stage prod serves deployment ID
          seen: local gateway: authorizer function f: allowed as `p`
          seen: local gateway: route $connect called function f
          seen: local gateway: f threw Exception: thrown
          next: Read the $connect function's log. It must return an object with a statusCode.
          doubt: row C6: folklore, or a single weak report, for an invalid response

        in a browser
          a page sees only close code 1006: no status, no reason (row X2); a browser hides the status of a
          handshake that fails.

        not as expected: the handshake is answered with 101 (502)
        --- stderr
        look up a row: stackgen explain C6
        "#);
        insta::assert_snapshot!(denied, @r#"
        exit 3
        --- stdout
        ws://127.0.0.1:PORT/prod?token=[hidden] as a caller with a token in the query
        connected to 127.0.0.1:PORT (DNS TIME, TCP TIME)
        403 Forbidden after TIME: {"message":"Forbidden","connectionId":"…","requestId":"…"}

        certain (row A5)
          The local gateway reports: the policy denies
          arn:aws:execute-api:us-east-1:000000000000:API/prod/$connect.
          seen: 403 Forbidden after TIME: "Forbidden"
          seen: local gateway: stage prod serves deployment ID
          seen: local gateway: authorizer function f
          seen: local gateway: route $connect
          next: Check the policy that the authorizer returns. It must allow execute-api:Invoke on the
                event's methodArn, `…/{stage}/$connect`; `…/{stage}/*/*` does not match it.

        in a browser
          a page sees only close code 1006: no status, no reason (row X2); a browser hides the status of a
          handshake that fails.

        not as expected: the handshake is answered with 101 (403)
        --- stderr
        look up a row: stackgen explain A5
        "#);
    });
}

#[test]
fn the_gateways_reason_of_an_error_frame_is_shown() {
    let run = probed(
        r#"--token good --send {"action":"oneWay","do":"throw"} --send {"action":"nowhere"} --expect Internal --expect Forbidden"#,
    );
    steady(|| {
        insta::assert_snapshot!(run, @r#"
        exit 0
        --- stdout
        ws://127.0.0.1:PORT/prod?token=[hidden] as a caller with a token in the query
        connected to 127.0.0.1:PORT (DNS TIME, TCP TIME)
        101 Switching Protocols after TIME
            TIME  sent      {"action":"oneWay","do":"throw"}
            TIME  sent      {"action":"nowhere"}
            TIME  received  {"message": "Internal server error", "connectionId":"…", "requestId":"…"}
            TIME  received  {"message": "Forbidden", "connectionId":"…", "requestId":"…"}
            TIME  closed by the client with 1000

        certain (row M4)
          The local gateway reports: the function failed with Exception.
          seen: 1 × "Internal server error"; the connection stayed open
          seen: local gateway: stage prod serves deployment ID
          seen: local gateway: route oneWay called function f
          seen: local gateway: f threw Exception: thrown
          next: Read the function's log in the terminal of `stackgen dev`.

        certain (row M3)
          The local gateway reports: $request.body.action is `nowhere`: no such route in the deployment, and
          no $default.
          seen: 1 × "Forbidden"; the connection stayed open
          next: Compare the message with RouteSelectionExpression and the route keys, character by
                character. If the route exists, the stage serves an older deployment: run `stackgen status`,
                then `stackgen deploy --redeploy-stage`.
        --- stderr
        look up a row: stackgen explain M4
        "#)
    });
}

#[test]
fn json_has_the_records_of_the_gateway() {
    let run = probed("--token good --query status=404 --json");
    let json = run.json();
    let record = &json["gateway"][0];
    assert_eq!(json["gateway"].as_array().unwrap().len(), 1, "{run}");
    assert_eq!(record["subject"], "handshake");
    assert_eq!(record["reason"], "the $connect integration answered 404");
    assert_eq!(record["function"], "f");
    assert_eq!(record["route"], "$connect");
    assert_eq!(record["authorizer"]["verdict"], "allowed as `p`");
    assert_eq!(json["explanations"].as_array().unwrap().len(), 1, "{run}");
    assert_eq!(json["explanations"][0]["certainty"], "certain");
    let fine = probed("--token good --json").json();
    assert!(fine.get("gateway").is_none(), "{fine}");
}

#[test]
fn a_token_in_the_text_of_a_function_is_hidden() {
    for json in ["", " --json"] {
        let run = probed(&format!("--token broken-by-a-secret-4711{json}"));
        assert_eq!(run.code, Some(3), "{run}");
        assert!(run.stdout.contains("broken by [hidden]"), "{run}");
        assert!(!run.to_string().contains("a-secret-4711"), "{run}");
    }
}

#[test]
fn a_token_is_created_for_the_requested_subject() {
    let run = probed("--as alice --json");
    assert_eq!(run.code, Some(0), "{run}");
    assert_eq!(
        run.json()["caller"],
        json!({ "as": "authenticated", "name": "alice", "tokenIn": "query" })
    );
    assert!(!run.stdout.contains("eyJ"), "{run}");
}

#[test]
fn row_c10_a_subprotocol_must_be_chosen() {
    assert_eq!(
        explained("--token good --subprotocol chat"),
        is(0, "C10 C9")
    );
    assert_eq!(
        explained("--token good --subprotocol chat --query choose=chat"),
        is(0, "")
    );
}

#[test]
fn answers_errors_and_silence_are_explained() {
    let two_way = r#"--token good --send {"action":"twoWay","n":1} --expect {"echo":{"n":1}}"#;
    assert_eq!(explained(two_way), is(0, ""));
    let wrong = r#"--token good --send {"action":"twoWay","n":1} --expect {"echo":{"n":2}}"#;
    assert_eq!(explained(wrong), is(3, ""));
    let throws = r#"--token good --send {"action":"oneWay","do":"throw"}"#;
    assert_eq!(explained(throws), is(0, "M4"));
    assert_eq!(
        explained(r#"--token good --send {"action":"nowhere"}"#),
        is(0, "M3")
    );
    assert_eq!(
        explained(r#"--token good --send {"action":"oneWay"} --timeout 1s"#),
        is(0, "M7 M8")
    );
}

#[test]
fn row_m11_a_large_frame_is_explained() {
    let local = local();
    let sandbox = local.project();
    sandbox.write("large", "x".repeat(40_000));
    let run = sandbox.run("probe --local --stage-name prod --token good --send @large --json");
    assert_eq!((run.code, rows(&run)), is(3, "M11"), "{run}");
    let run = sandbox
        .run("probe --local --stage-name prod --token good --send @large --expect-close 1009");
    assert_eq!(run.code, Some(0), "{run}");
}

#[test]
fn row_m13_an_idle_connection_is_closed_with_going_away() {
    let mut settings = Settings::default();
    settings.limits.idle = Duration::from_millis(500);
    let local = Local::start(settings);
    let sandbox = local.project();
    let run = sandbox
        .run("probe --local --stage-name prod --token good --hold 1m --expect-close 1001 --json");
    assert_eq!((run.code, rows(&run)), is(0, "M13"), "{run}");
    assert_eq!(run.json()["close"]["reason"], "Going away");
    assert_eq!(run.json()["close"]["by"], "server");
}

#[test]
fn exchanges_with_a_function_are_measured() {
    let run =
        probed(r#"--token good --send {"action":"twoWay"} --count 40 --concurrency 4 --json"#);
    let latency = &run.json()["latency"];
    assert_eq!(
        (&latency["answered"], &latency["connections"]),
        (&json!(40), &json!(4)),
        "{run}"
    );
    assert_eq!(run.code, Some(0));
}

/// Probes an API of an account, with credentials.
fn probed_in_account(line: &str) -> Run {
    let (sandbox, local) = (Sandbox::new(), local());
    let mut command = sandbox.command();
    command
        .env("HOME", sandbox.path())
        .env("AWS_ACCESS_KEY_ID", "any")
        .env("AWS_SECRET_ACCESS_KEY", "any")
        .env(
            "AWS_ENDPOINT_URL",
            local.state["endpoint"].as_str().unwrap(),
        );
    let line = format!("probe --region us-east-1 {line}");
    Run::of(command.args(line.split_whitespace()).output().unwrap())
}

#[test]
fn an_api_is_found_in_the_account_by_its_name_or_its_id() {
    // The gateway ends with its last user.
    let local = local();
    let id = local.state["apis"][0]["apiId"].as_str().unwrap();
    for api in ["--api probed".to_owned(), format!("--api-id {id}")] {
        let run = probed_in_account(&format!("{api} --stage-name prod --token good"));
        assert_eq!(run.code, Some(0), "{run}");
    }
    // An endpoint on this machine needs no credentials.
    let endpoint = local.state["endpoint"].as_str().unwrap();
    let line = format!(
        "probe --api probed --stage-name prod --token good --region us-east-1 --endpoint-url {endpoint}"
    );
    let run = Sandbox::new().run(&line);
    assert_eq!(run.code, Some(0), "{run}");
    insta::assert_snapshot!(probed_in_account("--api other"), @"
    exit 2
    --- stderr
    error: there is no API named other
    help: deploy the template first; `--api-id` selects any other API, `--region` another region
    ");
    insta::assert_snapshot!(probed_in_account(""), @"
    exit 2
    --- stderr
    error: no URL is given
    help: give a URL, use `--local`, or name an API of the account with `--api` or `--api-id`
    ");
}
