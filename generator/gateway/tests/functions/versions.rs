//! Versions, aliases and who may invoke which.

use std::fs;

use stackgen_gateway_common::invoke::{Caller, Invoke, InvokeErrorKind};
use stackgen_gateway_common::{PolicyEffect, PolicyStatement};
use stackgen_gateway_lambda::functions::{Change, Code, FunctionErrorKind, LATEST, Permission};

use crate::support::{Lambda, body, configuration, lambda, order, puppet, until, with_puppet};

const SOURCE: &str = "arn:aws:execute-api:us-east-1:000000000000:abc/prod/$connect";

#[tokio::test]
async fn row_d17_publishing_what_is_published_already_returns_the_latest_version() {
    let lambda = with_puppet().await;
    let publish = || {
        lambda
            .functions
            .publish_version("puppet", None, None, None)
            .expect("a version")
    };
    assert_eq!(publish().version, "1");
    assert_eq!(publish().version, "1");
    lambda.put("puppet", &[("TABLE", "two")]).await;
    assert_eq!(publish().version, "2");
    let described =
        lambda
            .functions
            .publish_version("puppet", Some("again".to_owned()), None, None);
    assert_eq!(described.expect("a version").version, "2");
    // What it was before is a change again, and numbers are never used twice.
    lambda.put("puppet", &[]).await;
    assert_eq!(publish().version, "3");
    lambda
        .functions
        .delete("puppet", Some("3"))
        .expect("a version");
    lambda.put("puppet", &[("TABLE", "four")]).await;
    assert_eq!(publish().version, "4");
}

#[tokio::test]
async fn a_published_version_keeps_code_and_configuration_while_latest_moves_on() {
    let lambda = with_puppet().await;
    lambda.put("puppet", &[("TABLE", "one")]).await;
    lambda
        .functions
        .publish_version("puppet", None, None, None)
        .expect("a version");
    lambda.put("puppet", &[("TABLE", "two")]).await;
    assert_eq!(lambda.ask("puppet", "env:TABLE").await, "two");
    assert_eq!(lambda.ask("puppet:$LATEST", "env:TABLE").await, "two");
    assert_eq!(lambda.ask("puppet:1", "env:TABLE").await, "one");
    assert_eq!(
        lambda
            .ask("puppet:1", "env:AWS_LAMBDA_FUNCTION_VERSION")
            .await,
        "1"
    );
    let outcome = lambda.tell("puppet:1", "ok").await.expect("an outcome");
    assert_eq!(outcome.executed_version, "1");
    let refused = lambda.tell("puppet:2", "ok").await.expect_err("a refusal");
    assert_eq!(refused.kind, InvokeErrorKind::NotFound);
}

#[tokio::test]
async fn a_build_that_writes_the_same_file_again_changes_no_version() {
    let lambda = lambda();
    let folder = tempfile::tempdir().expect("a folder");
    let built = folder.path().join("worker");
    fs::copy(puppet(), &built).expect("a copy");
    let put = |lambda: &Lambda| {
        let functions = lambda.functions.clone();
        let code = Code::Bootstrap(built.clone());
        async move {
            functions
                .put("puppet", configuration(&[]), code)
                .await
                .expect("a function")
        }
    };
    let (first, change) = put(&lambda).await;
    assert_eq!(change, Change::Created);
    lambda
        .functions
        .publish_version("puppet", None, None, None)
        .expect("a version");
    // In place, as some linkers do.
    let script = "#!/bin/sh\nexit 5\n";
    fs::write(&built, script).expect("another build");
    assert_eq!(lambda.ask("puppet", "body:frozen").await, "frozen");
    let (second, change) = put(&lambda).await;
    assert_eq!(change, Change::Code);
    assert_ne!(first.code.sha256, second.code.sha256);
    assert_ne!(first.revision_id, second.revision_id);
    assert_eq!(second.code.size, script.len() as u64);
    assert!(
        lambda
            .tell("puppet", "ok")
            .await
            .expect("an outcome")
            .failed
    );
    assert_eq!(lambda.ask("puppet:1", "body:frozen").await, "frozen");
    let (_, change) = put(&lambda).await;
    assert_eq!(change, Change::None);
}

