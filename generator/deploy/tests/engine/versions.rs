//! Function versions that no deployment calls any more.

use std::collections::BTreeSet;

use stackgen_deploy::versions::{VersionsRequest, delete_versions, unused_versions};
use stackgen_deploy::{
    AccountErrorKind, CalledVersion, DeploymentId, DeploymentInfo, DeploymentMetadata,
    FunctionName, Interrupt, RetryPolicy,
};

use crate::memory::{Fault, Memory, account_region, by_hand, uri};
use crate::support::context;

/// An API that calls version 5 of `hello`, of which versions were published at 1500, 1600, 1700, 1800 and 1900 s.
fn pinned() -> Memory {
    Memory::holding(|state| {
        let function = state
            .functions
            .get_mut(&FunctionName::new("hello"))
            .unwrap();
        function.versions = (1..=5).map(|code| (format!("code-{code}"), 1)).collect();
        let properties = &mut state.description.parts[0].properties;
        properties.insert("IntegrationUri".to_owned(), uri("hello:5").into());
    })
}

/// A deployment that records what it calls, or does not.
fn deployment(id: &str, created: i64, calls: Option<&str>) -> DeploymentInfo {
    let digest = Memory::stale()
        .state
        .borrow()
        .description
        .wiring(&account_region());
    let calls = calls.map(|call| vec![CalledVersion::parse(call).unwrap()]);
    let metadata = DeploymentMetadata {
        git: Some("abc1234".to_owned()),
        calls,
        ..DeploymentMetadata::new(digest.digest)
    };
    DeploymentInfo {
        description: Some(metadata.to_string()),
        ..by_hand(id, created)
    }
}

async fn unused(
    memory: &Memory,
    remaining: &[DeploymentInfo],
    stack: Option<(&str, &str)>,
) -> Vec<String> {
    let (retry, interrupt) = (RetryPolicy::default(), Interrupt::never());
    let in_stack = stack.map(|(_, version)| CalledVersion::parse(version).unwrap());
    let in_stack: BTreeSet<_> = in_stack.into_iter().collect();
    let of_stack = stack.map(|(id, _)| DeploymentId::new(id));
    let request = VersionsRequest {
        api: &Memory::api().id,
        remaining,
        of_stack: of_stack.as_ref(),
        in_stack: &in_stack,
    };
    let ctx = context(&retry, &interrupt);
    let found = unused_versions(memory, request, ctx).await.unwrap();
    let deleted = delete_versions(memory, &found, ctx).await.unwrap();
    assert_eq!(found, deleted);
    deleted.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn versions_that_no_remaining_deployment_calls_are_deleted() {
    let remaining = [
        deployment("new", 2_000, Some("hello:5")),
        deployment("before", 1_750, Some("hello:3")),
    ];
    let unused = unused(&pinned(), &remaining, None).await;
    assert_eq!(unused, ["hello:1", "hello:2", "hello:4"]);
}

#[tokio::test]
async fn a_deployment_without_a_record_keeps_the_versions_that_existed_then() {
    // Version 3 was published 10 seconds after it: the clocks of the two services may differ.
    let remaining = [
        deployment("new", 2_000, Some("hello:5")),
        deployment("unknown", 1_690, None),
    ];
    assert_eq!(unused(&pinned(), &remaining, None).await, ["hello:4"]);
}

#[tokio::test]
async fn the_deployment_of_the_stack_calls_the_versions_in_the_stack() {
    let remaining = [
        deployment("new", 2_000, Some("hello:5")),
        deployment("stack", 1_950, None),
    ];
    let stack = Some(("stack", "hello:2"));
    assert_eq!(
        unused(&pinned(), &remaining, stack).await,
        ["hello:1", "hello:3", "hello:4"]
    );
    assert!(unused(&pinned(), &remaining, None).await.is_empty());
}

#[tokio::test]
async fn what_a_deployment_records_counts_whatever_the_stack_holds() {
    // Both were created in the same second.
    let remaining = [
        deployment("new", 2_000, Some("hello:5")),
        deployment("before", 2_000, Some("hello:3")),
    ];
    for of_stack in ["new", "before"] {
        let stack = Some((of_stack, "hello:5"));
        let unused = unused(&pinned(), &remaining, stack).await;
        assert_eq!(unused, ["hello:1", "hello:2", "hello:4"], "{of_stack}");
    }
}

#[tokio::test]
async fn the_newest_version_and_functions_without_pinned_calls_are_left_alone() {
    let remaining = [deployment("new", 2_000, Some("hello:1"))];
    let memory = pinned();
    memory.state.borrow_mut().description.parts[0]
        .properties
        .insert("IntegrationUri".to_owned(), uri("hello:1").into());
    assert_eq!(
        unused(&memory, &remaining, None).await,
        ["hello:2", "hello:3", "hello:4"]
    );
    let live = Memory::stale();
    assert!(unused(&live, &[], None).await.is_empty());
}

#[tokio::test]
async fn a_version_that_an_alias_names_stays_and_is_reported() {
    let memory = pinned();
    memory
        .fault
        .set(Some((0, Fault::Refused(AccountErrorKind::Conflict))));
    let (retry, interrupt) = (RetryPolicy::default(), Interrupt::never());
    let ctx = context(&retry, &interrupt);
    let versions = ["hello:1", "hello:2"].map(|one| CalledVersion::parse(one).unwrap());
    let deleted = delete_versions(&memory, &versions, ctx).await.unwrap();
    assert_eq!(deleted, [CalledVersion::parse("hello:2").unwrap()]);
    assert_eq!(memory.state.borrow().deleted_versions, ["hello:2"]);
}

#[test]
fn a_description_records_the_versions_that_its_deployment_calls() {
    let written = deployment("new", 1, Some("hello-prod:12"));
    let text = written.description.clone().unwrap();
    assert!(text.ends_with(" git:abc1234 calls:hello-prod:12"), "{text}");
    let calls = written.metadata().unwrap().calls.unwrap();
    assert_eq!(calls, [CalledVersion::parse("hello-prod:12").unwrap()]);
    for unreadable in ["hello", "hello:", "hello:live", ":1"] {
        assert_eq!(CalledVersion::parse(unreadable), None, "{unreadable}");
    }
}
