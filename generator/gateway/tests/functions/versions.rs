//! Versions, aliases, and permissions to invoke them.

use std::fs;

use stackgen_gateway_common::invoke::{InvocationCaller, Invoke, InvokeErrorKind};
use stackgen_gateway_common::{PolicyEffect, PolicyStatement};
use stackgen_gateway_lambda::functions::{
    AsyncSettings, Code, FunctionChange, FunctionErrorKind, LATEST, PermissionStatement,
};

use crate::support::{
    Lambda, body, configuration, invocation, lambda, lambda_with_puppet, puppet, wait_until,
};

const SOURCE: &str = "arn:aws:execute-api:us-east-1:000000000000:abc/prod/$connect";

#[tokio::test]
async fn row_d17_publishing_unchanged_code_returns_the_newest_version() {
    let lambda = lambda_with_puppet().await;
    let publish = || {
        lambda
            .functions
            .publish_version("puppet", None, None, None)
            .expect("a version")
    };
    assert_eq!(publish().version, "1");
    assert_eq!(publish().version, "1");
    lambda.create_puppet("puppet", &[("TABLE", "two")]).await;
    assert_eq!(publish().version, "2");
    let described =
        lambda
            .functions
            .publish_version("puppet", Some("again".to_owned()), None, None);
    assert_eq!(described.expect("a version").version, "2");
    // Going back to an earlier configuration is a change as well. Numbers are never reused.
    lambda.create_puppet("puppet", &[]).await;
    assert_eq!(publish().version, "3");
    lambda
        .functions
        .delete("puppet", Some("3"))
        .expect("a version");
    lambda.create_puppet("puppet", &[("TABLE", "four")]).await;
    assert_eq!(publish().version, "4");
}

#[tokio::test]
async fn a_published_version_keeps_its_code_and_configuration_when_latest_changes() {
    let lambda = lambda_with_puppet().await;
    lambda.create_puppet("puppet", &[("TABLE", "one")]).await;
    lambda
        .functions
        .publish_version("puppet", None, None, None)
        .expect("a version");
    lambda.create_puppet("puppet", &[("TABLE", "two")]).await;
    assert_eq!(lambda.invoke_for_body("puppet", "env:TABLE").await, "two");
    assert_eq!(
        lambda.invoke_for_body("puppet:$LATEST", "env:TABLE").await,
        "two"
    );
    assert_eq!(lambda.invoke_for_body("puppet:1", "env:TABLE").await, "one");
    assert_eq!(
        lambda
            .invoke_for_body("puppet:1", "env:AWS_LAMBDA_FUNCTION_VERSION")
            .await,
        "1"
    );
    let outcome = lambda.invoke("puppet:1", "ok").await.expect("an outcome");
    assert_eq!(outcome.executed_version, "1");
    let refused = lambda
        .invoke("puppet:2", "ok")
        .await
        .expect_err("a refusal");
    assert_eq!(refused.kind, InvokeErrorKind::NotFound);
}

#[tokio::test]
async fn a_build_that_overwrites_the_file_changes_no_version() {
    let lambda = lambda();
    let folder = tempfile::tempdir().expect("a folder");
    let built = folder.path().join("worker");
    fs::copy(puppet(), &built).expect("a copy");
    let put = |lambda: &Lambda| {
        let functions = lambda.functions.clone();
        let code = Code::Bootstrap(built.clone());
        async move {
            functions
                .create_or_update("puppet", configuration(&[]), code)
                .await
                .expect("a function")
        }
    };
    let (first, change) = put(&lambda).await;
    assert_eq!(change, FunctionChange::Created);
    lambda
        .functions
        .publish_version("puppet", None, None, None)
        .expect("a version");
    // Overwrites the file in place, as some linkers do.
    let script = "#!/bin/sh\nexit 5\n";
    fs::write(&built, script).expect("another build");
    assert_eq!(
        lambda.invoke_for_body("puppet", "body:frozen").await,
        "frozen"
    );
    let (second, change) = put(&lambda).await;
    assert_eq!(change, FunctionChange::Code);
    assert_ne!(first.code.sha256, second.code.sha256);
    assert_ne!(first.revision_id, second.revision_id);
    assert_eq!(second.code.size, script.len() as u64);
    assert!(
        lambda
            .invoke("puppet", "ok")
            .await
            .expect("an outcome")
            .failed
    );
    assert_eq!(
        lambda.invoke_for_body("puppet:1", "body:frozen").await,
        "frozen"
    );
    let (_, change) = put(&lambda).await;
    assert_eq!(change, FunctionChange::None);
}

