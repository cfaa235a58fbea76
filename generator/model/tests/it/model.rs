//! Models of templates that CDK and people write.

use std::fs;
use std::path::Path;

use stackgen_cfn::{Sources, parse};
use stackgen_model::{FunctionLink, Inputs, Link, LogicalId, Model, Protocol, Qualifier, Setting};

fn fixture(path: &str) -> Model {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(path);
    model(&fs::read_to_string(file).expect("the fixture is there"))
}

fn model(text: &str) -> Model {
    let node = parse(Sources::new().add("template.yaml", text)).expect("it parses");
    Model::from_template(&node, &Inputs::none())
}

#[test]
fn every_link_of_a_synthesized_cdk_template_is_resolved() {
    for name in ["cdk/dev.template.json", "cdk/prod.template.json"] {
        let model = fixture(name);
        assert_eq!((&model.problems, &model.gaps), (&vec![], &vec![]), "{name}");
        let socket = model
            .apis
            .iter()
            .find(|api| api.protocol == Protocol::WebSocket)
            .expect("there is one");
        assert!(socket.routes.len() > 3, "{name}");
        for route in &socket.routes {
            assert!(route.target.to().is_some(), "{name}: {}", route.key);
            assert_eq!(
                route.authorizer.to().is_some(),
                route.key.is_connect(),
                "{name}: {}",
                route.key
            );
        }
        for integration in model.apis.iter().flat_map(|api| &api.integrations) {
            assert!(integration.function.function.to().is_some(), "{name}");
        }
        for function in &model.functions {
            assert!(function.role.to().is_some(), "{name}");
        }
        assert!(
            socket
                .stages
                .iter()
                .all(|stage| stage.deployment.to().is_some()),
            "{name}"
        );
        assert!(
            model
                .roles
                .iter()
                .any(|role| role.grants.iter().any(|grant| grant.touches("execute-api"))),
            "{name}"
        );
    }
}

#[test]
fn a_pinned_release_invokes_versions_and_a_live_one_does_not() {
    let qualifiers = |name| {
        let model = fixture(name);
        let integrations = model.apis.iter().flat_map(|api| &api.integrations);
        integrations
            .map(|one| matches!(one.function.qualifier, Some(Qualifier::Version(_))))
            .collect::<Vec<_>>()
    };
    assert!(
        qualifiers("cdk/dev.template.json")
            .iter()
            .all(|pinned| !pinned)
    );
    assert!(
        qualifiers("cdk/prod.template.json")
            .iter()
            .all(|pinned| *pinned)
    );
}

/// Returns the function that an integration with this URI invokes.
fn called(uri: &str) -> FunctionLink {
    let template = format!(
        "
Parameters: {{Other: {{Type: String}}}}
Resources:
  Fn: {{Type: 'AWS::Lambda::Function', Properties: {{FunctionName: audio}}}}
  V1: {{Type: 'AWS::Lambda::Version', Properties: {{FunctionName: !Ref Fn}}}}
  Live: {{Type: 'AWS::Lambda::Alias', Properties: {{FunctionName: !Ref Fn, FunctionVersion: !GetAtt V1.Version, Name: live}}}}
  I: {{Type: 'AWS::ApiGatewayV2::Integration', Properties: {{ApiId: abc, IntegrationUri: {uri}}}}}
"
    );
    model(&template).apis[0].integrations[0].function.clone()
}

#[test]
fn an_invocation_uri_links_to_its_function_and_qualifier() {
    let wrap = |function: &str| {
        format!(
            "!Sub 'arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}:lambda:path/2015-03-31/functions/{function}/invocations'"
        )
    };
    let to = |qualifier| FunctionLink {
        function: Link::To(LogicalId::new("Fn")),
        qualifier,
    };
    let version = || Some(Qualifier::Version(LogicalId::new("V1")));
    let alias = || Some(Qualifier::Alias(LogicalId::new("Live")));
    let here = "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function";
    let cases = [
        ("${Fn.Arn}".to_owned(), to(None)),
        ("${V1}".to_owned(), to(version())),
        ("${V1.FunctionArn}".to_owned(), to(version())),
        ("${Fn.Arn}:${V1.Version}".to_owned(), to(version())),
        ("${Live}".to_owned(), to(alias())),
        ("${Fn.Arn}:live".to_owned(), to(alias())),
        (format!("{here}:${{Fn}}"), to(None)),
        (
            format!("{here}:audio:live"),
            to(Some(Qualifier::Named(stackgen_model::Text::literal(
                "live",
            )))),
        ),
    ];
    for (function, expected) in cases {
        assert_eq!(called(&wrap(&function)), expected, "{function}");
    }
    let joined = "!Join ['', ['arn:', !Ref AWS::Partition, ':apigateway:', !Ref AWS::Region, \
                  ':lambda:path/2015-03-31/functions/', !GetAtt Fn.Arn, /invocations]]";
    assert_eq!(called(joined), to(None));
}

