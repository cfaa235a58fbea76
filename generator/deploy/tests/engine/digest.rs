//! Digests of accounts and of the templates that they were created from.

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use stackgen_cfn::Sources;
use stackgen_deploy::account::{ApiDescription, ApiPart, ApiPartKind};
use stackgen_model::{Inputs, Model};

use crate::memory::{account_region, description, part, uri};

fn template(text: &str) -> String {
    let document =
        stackgen_cfn::parse(Sources::new().add("template.yaml", text.to_owned())).unwrap();
    let model = Model::from_template(&document, &Inputs::none());
    assert_eq!(model.problems, []);
    model.apis[0].snapshot(&model)
}

/// The API that CloudFormation creates from [`LIVE`], as API Gateway describes it: with its own IDs and all defaults.
fn live() -> ApiDescription {
    let api = json!({
        "Name": "chat", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action",
        "ApiKeySelectionExpression": "$request.header.x-api-key", "DisableExecuteApiEndpoint": false,
    });
    let integration = |function: &str| {
        json!({
            "IntegrationType": "AWS_PROXY", "IntegrationMethod": "POST", "IntegrationUri": uri(function),
            "ConnectionType": "INTERNET", "PassthroughBehavior": "WHEN_NO_MATCH", "PayloadFormatVersion": "1.0",
            "TimeoutInMillis": 29000,
        })
    };
    let mut response = part(
        ApiPartKind::RouteResponse,
        "rr1",
        json!({ "RouteResponseKey": "$default" }),
    );
    response.parent = Some("r2".to_owned());
    ApiDescription {
        api: api.as_object().unwrap().clone(),
        parts: vec![
            part(
                ApiPartKind::Route,
                "r1",
                json!({
                    "RouteKey": "$connect", "AuthorizationType": "CUSTOM", "AuthorizerId": "a1", "ApiKeyRequired": false,
                    "Target": "integrations/i1",
                    "RequestParameters": { "route.request.querystring.room": { "Required": true } },
                }),
            ),
            part(
                ApiPartKind::Route,
                "r2",
                json!({
                    "RouteKey": "send", "AuthorizationType": "NONE", "ApiKeyRequired": false, "Target": "integrations/i2",
                    "RouteResponseSelectionExpression": "$default", "ModelSelectionExpression": "$request.body.action",
                    "RequestModels": { "send": "Send" },
                }),
            ),
            response,
            part(ApiPartKind::Integration, "i1", integration("chat-dev")),
            part(ApiPartKind::Integration, "i2", integration("chat-dev:live")),
            part(
                ApiPartKind::Authorizer,
                "a1",
                json!({
                    "Name": "auth", "AuthorizerType": "REQUEST", "AuthorizerUri": uri("auth-dev"),
                    "IdentitySource": ["route.request.header.Authorization"],
                }),
            ),
            part(
                ApiPartKind::Model,
                "m1",
                json!({
                    "Name": "Send", "ContentType": "application/json", "Schema": "{\"required\":[\"text\"],\"type\":\"object\",\"maxProperties\":3}",
                }),
            ),
        ],
    }
}

const LIVE: &str = r#"
Resources:
  Socket:
    Type: AWS::ApiGatewayV2::Api
    Properties: { Name: chat, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.action, DisableExecuteApiEndpoint: false }
  Chat:
    Type: AWS::Lambda::Function
    Properties: { FunctionName: chat-dev, Role: r }
  Live:
    Type: AWS::Lambda::Alias
    Properties: { FunctionName: !Ref Chat, FunctionVersion: '1', Name: live }
  Auth:
    Type: AWS::Lambda::Function
    Properties: { FunctionName: auth-dev, Role: r }
  Authorizer:
    Type: AWS::ApiGatewayV2::Authorizer
    Properties:
      ApiId: !Ref Socket
      Name: auth
      AuthorizerType: REQUEST
      AuthorizerUri: !Sub 'arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Auth.Arn}/invocations'
      IdentitySource: [route.request.header.Authorization]
  Integration:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Socket
      IntegrationType: AWS_PROXY
      IntegrationUri: !Sub 'arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Chat.Arn}/invocations'
  AliasIntegration:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Socket
      IntegrationType: AWS_PROXY
      IntegrationUri: !Sub 'arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Live}/invocations'
  Connect:
    Type: AWS::ApiGatewayV2::Route
    Properties:
      ApiId: !Ref Socket
      RouteKey: $connect
      AuthorizationType: CUSTOM
      AuthorizerId: !Ref Authorizer
      Target: !Sub 'integrations/${Integration}'
      RequestParameters: { route.request.querystring.room: { Required: true } }
  Send:
    Type: AWS::ApiGatewayV2::Route
    Properties:
      ApiId: !Ref Socket
      RouteKey: send
      Target: !Sub 'integrations/${AliasIntegration}'
      RouteResponseSelectionExpression: $default
      ModelSelectionExpression: $request.body.action
      RequestModels: { send: Send }
  SendResponse:
    Type: AWS::ApiGatewayV2::RouteResponse
    Properties: { ApiId: !Ref Socket, RouteId: !Ref Send, RouteResponseKey: $default }
  SendModel:
    Type: AWS::ApiGatewayV2::Model
    Properties:
      ApiId: !Ref Socket
      Name: Send
      ContentType: application/json
      Schema: { type: object, required: [text], maxProperties: 3 }
