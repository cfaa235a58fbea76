//! The status of a deployment that stackgen did not create, by what CloudFormation knows.
//!
//! The deployment `old` was created in second 1000.

use stackgen_deploy::stack::StackName;
use stackgen_deploy::status::{
    Freshness, StageStatus, StatusConfidence, StatusRequest, StatusVerdict, status,
};
use stackgen_deploy::{AccountErrorKind, ApiInfo, Interrupt, RetryPolicy, StageName};

use crate::memory::Memory;
use crate::stacks::MemoryStack;
use crate::support::context;

async fn status_of(stack: &MemoryStack, api: &ApiInfo, project: Option<&str>) -> StageStatus {
    let (retry, interrupt) = (RetryPolicy::default(), Interrupt::never());
    let ctx = context(&retry, &interrupt);
    let project = project.map(StackName::new);
    let request = StatusRequest {
        api,
        stage: &StageName::new("dev"),
        templates: &[],
        built: &[],
        stack: project.as_ref(),
    };
    status(&Memory::stale(), stack, &request, ctx)
        .await
        .unwrap()
}

/// Returns the verdict for a stack that the project names.
async fn verdict(stack: &MemoryStack) -> StatusVerdict {
    status_of(stack, &Memory::api(), Some("rooms"))
        .await
        .verdict
}

/// A stack with a route whose change began and was complete at these times in milliseconds.
fn changed(began: i64, complete: i64) -> MemoryStack {
    let mut stack = MemoryStack::with_api();
    stack.resource("Route", "SendRoute", "route2", complete);
    stack.stack_event(began - 1_000, "UPDATE_IN_PROGRESS");
    stack.event(began, "Route", "SendRoute", "UPDATE_IN_PROGRESS");
    stack.event(complete, "Route", "SendRoute", "UPDATE_COMPLETE");
    stack
}

fn is(verdict: &StatusVerdict) -> (Freshness, StatusConfidence) {
    (verdict.freshness, verdict.confidence)
}

#[tokio::test(start_paused = true)]
async fn row_d7_a_route_that_changed_after_the_deployment_makes_the_stage_stale() {
    let mut stack = changed(1_001_000, 1_002_500);
    stack.stack_event(1_010_000, "UPDATE_COMPLETE");
    let verdict = verdict(&stack).await;
    assert_eq!(is(&verdict), (Freshness::Stale, StatusConfidence::Likely));
    insta::assert_snapshot!(verdict.reason, @"its deployment was created at 1970-01-01T00:16:40Z, and after that CloudFormation updated route SendRoute of stack rooms at 1970-01-01T00:16:42Z");
}

#[tokio::test(start_paused = true)]
async fn a_deployment_of_the_update_that_changed_the_routes_is_current() {
    // The route is complete in the second in which the deployment is created.
    let mut stack = changed(999_000, 1_000_900);
    stack.event(1_000_950, "Deployment", "Deployment", "CREATE_IN_PROGRESS");
    stack.event(1_001_900, "Deployment", "Deployment", "CREATE_COMPLETE");
    stack.stack_event(1_010_000, "UPDATE_COMPLETE");
    let verdict = verdict(&stack).await;
    assert_eq!(is(&verdict), (Freshness::Current, StatusConfidence::Likely));
    insta::assert_snapshot!(verdict.reason, @"CloudFormation changed no route, integration, authorizer or model of stack rooms after its deployment was created at 1970-01-01T00:16:40Z; it does not see changes by others");
}

#[tokio::test(start_paused = true)]
async fn a_change_that_overlaps_the_creation_of_the_deployment_proves_nothing() {
    for began in [999_000, 1_000_500] {
        let mut stack = changed(began, 1_003_000);
        stack.stack_event(1_010_000, "UPDATE_COMPLETE");
        let verdict = verdict(&stack).await;
        assert_eq!(verdict.freshness, Freshness::Unknown, "{}", verdict.reason);
        assert!(verdict.reason.contains("SendRoute"), "{}", verdict.reason);
    }
}

#[tokio::test(start_paused = true)]
async fn an_update_that_still_runs_proves_nothing() {
    let stack = changed(1_002_000, 1_003_000);
    assert_eq!(verdict(&stack).await.freshness, Freshness::Unknown);
}

#[tokio::test(start_paused = true)]
async fn a_change_that_was_rolled_back_does_not_count() {
    let mut stack = changed(1_002_000, 1_003_000);
    stack.stack_event(1_004_000, "UPDATE_ROLLBACK_IN_PROGRESS");
    stack.event(1_005_000, "Route", "SendRoute", "UPDATE_IN_PROGRESS");
    stack.event(1_006_000, "Route", "SendRoute", "UPDATE_COMPLETE");
    stack.stack_event(1_007_000, "UPDATE_ROLLBACK_COMPLETE");
    stack.resources[1].changed = crate::stacks::at_millis(1_006_000);
    assert_eq!(verdict(&stack).await.freshness, Freshness::Current);
    // A later update that succeeds counts again.
    stack.event(1_010_000, "Route", "SendRoute", "UPDATE_IN_PROGRESS");
    stack.event(1_011_000, "Route", "SendRoute", "UPDATE_COMPLETE");
    stack.stack_event(1_012_000, "UPDATE_COMPLETE");
    assert_eq!(verdict(&stack).await.freshness, Freshness::Stale);
}

