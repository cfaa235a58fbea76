//! Effects of changes, and leftovers of updates.

use stackgen_cfn::{Node, map, r#ref};
use stackgen_model::diff::{Diff, diff};
use stackgen_model::{ChangeEffect, LogicalId};

use crate::support::{Route, Stack, resource, with};

/// Returns the diff of two versions of an additional resource.
fn changed(kind: &str, before: Node, after: Node) -> Diff {
    let stack = Stack::small();
    let [before, after] =
        [before, after].map(|properties| with(&stack, [resource("Extra", kind, properties)]));
    diff(&before, &after)
}

fn effects(diff: &Diff) -> Vec<ChangeEffect> {
    diff.changes.iter().map(|change| change.effect).collect()
}

fn with_leave(two_way: bool) -> Stack {
    let mut stack = Stack::small();
    stack.routes.push(Route {
        key: "leave".to_owned(),
        function: 2,
        two_way,
    });
    stack
}

fn redeployed(stack: Stack) -> Stack {
    Stack {
        deployment: "DeploymentB".to_owned(),
        ..stack
    }
}

#[test]
fn a_removed_route_lingers_in_the_new_deployment() {
    let new = redeployed(Stack::small());
    let diff = diff(&with_leave(true).model(), &new.model());
    insta::assert_snapshot!(diff.human(), @"
    - route leave   needs a deployment
    = api chat: a new deployment serves the new wiring
    ! api chat: the new deployment still holds route leave, which CloudFormation deletes only afterwards; make one more deployment (row D20)
    ");
    let json = serde_json::to_value(&diff.apis[0].lingering).expect("it can be written");
    insta::assert_snapshot!(json.to_string(), @r#"[{"kind":"route","name":"leave","api":"chat"}]"#);
}

#[test]
fn a_removed_response_and_authorizer_linger_too() {
    let mut new = redeployed(with_leave(false));
    new.authorizer = false;
    let diff = diff(&with_leave(true).model(), &new.model());
    insta::assert_snapshot!(diff.human(), @r#"
    ~ route $connect: AuthorizationType CUSTOM is gone                 needs a deployment
    ~ route $connect: AuthorizerId authorizer auth is gone             needs a deployment
    ~ route leave: Responses {"$default":{}} is gone                   needs a deployment
    ~ route leave: RouteResponseSelectionExpression $default is gone   needs a deployment
    - authorizer auth                                                  needs a deployment
    = api chat: a new deployment serves the new wiring
    ! api chat: the new deployment still holds authorizer auth, response $default of route leave, which CloudFormation deletes only afterwards; make one more deployment (row D20)
    "#);
}

#[test]
fn nothing_lingers_unless_something_is_deleted_after_the_deployment() {
    let old = with_leave(false);
    // Without a new deployment the stage is stale, which is reported instead.
    assert_eq!(
        diff(&old.model(), &Stack::small().model()).apis[0].lingering,
        []
    );
    // A route with another key, and a new route.
    let mut renamed = redeployed(old.clone());
    renamed.routes[2].key = "part".to_owned();
    for new in [renamed, redeployed(old.clone())] {
        assert_eq!(diff(&old.model(), &new.model()).apis[0].lingering, []);
    }
    let added = diff(&Stack::small().model(), &redeployed(old).model());
    assert_eq!(added.apis[0].lingering, []);
}

fn stage(name: &str, settings: [(&str, Node); 4]) -> (String, Node) {
    let own = [
        ("ApiId", r#ref("Api")),
        ("StageName", name.into()),
        ("DeploymentId", r#ref("DeploymentA")),
    ];
    let properties = own.into_iter().chain(settings).collect::<Vec<_>>();
    resource("Stage", "AWS::ApiGatewayV2::Stage", map(properties))
}

fn settings() -> [(&'static str, Node); 4] {
    let burst = || map([("ThrottlingBurstLimit", Node::from(5_i64))]);
    [
        ("AccessLogSettings", map([("Format", Node::from("f"))])),
        ("DefaultRouteSettings", burst()),
        ("RouteSettings", map([("send", burst())])),
        ("StageVariables", map([("mode", Node::from("x"))])),
    ]
}

fn no_settings() -> [(&'static str, Node); 4] {
    settings().map(|(name, _)| (name, map::<&str>([])))
}

#[test]
fn settings_removed_from_a_stage_stay_in_the_account() {
    let stack = Stack::small();
    let old = with(&stack, [stage("dev", settings())]);
    let new = with(&stack, [stage("dev", no_settings())]);
    insta::assert_snapshot!(diff(&old, &new).human(), @r#"
    ~ stage dev: AccessLogSettings.Format f is gone                        stays until it is deleted by its own call (row D12)
    ~ stage dev: DefaultRouteSettings.ThrottlingBurstLimit 5 is gone       stays until another value is written (row D12)
    ~ stage dev: RouteSettings.send {"ThrottlingBurstLimit":"5"} is gone   stays until it is deleted: before the update, aws apigatewayv2 delete-route-settings (row D12)
    ~ stage dev: StageVariables.mode x is gone                             stays until it is set to "" (row D12)
    "#);
    assert_eq!(effects(&diff(&new, &old)), [ChangeEffect::Settings; 4]);
}

#[test]
fn a_renamed_stage_is_replaced_and_leaves_nothing_on() {
    let stack = Stack::small();
    let old = with(&stack, [stage("prod", settings())]);
    let new = with(&stack, [stage("live", no_settings())]);
    insta::assert_snapshot!(diff(&old, &new).human(), @r#"
    ~ stage live: AccessLogSettings.Format f is gone                        live with the update
    ~ stage live: DefaultRouteSettings.ThrottlingBurstLimit 5 is gone       live with the update
    ~ stage live: RouteSettings.send {"ThrottlingBurstLimit":"5"} is gone   live with the update
    ~ stage live: StageName is now live (was prod)                          replaces the resource
    ~ stage live: StageVariables.mode x is gone                             live with the update
    "#);
}

#[test]
fn removed_cors_stays_in_the_account() {
    let api = |cors: Option<&[&str]>| {
        let mut properties = vec![
            ("Name", Node::from("web")),
            ("ProtocolType", Node::from("HTTP")),
        ];
        if let Some(origins) = cors {
            let origins: Vec<Node> = origins.iter().map(|one| Node::from(*one)).collect();
            properties.push(("CorsConfiguration", map([("AllowOrigins", origins.into())])));
        }
        map(properties)
    };
    let kind = "AWS::ApiGatewayV2::Api";
    let all = || api(Some(&["a", "b"]));
    assert_eq!(
        effects(&changed(kind, all(), api(None))),
        [ChangeEffect::Lingers]
    );
    assert_eq!(
        effects(&changed(kind, all(), api(Some(&["a"])))),
        [ChangeEffect::Wiring]
    );
}

#[test]
fn a_new_version_behind_pinned_callers_is_live_with_a_deployment() {
    let version = || {
        let properties = map([("FunctionName", r#ref("Function1"))]);
        resource("Version", "AWS::Lambda::Version", properties)
    };
    let pinned = || {
        let uri = stackgen_cfn::sub(
            "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Version}/invocations",
        );
        let properties = [
            ("ApiId", r#ref("Api")),
            ("IntegrationType", "AWS_PROXY".into()),
            ("IntegrationUri", uri),
            ("TimeoutInMillis", 10_000_i64.into()),
        ];
        resource(
            "R1Integration",
            "AWS::ApiGatewayV2::Integration",
            map(properties),
        )
    };
    let stack = Stack::small();
    let [live, unused, calling] = [
        stack.model(),
        with(&stack, [version()]),
        with(&stack, [version(), pinned()]),
    ];
    assert_eq!(effects(&diff(&live, &unused)), [ChangeEffect::Code]);
    assert_eq!(
        effects(&diff(&live, &calling)),
        [ChangeEffect::Wiring, ChangeEffect::PinnedCode]
    );
    assert_eq!(
        effects(&diff(&calling, &live)),
        [ChangeEffect::Wiring, ChangeEffect::Settings]
    );
}

#[test]
fn a_named_resource_is_not_replaced() {
    let table = |name: Option<Node>, key: &str| {
        let key = map([
            ("AttributeName", Node::from(key)),
            ("KeyType", "HASH".into()),
        ]);
        let mut properties = vec![("KeySchema", Node::from(vec![key]))];
        properties.extend(name.map(|name| ("TableName", name)));
        map(properties)
    };
    let kind = "AWS::DynamoDB::Table";
    let named = |name: &str| Some(Node::from(name));
    let refused = changed(kind, table(named("t"), "a"), table(named("t"), "b"));
    insta::assert_snapshot!(refused.human(), @r#"
    ~ table t: KeySchema {"AttributeName":"a","KeyType":"HASH"} is gone   refused by CloudFormation: a named resource is not replaced
    ~ table t: KeySchema {"AttributeName":"b","KeyType":"HASH"} is new    refused by CloudFormation: a named resource is not replaced
    "#);
    let stack_name = || Some(stackgen_cfn::sub("${AWS::StackName}-t"));
    let refused = changed(kind, table(stack_name(), "a"), table(stack_name(), "b"));
    assert_eq!(effects(&refused), [ChangeEffect::Refused; 2]);
    for (before, after) in [(None, None), (named("t"), named("u"))] {
        let replaced = changed(kind, table(before, "a"), table(after, "b"));
        assert!(
            effects(&replaced)
                .iter()
                .all(|effect| *effect == ChangeEffect::Replaces)
        );
    }
}

#[test]
fn create_only_properties_replace() {
    let cases = [
        ("AWS::ApiGatewayV2::RouteResponse", "RouteId"),
        ("AWS::ApiGatewayV2::VpcLink", "ApiId"),
        ("AWS::Lambda::Permission", "Action"),
        ("AWS::Lambda::Permission", "EventSourceToken"),
        ("AWS::Lambda::Version", "CodeSha256"),
        ("AWS::Lambda::Version", "Description"),
        ("AWS::Route53::RecordSet", "HostedZoneId"),
        ("AWS::Route53::RecordSet", "HostedZoneName"),
        ("AWS::SNS::Topic", "FifoTopic"),
    ];
    for (kind, property) in cases {
        let properties = |value: &str| map([(property, Node::from(value))]);
        let found = effects(&changed(kind, properties("a"), properties("b")));
        assert_eq!(found, [ChangeEffect::Replaces], "{kind} {property}");
    }
}

#[test]
fn a_resource_that_is_retained_except_on_create_is_retained() {
    for (policy, retained) in [
        ("Retain", true),
        ("RetainExceptOnCreate", true),
        ("Delete", false),
        ("Snapshot", false),
    ] {
        let mut topic = resource("Extra", "AWS::SNS::Topic", map::<&str>([]));
        let attributes = topic.1.as_map_mut().expect("a map");
        attributes.insert("DeletionPolicy", policy);
        let model = with(&Stack::small(), [topic]);
        let topic = model
            .resource(&LogicalId::new("Extra"))
            .expect("it is there");
        assert_eq!(topic.retained, retained, "{policy}");
    }
}

#[test]
fn an_update_of_a_table_adds_or_deletes_one_index_and_changes_none() {
    let index = |name: &str, projection: &str| {
        map([
            ("IndexName", Node::from(name)),
            (
                "Projection",
                map([("ProjectionType", Node::from(projection))]),
            ),
        ])
    };
    let table = |indexes: Vec<Node>| map([("GlobalSecondaryIndexes", Node::from(indexes))]);
    let kind = "AWS::DynamoDB::Table";
    let none = || map([("DeletionProtectionEnabled", Node::from(false))]);
    let of = |before: Node, after: Node| effects(&changed(kind, before, after));
    let (a, b) = (|| index("a", "ALL"), || index("b", "ALL"));
    assert_eq!(
        of(table(vec![a()]), table(vec![a(), b()])),
        [ChangeEffect::Settings]
    );
    assert_eq!(
        of(table(vec![]), table(vec![a(), b()])),
        [ChangeEffect::OneIndex; 2]
    );
    assert_eq!(
        of(table(vec![a()]), table(vec![b()])),
        [ChangeEffect::OneIndex; 2]
    );
    let two = of(none(), table(vec![a(), b()]));
    assert!(two.contains(&ChangeEffect::OneIndex), "{two:?}");
    let changed_projection = changed(kind, table(vec![a()]), table(vec![index("a", "KEYS_ONLY")]));
    insta::assert_snapshot!(changed_projection.human(), @r#"
    ~ table Extra: GlobalSecondaryIndexes {"IndexName":"a","Projection":{"ProjectionType":"ALL"}} is gone   refused by CloudFormation: an index does not change; add one with another name
    ~ table Extra: GlobalSecondaryIndexes {"IndexName":"a","Projection":{"ProjectionType":"KEYS_ONLY"}} is new   refused by CloudFormation: an index does not change; add one with another name
    "#);
    let throughput = |units: i64| {
        let units = map([("ReadCapacityUnits", Node::from(units))]);
        map([
            ("IndexName", Node::from("a")),
            ("ProvisionedThroughput", units),
        ])
    };
    let settings = of(table(vec![throughput(1)]), table(vec![throughput(2)]));
    assert_eq!(settings, [ChangeEffect::Settings; 2]);
}