#[tokio::test]
async fn code_is_stored_as_long_as_a_version_or_a_process_needs_it() {
    let lambda = lambda();
    let folder = tempfile::tempdir().expect("a folder");
    let built = folder.path().join("worker");
    let put = async |note: &str| {
        let script = format!("#!/bin/sh\n# {note}\nexec {}\n", puppet().display());
        fs::write(&built, script).expect("a build");
        let code = Code::Bootstrap(built.clone());
        let put = lambda
            .functions
            .create_or_update("puppet", configuration(&[]), code);
        let (version, _) = put.await.expect("a function");
        version.code.root.as_ref().expect("a copy").to_path_buf()
    };
    let first = put("first").await;
    lambda
        .functions
        .publish_version("puppet", None, None, None)
        .expect("a version");
    let second = put("second").await;
    lambda.invoke_for_body("puppet", "ok").await;
    let third = put("third").await;
    wait_until("the second copy is gone", || !second.exists()).await;
    assert!(first.exists() && third.exists());
    assert_eq!(
        lambda.invoke_for_body("puppet:1", "body:kept").await,
        "kept"
    );
    lambda
        .functions
        .delete("puppet", Some("1"))
        .expect("a version");
    wait_until("the first copy is gone", || !first.exists()).await;
    assert_eq!(lambda.invoke_for_body("puppet", "body:kept").await, "kept");
}

#[tokio::test]
async fn an_alias_moves_between_versions_and_its_version_cannot_be_deleted() {
    let lambda = lambda_with_puppet().await;
    let functions = &lambda.functions;
    for table in ["one", "two"] {
        lambda.create_puppet("puppet", &[("TABLE", table)]).await;
        functions
            .publish_version("puppet", None, None, None)
            .expect("a version");
    }
    functions
        .create_alias("puppet", "live", "1", String::new())
        .expect("an alias");
    assert_eq!(
        lambda.invoke_for_body("puppet:live", "env:TABLE").await,
        "one"
    );
    functions
        .update_alias("puppet", "live", Some("2"), None, None)
        .expect("an alias");
    let outcome = lambda
        .invoke("puppet:live", "env:TABLE")
        .await
        .expect("an outcome");
    assert_eq!(
        (outcome.executed_version.as_str(), body(&outcome).as_str()),
        ("2", "two")
    );
    let kind = |refused: stackgen_gateway_lambda::functions::FunctionError| refused.kind;
    let refused = functions.delete("puppet", Some("2")).map_err(kind);
    assert_eq!(refused, Err(FunctionErrorKind::Conflict));
    let twice = functions
        .create_alias("puppet", "live", "1", String::new())
        .map_err(kind);
    assert_eq!(twice, Err(FunctionErrorKind::Conflict));
    let nowhere = functions
        .update_alias("puppet", "live", Some("9"), None, None)
        .map_err(kind);
    assert_eq!(nowhere, Err(FunctionErrorKind::NotFound));
    functions
        .delete_alias("puppet", "live")
        .expect("a function");
    functions.delete("puppet", Some("2")).expect("a version");
    let refused = lambda
        .invoke("puppet:live", "ok")
        .await
        .expect_err("a refusal");
    assert_eq!(refused.kind, InvokeErrorKind::NotFound);
}

fn permission(id: &str) -> PermissionStatement {
    PermissionStatement {
        statement_id: id.to_owned(),
        action: "lambda:InvokeFunction".to_owned(),
        principal: "apigateway.amazonaws.com".to_owned(),
        source_arn: Some("arn:aws:execute-api:us-east-1:000000000000:abc/*".to_owned()),
        source_account: None,
    }
}

async fn as_caller(lambda: &Lambda, name: &str, caller: InvocationCaller) -> Option<String> {
    let invocation = stackgen_gateway_common::invoke::Invocation {
        caller,
        ..invocation(name, "ok")
    };
    match lambda.functions.invoke(invocation).await {
        Ok(_) => None,
        Err(refused) => {
            assert_eq!(refused.kind, InvokeErrorKind::AccessDenied);
            Some(refused.message)
        }
    }
}

fn gateway() -> InvocationCaller {
    InvocationCaller::ApiGateway {
        source_arn: SOURCE.to_owned(),
    }
}

#[tokio::test]
async fn rows_c7_a16_api_gateway_needs_a_statement_of_the_functions_policy() {
    let lambda = lambda_with_puppet().await;
    let refused = as_caller(&lambda, "puppet", gateway())
        .await
        .expect("a refusal");
    assert_eq!(
        refused,
        "the policy of arn:aws:lambda:us-east-1:000000000000:function:puppet does not allow \
         apigateway.amazonaws.com to invoke it for arn:aws:execute-api:us-east-1:000000000000:abc/prod/$connect"
    );
    let functions = &lambda.functions;
    functions
        .add_permission("puppet", None, permission("api"), None)
        .expect("a permission");
    assert_eq!(as_caller(&lambda, "puppet", gateway()).await, None);
    let twice = functions.add_permission("puppet", None, permission("api"), None);
    assert_eq!(
        twice.expect_err("a refusal").kind,
        FunctionErrorKind::Conflict
    );
    functions
        .remove_permission("puppet", None, "api", None)
        .expect("a permission");
    assert!(as_caller(&lambda, "puppet", gateway()).await.is_some());
    assert_eq!(
        functions.policy("puppet", None).expect_err("none").kind,
        FunctionErrorKind::NotFound
    );
}

