//! Answers of CloudFormation that no emulator gives: events of operations and validations.

use stackgen_deploy::stack::{ChangeSetId, StackId, StackService as _};

use crate::replay::{Exchange, Replay};

const STACK: &str = "arn:aws:cloudformation:eu-central-1:123456789012:stack/rooms-prod/1";
const CHANGE_SET: &str = "arn:aws:cloudformation:eu-central-1:123456789012:changeSet/c/2";

/// A page of DescribeEvents, with members as CloudFormation's XML has them.
fn page(body: &'static str, members: &str, next: Option<&str>) -> Exchange {
    let next = next.map_or_else(String::new, |next| format!("<NextToken>{next}</NextToken>"));
    Exchange {
        request: "POST /",
        body: body.into(),
        status: 200,
        error: None,
        answer: format!(
            "<DescribeEventsResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"><DescribeEventsResult>\
             <OperationEvents>{members}</OperationEvents>{next}</DescribeEventsResult></DescribeEventsResponse>"
        ),
    }
}

fn event(fields: &[[&str; 2]]) -> String {
    let fields = [
        ["EventId", "e"],
        ["StackId", STACK],
        ["Timestamp", "2026-11-29T12:00:00Z"],
    ]
    .iter()
    .chain(fields);
    let fields: String = fields
        .map(|[name, value]| format!("<{name}>{value}</{name}>"))
        .collect();
    format!("<member>{fields}</member>")
}

#[tokio::test]
async fn findings_of_a_validation_name_resource_path_and_reason_and_warnings_are_told_apart() {
    let refused = event(&[
        ["EventType", "VALIDATION_ERROR"],
        ["LogicalResourceId", "RoomsTable"],
        ["ResourceType", "AWS::DynamoDB::Table"],
        ["ValidationName", "NAME_CONFLICT_VALIDATION"],
        ["ValidationStatus", "FAILED"],
        ["ValidationStatusReason", "rooms-prod already exists"],
        [
            "ValidationPath",
            "/Resources/RoomsTable/Properties/TableName",
        ],
        ["ValidationFailureMode", "FAIL"],
    ]);
    let warned = event(&[
        ["EventType", "VALIDATION_ERROR"],
        ["LogicalResourceId", "Logs"],
        ["ResourceType", "AWS::S3::Bucket"],
        ["ValidationStatus", "FAILED"],
        ["ValidationStatusReason", "the bucket is not empty"],
        ["ValidationFailureMode", "WARN"],
    ]);
    let progress = event(&[["EventType", "STACK_EVENT"], ["LogicalResourceId", "Logs"]]);
    let replay = Replay::of([
        page("Action=DescribeEvents&Version=2010-05-15&ChangeSetName=arn%3Aaws%3Acloudformation%3Aeu-central-1%3A123456789012%3AchangeSet%2Fc%2F2", &(progress + &refused), Some("more")),
        page("Action=DescribeEvents&Version=2010-05-15&ChangeSetName=arn%3Aaws%3Acloudformation%3Aeu-central-1%3A123456789012%3AchangeSet%2Fc%2F2&NextToken=more", &warned, None),
    ])
    .await;
    let found = replay
        .aws
        .validation_findings(&ChangeSetId::new(CHANGE_SET))
        .await
        .unwrap();
    let shown: Vec<_> = found
        .iter()
        .map(|one| format!("{} {one}", one.fails))
        .collect();
    insta::assert_debug_snapshot!(shown, @r#"
    [
        "true RoomsTable (AWS::DynamoDB::Table) at /Resources/RoomsTable/Properties/TableName: rooms-prod already exists",
        "false Logs (AWS::S3::Bucket): the bucket is not empty",
    ]
    "#);
    replay.end();
}

#[tokio::test]
async fn failures_are_those_of_resources_hooks_and_validations() {
    let hook = event(&[
        ["EventType", "HOOK_INVOCATION_ERROR"],
        ["LogicalResourceId", "RoomsFunction"],
        ["ResourceType", "AWS::Lambda::Function"],
        ["HookType", "Org::Checks::Runtime"],
        ["HookStatus", "HOOK_COMPLETE_FAILED"],
        ["HookStatusReason", "x86_64 is not allowed"],
        ["ClientRequestToken", "stackgen-1"],
    ]);
    let resource = event(&[
        ["EventType", "PROVISIONING_ERROR"],
        ["LogicalResourceId", "RoomsTable"],
        ["PhysicalResourceId", "rooms-prod"],
        ["ResourceType", "AWS::DynamoDB::Table"],
        ["ResourceStatus", "CREATE_FAILED"],
        ["ResourceStatusReason", "limit exceeded"],
    ]);
    let replay = Replay::of([page(
        "Action=DescribeEvents&Version=2010-05-15&StackName=arn%3Aaws%3Acloudformation%3Aeu-central-1%3A123456789012%3Astack%2Frooms-prod%2F1&Filters.FailedEvents=true",
        &(hook + &resource),
        None,
    )])
    .await;
    let found = replay.aws.failures(&StackId::new(STACK)).await.unwrap();
    let shown: Vec<_> = found
        .iter()
        .map(|one| {
            let (id, status) = (&one.logical_id, &one.status);
            let reason = one.reason.as_deref().unwrap_or_default();
            format!("{id} {status} {reason} {:?}", one.token)
        })
        .collect();
    insta::assert_debug_snapshot!(shown, @r#"
    [
        "RoomsFunction HOOK_FAILED Org::Checks::Runtime: x86_64 is not allowed Some(\"stackgen-1\")",
        "RoomsTable CREATE_FAILED limit exceeded None",
    ]
    "#);
    assert!(found.iter().all(|event| event.is_cause()));
    replay.end();
}
