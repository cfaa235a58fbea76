//! Answers of CloudFormation that no emulator gives: events of operations and validations.

use stackgen_deploy::stack::{
    ChangeSetId, EventScope, OperationId, StackId, StackReader as _, StackService as _,
};

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

const OPERATION: &str = "Action=DescribeEvents&Version=2010-05-15&OperationId=op-2";

fn scope() -> EventScope {
    EventScope::Operation(OperationId::new("op-2"))
}

#[tokio::test]
async fn events_of_an_operation_are_those_of_resources_hooks_and_validations() {
    let hook = event(&[
        ["EventType", "HOOK_INVOCATION_ERROR"],
        ["LogicalResourceId", "RoomsFunction"],
        ["ResourceType", "AWS::Lambda::Function"],
        ["HookType", "Org::Checks::Runtime"],
        ["HookStatus", "HOOK_COMPLETE_FAILED"],
        ["HookStatusReason", "x86_64 is not allowed"],
        ["HookFailureMode", "FAIL"],
        ["ClientRequestToken", "stackgen-1"],
        ["OperationId", "op-2"],
    ]);
    let warned = hook
        .replace(">FAIL<", ">WARN<")
        .replace("x86_64 is not allowed", "x86_64 is slow");
    let validation = event(&[
        ["EventType", "VALIDATION_ERROR"],
        ["LogicalResourceId", "RoomsTable"],
        ["ResourceType", "AWS::DynamoDB::Table"],
        ["ValidationStatus", "FAILED"],
        ["ValidationStatusReason", "rooms-prod already exists"],
        ["ValidationFailureMode", "FAIL"],
    ]);
    let resource = event(&[
        ["EventType", "PROVISIONING_ERROR"],
        ["LogicalResourceId", "RoomsTable"],
        ["PhysicalResourceId", "rooms-prod"],
        ["ResourceType", "AWS::DynamoDB::Table"],
        ["ResourceStatus", "CREATE_FAILED"],
        ["ResourceStatusReason", "limit exceeded"],
    ]);
    let progress = event(&[
        ["EventType", "PROGRESS_EVENT"],
        ["LogicalResourceId", "RoomsTable"],
        ["ResourceType", "AWS::DynamoDB::Table"],
        ["ResourceStatus", "CREATE_IN_PROGRESS"],
    ]);
    let members = [hook, warned, validation, resource, progress].concat();
    let replay = Replay::of([page(OPERATION, &members, None)]).await;
    let found = replay.aws.operation_events(&scope(), None).await.unwrap();
    let shown: Vec<_> = found
        .iter()
        .map(|one| {
            let (id, status) = (&one.logical_id, &one.status);
            let reason = one.reason.as_deref().unwrap_or_default();
            format!("{} {id} {status} {reason} {:?}", one.is_cause(), one.token)
        })
        .collect();
    insta::assert_debug_snapshot!(shown, @r#"
    [
        "true RoomsFunction HOOK_FAILED Org::Checks::Runtime: x86_64 is not allowed Some(\"stackgen-1\")",
        "false RoomsFunction HOOK_WARNED Org::Checks::Runtime: x86_64 is slow Some(\"stackgen-1\")",
        "true RoomsTable VALIDATION_FAILED rooms-prod already exists None",
        "true RoomsTable CREATE_FAILED limit exceeded None",
        "false RoomsTable CREATE_IN_PROGRESS  None",
    ]
    "#);
    let operation = found[0].operation.as_ref().unwrap();
    assert_eq!(operation.as_str(), "op-2");
    replay.end();
}

/// Events of an operation with these IDs, at these seconds.
fn at(seconds: &[u32]) -> String {
    let events = seconds.iter().map(|second| {
        let fields = [
            ["EventType", "PROGRESS_EVENT"],
            ["LogicalResourceId", "RoomsTable"],
            ["ResourceType", "AWS::DynamoDB::Table"],
            ["ResourceStatus", "UPDATE_IN_PROGRESS"],
        ];
        let event = event(&fields).replace(">e<", &format!(">{second}<"));
        event.replace("12:00:00Z", &format!("12:00:{second:02}Z"))
    });
    events.collect()
}

async fn ids_of(pages: impl IntoIterator<Item = Exchange>, until: Option<&str>) -> Vec<String> {
    let replay = Replay::of(pages).await;
    let found = replay.aws.operation_events(&scope(), until).await.unwrap();
    replay.end();
    found.into_iter().map(|event| event.id).collect()
}

#[tokio::test]
async fn new_events_of_an_operation_are_read_down_to_a_known_one_and_no_further() {
    let next = "Action=DescribeEvents&Version=2010-05-15&OperationId=op-2&NextToken=n";
    let pages = || {
        [
            page(OPERATION, &at(&[50, 40]), Some("n")),
            page(next, &at(&[30, 20]), None),
        ]
    };
    assert_eq!(ids_of(pages(), None).await, ["50", "40", "30", "20"]);
    assert_eq!(ids_of(pages(), Some("20")).await, ["50", "40", "30", "20"]);
    let first = [page(OPERATION, &at(&[50, 40]), Some("n"))];
    assert_eq!(ids_of(first, Some("40")).await, ["50", "40"]);
    // The order is not documented: with the oldest first, new events are on the last page.
    let oldest_first = [
        page(OPERATION, &at(&[20, 30]), Some("n")),
        page(next, &at(&[40, 50]), None),
    ];
    let found = ids_of(oldest_first, Some("20")).await;
    assert_eq!(found, ["50", "40", "30", "20"]);
}

/// An answer of CloudFormation.
fn answer(form: &'static str, operation: &str, result: &str) -> Exchange {
    Exchange {
        request: "POST /",
        body: form.into(),
        status: 200,
        error: None,
        answer: format!(
            "<{operation}Response xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"><{operation}Result>{result}\
             </{operation}Result></{operation}Response>"
        ),
    }
}

#[tokio::test]
async fn a_stack_names_its_last_operations() {
    let operation = |kind: &str, id: &str| {
        format!(
            "<member><OperationType>{kind}</OperationType><OperationId>{id}</OperationId></member>"
        )
    };
    let operations = [
        operation("ROLLBACK", "op-3"),
        operation("UPDATE_STACK", "op-2"),
        operation("CREATE_CHANGESET", "op-1"),
    ];
    let stack = format!(
        "<Stacks><member><StackId>{STACK}</StackId><StackName>rooms-prod</StackName><CreationTime>2026-11-29T12:00:00Z\
         </CreationTime><StackStatus>UPDATE_ROLLBACK_COMPLETE</StackStatus><LastOperations>{}</LastOperations></member></Stacks>",
        operations.concat()
    );
    let form = "Action=DescribeStacks&Version=2010-05-15&StackName=rooms-prod";
    let replay = Replay::of([answer(form, "DescribeStacks", &stack)]).await;
    let found = replay.aws.stack("rooms-prod").await.unwrap().unwrap();
    let operations = found.operations.iter();
    let operations: Vec<_> = operations
        .map(|one| format!("{} {:?}", one.id, one.kind))
        .collect();
    assert_eq!(operations, ["op-3 Rollback", "op-2 Deploy", "op-1 Other"]);
    replay.end();
}

#[tokio::test]
async fn the_hook_of_a_stack_event_fails_the_operation_unless_it_only_warns() {
    let hook = |mode: &str| {
        format!(
            "<member><StackId>{STACK}</StackId><StackName>rooms-prod</StackName><EventId>{mode}</EventId>\
             <Timestamp>2026-11-29T12:00:00Z</Timestamp><LogicalResourceId>RoomsFunction</LogicalResourceId>\
             <ResourceType>AWS::Lambda::Function</ResourceType><ResourceStatus>CREATE_IN_PROGRESS</ResourceStatus>\
             <HookType>Org::Checks::Runtime</HookType><HookStatus>HOOK_COMPLETE_FAILED</HookStatus>\
             <HookStatusReason>no</HookStatusReason><HookFailureMode>{mode}</HookFailureMode><OperationId>op-2</OperationId></member>"
        )
    };
    let events = format!(
        "<StackEvents>{}{}</StackEvents>",
        hook("FAIL"),
        hook("WARN")
    );
    let form = "Action=DescribeStackEvents&Version=2010-05-15&StackName=s";
    let replay = Replay::of([answer(form, "DescribeStackEvents", &events)]).await;
    let found = replay.aws.events(&StackId::new("s"), None).await.unwrap();
    let shown: Vec<_> = found
        .iter()
        .map(|one| {
            format!(
                "{} {} {:?} {:?}",
                one.id, one.status, one.reason, one.operation
            )
        })
        .collect();
    insta::assert_debug_snapshot!(shown, @r#"
    [
        "FAIL HOOK_FAILED Some(\"Org::Checks::Runtime: no\") Some(OperationId(\"op-2\"))",
        "WARN CREATE_IN_PROGRESS None Some(OperationId(\"op-2\"))",
    ]
    "#);
    replay.end();
}