#[tokio::test(start_paused = true)]
async fn row_d20_a_route_that_the_cleanup_deleted_is_still_served() {
    let mut stack = MemoryStack::with_api();
    stack.stack_event(990_000, "UPDATE_IN_PROGRESS");
    stack.stack_event(1_005_000, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS");
    stack.event(1_006_000, "Route", "GoneRoute", "DELETE_IN_PROGRESS");
    stack.event(1_007_000, "Route", "GoneRoute", "DELETE_COMPLETE");
    stack.stack_event(1_008_000, "UPDATE_COMPLETE");
    let found = verdict(&stack).await;
    assert_eq!(found.freshness, Freshness::Stale);
    assert!(
        found.reason.contains("deleted route GoneRoute"),
        "{}",
        found.reason
    );
    // The old resource of one that was replaced is no part of the wiring.
    stack.resource("Route", "GoneRoute", "route9", 999_000);
    assert_eq!(verdict(&stack).await.freshness, Freshness::Current);
}

#[tokio::test(start_paused = true)]
async fn a_change_of_the_api_itself_may_be_a_tag() {
    let mut stack = MemoryStack::with_api();
    stack.event(1_002_000, "Api", "Api", "UPDATE_IN_PROGRESS");
    stack.event(1_003_000, "Api", "Api", "UPDATE_COMPLETE");
    stack.stack_event(1_004_000, "UPDATE_COMPLETE");
    let verdict = verdict(&stack).await;
    assert_eq!(verdict.freshness, Freshness::Unknown);
    assert!(
        verdict.reason.contains("updated api Api"),
        "{}",
        verdict.reason
    );
}

#[tokio::test(start_paused = true)]
async fn without_events_the_time_of_the_resource_counts() {
    let hours = 3_600_000;
    for (changed, freshness) in [
        (1_000_000 - hours, Freshness::Current),
        (1_000_000 + hours / 2, Freshness::Unknown),
        (1_000_000 + 2 * hours, Freshness::Stale),
    ] {
        let mut stack = MemoryStack::with_api();
        stack.resource("Integration", "Hello", "int1", changed);
        // Permissions and stages are live without a deployment.
        stack.resource("Stage", "Stage", "dev", 1_000_000 + 3 * hours);
        assert_eq!(verdict(&stack).await.freshness, freshness);
    }
}

#[tokio::test(start_paused = true)]
async fn the_stack_is_found_by_the_tags_of_the_api() {
    let stack = changed(1_002_000, 1_003_000);
    for (tag, value) in [
        ("aws:cloudformation:stack-name", "rooms"),
        (
            "aws:cloudformation:stack-id",
            "arn:aws:cloudformation:us-east-1:123456789012:stack/rooms/1",
        ),
    ] {
        let mut api = Memory::api();
        api.tags.insert(tag.to_owned(), value.to_owned());
        let found = status_of(&stack, &api, None).await;
        let json = serde_json::to_value(&found).unwrap();
        assert_eq!(json["cloudFormation"]["read"]["stack"], "rooms");
        assert_eq!(json["cloudFormation"]["read"]["order"], "unclear");
        assert_eq!(
            json["cloudFormation"]["read"]["change"],
            serde_json::json!({
                "logicalId": "SendRoute", "type": "AWS::ApiGatewayV2::Route",
                "status": "UPDATE_COMPLETE", "at": "1970-01-01T00:16:43Z",
            })
        );
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_stack_or_a_permission_the_result_is_unknown_with_the_reason() {
    let mut stack = changed(1_002_000, 1_003_000);
    for project in [None, Some("other")] {
        let found = status_of(&stack, &Memory::api(), project).await.verdict;
        insta::allow_duplicates! {
            insta::assert_snapshot!(found.reason, @"the digest of its deployment is unknown: stackgen did not create it, and no stack of CloudFormation is known to have the API");
        }
    }
    stack.fails = Some(AccountErrorKind::AccessDenied);
    let denied = verdict(&stack).await;
    assert_eq!(denied.freshness, Freshness::Unknown);
    insta::assert_snapshot!(denied.reason, @"the digest of its deployment is unknown: stackgen did not create it, and its stack cannot be read: DescribeStacks: no; the caller needs cloudformation:DescribeStacks on stack rooms");
    stack.fails = None;
    stack.resources.remove(0);
    let foreign = verdict(&stack).await;
    assert!(
        foreign.reason.contains("no stack of CloudFormation"),
        "{}",
        foreign.reason
    );
}
