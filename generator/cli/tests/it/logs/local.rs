//! `stackgen logs --local`.

use serde_json::json;
use stackgen_gateway::Settings;

use super::follow::Follower;
use crate::probe_local::Local;

/// Function that logs every event in one line of JSON, and answers `$connect` with the status that the query names.
const FUNCTION: &str = r#"
import json, os, sys, urllib.request

api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
names = ("connectionId", "requestId", "routeKey", "disconnectStatusCode", "disconnectReason")

while True:
    with urllib.request.urlopen(api + "next") as request:
        id = request.headers["Lambda-Runtime-Aws-Request-Id"]
        event = json.load(request)
    context = event["requestContext"]
    line = {"level": "INFO", "message": "called", **{name: context[name] for name in names if name in context}}
    print(json.dumps(line), flush=True)
    status = int(event.get("queryStringParameters", {}).get("status", 200))
    urllib.request.urlopen(api + id + "/response", json.dumps({"statusCode": status}).encode())
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
    Properties: { Name: logged, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.action }
  Integration:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Api
      IntegrationType: AWS_PROXY
      IntegrationUri: !Sub arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Function.Arn}/invocations
  Connect:
    Type: AWS::ApiGatewayV2::Route
    Properties: { ApiId: !Ref Api, RouteKey: $connect, AuthorizationType: NONE, Target: !Sub "integrations/${Integration}" }
  Disconnect:
    Type: AWS::ApiGatewayV2::Route
    Properties: { ApiId: !Ref Api, RouteKey: $disconnect, AuthorizationType: NONE, Target: !Sub "integrations/${Integration}" }
  Say:
    Type: AWS::ApiGatewayV2::Route
    Properties: { ApiId: !Ref Api, RouteKey: say, AuthorizationType: NONE, Target: !Sub "integrations/${Integration}" }
  Deployment:
    Type: AWS::ApiGatewayV2::Deployment
    DependsOn: [Connect, Disconnect, Say]
    Properties: { ApiId: !Ref Api }
  Logs:
    Type: AWS::Logs::LogGroup
    Properties: { LogGroupName: /aws/apigateway/logged }
  Stage:
    Type: AWS::ApiGatewayV2::Stage
    Properties:
      ApiId: !Ref Api
      StageName: prod
      DeploymentId: !Ref Deployment
      AccessLogSettings:
        DestinationArn: !GetAtt Logs.Arn
        Format: $context.requestId $context.connectionId $context.eventType $context.routeKey $context.status $context.connectedAt $context.error.message
"#;

#[test]
fn the_local_gateways_logs_are_joined_and_followed_without_live_tail() {
    let local = Local::run_template(Settings::default(), TEMPLATE, FUNCTION);
    let project = local.project();
    let probed = project.run(r#"probe --local --stage-name prod --send {"action":"say"} --hold 1s --close bare --timeout 1s"#);
    assert_eq!(probed.code, Some(0), "{probed}");
    project.run("probe --local --stage-name prod --query status=404");
    // The end of a connection is logged after the client has gone.
    let logged = |line: &str| project.run(&format!("logs --local {line}"));
    let mut connections = json!(null);
    for _ in 0..100 {
        let run = logged("--connections --json");
        assert_eq!(run.code, Some(0), "{run}");
        connections = run.json()["connections"].clone();
        if connections
            .as_array()
            .unwrap()
            .iter()
            .any(|life| !life["close"].is_null())
        {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let facts = |life: &serde_json::Value| {
        json!([
            life["handshake"]["status"],
            life["messages"].as_array().unwrap().len(),
            life["close"]["code"],
            life["problems"][0]["severity"]
        ])
    };
    let found: Vec<_> = connections.as_array().unwrap().iter().map(facts).collect();
    assert_eq!(
        found,
        [
            json!([404, 0, null, "error"]),
            json!([200, 1, 1005, "warning"])
        ],
        "{connections:#}"
    );
    let mut command = project.process();
    command.args(["logs", "--local", "--follow", "--since", "1s"]);
    let follower = Follower::spawn(command);
    follower.wait_for("by polls of FilterLogEvents");
    project.run("probe --local --stage-name prod --query status=418");
    let line = follower.wait_for("$connect 418");
    assert!(line.contains("access ") && line.contains("ERROR"), "{line}");
    let (code, rest) = follower.interrupt();
    assert_eq!(code, Some(0), "{rest:?}");
}
