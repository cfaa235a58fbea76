//! Mistakes in the wiring that rendered templates must not have.

use stackgen_cfn::{Node, Value, emit};

use super::{STARTERS, load, render, resource, resources_of_type};

fn each_template(look: impl Fn(&str, &str, &Node)) {
    for (name, text) in STARTERS {
        for environment in load(text).environments() {
            look(name, environment, &render(text, environment));
        }
    }
}

#[test]
fn every_route_has_an_authorization_type_and_only_connect_has_the_authorizer() {
    each_template(|name, environment, template| {
        for (id, route) in resources_of_type(template, "AWS::ApiGatewayV2::Route") {
            let property = |key| route.at_path(&["Properties", key]);
            let kind = property("AuthorizationType")
                .and_then(Node::as_str)
                .unwrap_or_else(|| panic!("{name} {environment} {id}"));
            let websocket = property("ApiId") == Some(&stackgen_cfn::r#ref("WebSocketApi"));
            let connect = property("RouteKey").and_then(Node::as_str) == Some("$connect");
            if websocket {
                assert_eq!(
                    kind == "CUSTOM",
                    connect && name != "echo",
                    "{name} {environment} {id}"
                );
            }
            assert_eq!(property("AuthorizerId").is_some(), kind != "NONE");
        }
    });
}

#[test]
fn f6_a_websocket_authorizer_has_no_properties_of_http_apis() {
    each_template(|_, _, template| {
        for (_, authorizer) in resources_of_type(template, "AWS::ApiGatewayV2::Authorizer") {
            let property = |key| authorizer.at_path(&["Properties", key]);
            if property("AuthorizerType").and_then(Node::as_str) == Some("REQUEST") {
                for key in [
                    "AuthorizerResultTtlInSeconds",
                    "AuthorizerPayloadFormatVersion",
                    "EnableSimpleResponses",
                    "JwtConfiguration",
                ] {
                    assert_eq!(property(key), None);
                }
            }
        }
    });
}

#[test]
fn a2_only_authenticated_callers_have_an_identity_source() {
    let live = render(STARTERS[0].1, "prod");
    assert_eq!(
        resource(&live, "WebSocketAuthorizer").at_path(&["Properties", "IdentitySource"]),
        Some(&stackgen_cfn::list::<Node>([]))
    );
    assert_eq!(
        resource(&live, "WebSocketAuthorizer").at_path(&["Metadata", "Stackgen", "Callers"]),
        Some(&"mixed".into())
    );
    let chat = render(STARTERS[1].1, "prod");
    let source = stackgen_cfn::list(["route.request.querystring.token"]);
    assert_eq!(
        resource(&chat, "WebSocketAuthorizer").at_path(&["Properties", "IdentitySource"]),
        Some(&source)
    );
}

#[test]
fn a16_a_live_permission_names_exactly_its_authorizer_or_its_stage_and_route() {
    let template = render(STARTERS[0].1, "dev");
    let source = |id: &str| {
        let arn = resource(&template, id)
            .at_path(&["Properties", "SourceArn"])
            .cloned()
            .unwrap();
        emit::json(&arn)
            .rsplit_once("${WebSocketApi}")
            .map(|(_, rest)| rest.trim_end_matches("\"\n}\n").to_owned())
            .unwrap()
    };
    assert_eq!(
        source("WebSocketAuthorizerPermission"),
        "/authorizers/${WebSocketAuthorizer}"
    );
    assert_eq!(source("ConnectRoutePermission"), "/prod/$connect");
    assert_eq!(source("SendAudioRoutePermission"), "/prod/sendAudio");
}

#[test]
fn d19_a_pinned_api_invokes_versions_with_a_role() {
    let template = render(STARTERS[0].1, "prod");
    assert!(resources_of_type(&template, "AWS::Lambda::Permission").is_empty());
    let versions = resources_of_type(&template, "AWS::Lambda::Version");
    assert_eq!(versions.len(), 6);
    for (id, version) in &versions {
        let policy = |key| version.get(key).and_then(Node::as_str);
        assert_eq!(
            policy("DeletionPolicy"),
            Some("RetainExceptOnCreate"),
            "{id}"
        );
        assert_eq!(policy("UpdateReplacePolicy"), Some("Retain"), "{id}");
    }
    for (id, integration) in resources_of_type(&template, "AWS::ApiGatewayV2::Integration") {
        let uri = emit::json(
            integration
                .at_path(&["Properties", "IntegrationUri"])
                .unwrap(),
        );
        assert!(
            versions
                .iter()
                .any(|(version, _)| uri.contains(&format!("${{{version}}}"))),
            "{id}: {uri}"
        );
        assert!(
            integration
                .at_path(&["Properties", "CredentialsArn"])
                .is_some(),
            "{id}"
        );
    }
}

/// Returns the statements of a role's own policies.
fn statements_of(role: &Node) -> impl Iterator<Item = &Node> {
    let policies = role.at_path(&["Properties", "Policies"]);
    let policies = policies.and_then(Node::as_list).unwrap_or_default();
    policies.iter().flat_map(|policy| {
        let statements = policy.at_path(&["PolicyDocument", "Statement"]);
        statements.and_then(Node::as_list).unwrap_or_default()
    })
}

#[test]
fn a_functions_role_allows_only_what_the_file_lists() {
    let template = render(STARTERS[0].1, "dev");
    let statements = |id: &str| {
        let policies = resource(&template, id)
            .at_path(&["Properties", "Policies"])
            .and_then(Node::as_list)
            .unwrap();
        emit::json(&policies[0])
    };
    let authorizer = statements("SessionAuthorizerRole");
    for other in ["SessionsTable", "ConnectionsTable", "execute-api"] {
        assert!(!authorizer.contains(other), "{other}: {authorizer}");
    }
    assert!(authorizer.contains("TicketsTable") && !authorizer.contains("dynamodb:PutItem"));
    let posts_only = statements("SessionDisconnectHandlerRole");
    assert!(
        posts_only.contains("${WebSocketApi}/prod/POST/@connections/*")
            && !posts_only.contains("/DELETE/")
    );
    let closes_too = statements("SessionAudioHandlerRole");
    assert!(closes_too.contains("${WebSocketApi}/prod/DELETE/@connections/*"));
    each_template(|name, environment, template| {
        for (id, role) in resources_of_type(template, "AWS::IAM::Role") {
            for statement in statements_of(role) {
                let text = emit::json(statement);
                let wide = text.contains("\"*\"") || text.contains(":*\",");
                // EC2 describes interfaces and subnets of the whole account only, and a denial may be wide.
                let may_be_wide = text.contains("ec2:Describe");
                assert!(!wide || may_be_wide, "{name} {environment} {id}: {text}");
            }
        }
    });
}

#[test]
fn no_partition_region_or_account_is_hard_coded() {
    each_template(|name, environment, template| {
        let resources = template.get("Resources").unwrap();
        let mut texts = Vec::new();
        strings(resources, &mut texts);
        for text in texts {
            assert!(!text.contains("arn:aws"), "{name} {environment}: {text}");
            let ours = text.contains("execute-api.") || text.contains("lambda.");
            assert!(
                !(ours && text.contains("amazonaws.com/")),
                "{name} {environment}: {text}"
            );
        }
    });
}

fn strings<'a>(node: &'a Node, found: &mut Vec<&'a str>) {
    match &node.value {
        Value::String(text) => found.push(text),
        Value::List(items) => items.iter().for_each(|item| strings(item, found)),
        Value::Map(map) => map.iter().for_each(|(_, node)| strings(node, found)),
        Value::Call(call) => strings(&call.argument, found),
        _ => {}
    }
}