#[tokio::test]
async fn row_d19_a_permission_applies_to_one_qualifier() {
    let lambda = lambda_with_puppet().await;
    let functions = &lambda.functions;
    functions
        .publish_version("puppet", None, None, None)
        .expect("a version");
    functions
        .create_alias("puppet", "live", "1", String::new())
        .expect("an alias");
    for granted in [None, Some("1"), Some("live")] {
        functions
            .add_permission("puppet", granted, permission("api"), None)
            .expect("a permission");
        for name in ["puppet", "puppet:1", "puppet:live"] {
            let qualifier = name.split_once(':').map(|(_, qualifier)| qualifier);
            let refused = as_caller(&lambda, name, gateway()).await.is_some();
            assert_eq!(
                refused,
                qualifier != granted,
                "{name} with a permission of {granted:?}"
            );
        }
        functions
            .remove_permission("puppet", granted, "api", None)
            .expect("a permission");
    }
    let latest = functions.add_permission("puppet", Some(LATEST), permission("api"), None);
    assert_eq!(
        latest.expect_err("a refusal").kind,
        FunctionErrorKind::InvalidParameter
    );
}

#[tokio::test]
async fn row_d19_a_role_may_invoke_what_its_statements_allow() {
    let lambda = lambda_with_puppet().await;
    lambda
        .functions
        .publish_version("puppet", None, None, None)
        .expect("a version");
    let role = || InvocationCaller::Role("arn:aws:iam::000000000000:role/invoker".to_owned());
    let refused = as_caller(&lambda, "puppet:1", role())
        .await
        .expect("a refusal");
    assert!(refused.contains("is not known here"), "{refused}");
    lambda.roles.declare(
        "invoker",
        vec![PolicyStatement {
            effect: PolicyEffect::Allow,
            action: Some(vec!["lambda:InvokeFunction".to_owned()]),
            not_action: None,
            resource: Some(vec![
                "arn:aws:lambda:us-east-1:000000000000:function:puppet:*".to_owned(),
            ]),
            not_resource: None,
            condition: None,
        }],
    );
    assert_eq!(as_caller(&lambda, "puppet:1", role()).await, None);
    assert!(as_caller(&lambda, "puppet", role()).await.is_some());
}

#[tokio::test]
async fn an_asynchronous_invocation_is_tried_three_times() {
    let settings = stackgen_gateway_common::FunctionSettings {
        retry: std::time::Duration::from_millis(10),
        ..stackgen_gateway_common::FunctionSettings::default()
    };
    let lambda = crate::support::lambda_with(settings);
    lambda.create_puppet("puppet", &[]).await;
    lambda
        .functions
        .invoke_async(invocation("puppet", "print:tried;throw:no"))
        .expect("taken");
    lambda
        .functions
        .invoke_async(invocation("puppet", "print:went well"))
        .expect("taken");
    let count = |line: &str| lambda.count_lines("puppet", line);
    wait_until("it was tried three times", || {
        count("tried") == 3 && count("went well") == 1
    })
    .await;
    lambda.functions.stop().await;
    assert_eq!((count("tried"), count("went well")), (3, 1));
    let missing = lambda.functions.invoke_async(invocation("ghost", "ok"));
    assert_eq!(
        missing.expect_err("a refusal").kind,
        InvokeErrorKind::NotFound
    );
}

#[tokio::test]
async fn settings_of_asynchronous_invocations_belong_to_a_qualifier() {
    let settings = stackgen_gateway_common::FunctionSettings {
        retry: std::time::Duration::from_millis(10),
        ..stackgen_gateway_common::FunctionSettings::default()
    };
    let lambda = crate::support::lambda_with(settings);
    lambda.create_puppet("puppet", &[]).await;
    let functions = &lambda.functions;
    let published = functions.publish_version("puppet", None, None, None);
    assert_eq!(published.expect("a version").version, "1");
    let once = AsyncSettings {
        retries: 0,
        ..AsyncSettings::default()
    };
    let set = functions.set_async_settings("puppet", Some("1"), Some(once));
    set.expect("settings");
    let run = async |qualifier: Option<&str>, what: &str| {
        let mut invocation = invocation("puppet", what);
        invocation.function.qualifier = qualifier.map(str::to_owned);
        let accepted = functions.accept_async(invocation).expect("accepted");
        accepted
            .run()
            .await
            .expect("an outcome")
            .expect("an outcome")
    };
    assert!(run(Some("1"), "print:version;throw:no").await.failed);
    assert!(run(None, "print:latest;throw:no").await.failed);
    assert_eq!(lambda.count_lines("puppet", "version"), 1);
    assert_eq!(lambda.count_lines("puppet", "latest"), 3);
    let too_old = AsyncSettings {
        max_age: std::time::Duration::ZERO,
        ..AsyncSettings::default()
    };
    let set = functions.set_async_settings("puppet", None, Some(too_old));
    set.expect("settings");
    assert!(run(None, "print:old;throw:no").await.failed);
    assert_eq!(lambda.count_lines("puppet", "old"), 1);
    let missing = functions.set_async_settings("puppet", Some("2"), Some(once));
    assert_eq!(
        missing.expect_err("an error").kind,
        FunctionErrorKind::NotFound
    );
    lambda.functions.stop().await;
}
