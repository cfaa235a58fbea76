//! `stackgen dev` with a template that stackgen did not render: effects of flags, and other commands.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::common::{Run, Sandbox};
use crate::running::Dev;

/// Function that answers at once, except `wait`, which waits for a message `go`, and `$disconnect`, which waits while a file
/// named `stuck` exists.
const FUNCTION: &str = r#"#!/usr/bin/env python3
import json, os, time, urllib.request

api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
while True:
    with urllib.request.urlopen(api + "next") as request:
        id = request.headers["Lambda-Runtime-Aws-Request-Id"]
        event = json.load(request)
    if event.get("body") == "go":
        open(os.environ["GONE"], "w").close()
    while event.get("body") == "wait" and not os.path.exists(os.environ["GONE"]):
        time.sleep(0.01)
    while event["requestContext"]["eventType"] == "DISCONNECT" and os.path.exists(os.environ["STUCK"]):
        time.sleep(0.01)
    answer = {"statusCode": 200, "body": "done-" + event.get("body", "")}
    urllib.request.urlopen(api + id + "/response", json.dumps(answer).encode())
"#;

pub(crate) const TEMPLATE: &str = r#"
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: kept
      BillingMode: PAY_PER_REQUEST
      KeySchema: [{ AttributeName: id, KeyType: HASH }]
      AttributeDefinitions: [{ AttributeName: id, AttributeType: S }]
  Role: { Type: AWS::IAM::Role, Properties: { AssumeRolePolicyDocument: {} } }
  Function:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: f
      Role: !GetAtt Role.Arn
      Runtime: provided.al2023
      Handler: bootstrap
      Code: code
      Timeout: 2
      Environment: { Variables: { GONE: FOLDER/gone, STUCK: FOLDER/stuck } }
  Permission:
    Type: AWS::Lambda::Permission
    Properties: { FunctionName: !Ref Function, Action: lambda:InvokeFunction, Principal: apigateway.amazonaws.com }
  Api:
    Type: AWS::ApiGatewayV2::Api
    Properties: { Name: limited, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.action }
  Integration:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Api
      IntegrationType: AWS_PROXY
      IntegrationUri: !Sub arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Function.Arn}/invocations
  Default:
    Type: AWS::ApiGatewayV2::Route
    Properties: { ApiId: !Ref Api, RouteKey: $default, AuthorizationType: NONE, RouteResponseSelectionExpression: $default, Target: !Sub "integrations/${Integration}" }
  DefaultResponse:
    Type: AWS::ApiGatewayV2::RouteResponse
    Properties: { ApiId: !Ref Api, RouteId: !Ref Default, RouteResponseKey: $default }
  Disconnect:
    Type: AWS::ApiGatewayV2::Route
    Properties: { ApiId: !Ref Api, RouteKey: $disconnect, AuthorizationType: NONE, Target: !Sub "integrations/${Integration}" }
  Deployment:
    Type: AWS::ApiGatewayV2::Deployment
    DependsOn: [Default, DefaultResponse, Disconnect]
    Properties: { ApiId: !Ref Api }
  Stage:
    Type: AWS::ApiGatewayV2::Stage
    Properties: { ApiId: !Ref Api, StageName: prod, DeploymentId: !Ref Deployment }
"#;

/// Returns a project whose functions have a timeout in seconds.
pub(crate) fn project(timeout: u32) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("code/bootstrap", FUNCTION);
    let program = sandbox.path().join("code/bootstrap");
    fs::set_permissions(program, fs::Permissions::from_mode(0o755)).unwrap();
    let folder = sandbox.path().display().to_string();
    let template = TEMPLATE.replace("FOLDER", &folder);
    let timeout = format!("Timeout: {timeout}");
    sandbox.write("template.yaml", template.replace("Timeout: 2", &timeout));
    sandbox
}

fn probed(dev: &Dev, line: &str) -> Run {
    dev.sandbox.run(&format!("probe {} {line}", dev.url()))
}

/// Returns the row by which an idle connection is closed.
fn closed_by(flag: &str) -> Value {
    let dev = Dev::of_template(project(2), &["--no-watch", flag, "1s"]);
    let run = probed(&dev, "--hold 50s --expect-close 1001");
    assert_eq!(run.code, Some(0), "{run}");
    dev.event("closed")["row"].clone()
}

#[test]
fn row_m13_idle_timeout_closes_idle_connections() {
    assert_eq!(closed_by("--idle-timeout"), "M13");
}

#[test]
fn row_m14_max_duration_closes_old_connections() {
    assert_eq!(closed_by("--max-duration"), "M14");
}

/// The second message ends the wait of the first one, if a function receives it in time.
#[test]
fn messages_at_a_time_and_concurrency_limit_parallel_work() {
    if stackgen_test_tools::on_path("python3").is_none() {
        return;
    }
    let two = ["--messages-at-a-time", "2"];
    let two_in_one = ["--messages-at-a-time", "2", "--concurrency", "1"];
    for (flags, comes) in [
        (&[][..], "Internal"),
        (&two, "done-wait"),
        (&two_in_one, "Internal"),
    ] {
        let timeout = if comes == "Internal" { 1 } else { 60 };
        let dev = Dev::of_template(project(timeout), &[&["--no-watch"], flags].concat());
        let run = probed(
            &dev,
            &format!("--send wait --send go --timeout 50s --expect {comes}"),
        );
        assert_eq!(run.code, Some(0), "{flags:?}: {run}");
    }
}

