//! Resolved intrinsic functions, and unknown values.

use proptest::prelude::*;
use stackgen_cfn::{Intrinsic, IntrinsicCall, Node, Sources, parse};
use stackgen_model::resolve::Truth;
use stackgen_model::{Inputs, Model, Pseudo, Resolved, Resolver, UnknownReason};

const TEMPLATE: &str = r#"
Parameters:
  Env: {Type: String, Default: dev}
  Count: {Type: Number, Default: 3}
  Secret: {Type: String}
  Zones: {Type: CommaDelimitedList, Default: "a, b"}
  Image: {Type: "AWS::SSM::Parameter::Value<String>", Default: /image}
Mappings:
  Sizes: {dev: {memory: 128, name: small}, prod: {memory: 512, name: large}}
Conditions:
  IsDev: !Equals [!Ref Env, dev]
  IsProd: !Not [!Condition IsDev]
  HasSecret: !Not [!Equals [!Ref Secret, ""]]
  Either: !Or [!Condition HasSecret, !Condition IsDev]
  Both: !And [!Condition HasSecret, !Condition IsDev]
  Round: !Condition Trip
  Trip: !Condition Round
Resources:
  Api: {Type: "AWS::ApiGatewayV2::Api"}
  Fn: {Type: "AWS::Lambda::Function"}
  Gone: {Type: "AWS::SNS::Topic", Condition: IsProd}
"#;

fn template() -> Node {
    parse(Sources::new().add("template.yaml", TEMPLATE)).expect("it parses")
}

/// Returns a value as JSON. An unknown is its reason.
fn resolved(expression: &str) -> String {
    let template = template();
    let inputs = Inputs::none().with_pseudo(Pseudo::Region, "eu-west-1");
    let node =
        parse(Sources::new().add("value.yaml", format!("value: {expression}"))).expect("it parses");
    let value = node
        .get("value")
        .and_then(|node| Resolver::new(&template, &inputs).resolve(node));
    match value {
        None => "removed".to_owned(),
        Some(Resolved::Unknown(unknown)) => format!("unknown: {unknown}"),
        Some(value) => serde_json::to_string(&value).expect("a value can be written"),
    }
}

