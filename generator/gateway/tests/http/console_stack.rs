//! The stack in the console: its graph, its functions, and the items of its tables.

use http::request::Builder;
use http::{Request, StatusCode};
use serde_json::{Value, json};
use stackgen_gateway::apis::DeploymentInput;
use stackgen_gateway::gateway::Gateway;
use stackgen_gateway::stack::{StackCode, StackTemplate};
use stackgen_gateway_common::ArnScope;
use stackgen_gateway_common::invoke::{Invocation, InvocationCaller, Invoke as _};

use crate::console::{KEY, options};
use crate::puppet::puppet;
use crate::support;

const STACK: &str = r#"
Parameters:
  Pin: { Type: String, NoEcho: true, Default: never-shown }
Resources:
  Api: { Type: AWS::ApiGatewayV2::Api, Properties: { Name: talk, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.action } }
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: { Statement: [{ Effect: Allow, Principal: { Service: lambda.amazonaws.com }, Action: sts:AssumeRole }] }
      Policies: [{ PolicyName: items, PolicyDocument: { Statement: [{ Effect: Allow, Action: dynamodb:PutItem, Resource: !GetAtt Items.Arn }] } }]
  Talk:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: talk
      Runtime: provided.al2023
      Handler: bootstrap
      Role: !GetAtt Role.Arn
      Environment: { Variables: { ITEMS: !Ref Items, API_TOKEN: secret-value, DATABASE: 'postgres://ada:secret-value@db/x', GREETING: !Sub 'hello ${Pin}' } }
      Code: { S3Bucket: code, S3Key: talk.zip }
  Version: { Type: AWS::Lambda::Version, Properties: { FunctionName: !Ref Talk } }
  Alias: { Type: AWS::Lambda::Alias, Properties: { FunctionName: !Ref Talk, FunctionVersion: !GetAtt Version.Version, Name: live } }
  Integration:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Api
      IntegrationType: AWS_PROXY
      IntegrationUri: !Sub 'arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Talk.Arn}/invocations'
  Send: { Type: AWS::ApiGatewayV2::Route, Properties: { ApiId: !Ref Api, RouteKey: send, Target: !Sub 'integrations/${Integration}' } }
  Items:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{ AttributeName: room, AttributeType: S }, { AttributeName: n, AttributeType: N }]
      KeySchema: [{ AttributeName: room, KeyType: HASH }, { AttributeName: n, KeyType: RANGE }]
      BillingMode: PAY_PER_REQUEST
      StreamSpecification: { StreamViewType: NEW_IMAGE }
  Mapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties: { FunctionName: !Ref Talk, EventSourceArn: !GetAtt Items.StreamArn, StartingPosition: LATEST }
  Queue: { Type: AWS::SQS::Queue, Properties: { QueueName: jobs } }
  QueueMapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties: { FunctionName: !Ref Talk, EventSourceArn: !GetAtt Queue.Arn }
"#;

/// An authorizer without an identity source, and a stage.
const STAGE: &str = r#"
  Users:
    Type: AWS::ApiGatewayV2::Authorizer
    Properties:
      ApiId: !Ref Api
      Name: users
      AuthorizerType: REQUEST
      AuthorizerUri: !Sub 'arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Talk.Arn}/invocations'
  Connect:
    Type: AWS::ApiGatewayV2::Route
    Properties: { ApiId: !Ref Api, RouteKey: $connect, AuthorizationType: CUSTOM, AuthorizerId: !Ref Users, Target: !Sub 'integrations/${Integration}' }
  Deployment: { Type: AWS::ApiGatewayV2::Deployment, DependsOn: [Send, Connect], Properties: { ApiId: !Ref Api } }
  Stage: { Type: AWS::ApiGatewayV2::Stage, Properties: { ApiId: !Ref Api, StageName: prod, DeploymentId: !Ref Deployment } }
"#;

struct Stack {
    gateway: Gateway,
    endpoint: String,
}

impl Stack {
    async fn start() -> Self {
        let gateway = Gateway::start(options()).await.unwrap();
        let endpoint = gateway.state().await.endpoint;
        Stack { gateway, endpoint }
    }

    async fn apply(&self) {
        self.apply_with("").await;
    }

    /// Applies the stack with more resources.
    async fn apply_with(&self, more: &str) {
        let template = StackTemplate {
            stack: "talk-dev".to_owned(),
            file: "template.yaml".to_owned(),
            text: format!("{STACK}{more}"),
            code: [("Talk".to_owned(), StackCode::Program(puppet()))].into(),
            ..StackTemplate::default()
        };
        self.gateway.apply(template).await.unwrap();
    }

    async fn read(&self, path: &str) -> Value {
        let (status, body) = answer(self.get(path), String::new()).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }

    async fn change(&self, path: &str, change: &Value) -> (StatusCode, Value) {
        let request = Request::post(self.url(path)).header("content-type", "application/json");
        answer(request.header(KEY, self.gateway.key()), change.to_string()).await
    }

    fn get(&self, path: &str) -> Builder {
        Request::get(self.url(path)).header(KEY, self.gateway.key())
    }

    fn url(&self, path: &str) -> String {
        format!("{}/_stackgen/console/{path}", self.endpoint)
    }
}

async fn answer(request: Builder, body: String) -> (StatusCode, Value) {
    let response = support::send(request.body(body).unwrap()).await;
    let body = serde_json::from_slice(response.body()).unwrap();
    (response.status(), body)
}

#[tokio::test]
async fn the_stack_has_boxes_for_apis_routes_functions_tables_and_queues() {
    let fixture = Stack::start().await;
    let empty = fixture.read("stack").await;
    assert_eq!(
        (&empty["name"], &empty["nodes"]),
        (&Value::Null, &json!([]))
    );
    fixture.apply().await;
    let stack = fixture.read("stack").await;
    let nodes = stack["nodes"].as_array().unwrap();
    let title = |index: &Value| {
        let node = &nodes[usize::try_from(index.as_u64().unwrap()).unwrap()];
        format!(
            "{} {}",
            node["kind"].as_str().unwrap(),
            node["lines"][0].as_str().unwrap()
        )
    };
    let mut arrows: Vec<_> = stack["edges"]
        .as_array()
        .unwrap()
        .iter()
        .map(|edge| {
            format!(
                "{} -> {} {}",
                title(&edge["from"]),
                title(&edge["to"]),
                edge["label"].as_str().unwrap()
            )
        })
        .collect();
    arrows.sort();
    assert_eq!(
        arrows,
        [
            "api talk -> routes send ",
            "function talk -> table Items writes",
            "routes send -> function talk ",
            "source jobs -> function talk invokes",
            "table Items -> function talk invokes",
        ]
    );
    let table = stack["tables"][0].as_str().unwrap();
    assert!(nodes.iter().any(|node| node["name"] == table), "{stack}");
    assert_eq!(
        stack["findings"],
        json!([{ "rule": "SG1", "stack": "talk-dev" }])
    );
    let keys = stack["issuer"]["keys"].as_array().unwrap();
    let members: Vec<_> = keys[0].as_object().unwrap().keys().collect();
    assert_eq!(
        members,
        ["kty", "use", "alg", "kid", "n", "e"],
        "no private part"
    );
    fixture.gateway.shutdown().await;
}

