//! The status of a deployment that stackgen did not create, by what CloudTrail and a probe know.
//!
//! The deployment `old` was created in second 1000.

use std::cell::RefCell;

use stackgen_deploy::stack::StackName;
use stackgen_deploy::status::{
    ChangeTrail, Freshness, ProbeAnswer, ProbeError, ProbeEvidence, StageStatus, StatusConfidence,
    StatusRequest, TrailCall, status,
};
use stackgen_deploy::{
    AccountError, AccountErrorKind, AccountResult, ApiId, Interrupt, OffsetDateTime, RetryPolicy,
    StageName,
};

use crate::memory::{Memory, route};
use crate::stacks::MemoryStack;
use crate::support::{at, context};

/// CloudTrail with these calls.
#[derive(Default)]
struct Trail {
    calls: Vec<TrailCall>,
    fails: Option<AccountErrorKind>,
    lookups: RefCell<Vec<&'static str>>,
}

impl Trail {
    fn with(calls: impl IntoIterator<Item = TrailCall>) -> Trail {
        Trail {
            calls: calls.into_iter().collect(),
            ..Trail::default()
        }
    }
}

impl ChangeTrail for Trail {
    async fn calls(
        &self,
        operation: &'static str,
        since: OffsetDateTime,
    ) -> AccountResult<Vec<TrailCall>> {
        self.lookups.borrow_mut().push(operation);
        if let Some(kind) = self.fails {
            return Err(AccountError {
                kind,
                operation: "LookupEvents",
                message: "no".to_owned(),
                permission: "cloudtrail:LookupEvents".to_owned(),
            });
        }
        let calls = self.calls.iter();
        let found = calls.filter(|call| call.operation == operation && call.at >= since);
        Ok(found.cloned().collect())
    }
}

/// A call to the API of [`Memory`] by a person.
fn call(operation: &str, seconds: i64) -> TrailCall {
    TrailCall {
        operation: operation.to_owned(),
        at: at(seconds),
        by: "alice".to_owned(),
        api: Some(Memory::api().id),
        route_key: None,
        deployment: None,
        by_cloudformation: false,
    }
}

/// The creation of the deployment.
fn creation() -> TrailCall {
    call("CreateDeployment", 1_001)
}

/// Reads the status, and then CloudTrail.
async fn status_by(memory: &Memory, stack: Option<&MemoryStack>, trail: &Trail) -> StageStatus {
    let (retry, interrupt) = (RetryPolicy::default(), Interrupt::never());
    let ctx = context(&retry, &interrupt);
    let project = stack.map(|_| StackName::new("rooms"));
    let none = MemoryStack::with_api();
    let request = StatusRequest {
        api: &Memory::api(),
        stage: &StageName::new("dev"),
        templates: &[],
        built: &[],
        stack: project.as_ref(),
    };
    let found = status(memory, stack.unwrap_or(&none), &request, ctx).await;
    let mut found = found.unwrap();
    found.read_trail(trail, ctx).await.unwrap();
    found
}

fn is(known: &StageStatus) -> (Freshness, StatusConfidence) {
    (known.verdict.freshness, known.verdict.confidence)
}

#[tokio::test(start_paused = true)]
async fn a_change_by_a_person_after_the_deployment_makes_the_stage_stale() {
    let change = TrailCall {
        route_key: Some("added".to_owned()),
        ..call("UpdateRoute", 1_001)
    };
    let trail = Trail::with([creation(), change]);
    let with_stack = MemoryStack::with_api();
    for stack in [None, Some(&with_stack)] {
        let found = status_by(&Memory::stale(), stack, &trail).await;
        assert_eq!(is(&found), (Freshness::Stale, StatusConfidence::Likely));
        insta::allow_duplicates! {
            insta::assert_snapshot!(found.verdict.reason, @"its deployment was created at 1970-01-01T00:16:40Z, and after that alice called UpdateRoute (added) at 1970-01-01T00:16:41Z (CloudTrail)");
        }
        let json = serde_json::to_value(&found).unwrap();
        assert_eq!(
            json["cloudTrail"]["changed"],
            serde_json::json!({
                "operation": "UpdateRoute", "at": "1970-01-01T00:16:41Z", "by": "alice", "routeKey": "added",
            })
        );
    }
}

