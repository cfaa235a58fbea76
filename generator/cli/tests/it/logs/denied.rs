//! `stackgen logs` without some permissions.

use std::collections::BTreeSet;

use super::{EIGHT, LoggedApi, access};
use crate::release::recorder::Recorder;

const LINE: &str = "--since 2026-11-30T07:00:00Z --until 2026-11-30T09:00:00Z";

#[test]
fn without_any_one_read_permission_it_finishes_and_names_the_action() {
    let Some(logged) = LoggedApi::create() else {
        return;
    };
    let values = serde_json::json!({
        "requestId": "R=", "eventType": "CONNECT", "routeKey": "$connect", "status": 200, "connectionId": "C0000000000000=",
    });
    logged.put(&[
        ("access", "s", EIGHT, access(&values)),
        (
            "connection",
            "e",
            EIGHT,
            r#"{"level":"INFO","message":"hello","connectionId":"C0000000000000="}"#.to_owned(),
        ),
    ]);
    let address = logged.emulator.url();
    let recorder = Recorder::start(address.trim_start_matches("http://").parse().unwrap());
    let full = logged.run_at(&recorder.url(), LINE);
    assert_eq!(full.code, Some(0), "{full}");
    assert!(
        full.stdout.contains("hello") && full.stdout.contains("$connect 200"),
        "{full}"
    );
    let kinds: BTreeSet<_> = recorder.take().into_iter().map(|call| call.kind).collect();
    let expected: BTreeSet<_> = [
        "apigateway:GET apis/*",
        "apigateway:GET apis/*/authorizers",
        "apigateway:GET apis/*/integrations",
        "apigateway:GET apis/*/routes",
        "apigateway:GET apis/*/stages",
        "apigateway:GET apis/*/stages/*",
        "lambda:GetFunctionConfiguration ",
        "logs:DescribeLogGroups ",
        "logs:FilterLogEvents ",
    ]
    .into_iter()
    .map(str::to_owned)
    .collect();
    assert_eq!(kinds, expected);
    for kind in kinds {
        recorder.deny(Some(&kind));
        let run = logged.run_at(&recorder.url(), LINE);
        recorder.deny(None);
        let action = kind.split(' ').next().unwrap();
        assert!(
            run.stderr.contains(&format!("needs {action}")),
            "{kind}: {run}"
        );
        // Without this one, nothing can be read.
        let reads_lines = kind != "logs:FilterLogEvents ";
        assert_eq!(run.code, Some(i32::from(!reads_lines)), "{kind}: {run}");
        // An API that belongs to no stack has no other list of its functions.
        let knows_functions = kind != "apigateway:GET apis/*/integrations";
        if reads_lines {
            assert_eq!(
                run.stdout.contains("hello"),
                knows_functions,
                "{kind}: {run}"
            );
        }
    }
}
