//! Everything of an API that a deployment snapshots.

use serde_json::{Value as Json, json};
use stackgen_deploy::account::ApiDescription;
use stackgen_deploy::{Account, ApiId, Interrupt, OffsetDateTime, OperationContext, RetryPolicy};

use crate::replay::{Exchange, Replay, get, identity};

fn route(id: &str, key: &str, more: Json) -> Json {
    let mut route = json!({
        "routeId": id, "routeKey": key, "apiKeyRequired": false, "authorizationType": "NONE",
        "target": "integrations/i1", "authorizationScopes": [], "requestModels": {},
    });
    route
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    route
}

fn websocket(pages: &[&[Json]]) -> Vec<Exchange> {
    let function = "arn:aws:lambda:us-east-1:123456789012:function:chat";
    let uri = format!(
        "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function}/invocations"
    );
    let mut exchanges = vec![
        identity(),
        get(
            "GET /v2/apis/a1",
            json!({
                "apiId": "a1", "name": "chat", "protocolType": "WEBSOCKET", "apiKeySelectionExpression": "$request.header.x-api-key",
                "routeSelectionExpression": "$request.body.action", "disableExecuteApiEndpoint": false, "tags": { "a": "b" },
                "createdDate": "2026-01-01T00:00:00Z",
            }),
        ),
    ];
    let tokens = [
        "GET /v2/apis/a1/routes",
        "GET /v2/apis/a1/routes?nextToken=1",
        "GET /v2/apis/a1/routes?nextToken=2",
    ];
    for (index, page) in pages.iter().enumerate() {
        let mut answer = json!({ "items": page });
        if index + 1 < pages.len() {
            answer["nextToken"] = json!((index + 1).to_string());
        }
        exchanges.push(get(tokens[index], answer));
    }
    exchanges.extend([
        get("GET /v2/apis/a1/routes/r2/routeresponses", json!({
            "items": [{ "routeResponseId": "rr1", "routeResponseKey": "$default" }],
        })),
        get("GET /v2/apis/a1/integrations", json!({ "items": [
            {
                "integrationId": "i1", "integrationType": "AWS_PROXY", "integrationMethod": "POST", "integrationUri": uri,
                "connectionType": "INTERNET", "passthroughBehavior": "WHEN_NO_MATCH", "payloadFormatVersion": "1.0",
                "integrationResponseSelectionExpression": "${integration.response.statuscode}", "timeoutInMillis": 29000,
            },
            {
                "integrationId": "i2", "integrationType": "MOCK", "requestTemplates": { "200": "{\"statusCode\":200}" },
                "templateSelectionExpression": "200", "timeoutInMillis": 29000,
            },
        ] })),
        get("GET /v2/apis/a1/integrations/i2/integrationresponses", json!({
            "items": [{ "integrationResponseId": "ir1", "integrationResponseKey": "$default" }],
        })),
        get("GET /v2/apis/a1/authorizers", json!({ "items": [{
            "authorizerId": "z1", "name": "auth", "authorizerType": "REQUEST", "authorizerUri": uri,
            "identitySource": ["route.request.header.Authorization"],
        }] })),
        get("GET /v2/apis/a1/models", json!({ "items": [{
            "modelId": "m1", "name": "Send", "contentType": "application/json", "schema": "{\"type\":\"object\"}",
        }] })),
    ]);
    exchanges
}

async fn read(replay: &Replay) -> ApiDescription {
    let (retry, interrupt) = (RetryPolicy::local(), Interrupt::never());
    let ctx = OperationContext {
        retry: &retry,
        steps: &|_| {},
        interrupt: &interrupt,
        now: || OffsetDateTime::UNIX_EPOCH,
    };
    let api = ApiId::new("a1");
    let read = ApiDescription::read(&replay.aws, &api, ctx);
    read.await.unwrap()
}

async fn snapshot(exchanges: Vec<Exchange>) -> String {
    let replay = Replay::of(exchanges).await;
    let region = replay.aws.account_region().await.unwrap();
    let description = read(&replay).await;
    replay.end();
    assert!(description.connect_is_guarded());
    description.wiring(&region).snapshot
}

fn routes() -> [Json; 3] {
    [
        route(
            "r1",
            "$connect",
            json!({
                "authorizationType": "CUSTOM", "authorizerId": "z1",
                "requestParameters": { "route.request.querystring.room": { "required": true } },
            }),
        ),
        route(
            "r2",
            "send",
            json!({ "routeResponseSelectionExpression": "$default", "requestModels": { "send": "Send" } }),
        ),
        route("r3", "ping", json!({ "target": "integrations/i2" })),
    ]
}

#[tokio::test]
async fn a_websocket_api_is_described_in_full() {
    let [connect, send, ping] = routes();
    let snapshot = snapshot(websocket(&[&[connect, send, ping]])).await;
    let snapshot: Json = serde_json::from_str(&snapshot).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&snapshot).unwrap());
}

#[tokio::test]
async fn neither_pages_nor_their_order_change_the_snapshot() {
    let [connect, send, ping] = routes();
    let one = snapshot(websocket(&[&[connect.clone(), send.clone(), ping.clone()]])).await;
    // The page with the route that has a response comes last, because the replay expects that response after all pages.
    let three = snapshot(websocket(&[&[ping], &[connect], &[send]])).await;
    assert_eq!(one, three);
}

#[tokio::test]
async fn an_http_api_is_described_in_cloudformations_shape() {
    let exchanges = [
        identity(),
        get(
            "GET /v2/apis/a1",
            json!({
                "apiId": "a1", "name": "http", "protocolType": "HTTP", "routeSelectionExpression": "$request.method $request.path",
                "corsConfiguration": { "allowOrigins": ["*"], "allowHeaders": ["Authorization"], "maxAge": 0, "allowCredentials": false },
            }),
        ),
        get(
            "GET /v2/apis/a1/routes",
            json!({ "items": [{
            "routeId": "r1", "routeKey": "GET /x", "authorizationType": "JWT", "authorizerId": "z1", "target": "integrations/i1",
            "authorizationScopes": ["b", "a"],
        }] }),
        ),
        get(
            "GET /v2/apis/a1/integrations",
            json!({ "items": [{
            "integrationId": "i1", "integrationType": "HTTP_PROXY", "integrationMethod": "GET", "integrationUri": "https://example.com",
            "payloadFormatVersion": "1.0", "timeoutInMillis": 30000, "tlsConfig": { "serverNameToVerify": "example.com" },
            "responseParameters": { "200": { "overwrite:statuscode": "204", "append:header.x": "y" } },
        }] }),
        ),
        get(
            "GET /v2/apis/a1/authorizers",
            json!({ "items": [{
            "authorizerId": "z1", "name": "jwt", "authorizerType": "JWT", "identitySource": ["$request.header.Authorization"],
            "jwtConfiguration": { "issuer": "https://issuer.example", "audience": ["me"] },
        }] }),
        ),
    ];
    let replay = Replay::of(exchanges).await;
    let region = replay.aws.account_region().await.unwrap();
    let description = read(&replay).await;
    replay.end();
    let snapshot: Json = serde_json::from_str(&description.wiring(&region).snapshot).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&snapshot).unwrap());
}