#[tokio::test(start_paused = true)]
async fn changes_before_the_deployment_of_others_apis_and_of_the_stack_do_not_count() {
    let of_another = TrailCall {
        api: Some(ApiId::new("other")),
        ..call("DeleteRoute", 2_000)
    };
    let by_stack = TrailCall {
        by_cloudformation: true,
        ..call("UpdateIntegration", 2_000)
    };
    let trail = Trail::with([creation(), call("UpdateRoute", 1_000), of_another, by_stack]);
    let stack = MemoryStack::with_api();
    let found = status_by(&Memory::stale(), Some(&stack), &trail).await;
    assert_eq!(is(&found), (Freshness::Current, StatusConfidence::Likely));
    insta::assert_snapshot!(found.verdict.reason, @"CloudFormation changed no route, integration, authorizer or model of stack rooms after its deployment was created at 1970-01-01T00:16:40Z; CloudTrail records none by others either, but changes of the last 15 minutes may be missing");
    // Without the stack's events, its calls are all that is known.
    let found = status_by(&Memory::stale(), None, &trail).await;
    assert_eq!(found.verdict.freshness, Freshness::Stale);
}

#[tokio::test(start_paused = true)]
async fn without_a_stack_the_stage_is_current_if_cloudtrail_has_the_deployment_and_no_change() {
    let found = status_by(&Memory::stale(), None, &Trail::with([creation()])).await;
    assert_eq!(is(&found), (Freshness::Current, StatusConfidence::Likely));
    insta::assert_snapshot!(found.verdict.reason, @"CloudTrail records no change of the wiring of API api1 after its deployment was created at 1970-01-01T00:16:40Z; changes of the last 15 minutes may be missing");
}

#[tokio::test(start_paused = true)]
async fn models_and_an_import_count_and_an_update_of_the_api_leaves_it_open() {
    for operation in ["UpdateModel", "DeleteRouteResponse", "ReimportApi"] {
        let trail = Trail::with([creation(), call(operation, 2_000)]);
        let found = status_by(&Memory::stale(), None, &trail).await;
        assert_eq!(is(&found), (Freshness::Stale, StatusConfidence::Likely));
    }
    let trail = Trail::with([creation(), call("UpdateApi", 2_000)]);
    let found = status_by(&Memory::stale(), None, &trail).await;
    assert_eq!(found.verdict.freshness, Freshness::Unknown);
    let stack = MemoryStack::with_api();
    let mut found = status_by(&Memory::stale(), Some(&stack), &trail).await;
    assert_eq!(found.verdict.freshness, Freshness::Unknown);
    insta::assert_snapshot!(found.verdict.reason, @"CloudFormation changed no route, integration, authorizer or model of stack rooms after its deployment was created at 1970-01-01T00:16:40Z; it does not see changes by others; alice called UpdateApi at 1970-01-01T00:33:20Z (CloudTrail), and a deployment snapshots some properties of an API");
    let json = serde_json::to_value(&found).unwrap();
    assert_eq!(
        json["cloudTrail"]["mayHaveChanged"],
        serde_json::json!({ "operation": "UpdateApi", "at": "1970-01-01T00:33:20Z", "by": "alice" })
    );
    // A route says nothing about the properties of the API.
    found.add_probe(probed("added", ProbeAnswer::Served));
    assert_eq!(found.verdict.freshness, Freshness::Unknown);
}

#[tokio::test(start_paused = true)]
async fn a_trail_without_the_creation_of_the_deployment_proves_nothing() {
    let other = TrailCall {
        deployment: Some("other".to_owned()),
        ..creation()
    };
    let much_later = call("CreateDeployment", 1_010);
    for calls in [vec![], vec![other], vec![much_later]] {
        let found = status_by(&Memory::stale(), None, &Trail::with(calls)).await;
        assert_eq!(found.verdict.freshness, Freshness::Unknown);
        let json = serde_json::to_value(&found).unwrap();
        let reason = &json["cloudTrail"]["unavailable"]["reason"];
        assert!(reason.as_str().unwrap().contains("creation"), "{json}");
    }
    let by_id = TrailCall {
        deployment: Some("old".to_owned()),
        ..creation()
    };
    let found = status_by(&Memory::stale(), None, &Trail::with([by_id])).await;
    assert_eq!(found.verdict.freshness, Freshness::Current);
}

