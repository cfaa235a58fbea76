//! Fields of responses, compared with AWS's service model.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{Control, function_uri};

/// Fields that no response has here: those of imported and managed APIs, and of failed deployments.
const ABSENT: [&str; 4] = [
    "apiGatewayManaged",
    "importInfo",
    "warnings",
    "deploymentStatusMessage",
];

#[tokio::test]
async fn responses_have_exactly_the_fields_of_the_service_model() {
    let Some(model) = service_model() else { return };
    let control = Control::start().await;
    let answers = create_everything(&control).await;
    assert_eq!(
        answers.keys().collect::<Vec<_>>(),
        model.keys().collect::<Vec<_>>()
    );
    for (operation, fields) in &model {
        let answer = &answers[operation];
        let given: BTreeSet<_> = answer.iter().map(String::as_str).collect();
        let known: BTreeSet<_> = fields.iter().map(String::as_str).collect();
        let unknown: Vec<_> = given.difference(&known).collect();
        assert!(
            unknown.is_empty(),
            "{operation}: the model has no {unknown:?}"
        );
        let missing: Vec<_> = known
            .difference(&given)
            .filter(|one| !ABSENT.contains(one))
            .collect();
        assert!(missing.is_empty(), "{operation}: {missing:?} is missing");
    }
}

const OPERATIONS: [&str; 9] = [
    "GetApi",
    "GetAuthorizer",
    "GetDeployment",
    "GetIntegration",
    "GetIntegrationResponse",
    "GetModel",
    "GetRoute",
    "GetRouteResponse",
    "GetStage",
];

/// Reads the service model from the Python tools. Skips the test if they are missing.
fn service_model() -> Option<BTreeMap<String, Vec<String>>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = stackgen_test_tools::installed("venv/bin/python")?;
    let script = root.join("tests/control/fields.py");
    let output = Command::new(python)
        .arg(script)
        .args(OPERATIONS)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