/// Posts to a connection. Returns status and body. The gateway requires a signature, but does not verify it.
pub(crate) fn post(address: &str, path: &str, headers: &str, body: &str) -> (u16, String) {
    let signed = "Authorization: AWS4-HMAC-SHA256 Credential=any/20260101/us-east-1/execute-api/aws4_request, \
                  SignedHeaders=host, Signature=0\r\nX-Amz-Date: 20260101T000000Z";
    let length = body.len();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{signed}\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    (status, body.to_owned())
}

/// Returns the number of bytes that are accepted for a client that does not read.
fn taken(flags: &[&str]) -> usize {
    const POST: usize = 64 * 1024;
    let dev = Dev::of_template(project(2), &[&["--no-watch"], flags].concat());
    let address = dev.url().strip_prefix("ws://").unwrap();
    let (address, stage) = address.split_once('/').unwrap();
    let mut client = TcpStream::connect(address).unwrap();
    write!(
        client,
        "GET /{stage} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    .unwrap();
    let connection = dev.event("connected")["connection"].clone();
    let connection = connection.as_str().unwrap().replace('=', "%3D");
    let path = format!("/{stage}/@connections/{connection}");
    let mut taken = 0;
    loop {
        match post(address, &path, "", &"x".repeat(POST)).0 {
            200 => taken += POST,
            status => {
                assert_eq!(status, 429);
                return taken;
            }
        }
    }
}

#[test]
fn row_k7_client_buffer_bounds_what_waits_for_a_client() {
    let little = taken(&["--client-buffer", "100"]);
    assert!(taken(&[]) > little + 512 * 1024, "{little}");
}

#[test]
fn data_stores_items_beyond_the_gateways_end() {
    let mut sandbox = project(2);
    let items = |dev: &Dev, operation: &str, request: Value| {
        let endpoint = dev.ready["gateway"]["dynamodb"].as_str().unwrap();
        let address = endpoint.strip_prefix("http://").unwrap();
        let headers = format!(
            "Content-Type: application/x-amz-json-1.0\r\nX-Amz-Target: DynamoDB_20120810.{operation}\r\n"
        );
        let (status, body) = post(address, "/", &headers, &request.to_string());
        assert_eq!(status, 200, "{body}");
        serde_json::from_str::<Value>(&body).unwrap()
    };
    let key = json!({ "id": { "S": "a" } });
    for (flags, is_stored) in [(&["--data", "items.db"][..], true), (&[], false)] {
        let mut dev = Dev::of_template(sandbox, &[&["--no-watch"], flags].concat());
        items(&dev, "PutItem", json!({ "TableName": "kept", "Item": key }));
        dev.interrupt();
        assert_eq!(dev.ended(), Some(0));
        let mut again = Dev::of_template(dev.into_sandbox(), &[&["--no-watch"], flags].concat());
        let found = items(
            &again,
            "GetItem",
            json!({ "TableName": "kept", "Key": key }),
        );
        assert_eq!(found.get("Item").is_some(), is_stored, "{found}");
        again.interrupt();
        assert_eq!(again.ended(), Some(0));
        sandbox = again.into_sandbox();
    }
}

#[test]
fn row_d1_a_foreign_template_is_redeployed_as_it_is_told() {
    let dev = Dev::spawn(project(2), &["template.yaml"], &[]);
    dev.line("Ctrl-C ends it");
    let added = "  Added:
    Type: AWS::ApiGatewayV2::Route
    Properties: { ApiId: !Ref Api, RouteKey: added, AuthorizationType: NONE, Target: !Sub \"integrations/${Integration}\" }
  Deployment:
";
    let template = dev.sandbox.read("template.yaml");
    dev.sandbox
        .write("template.yaml", template.replace("  Deployment:\n", added));
    let waits = dev.line("waits");
    let command = "deploy --redeploy-stage --local --file template.yaml";
    assert_eq!(
        waits,
        format!("waits      needs a deployment: `stackgen {command}`")
    );
    let status = || dev.sandbox.run("status --local --file template.yaml").code;
    assert_eq!(status(), Some(3));
    for (line, code) in [
        (command, 0),
        // Without a stackgen.yaml, the running stack is the target.
        ("deployments list --local", 0),
        ("deploy --local --file template.yaml --dry-run", 2),
    ] {
        let run = dev.sandbox.run(line);
        assert_eq!(run.code, Some(code), "{line}: {run}");
    }
    assert_eq!(status(), Some(0));
}

#[test]
fn another_version_of_an_interpreter_is_noted_at_the_start() {
    let sandbox = project(2);
    fs::remove_file(sandbox.path().join("code/bootstrap")).unwrap();
    sandbox.write(
        "code/app.js",
        "exports.handler = async () => ({ statusCode: 200 });",
    );
    let template = sandbox.read("template.yaml");
    let template = template.replace("provided.al2023", "nodejs22.x");
    sandbox.write(
        "template.yaml",
        template.replace("Handler: bootstrap", "Handler: app.handler"),
    );
    sandbox.write("bin/node", "#!/bin/sh\necho 20.1.0\n");
    let node = sandbox.path().join("bin/node");
    fs::set_permissions(&node, fs::Permissions::from_mode(0o755)).unwrap();
    let bin = sandbox.path().join("bin");
    let dev = Dev::spawn(
        sandbox,
        &["template.yaml", "--json", "--no-watch"],
        &[("PATH", &bin)],
    );
    let note = format!(
        "nodejs22.x functions run on Node.js 20.1.0 ({})",
        node.display()
    );
    assert_eq!(dev.event("ready")["notes"], json!([note]));
}