#[tokio::test(start_paused = true)]
async fn without_the_permission_the_reason_names_it_after_a_single_call() {
    let trail = Trail {
        fails: Some(AccountErrorKind::AccessDenied),
        ..Trail::default()
    };
    let found = status_by(&Memory::stale(), None, &trail).await;
    assert_eq!(found.verdict.freshness, Freshness::Unknown);
    insta::assert_snapshot!(found.verdict.reason, @"the digest of its deployment is unknown: stackgen did not create it, and no stack of CloudFormation is known to have the API; CloudTrail, which knows changes by others, cannot be read: LookupEvents: no; the caller needs cloudtrail:LookupEvents");
    assert_eq!(trail.lookups.into_inner(), ["CreateRoute"]);
    // An emulator may lack the operation.
    let trail = Trail {
        fails: Some(AccountErrorKind::Refused),
        ..Trail::default()
    };
    let reason = status_by(&Memory::stale(), None, &trail)
        .await
        .verdict
        .reason;
    assert!(!reason.contains("CloudTrail"), "{reason}");
}

#[tokio::test(start_paused = true)]
async fn a_stage_that_cloudformation_knows_to_be_stale_needs_no_lookup() {
    let mut stack = MemoryStack::with_api();
    stack.event(1_002_000, "Route", "Added", "UPDATE_IN_PROGRESS");
    stack.event(1_003_000, "Route", "Added", "UPDATE_COMPLETE");
    stack.stack_event(1_004_000, "UPDATE_COMPLETE");
    let trail = Trail::default();
    let found = status_by(&Memory::stale(), Some(&stack), &trail).await;
    assert_eq!(found.verdict.freshness, Freshness::Stale);
    assert!(trail.lookups.into_inner().is_empty());
}

fn probed(route_key: &str, answer: ProbeAnswer) -> ProbeEvidence {
    ProbeEvidence {
        route_key: route_key.to_owned(),
        answer,
    }
}

#[tokio::test(start_paused = true)]
async fn row_m3_a_route_that_is_answered_with_forbidden_makes_the_stage_stale_for_certain() {
    let stack = MemoryStack::with_api();
    let mut found = status_by(&Memory::stale(), Some(&stack), &Trail::with([creation()])).await;
    assert_eq!(found.verdict.freshness, Freshness::Current);
    found.add_probe(probed("added", ProbeAnswer::NotServed));
    assert_eq!(is(&found), (Freshness::Stale, StatusConfidence::Certain));
    insta::assert_snapshot!(found.verdict.reason, @"the API has the route `added`, and the stage answered a message for it with Forbidden: its deployment does not have the route (row M3)");
    let json = serde_json::to_value(&found).unwrap();
    assert_eq!(
        json["probe"],
        serde_json::json!({ "routeKey": "added", "answer": "notServed" })
    );
}

#[tokio::test(start_paused = true)]
async fn a_route_that_is_served_proves_nothing_about_other_parts() {
    let mut found = status_by(&Memory::stale(), None, &Trail::default()).await;
    found.add_probe(probed("added", ProbeAnswer::Served));
    assert_eq!(found.verdict.freshness, Freshness::Unknown);
    insta::assert_snapshot!(found.verdict.reason, @"the digest of its deployment is unknown: stackgen did not create it, and no stack of CloudFormation is known to have the API; the stage serves the route `added`, but others may be missing");
    let reason = "the handshake was answered with 401".to_owned();
    found.add_probe(probed("added", ProbeAnswer::Unanswered { reason }));
    insta::assert_snapshot!(found.verdict.reason, @"the digest of its deployment is unknown: stackgen did not create it, and no stack of CloudFormation is known to have the API; the probe of the route `added` got no answer: the handshake was answered with 401");
}