"#;

#[test]
fn an_account_has_the_digest_of_the_template_that_it_was_created_from() {
    assert_eq!(live().wiring(&account_region()).snapshot, template(LIVE));
}

#[test]
fn versions_and_roles_differ_between_an_account_and_its_template() {
    let snapshot = description().wiring(&account_region()).snapshot;
    assert!(
        snapshot.contains("arn:${AWS::Partition}:iam::${AWS::AccountId}:role/invoke"),
        "{snapshot}"
    );
    let mut pinned = description();
    pinned.parts[0]
        .properties
        .insert("IntegrationUri".to_owned(), uri("hello:7").into());
    let snapshot = pinned.wiring(&account_region()).snapshot;
    assert!(
        snapshot.contains(r#"{"Function":"hello","Qualifier":"7"}"#),
        "{snapshot}"
    );
}

#[test]
fn a_function_of_another_account_is_another_function() {
    let mut elsewhere = live();
    let there = uri("chat-dev").replace(":123456789012:", ":210987654321:");
    elsewhere.parts[3]
        .properties
        .insert("IntegrationUri".to_owned(), there.into());
    assert_ne!(
        elsewhere.wiring(&account_region()).digest,
        live().wiring(&account_region()).digest
    );
}

#[test]
fn authorizers_that_share_a_name_are_distinguished() {
    let with = |authorizer: &str| {
        let mut api = live();
        let mut other = api.parts[5].clone();
        other.id = "a2".to_owned();
        other
            .properties
            .insert("AuthorizerUri".to_owned(), uri("other").into());
        api.parts.push(other);
        api.parts[0]
            .properties
            .insert("AuthorizerId".to_owned(), authorizer.into());
        api.wiring(&account_region()).digest
    };
    assert_ne!(with("a1"), with("a2"));
}

/// Replaces every ID everywhere.
fn renamed(mut api: ApiDescription, salt: &str) -> ApiDescription {
    let other = |id: &str| format!("{salt}{id}");
    for part in &mut api.parts {
        part.id = other(&part.id);
        part.parent = part.parent.as_deref().map(other);
        for key in ["AuthorizerId", "Target"] {
            let renamed = part
                .text(key)
                .map(|text| match text.strip_prefix("integrations/") {
                    Some(id) => format!("integrations/{}", other(id)),
                    None => other(text),
                });
            if let Some(renamed) = renamed {
                part.properties.insert(key.to_owned(), Json::from(renamed));
            }
        }
    }
    api
}

/// A change that needs a deployment.
fn changes() -> impl Strategy<Value = fn(&mut ApiDescription)> {
    fn set(part: &mut ApiPart, key: &str, value: impl Into<Json>) {
        part.properties.insert(key.to_owned(), value.into());
    }
    let changes: Vec<fn(&mut ApiDescription)> = vec![
        |api| set(&mut api.parts[0], "AuthorizationType", "NONE"),
        |api| set(&mut api.parts[1], "Target", "integrations/i1"),
        |api| set(&mut api.parts[3], "TimeoutInMillis", 1000),
        |api| set(&mut api.parts[3], "IntegrationUri", uri("other")),
        |api| set(&mut api.parts[4], "IntegrationUri", uri("chat-dev:blue")),
        |api| {
            set(
                &mut api.parts[5],
                "IdentitySource",
                json!(["route.request.querystring.token"]),
            )
        },
        |api| set(&mut api.parts[6], "Schema", "{}"),
        |api| drop(api.parts.remove(2)),
        |api| drop(api.parts.remove(1)),
        |api| {
            drop(api.api.insert(
                "RouteSelectionExpression".to_owned(),
                "$request.body.type".into(),
            ))
        },
        |api| {
            api.parts.push(part(
                ApiPartKind::Route,
                "r9",
                json!({ "RouteKey": "new", "Target": "integrations/i1" }),
            ))
        },
    ];
    prop::sample::select(changes)
}

proptest! {
    #[test]
    fn neither_ids_nor_order_change_a_digest(salt in "[a-z0-9]{1,8}", order in Just((0..7usize).collect::<Vec<_>>()).prop_shuffle()) {
        let plain = live();
        let mut other = renamed(plain.clone(), &salt);
        let parts = std::mem::take(&mut other.parts);
        other.parts = order.into_iter().map(|index| parts[index].clone()).collect();
        prop_assert_eq!(other.wiring(&account_region()), plain.wiring(&account_region()));
    }

    #[test]
    fn every_change_of_the_wiring_changes_the_digest(change in changes()) {
        let mut other = live();
        change(&mut other);
        prop_assert_ne!(other.wiring(&account_region()).digest, live().wiring(&account_region()).digest);
    }
}