/// Paths of created resources, by the operation that reads them.
#[derive(Default)]
struct CreatedResources(BTreeMap<&'static str, Vec<String>>);

/// Creates resources with all their fields, and returns the fields of each read operation's responses.
async fn create_everything(control: &Control) -> BTreeMap<String, BTreeSet<String>> {
    let mut created = CreatedResources::default();
    websocket(control, &mut created).await;
    http(control, &mut created).await;
    for api in control.apis.list_apis() {
        let endpoint = "ws://127.0.0.1:1".to_owned();
        control
            .apis
            .set_api_endpoint(&api.api_id, endpoint)
            .unwrap();
    }
    let mut answers = BTreeMap::new();
    for (operation, paths) in created.0 {
        let mut fields = BTreeSet::new();
        for path in paths {
            let answer = control.raw("GET", &path, "").await;
            let read: serde_json::Map<String, Value> =
                serde_json::from_slice(answer.body()).unwrap();
            fields.extend(read.keys().cloned());
        }
        answers.insert(operation.to_owned(), fields);
    }
    answers
}

async fn websocket(control: &Control, created: &mut CreatedResources) {
    let api = created
        .one(control, "GetApi", "/v2/apis", websocket_api())
        .await;
    created
        .one(control, "GetModel", &format!("{api}/models"), a_model())
        .await;
    let path = format!("{api}/integrations");
    let integration = created
        .one(control, "GetIntegration", &path, websocket_integration())
        .await;
    let path = format!("{integration}/integrationresponses");
    created
        .one(
            control,
            "GetIntegrationResponse",
            &path,
            integration_response(),
        )
        .await;
    let path = format!("{api}/routes");
    let route = created
        .one(
            control,
            "GetRoute",
            &path,
            connect_route(last(&integration)),
        )
        .await;
    let path = format!("{route}/routeresponses");
    created
        .one(control, "GetRouteResponse", &path, route_response())
        .await;
    let path = format!("{api}/deployments");
    let one = json!({ "description": "one" });
    let deployment = created.one(control, "GetDeployment", &path, one).await;
    let path = format!("{api}/stages");
    created
        .one(control, "GetStage", &path, a_stage(last(&deployment)))
        .await;
    let auto = json!({ "stageName": "auto", "autoDeploy": true });
    created.one(control, "GetStage", &path, auto).await;
}

async fn http(control: &Control, created: &mut CreatedResources) {
    let api = created.one(control, "GetApi", "/v2/apis", http_api()).await;
    let path = format!("{api}/authorizers");
    created
        .one(control, "GetAuthorizer", &path, request_authorizer())
        .await;
    let jwt = created
        .one(control, "GetAuthorizer", &path, jwt_authorizer())
        .await;
    let path = format!("{api}/integrations");
    created
        .one(control, "GetIntegration", &path, http_integration())
        .await;
    let path = format!("{api}/routes");
    created
        .one(control, "GetRoute", &path, guarded_route(last(&jwt)))
        .await;
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

impl CreatedResources {
    /// Creates a resource and checks that the response contains the input. Returns its path.
    async fn one(
        &mut self,
        control: &Control,
        read_by: &'static str,
        path: &str,
        body: Value,
    ) -> String {
        let answer = control.raw("POST", path, &body.to_string()).await;
        let created: Value = serde_json::from_slice(answer.body()).unwrap();
        assert_eq!(answer.status(), 201, "{path}: {created}");
        for (name, value) in body.as_object().unwrap() {
            assert_eq!(created.get(name), Some(value), "{path}: {name}");
        }
        let id = match read_by {
            "GetStage" => "stageName".to_owned(),
            // For example, `GetRouteResponse` has `routeResponseId`.
            _ => format!("{}{}Id", read_by[3..4].to_lowercase(), &read_by[4..]),
        };
        let path = format!("{path}/{}", created[&id].as_str().unwrap());
        self.0.entry(read_by).or_default().push(path.clone());
        path
    }
}

fn websocket_api() -> Value {
    json!({
        "name": "talk", "protocolType": "WEBSOCKET", "description": "a", "version": "1",
        "routeSelectionExpression": "$request.body.action", "disableSchemaValidation": true,
        "apiKeySelectionExpression": "$context.authorizer.usageIdentifierKey",
        "disableExecuteApiEndpoint": true, "ipAddressType": "dualstack", "tags": { "a": "b" },
    })
}

fn http_api() -> Value {
    json!({
        "name": "web", "protocolType": "HTTP",
        "corsConfiguration": {
            "allowCredentials": true, "allowHeaders": ["a"], "allowMethods": ["GET"],
            "allowOrigins": ["https://a.b"], "exposeHeaders": ["b"], "maxAge": 5,
        },
    })
}

fn a_model() -> Value {
    json!({ "name": "Said", "schema": "{}", "contentType": "application/json", "description": "a" })
}

fn request_authorizer() -> Value {
    json!({
        "name": "tokens", "authorizerType": "REQUEST", "authorizerUri": function_uri(),
        "identitySource": ["$request.header.Authorization"], "authorizerResultTtlInSeconds": 5,
        "authorizerPayloadFormatVersion": "2.0", "enableSimpleResponses": true,
        "authorizerCredentialsArn": "arn:aws:iam::1:role/a", "identityValidationExpression": "a",
    })
}

fn jwt_authorizer() -> Value {
    json!({
        "name": "jwt", "authorizerType": "JWT", "identitySource": ["$request.header.Authorization"],
        "jwtConfiguration": { "issuer": "https://a.b", "audience": ["c"] },
    })
}

fn websocket_integration() -> Value {
    json!({
        "integrationType": "AWS", "integrationUri": function_uri(), "integrationMethod": "POST",
        "credentialsArn": "arn:aws:iam::1:role/a", "timeoutInMillis": 1000, "description": "a",
        "payloadFormatVersion": "1.0", "connectionType": "VPC_LINK", "connectionId": "link",
        "contentHandlingStrategy": "CONVERT_TO_TEXT", "passthroughBehavior": "NEVER",
        "templateSelectionExpression": "a", "requestTemplates": { "a": "{}" },
        "requestParameters": { "integration.request.header.a": "'b'" },
    })
}

fn http_integration() -> Value {
    json!({
        "integrationType": "AWS_PROXY", "integrationSubtype": "SQS-SendMessage",
        "responseParameters": { "200": { "append:header.a": "b" } },
        "tlsConfig": { "serverNameToVerify": "a.b" },
    })
}

fn integration_response() -> Value {
    json!({
        "integrationResponseKey": "/200/", "responseTemplates": { "a": "{}" },
        "responseParameters": { "a": "b" }, "contentHandlingStrategy": "CONVERT_TO_BINARY",
        "templateSelectionExpression": "a",
    })
}

fn connect_route(integration: &str) -> Value {
    json!({
        "routeKey": "$connect", "target": format!("integrations/{integration}"),
        "authorizationType": "AWS_IAM", "apiKeyRequired": true, "operationName": "Connect",
        "routeResponseSelectionExpression": "$default", "modelSelectionExpression": "$default",
        "requestModels": { "$default": "Said" },
        "requestParameters": { "route.request.querystring.a": { "required": true } },
    })
}

fn guarded_route(authorizer: &str) -> Value {
    json!({
        "routeKey": "GET /", "authorizationType": "JWT", "authorizerId": authorizer,
        "authorizationScopes": ["read"],
    })
}

fn route_response() -> Value {
    json!({
        "routeResponseKey": "$default", "modelSelectionExpression": "a",
        "responseModels": { "a": "Said" }, "responseParameters": { "a": { "required": false } },
    })
}

fn a_stage(deployment: &str) -> Value {
    let settings = json!({
        "dataTraceEnabled": true, "detailedMetricsEnabled": true, "loggingLevel": "INFO",
        "throttlingBurstLimit": 5, "throttlingRateLimit": 1.5,
    });
    json!({
        "stageName": "dev", "deploymentId": deployment, "autoDeploy": false, "description": "a",
        "defaultRouteSettings": settings, "routeSettings": { "$connect": settings },
        "stageVariables": { "a": "b" }, "clientCertificateId": "c", "tags": { "a": "b" },
        "accessLogSettings": { "destinationArn": "arn:aws:logs:a", "format": "$context.requestId" },
    })
}