#[tokio::test]
async fn a_function_has_its_versions_its_invocations_and_masked_secrets() {
    let fixture = Stack::start().await;
    fixture.apply().await;
    let before = fixture.read("functions/talk").await;
    assert_eq!(before["invocations"], json!([]));
    let invocation = Invocation {
        function: ArnScope::default()
            .function("talk")
            .qualified("live".to_owned()),
        payload: r#"{"do":"print:hello;ok"}"#.into(),
        caller: InvocationCaller::Account,
        trace_id: String::new(),
        log: None,
    };
    let functions = &fixture.gateway.account().functions;
    functions.invoke(invocation).await.unwrap();
    let function = fixture.read("functions/talk").await;
    let versions: Vec<_> = function["versions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["version"])
        .collect();
    assert_eq!(versions, ["1", "$LATEST"]);
    assert_eq!(
        function["aliases"],
        json!([{ "name": "live", "version": "1" }])
    );
    let variables = &function["environment"];
    assert_eq!(
        variables[0],
        json!({ "name": "API_TOKEN", "value": "****" })
    );
    assert_eq!(variables[1], json!({ "name": "DATABASE", "value": "****" }));
    let greeting = json!({ "name": "GREETING", "value": "****" });
    assert_eq!(variables[2], greeting, "the value of a NoEcho parameter");
    assert_eq!(variables[3]["name"], "ITEMS");
    let stack = fixture.read("stack").await;
    for shown in [&function, &stack] {
        assert!(!shown.to_string().contains("never-shown"), "{shown}");
    }
    assert!(!function.to_string().contains("secret-value"), "{function}");
    assert_eq!(function["invocations"][0]["version"], "1");
    assert!(function["log"].to_string().contains("hello"), "{function}");
    assert!(
        function["log"].to_string().contains("REPORT RequestId: "),
        "{function}"
    );
    let (status, body) = answer(fixture.get("functions/none"), String::new()).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(
        body["message"]
            .as_str()
            .unwrap()
            .starts_with("Function not found"),
        "{body}"
    );
    fixture.gateway.shutdown().await;
}

/// Returns an item in DynamoDB's JSON.
fn item(n: usize, text: &str) -> Value {
    json!({ "n": { "N": n.to_string() }, "room": { "S": "a" }, "text": { "S": text } })
}

fn put(item: &Value, before: &Value) -> Value {
    json!({ "action": "put", "item": item, "before": before })
}

impl Stack {
    /// Starts a stack with items. Returns it with the path of their table.
    async fn with_items(count: usize) -> (Self, String) {
        let stack = Stack::start().await;
        stack.apply().await;
        let shown = stack.read("stack").await;
        let path = format!("tables/{}", shown["tables"][0].as_str().unwrap());
        for n in 0..count {
            let new = put(&item(n, &format!("Item {n}")), &Value::Null);
            assert_eq!(stack.status_of(&path, &new).await, StatusCode::OK);
        }
        (stack, path)
    }

    async fn status_of(&self, path: &str, change: &Value) -> StatusCode {
        self.change(path, change).await.0
    }
}

#[tokio::test]
async fn items_are_listed_in_pages_and_searched() {
    let (stack, path) = Stack::with_items(150).await;
    let first = stack.read(&path).await;
    assert_eq!(first["key"], json!(["room", "n"]));
    assert_eq!(first["items"].as_array().map(Vec::len), Some(100));
    let after = first["next"].to_string().replace('"', "%22");
    let after = after.replace('{', "%7B").replace('}', "%7D");
    let second = stack.read(&format!("{path}?after={after}")).await;
    assert_eq!(second["items"].as_array().map(Vec::len), Some(50));
    assert_eq!(second["next"], Value::Null);
    let found = stack.read(&format!("{path}?search=item%20149")).await;
    assert_eq!(found["items"], json!([item(149, "Item 149")]));
    let of_types = stack.read(&format!("{path}?search=s")).await;
    assert_eq!(of_types["items"], json!([]), "types of values do not count");
    let none = answer(stack.get("tables/none"), String::new()).await;
    assert_eq!(none.0, StatusCode::BAD_REQUEST);
    stack.gateway.shutdown().await;
}

#[tokio::test]
async fn an_item_is_changed_unless_somebody_else_did() {
    let (stack, path) = Stack::with_items(9).await;
    let (old, new, moved) = (item(7, "Item 7"), item(7, "new"), item(1_000, "new"));
    let delete = |item: &Value| json!({ "action": "delete", "item": item });
    for (change, expected) in [
        (put(&new, &old), StatusCode::OK),
        (put(&new, &old), StatusCode::CONFLICT),
        // A new item does not replace another one.
        (put(&item(8, "x"), &Value::Null), StatusCode::CONFLICT),
        (put(&item(8, "x"), &new), StatusCode::CONFLICT),
        (put(&moved, &new), StatusCode::OK),
        (delete(&new), StatusCode::CONFLICT),
    ] {
        assert_eq!(stack.status_of(&path, &change).await, expected, "{change}");
    }
    let found = stack.read(&format!("{path}?search=new")).await;
    assert_eq!(found["items"], json!([moved]), "another key moves the item");
    let deleted = stack.status_of(&path, &delete(&moved)).await;
    assert_eq!(deleted, StatusCode::OK);
    for wrong in [json!({ "room": "a" }), json!({ "room": { "S": "a" } })] {
        let (status, body) = stack.change(&path, &put(&wrong, &Value::Null)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
        assert_ne!(body["message"], Value::Null);
    }
    stack.gateway.shutdown().await;
}

#[tokio::test]
async fn deployments_have_the_digest_and_the_commit_of_their_creation() {
    let stack = Stack::start().await;
    stack.apply().await;
    let apis = &stack.gateway.account().apis;
    let api = apis.list_apis()[0].api_id.clone();
    let create = |description: Option<&str>| {
        let input = DeploymentInput {
            description: description.map(str::to_owned),
            stage_name: None,
        };
        apis.create_deployment(&api, None, input).unwrap();
    };
    create(None);
    create(Some("stackgen abc"));
    let list = stack.read("apis").await;
    let deployments = &list["apis"][0]["deployments"];
    let facts = |at: usize| [&deployments[at]["digest"], &deployments[at]["commit"]];
    assert_eq!(facts(0), ["1 routes", "c0ffee"]);
    assert_eq!(facts(1), ["1 routes", "abc"], "a redeploy names its commit");
    stack.gateway.shutdown().await;
}

#[tokio::test]
async fn a_stage_has_an_authorizer_also_without_an_identity_source() {
    let stack = Stack::start().await;
    stack.apply_with(STAGE).await;
    let list = stack.read("apis").await;
    let served = &list["apis"][0]["stages"][0]["served"];
    assert_eq!(served["hasAuthorizer"], true, "{list}");
    assert_eq!(served["identitySource"], json!([]));
    stack.gateway.shutdown().await;
}