#[test]
fn a_function_outside_of_the_template_is_external_or_unknown() {
    let of = |function: &str| {
        let uri = format!(
            "!Sub 'arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/{function}/invocations'"
        );
        called(&uri).function
    };
    let elsewhere = "arn:aws:lambda:eu-west-1:123456789012:function:audio";
    assert_eq!(
        of(elsewhere),
        Link::External(stackgen_model::Text::literal(elsewhere))
    );
    assert!(matches!(of("${Other}"), Link::Unknown(_)));
    assert!(matches!(
        of("${Fn.Arn}:${!stageVariables.alias}"),
        Link::Unknown(_)
    ));
    assert_eq!(called("https://example.com/hook"), FunctionLink::default());
}

#[test]
fn routes_of_an_external_api_are_listed_under_it() {
    let model = model(
        "
Parameters: {ApiId: {Type: String}}
Resources:
  R: {Type: 'AWS::ApiGatewayV2::Route', Properties: {ApiId: !Ref ApiId, RouteKey: send, ApiKeyRequired: 'true'}}
",
    );
    let route = &model.apis[0].routes[0];
    assert!(matches!(model.apis[0].id, Link::Unknown(_)));
    assert_eq!(route.api_key_required, Setting::Set(true));
    assert_eq!(
        (route.key.as_str(), &route.target),
        ("send", &Link::Missing)
    );
}

#[test]
fn row_m8_a_two_way_route_needs_a_route_response() {
    let two_way = |response: &str| {
        let model = model(&format!(
            "
Resources:
  Api: {{Type: 'AWS::ApiGatewayV2::Api'}}
  R:
    Type: AWS::ApiGatewayV2::Route
    Properties: {{ApiId: !Ref Api, RouteKey: send, RouteResponseSelectionExpression: $default}}
{response}"
        ));
        model.apis[0].routes[0].is_two_way()
    };
    assert!(!two_way(""));
    assert!(two_way(
        "  Response:
    Type: AWS::ApiGatewayV2::RouteResponse
    Properties: {ApiId: !GetAtt Api.ApiId, RouteId: !Ref R, RouteResponseKey: $default}"
    ));
}

#[test]
fn a_property_has_a_location_in_the_file() {
    let text =
        "Resources:\n  Api:\n    Type: AWS::ApiGatewayV2::Api\n    Properties:\n      Name: chat\n";
    let model = model(text);
    let resource = model.apis[0]
        .resource
        .as_ref()
        .expect("it is in the template");
    assert_eq!(
        (
            resource.location(&["Name"]).line,
            resource.location(&["Name"]).column
        ),
        (5, 13)
    );
    assert_eq!(resource.span.line, 2);
    assert_eq!(resource.location(&["Missing"]), resource.span);
}

#[test]
fn mistakes_are_problems_with_locations() {
    let model = model("Resources:\n  A: {Properties: {X: !Ref Nowhere}}\n  B: text\n");
    let problems: Vec<_> = model
        .problems
        .iter()
        .map(|one| (one.message.as_str(), one.span.line))
        .collect();
    let expected = [
        ("resource A has no Type", 2),
        (
            "Nowhere is neither a resource nor a parameter of this template",
            2,
        ),
        ("resource B is a string, not a mapping", 3),
    ];
    assert_eq!(problems, expected);
    assert_eq!(model.resources.len(), 1);
}

#[test]
fn routes_that_the_model_cannot_contain_are_gaps() {
    let model = model(
        "
Resources:
  Quick: {Type: 'AWS::ApiGatewayV2::Api', Properties: {ProtocolType: HTTP, Target: 'https://example.com'}}
  File: {Type: 'AWS::ApiGatewayV2::Api', Properties: {BodyS3Location: {Bucket: b, Key: k}}}
  Made: {Type: 'AWS::ApiGatewayV2::Api', Properties: {Body: !Transform {Name: 'AWS::Include'}}}
  'Fn::ForEach::Topics': [Name, [a], {}]
  Module: {Type: 'Our::Chat::Api::MODULE'}
  Connected: {Type: 'AWS::SQS::Queue', Connectors: {ToFunction: {Properties: {Destination: {Id: f}}}}}
",
    );
    let gaps: Vec<&str> = model.gaps.iter().map(|gap| gap.message.as_str()).collect();
    let expected = [
        "the route and stage of the Target of Quick are not in the model",
        "the OpenAPI file of File is not in the model",
        "the OpenAPI body of Made is partly unknown",
        "the result of Fn::ForEach::Topics is not in the model",
        "the resources of Module (Our::Chat::Api::MODULE) are not in the model",
        "the connectors of Connected are not in the model",
    ];
    assert_eq!(
        (gaps.as_slice(), model.problems),
        (expected.as_slice(), vec![])
    );
}
