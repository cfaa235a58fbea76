//! The fields of answers, held against the service model that AWS's clients are made from.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{Control, function_uri};

/// What no answer has here: of imported and managed apis, which there are none of.
const ABSENT: [&str; 3] = ["apiGatewayManaged", "importInfo", "warnings"];

#[tokio::test]
async fn answers_have_exactly_the_fields_of_the_service_model() {
    let Some(model) = service_model() else { return };
    let control = Control::start().await;
    let answers = everything(&control).await;
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

/// By the service model of the tools' Python; `None` when it is missing and may be.
fn service_model() -> Option<BTreeMap<String, Vec<String>>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = root.join("../../.tools/venv/bin/python");
    if !python.exists() {
        assert!(
            std::env::var_os("STACKGEN_SKIP_TOOLS").is_some_and(|value| value == "1"),
            "{} is missing: run `make tools`, or set STACKGEN_SKIP_TOOLS=1",
            python.display()
        );
        eprintln!("skipped: AWS's service models are not installed");
        return None;
    }
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

/// One of each, with all fields that its creation takes, and the fields of what is read of it.
async fn everything(control: &Control) -> BTreeMap<String, Vec<String>> {
    let mut answers = BTreeMap::new();
    let socket = create(control, "", websocket_api()).await;
    let web = create(control, "", http_api()).await;
    let (ws, http) = (format!("/{socket}"), format!("/{web}"));
    answers.insert("GetApi", union(control, &[&ws, &http]).await);

    let model = create(control, &format!("{ws}/models"), a_model()).await;
    answers.insert(
        "GetModel",
        union(control, &[&format!("{ws}/models/{model}")]).await,
    );
    let request = create(
        control,
        &format!("{http}/authorizers"),
        request_authorizer(),
    )
    .await;
    let jwt = create(control, &format!("{http}/authorizers"), jwt_authorizer()).await;
    let paths = [
        format!("{http}/authorizers/{request}"),
        format!("{http}/authorizers/{jwt}"),
    ];
    answers.insert(
        "GetAuthorizer",
        union(control, &[&paths[0], &paths[1]]).await,
    );

    let aws = create(
        control,
        &format!("{ws}/integrations"),
        websocket_integration(),
    )
    .await;
    let private = create(control, &format!("{http}/integrations"), http_integration()).await;
    let paths = [
        format!("{ws}/integrations/{aws}"),
        format!("{http}/integrations/{private}"),
    ];
    answers.insert(
        "GetIntegration",
        union(control, &[&paths[0], &paths[1]]).await,
    );
    let responses = format!("{}/integrationresponses", paths[0]);
    let response = create(control, &responses, integration_response()).await;
    let path = format!("{responses}/{response}");
    answers.insert("GetIntegrationResponse", union(control, &[&path]).await);

    let route = create(control, &format!("{ws}/routes"), connect_route(&aws)).await;
    let guarded = create(control, &format!("{http}/routes"), guarded_route(&jwt)).await;
    let paths = [
        format!("{ws}/routes/{route}"),
        format!("{http}/routes/{guarded}"),
    ];
    answers.insert("GetRoute", union(control, &[&paths[0], &paths[1]]).await);
    let responses = format!("{}/routeresponses", paths[0]);
    let response = create(control, &responses, route_response()).await;
    answers.insert(
        "GetRouteResponse",
        union(control, &[&format!("{responses}/{response}")]).await,
    );

    let deployment = create(
        control,
        &format!("{ws}/deployments"),
        json!({ "description": "one" }),
    )
    .await;
    let path = format!("{ws}/deployments/{deployment}");
    answers.insert("GetDeployment", union(control, &[&path]).await);
    create(control, &format!("{ws}/stages"), a_stage(&deployment)).await;
    let auto = json!({ "stageName": "auto", "autoDeploy": true });
    create(control, &format!("{ws}/stages"), auto).await;
    let paths = [format!("{ws}/stages/dev"), format!("{ws}/stages/auto")];
    answers.insert("GetStage", union(control, &[&paths[0], &paths[1]]).await);
    // No deployment fails here, so that none has a reason.
    let deployed = answers.entry("GetDeployment").or_default();
    deployed.push("deploymentStatusMessage".to_owned());
    answers
        .into_iter()
        .map(|(name, fields)| (name.to_owned(), fields))
        .collect()
}

/// Creates one; its id, or its name.
async fn create(control: &Control, path: &str, body: Value) -> String {
    let answer = control
        .raw("POST", &format!("/v2/apis{path}"), &body.to_string())
        .await;
    let made: Value = serde_json::from_slice(answer.body()).unwrap();
    assert_eq!(answer.status(), 201, "{path}: {made}");
    for (name, value) in body.as_object().unwrap() {
        // What was given comes back as it was.
        assert_eq!(made.get(name), Some(value), "{path}: {name}");
    }
    let id = match path.rsplit('/').next().unwrap() {
        "" => "apiId",
        "stages" => "stageName",
        "routes" => "routeId",
        "models" => "modelId",
        "authorizers" => "authorizerId",
        "deployments" => "deploymentId",
        "integrations" => "integrationId",
        "routeresponses" => "routeResponseId",
        "integrationresponses" => "integrationResponseId",
        other => panic!("{other}"),
    };
    made[id].as_str().unwrap().to_owned()
}

/// The fields that reading these gives, of all together.
async fn union(control: &Control, paths: &[&str]) -> Vec<String> {
    let mut fields = BTreeSet::new();
    for path in paths {
        let id = stackgen_gateway::ApiId::new(path[1..].split('/').next().unwrap());
        control
            .apis
            .set_api_endpoint(&id, "ws://127.0.0.1:1".to_owned())
            .unwrap();
        let answer = control.raw("GET", &format!("/v2/apis{path}"), "").await;
        let read: serde_json::Map<String, Value> = serde_json::from_slice(answer.body()).unwrap();
        fields.extend(read.keys().cloned());
    }
    fields.into_iter().collect()
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