#[tokio::test]
async fn code_is_kept_for_as_long_as_a_version_or_a_process_needs_it() {
    let lambda = lambda();
    let folder = tempfile::tempdir().expect("a folder");
    let built = folder.path().join("worker");
    let put = async |note: &str| {
        let script = format!("#!/bin/sh\n# {note}\nexec {}\n", puppet().display());
        fs::write(&built, script).expect("a build");
        let code = Code::Bootstrap(built.clone());
        let put = lambda.functions.put("puppet", configuration(&[]), code);
        let (version, _) = put.await.expect("a function");
        version.code.root.as_ref().expect("a copy").to_path_buf()
    };
    let first = put("first").await;
    lambda
        .functions
        .publish_version("puppet", None, None, None)
        .expect("a version");
    let second = put("second").await;
    lambda.ask("puppet", "ok").await;
    let third = put("third").await;
    until("the second copy is gone", || !second.exists()).await;
    assert!(first.exists() && third.exists());
    assert_eq!(lambda.ask("puppet:1", "body:kept").await, "kept");
    lambda
        .functions
        .delete("puppet", Some("1"))
        .expect("a version");
    until("the first copy is gone", || !first.exists()).await;
    assert_eq!(lambda.ask("puppet", "body:kept").await, "kept");
}

#[tokio::test]
async fn an_alias_moves_between_versions_and_its_version_cannot_go() {
    let lambda = with_puppet().await;
    let functions = &lambda.functions;
    for table in ["one", "two"] {
        lambda.put("puppet", &[("TABLE", table)]).await;
        functions
            .publish_version("puppet", None, None, None)
            .expect("a version");
    }
    functions
        .create_alias("puppet", "live", "1", String::new())
        .expect("an alias");
    assert_eq!(lambda.ask("puppet:live", "env:TABLE").await, "one");
    functions
        .update_alias("puppet", "live", Some("2"), None, None)
        .expect("an alias");
    let outcome = lambda
        .tell("puppet:live", "env:TABLE")
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
        .tell("puppet:live", "ok")
        .await
        .expect_err("a refusal");
    assert_eq!(refused.kind, InvokeErrorKind::NotFound);
}

fn permission(id: &str) -> Permission {
    Permission {
        statement_id: id.to_owned(),
        action: "lambda:InvokeFunction".to_owned(),
        principal: "apigateway.amazonaws.com".to_owned(),
        source_arn: Some("arn:aws:execute-api:us-east-1:000000000000:abc/*".to_owned()),
        source_account: None,
    }
}

async fn as_caller(lambda: &Lambda, name: &str, caller: Caller) -> Option<String> {
    let invocation = stackgen_gateway_common::invoke::Invocation {
        caller,
        ..order(name, "ok")
    };
    match lambda.functions.invoke(invocation).await {
        Ok(_) => None,
        Err(refused) => {
            assert_eq!(refused.kind, InvokeErrorKind::AccessDenied);
            Some(refused.message)
        }
    }
}

fn gateway() -> Caller {
    Caller::ApiGateway {
        source_arn: SOURCE.to_owned(),
    }
}

#[tokio::test]
async fn rows_c7_a16_api_gateway_needs_a_statement_of_the_functions_policy() {
    let lambda = with_puppet().await;
    let refused = as_caller(&lambda, "puppet", gateway())
        .await
        .expect("a refusal");
    assert_eq!(
        refused,
        "the policy of arn:aws:lambda:us-east-1:000000000000:function:puppet has no statement that lets \
         apigateway.amazonaws.com invoke it for arn:aws:execute-api:us-east-1:000000000000:abc/prod/$connect"
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
async fn row_d19_a_permission_is_of_one_qualifier_alone() {
    let lambda = with_puppet().await;
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
async fn row_d19_a_role_invokes_what_its_statements_name() {
    let lambda = with_puppet().await;
    lambda
        .functions
        .publish_version("puppet", None, None, None)
        .expect("a version");
    let role = || Caller::Role("arn:aws:iam::000000000000:role/invoker".to_owned());
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
async fn what_is_invoked_for_later_is_tried_three_times_and_then_lost() {
    let settings = stackgen_gateway_common::FunctionSettings {
        retry: std::time::Duration::from_millis(10),
        ..stackgen_gateway_common::FunctionSettings::default()
    };
    let lambda = crate::support::lambda_with(settings);
    lambda.put("puppet", &[]).await;
    lambda
        .functions
        .invoke_later(order("puppet", "print:tried;throw:no"))
        .expect("taken");
    lambda
        .functions
        .invoke_later(order("puppet", "print:went well"))
        .expect("taken");
    let count = |line: &str| lambda.said("puppet", line);
    until("it was tried three times", || {
        count("tried") == 3 && count("went well") == 1
    })
    .await;
    lambda.functions.stop().await;
    assert_eq!((count("tried"), count("went well")), (3, 1));
    let missing = lambda.functions.invoke_later(order("ghost", "ok"));
    assert_eq!(
        missing.expect_err("a refusal").kind,
        InvokeErrorKind::NotFound
    );
}
