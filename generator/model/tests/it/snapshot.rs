//! Snapshots of deployments (row D1).

use proptest::prelude::*;
use stackgen_cfn::{Node, Sources, r#ref};
use stackgen_model::diff::diff;
use stackgen_model::{ChangeEffect, Inputs, Model};

use crate::support::{Stack, stacks};

fn snapshot(model: &Model) -> String {
    assert_eq!(model.problems, []);
    model.apis[0].snapshot(model)
}

#[test]
fn a_snapshot_names_functions_and_no_logical_ids() {
    let json: serde_json::Value =
        serde_json::from_str(&snapshot(&Stack::small().model())).expect("it is JSON");
    insta::assert_snapshot!(serde_json::to_string_pretty(&json).expect("it can be written"), @r#"
    {
      "ApiKeySelectionExpression": "$request.header.x-api-key",
      "Authorizers": {
        "auth": {
          "AuthorizerType": "REQUEST",
          "AuthorizerUri": {
            "Function": "f0"
          },
          "IdentitySource": [],
          "Name": "auth"
        }
      },
      "DisableExecuteApiEndpoint": "false",
      "DisableSchemaValidation": "false",
      "Integrations": {},
      "Models": {},
      "RouteSelectionExpression": "$request.body.action",
      "Routes": {
        "$connect": {
          "ApiKeyRequired": "false",
          "AuthorizationScopes": [],
          "AuthorizationType": "CUSTOM",
          "AuthorizerId": "authorizer auth",
          "Target": {
            "ConnectionType": "INTERNET",
            "IntegrationMethod": "POST",
            "IntegrationType": "AWS_PROXY",
            "IntegrationUri": {
              "Function": "f0"
            },
            "PassthroughBehavior": "WHEN_NO_MATCH",
            "PayloadFormatVersion": "1.0",
            "TimeoutInMillis": "10000"
          }
        },
        "send": {
          "ApiKeyRequired": "false",
          "AuthorizationScopes": [],
          "AuthorizationType": "NONE",
          "Target": {
            "ConnectionType": "INTERNET",
            "IntegrationMethod": "POST",
            "IntegrationType": "AWS_PROXY",
            "IntegrationUri": {
              "Function": "f1"
            },
            "PassthroughBehavior": "WHEN_NO_MATCH",
            "PayloadFormatVersion": "1.0",
            "TimeoutInMillis": "10000"
          }
        }
      }
    }
    "#);
}

#[test]
fn a_digest_is_sixty_four_digits_and_ten_in_short() {
    let model = Stack::small().model();
    let digest = model.apis[0].snapshot_digest(&model);
    assert_eq!(digest.to_string().len(), 64);
    assert_eq!(digest.short().to_lowercase(), digest.to_string()[..10]);
}

/// Returns the snapshot of the small stack with one more property of a resource.
fn saying(resource: &str, property: &str, value: impl Into<Node>) -> String {
    let mut template = Stack::small().template("", false);
    let path = ["Resources", resource, "Properties"];
    let properties = path.iter().try_fold(&mut template, |node, key| {
        node.as_map_mut().and_then(|map| map.get_mut(key))
    });
    let properties = properties.and_then(Node::as_map_mut);
    properties
        .expect("the path is there")
        .insert(property, value);
    snapshot(&Model::from_template(&template, &Inputs::none()))
}

#[test]
fn a_written_default_of_the_service_changes_no_snapshot() {
    let plain = snapshot(&Stack::small().model());
    let empty = || stackgen_cfn::map::<&str>([]);
    let said = [
        saying("Api", "DisableExecuteApiEndpoint", false),
        saying("R1", "AuthorizationType", "NONE"),
        saying("R1", "ApiKeyRequired", false),
        saying("R1", "RequestModels", empty()),
        saying("R1", "AuthorizationScopes", stackgen_cfn::list::<Node>([])),
        saying("R1Integration", "ConnectionType", "INTERNET"),
        saying("R1Integration", "IntegrationMethod", "POST"),
        saying("R1Integration", "PassthroughBehavior", "WHEN_NO_MATCH"),
        saying("R1Integration", "PayloadFormatVersion", "1.0"),
        saying("R1Integration", "Description", ""),
        saying("Auth", "IdentitySource", stackgen_cfn::list::<Node>([])),
    ];
    for said in said {
        assert_eq!(said, plain);
    }
    assert_ne!(saying("R1", "ApiKeyRequired", true), plain);
    assert_ne!(saying("R1Integration", "Description", "x"), plain);
}

#[test]
fn a_route_response_alone_changes_a_snapshot() {
    let mut stack = Stack::small();
    stack.routes[1].two_way = true;
    let mut template = stack.template("", false);
    let with = snapshot(&Model::from_template(&template, &Inputs::none()));
    let resources = template
        .as_map_mut()
        .and_then(|map| map.get_mut("Resources"));
    let resources = resources
        .and_then(Node::as_map_mut)
        .expect("there are resources");
    resources.remove("R1Response").expect("there is a response");
    let without = snapshot(&Model::from_template(&template, &Inputs::none()));
    assert_ne!(with, without);
}

#[test]
fn an_unknown_expression_is_part_of_the_snapshot() {
    let with = |parameter: &str| {
        let mut template = Stack::small().template("", false);
        let path = ["Resources", "R1Integration", "Properties"];
        let mut node = &mut template;
        for key in path {
            node = node
                .as_map_mut()
                .and_then(|map| map.get_mut(key))
                .expect("the path is there");
        }
        node.as_map_mut()
            .expect("a map")
            .insert("Description", r#ref(parameter));
        let parameters = stackgen_cfn::map(
            ["One", "Two"].map(|name| (name, stackgen_cfn::map([("Type", Node::from("String"))]))),
        );
        template
            .as_map_mut()
            .expect("a map")
            .insert("Parameters", parameters);
        snapshot(&Model::from_template(&template, &Inputs::none()))
    };
    assert_eq!(with("One"), with("One"));
    assert_ne!(with("One"), with("Two"));
}

/// Returns the snapshot of the small stack whose second route invokes with this description.
fn described(description: &str, sections: &str) -> String {
    let text = format!("{sections}\nDescription: {description}\n");
    let document = stackgen_cfn::parse(Sources::new().add("extra.yaml", text)).expect("it parses");
    let mut template = Stack::small().template("", false);
    let mut properties = &mut template;
    for key in ["Resources", "R1Integration", "Properties"] {
        let inner = properties.as_map_mut().and_then(|map| map.get_mut(key));
        properties = inner.expect("the path is there");
    }
    let description = document.get("Description").expect("it is there").clone();
    let properties = properties.as_map_mut().expect("a map");
    properties.insert("Description", description);
    for section in ["Conditions", "Mappings", "Parameters"] {
        if let Some(node) = document.get(section) {
            let root = template.as_map_mut().expect("a map");
            root.insert(section, node.clone());
        }
    }
    snapshot(&Model::from_template(&template, &Inputs::none()))
}

#[test]
fn a_changed_definition_of_a_condition_changes_a_snapshot_and_its_name_does_not() {
    const SECTIONS: &str = "
Parameters: {Suffix: {Type: String, Default: one}, Stage: {Type: String}}
Mappings: {Names: {here: {prod: p}}}
Conditions: {Outer: !Not [!Condition Inner], Inner: !Equals [!Ref Stage, !Sub '${Suffix}']}
";
    let expressions = [
        "!If [Outer, yes, no]",
        "!Select [0, !If [Outer, [yes], [no]]]",
        "!Join ['', !If [Outer, [yes], [no]]]",
        "!Base64 {'Fn::If': [Outer, yes, no]}",
        "!ImportValue {'Fn::Sub': ['${A}', {A: !If [Outer, yes, no]}]}",
    ];
    for expression in expressions {
        let before = described(expression, SECTIONS);
        for (from, to) in [
            ("Default: one", "Default: two"),
            ("!Ref Stage", "'${Stage}-x'"),
        ] {
            let after = described(expression, &SECTIONS.replace(from, to));
            assert_ne!(before, after, "{expression} with {to}");
        }
        let [renamed, sections] = [expression, SECTIONS]
            .map(|text| text.replace("Outer", "Other").replace("Inner", "In"));
        assert_eq!(before, described(&renamed, &sections), "{expression}");
    }
}

#[test]
fn values_named_in_an_expression_are_part_of_the_snapshot() {
    const SECTIONS: &str = "
Parameters: {Suffix: {Type: String, Default: one}, Stage: {Type: String}}
Mappings: {Names: {here: {prod: p}}}
";
    let changes = [
        (
            "!ImportValue {'Fn::Sub': '${Suffix}-x'}",
            "Default: one",
            "Default: two",
        ),
        ("!Base64 {Ref: Suffix}", "Default: one", "Default: two"),
        ("!FindInMap [Names, here, !Ref Stage]", "prod: p", "prod: q"),
        (
            "!Base64 {'Fn::FindInMap': [Names, here, prod]}",
            "prod: p",
            "prod: q",
        ),
    ];
    for (expression, from, to) in changes {
        let before = described(expression, SECTIONS);
        let after = described(expression, &SECTIONS.replace(from, to));
        assert_ne!(before, after, "{expression}");
    }
}

proptest! {
    #[test]
    fn neither_order_nor_logical_ids_change_a_snapshot(stack in stacks()) {
        let one = Model::from_template(&stack.template("", false), &Inputs::none());
        let other = Model::from_template(&stack.template("Other", true), &Inputs::none());
        prop_assert_eq!(snapshot(&one), snapshot(&other));
        prop_assert_eq!(one.content(), other.content());
    }

    #[test]
    fn a_digest_differs_exactly_when_wiring_changes(old in stacks(), new in stacks()) {
        let (old, new) = (old.model(), new.model());
        let same = old.apis[0].snapshot_digest(&old) == new.apis[0].snapshot_digest(&new);
        let wiring = diff(&old, &new).changes.iter().any(|change| change.effect == ChangeEffect::Wiring);
        prop_assert_eq!(same, !wiring);
    }

    #[test]
    fn only_what_a_deployment_snapshots_changes_it(stack in stacks(), memory in 128..9_000_i64, throttle in 3..99_i64) {
        let other = Stack { memory, throttle, api_name: "other".to_owned(), ..stack.clone() };
        prop_assert_eq!(snapshot(&stack.model()), snapshot(&other.model()));
        let other = Stack { timeout: stack.timeout + 1, ..stack.clone() };
        prop_assert_ne!(snapshot(&stack.model()), snapshot(&other.model()));
    }
}

#[test]
fn the_wiring_alone_has_the_digest_of_the_whole_model() {
    let fixtures = [
        include_str!("../fixtures/cdk/dev.template.json"),
        include_str!("../fixtures/cdk/prod.template.json"),
    ];
    for text in fixtures {
        let mut sources = stackgen_cfn::Sources::new();
        let template = stackgen_cfn::parse(sources.add("template.json", text)).unwrap();
        let digests = |model: &Model| {
            let apis = model.apis.iter();
            apis.map(|api| api.snapshot_digest(model))
                .collect::<Vec<_>>()
        };
        let whole = Model::from_template(&template, &Inputs::none());
        let wiring = Model::of_wiring(&template, &Inputs::none());
        assert_eq!(digests(&whole).len(), 2);
        assert_eq!(digests(&whole), digests(&wiring));
    }
}

#[test]
fn two_snapshots_are_compared_as_text() {
    let small = Stack::small();
    let mut other = small.clone();
    other.selection = "$request.body.type".to_owned();
    other.routes[1].key = "leave".to_owned();
    other.timeout = 20_000;
    let (before, after) = (snapshot(&small.model()), snapshot(&other.model()));
    let diff = stackgen_model::diff::snapshots("chat", &before, &after);
    insta::assert_snapshot!(diff.human(), @"
    - route send                                                                                needs a deployment
    ~ route $connect: Target.TimeoutInMillis is now 20000 (was 10000)                           needs a deployment
    + route leave                                                                               needs a deployment
    ~ api chat: RouteSelectionExpression is now $request.body.type (was $request.body.action)   needs a deployment
    ");
}

#[test]
fn models_count_only_if_a_route_or_a_response_names_one() {
    const API: &str = "
Parameters: { Models: { Type: String } }
Resources:
  Socket:
    Type: AWS::ApiGatewayV2::Api
    Properties: { Name: chat, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.action }
  Send:
    Type: AWS::ApiGatewayV2::Route
    Properties: { ApiId: !Ref Socket, RouteKey: send, MODELS }
  SendResponse:
    Type: AWS::ApiGatewayV2::RouteResponse
    Properties: { ApiId: !Ref Socket, RouteId: !Ref Send, RouteResponseKey: $default }
  Message:
    Type: AWS::ApiGatewayV2::Model
    Properties: { ApiId: !Ref Socket, Name: Message, Schema: { type: SCHEMA } }
";
    let with = |models: &str, schema: &str| {
        let text = API.replace("MODELS", models).replace("SCHEMA", schema);
        let document = stackgen_cfn::parse(Sources::new().add("api.yaml", text)).unwrap();
        snapshot(&Model::from_template(&document, &Inputs::none()))
    };
    let unnamed = "RequestModels: {}";
    assert_eq!(with(unnamed, "object"), with(unnamed, "string"));
    for named in [
        "RequestModels: { send: Message }",
        "RequestModels: !Ref AWS::NoValue, ResponseModels: { $default: Message }",
        "RequestModels: !Ref Models",
    ] {
        assert_ne!(with(named, "object"), with(named, "string"), "{named}");
    }
}