#[test]
fn determined_values_are_resolved() {
    let cases = [
        ("!Ref Env", r#""dev""#),
        ("!Ref Count", r#""3""#),
        ("!Ref Zones", r#"["a","b"]"#),
        ("!Ref AWS::Region", r#""eu-west-1""#),
        ("!Ref AWS::NoValue", "removed"),
        ("[1, !Ref AWS::NoValue, 2]", "[1,2]"),
        ("!Ref Api", r#""${Api}""#),
        ("!GetAtt Api.ApiId", r#""${Api}""#),
        ("!GetAtt Fn.Arn", r#""${Fn.Arn}""#),
        (
            "!Sub 'x-${Env}-${Fn.Arn}-${AWS::Partition}-${!keep}'",
            r#""x-dev-${Fn.Arn}-${AWS::Partition}-${!keep}""#,
        ),
        ("!Sub ['${a}/${Env}', {a: !Ref Api}]", r#""${Api}/dev""#),
        ("!Join ['-', [a, !Ref Env, b]]", r#""a-dev-b""#),
        ("!Join [',', !Ref Zones]", r#""a,b""#),
        ("!Select [1, !Split ['/', 'a/b/c']]", r#""b""#),
        ("!FindInMap [Sizes, !Ref Env, memory]", "128"),
        ("!If [IsDev, 1, 2]", "1"),
        ("!If [IsProd, 1, !Ref AWS::NoValue]", "removed"),
        ("!If [Either, yes, no]", "true"),
    ];
    for (expression, expected) in cases {
        assert_eq!(resolved(expression), expected, "{expression}");
    }
}

#[test]
fn undetermined_values_are_unknown_with_a_reason() {
    let cases = [
        (
            "!Ref Secret",
            "parameter Secret has no default and no value was given",
        ),
        (
            "!Ref Image",
            "parameter Image is read from the SSM parameter store at deployment",
        ),
        ("!Ref Nothing", "the template has no Nothing"),
        ("!Ref Gone", "the condition of resource Gone excludes it"),
        (
            "!If [HasSecret, 1, 2]",
            "it depends on condition HasSecret, which is unknown",
        ),
        (
            "!If [Both, 1, 2]",
            "it depends on condition Both, which is unknown",
        ),
        (
            "!If [Round, 1, 2]",
            "it depends on condition Round, which is unknown",
        ),
        (
            "!If [Missing, 1, 2]",
            "it depends on condition Missing, which is unknown",
        ),
        (
            "!Equals [!ImportValue a, !ImportValue a]",
            "only CloudFormation can compute !Equals here",
        ),
        ("!ImportValue other", "it is imported from another stack"),
        (
            "'{{resolve:ssm:/a}}'",
            "a dynamic reference is read at deployment",
        ),
        (
            "!Split ['/', !GetAtt Fn.Arn]",
            "only CloudFormation can compute !Split here",
        ),
        (
            "!Select [9, [a]]",
            "!Select has an argument of the wrong kind",
        ),
        (
            "!FindInMap [Sizes, dev, none]",
            "mapping Sizes has no such key",
        ),
        ("!GetAZs ''", "only CloudFormation can compute !GetAZs here"),
    ];
    for (expression, reason) in cases {
        assert_eq!(
            resolved(expression),
            format!("unknown: {reason}"),
            "{expression}"
        );
    }
}

#[test]
fn a_dynamic_reference_is_unknown_in_the_middle_of_text_also_across_pieces() {
    assert_eq!(
        resolved("'a{{resolve:ssm:/b}}c'"),
        r#""a${?{{resolve:ssm:/b}}}c""#
    );
    let across = resolved("!Sub 'a{{resolve:secretsmanager:${Fn.Arn}:x}}c'");
    assert_eq!(across, r#""a${?{{resolve:secretsmanager:${Fn.Arn}:x}}}c""#);
}

#[test]
fn a_given_parameter_replaces_its_default() {
    let (template, inputs) = (template(), Inputs::none().with_parameter("Env", "prod"));
    assert_eq!(
        Resolver::new(&template, &inputs).condition("IsProd"),
        Truth::True
    );
}

#[test]
fn a_resource_with_an_unknown_condition_is_in_the_model_as_conditional() {
    let text = TEMPLATE.replace("Condition: IsProd", "Condition: HasSecret");
    let node = parse(Sources::new().add("template.yaml", text)).expect("it parses");
    let model = Model::from_template(&node, &Inputs::none());
    let names: Vec<_> = model
        .resources
        .values()
        .filter_map(|one| one.conditional.as_ref())
        .collect();
    assert_eq!(names.len(), 1);
    assert_eq!(names[0].name, "HasSecret");
}

#[test]
fn doubling_text_is_stopped() {
    let mut value = Node::from("0123456789");
    for _ in 0..60 {
        let variables = stackgen_cfn::map([("x", value)]);
        value = IntrinsicCall::new(Intrinsic::Sub, vec![Node::from("${x}${x}"), variables]).into();
    }
    let template = template();
    let inputs = Inputs::none();
    let resolved = Resolver::new(&template, &inputs).resolve(&value);
    let Some(Resolved::Unknown(unknown)) = resolved else {
        panic!("2^60 times ten bytes cannot be known");
    };
    assert_eq!(unknown.reason, UnknownReason::TooLarge);
}

#[test]
fn anything_but_a_template_is_a_model_with_problems() {
    for node in [
        Node::default(),
        Node::from("text"),
        stackgen_cfn::map([("Resources", Node::from(1_i64))]),
    ] {
        let model = Model::from_template(&node, &Inputs::none());
        assert_eq!(model.problems.len(), 1, "{node:?}");
    }
}

fn nodes() -> impl Strategy<Value = Node> {
    let words = [
        "Ref",
        "Api",
        "Fn.Arn",
        "Type",
        "AWS::ApiGatewayV2::Route",
        "AWS::Serverless::WebSocketApi",
        "Routes",
    ];
    let more = [
        "Properties",
        "Resources",
        "Conditions",
        "IsDev",
        "${Api}",
        "{{resolve:",
        "}}",
        "ApiId",
        "Events",
    ];
    let words: Vec<&str> = words.into_iter().chain(more).collect();
    let word = prop::sample::select(words.clone());
    let leaf = prop_oneof![
        word.clone().prop_map(Node::from),
        any::<i64>().prop_map(Node::from),
        any::<bool>().prop_map(Node::from),
        Just(Node::default()),
    ];
    leaf.prop_recursive(6, 64, 5, move |inner| {
        let functions = prop::sample::select(Intrinsic::ALL.to_vec());
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Node::from),
            prop::collection::vec((word.clone(), inner.clone()), 0..5).prop_map(stackgen_cfn::map),
            (functions, inner)
                .prop_map(|(function, argument)| IntrinsicCall::new(function, argument).into()),
        ]
    })
}

proptest! {
    #[test]
    fn any_document_has_a_model(resources in nodes(), conditions in nodes(), globals in nodes()) {
        let sections = [("Resources", resources), ("Conditions", conditions), ("Globals", globals)];
        let model = Model::from_template(&stackgen_cfn::map(sections), &Inputs::none());
        model.content();
        prop_assert!(stackgen_model::diff::diff(&model, &model).is_empty());
    }

    #[test]
    fn any_properties_have_a_model(properties in prop::collection::vec(nodes(), 5)) {
        let kinds = [
            "AWS::ApiGatewayV2::Api",
            "AWS::ApiGatewayV2::Route",
            "AWS::Serverless::WebSocketApi",
            "AWS::Serverless::Function",
            "AWS::Serverless::HttpApi",
        ];
        let ids = ["Api", "Route", "Socket", "Fn", "Http"];
        let resources = ids.into_iter().zip(kinds).zip(properties).map(|((id, kind), properties)| {
            (id, stackgen_cfn::map([("Type", Node::from(kind)), ("Properties", properties)]))
        });
        let template = stackgen_cfn::map([("Resources", stackgen_cfn::map(resources))]);
        let model = Model::from_template(&template, &Inputs::none());
        prop_assert!(stackgen_model::diff::diff(&model, &model).is_empty());
    }
}