#[test]
fn outputs_have_urls_with_scheme_and_stage() {
    let template = render(STARTERS[0].1, "dev");
    let value = |id: &str| emit::json(template.at_path(&["Outputs", id, "Value"]).unwrap());
    assert!(
        value("WebSocketUrl")
            .contains("wss://${WebSocketApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}/prod")
    );
    assert!(value("WebSocketManagementUrl").contains("https://${WebSocketApi}"));
    let endpoint = resource(&template, "SessionAudioHandlerFunction").at_path(&[
        "Properties",
        "Environment",
        "Variables",
        "MANAGEMENT_ENDPOINT",
    ]);
    assert_eq!(
        endpoint,
        template.at_path(&["Outputs", "WebSocketManagementUrl", "Value"])
    );
}

#[test]
fn only_the_authorizer_gets_authorizer_callers() {
    each_template(|name, environment, template| {
        for (id, function) in resources_of_type(template, "AWS::Lambda::Function") {
            let path = [
                "Properties",
                "Environment",
                "Variables",
                "AUTHORIZER_CALLERS",
            ];
            let told = match id {
                "SessionAuthorizerFunction" => Some("mixed"),
                "ChatAuthorizerFunction" => Some("authenticated"),
                _ => None,
            };
            let callers = function.at_path(&path).and_then(Node::as_str);
            assert_eq!(callers, told, "{name} {environment} {id}");
        }
    });
}