#[tokio::test(start_paused = true)]
async fn a_route_that_the_deployment_may_contain_or_not_is_probed_and_decides() {
    let memory = Memory::stale();
    let id = memory
        .state
        .borrow()
        .description
        .parts
        .last()
        .unwrap()
        .id
        .clone();
    let mut stack = MemoryStack::with_api();
    stack.resource("Route", "AddedRoute", &id, 1_003_000);
    stack.event(999_000, "Route", "AddedRoute", "CREATE_IN_PROGRESS");
    stack.event(1_003_000, "Route", "AddedRoute", "CREATE_COMPLETE");
    stack.stack_event(1_010_000, "UPDATE_COMPLETE");
    let mut found = status_by(&memory, Some(&stack), &Trail::default()).await;
    assert_eq!(found.verdict.freshness, Freshness::Unknown);
    let plan = found.probe_plan(None).unwrap();
    let key = plan.route_key.clone();
    assert_eq!(key, "added");
    found.add_probe(probed(&key, ProbeAnswer::Served));
    assert_eq!(is(&found), (Freshness::Current, StatusConfidence::Likely));
    assert!(
        found
            .verdict
            .reason
            .ends_with("it does: the stage serves that route")
    );
    // Another route says nothing about the change.
    found.add_probe(probed("hello", ProbeAnswer::Served));
    assert_eq!(found.verdict.freshness, Freshness::Unknown);
    // Nor does this one about a second change that is as unclear.
    stack.event(999_000, "Route", "OtherRoute", "CREATE_IN_PROGRESS");
    stack.event(1_005_000, "Route", "OtherRoute", "CREATE_COMPLETE");
    stack.stack_event(1_010_000, "UPDATE_COMPLETE");
    let mut found = status_by(&memory, Some(&stack), &Trail::default()).await;
    found.add_probe(probed(&key, ProbeAnswer::Served));
    assert_eq!(found.verdict.freshness, Freshness::Unknown);
}

#[tokio::test(start_paused = true)]
async fn a_probe_names_a_message_for_the_route_and_what_it_runs() {
    let found = status_by(&Memory::stale(), None, &Trail::default()).await;
    let plan = found.probe_plan(Some("added")).unwrap();
    insta::assert_debug_snapshot!(plan, @r#"
    RouteProbePlan {
        url: "wss://api1.execute-api.us-east-1.amazonaws.com/dev",
        route_key: "added",
        message: "{\"action\":\"added\"}",
        runs: "function hello",
    }
    "#);
    let error = found.probe_plan(Some("gone")).unwrap_err();
    assert!(matches!(error, ProbeError::UnknownRoute { .. }), "{error}");
    let expression = |text: &str| {
        let mut found = found.clone();
        let api = &mut found.description.api;
        api.insert("RouteSelectionExpression".to_owned(), text.into());
        found.probe_plan(Some("added")).map(|plan| plan.message)
    };
    for (text, message) in [
        ("$request.body.service", r#"{"service":"added"}"#),
        ("$request.body.a.b", r#"{"a":{"b":"added"}}"#),
        ("${request.body.action}", r#"{"action":"added"}"#),
    ] {
        assert_eq!(expression(text).as_deref(), Ok(message));
    }
    for text in [
        "",
        "fixed",
        "$request.body.items[0]",
        "${request.body.a}/${request.body.b}",
    ] {
        let error = expression(text).unwrap_err();
        assert!(
            matches!(error, ProbeError::SelectionExpression { .. }),
            "{text}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn row_m2_an_api_with_a_default_route_cannot_be_probed() {
    let memory = Memory::stale();
    memory
        .state
        .borrow_mut()
        .description
        .parts
        .push(route("$default"));
    let found = status_by(&memory, None, &Trail::default()).await;
    assert_eq!(found.probe_plan(None), Err(ProbeError::HasDefaultRoute));
}

#[test]
fn only_frames_of_api_gateway_answer_a_probe() {
    let frame = |message: &str| {
        format!(r#"{{"message":"{message}","connectionId":"c=","requestId":"r="}}"#)
    };
    let of = |text: &str| ProbeAnswer::of_frame(text);
    assert_eq!(of(&frame("Forbidden")), Some(ProbeAnswer::NotServed));
    for message in [
        "Internal server error",
        "Endpoint request timed out",
        "Bad request body",
    ] {
        assert_eq!(of(&frame(message)), Some(ProbeAnswer::Served));
    }
    for other in [
        r#"{"message":"Forbidden"}"#,
        "Forbidden",
        "",
        "[1]",
        &frame("hello"),
    ] {
        assert_eq!(of(other), None, "{other}");
    }
}