const WATCHED: &str = "name: s
alarms: { functionErrors: { threshold: 1 }, functionThrottles: { threshold: 1 } }
functions:
  auth: { binary: auth }
  chat: { binary: chat }
websocket:
  name: w
  authorizer: { function: auth, callers: mixed }
  routes: { $connect: chat, send: chat }
environments: { dev: {} }
";

#[test]
fn a6_refused_tokens_trigger_no_alarm() {
    let watched = |text: &str| {
        let template = render(text, "dev");
        let alarms = resources_of_type(&template, "AWS::CloudWatch::Alarm").into_iter();
        let ids: Vec<_> = alarms.map(|(id, _)| id.to_owned()).collect();
        ids
    };
    let of_chat = ["ChatFunctionErrorsAlarm", "ChatFunctionThrottlesAlarm"];
    let (errors, throttles) = ("AuthFunctionErrorsAlarm", "AuthFunctionThrottlesAlarm");
    assert_eq!(watched(WATCHED), [&[throttles][..], &of_chat].concat());
    // If the function also does something else, an error may be a failure.
    let http = "http: { name: h, routes: { GET /: { function: auth, auth: none } } }\nenvironments";
    for (from, to) in [
        ("send: chat", "send: auth"),
        ("environments", http),
        ("binary: chat", "binary: chat, invoke: [auth]"),
        (
            "binary: chat",
            "binary: chat, asyncInvoke: { onFailure: { function: auth } }",
        ),
        ("binary: auth", "binary: auth, schedule: rate(5 minutes)"),
        ("  authorizer: { function: auth, callers: mixed }\n", ""),
    ] {
        assert!(WATCHED.contains(from), "{from}");
        let watched = watched(&WATCHED.replacen(from, to, 1));
        let both = [&[errors, throttles][..], &of_chat].concat();
        assert!(
            both.iter().all(|id| watched.contains(&(*id).to_owned())),
            "{to}: {watched:?}"
        );
    }
}

#[test]
fn a_live_stage_depends_on_its_permissions() {
    let template = render(STARTERS[0].1, "dev");
    let waits = |id: &str| {
        let ids = resource(&template, id)
            .get("DependsOn")
            .and_then(Node::as_list);
        ids.unwrap().iter().filter_map(Node::as_str).count()
    };
    assert_eq!(waits("WebSocketStage"), 17 + 1);
    assert_eq!(waits("HttpStage"), 6);
}

#[test]
fn d12_settings_that_update_stage_would_keep_are_explicitly_off() {
    let template = render(STARTERS[2].1, "dev");
    let setting = |key: &str| {
        let stage = resource(&template, "WebSocketStage");
        stage
            .at_path(&["Properties", "DefaultRouteSettings", key])
            .cloned()
    };
    assert_eq!(setting("LoggingLevel"), Some("OFF".into()));
    assert_eq!(setting("DataTraceEnabled"), Some(false.into()));
    assert_eq!(setting("DetailedMetricsEnabled"), Some(false.into()));
}
