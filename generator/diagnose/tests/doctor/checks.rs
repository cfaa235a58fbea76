//! Findings of single checks.

use stackgen_deploy::status::Freshness;
use stackgen_diagnose::doctor::{
    DoctorReport, FunctionDetails, PolicyDecision, RightVerdict, RoleRight, RouteThrottle,
    SimulatedRight, StageSettings, TableDetails, TableFacts,
};

use stackgen_diagnose::logs::{ExecutionLevel, StageLogSettings};

use crate::evidence::{evidence, found, stage_info, status, variables, with_function};

#[test]
fn evidence_of_nothing_has_no_findings() {
    assert_eq!(found(&evidence()), []);
}

#[test]
fn row_d5_a_failed_automatic_deployment_is_a_problem_and_no_stale_stage() {
    let mut evidence = evidence();
    let stage = stage_info(true, Some("Deployment attempt failed: no route"));
    evidence.status = Some(status(Freshness::Stale, stage));
    assert_eq!(found(&evidence), [("DR202", "problem")]);
}

#[test]
fn row_c3_a_stage_without_a_deployment_serves_nothing() {
    let mut evidence = evidence();
    evidence.status = Some(status(Freshness::NotDeployed, stage_info(false, None)));
    assert_eq!(found(&evidence), [("DR208", "problem")]);
}

#[test]
fn a_stage_of_unknown_freshness_is_a_note() {
    let mut evidence = evidence();
    evidence.status = Some(status(Freshness::Unknown, stage_info(false, None)));
    assert_eq!(found(&evidence), [("DR210", "note")]);
}

#[test]
fn row_d18_a_throttle_of_one_route_is_found_too() {
    let mut evidence = evidence();
    let route = |rate, burst| RouteThrottle {
        route: Some("sendAudio".to_owned()),
        rate,
        burst,
    };
    let mut stage = StageSettings {
        routes: vec![route(Some(10.0), Some(5))],
        logs: StageLogSettings {
            execution_level: ExecutionLevel::Error,
            ..StageLogSettings::default()
        },
    };
    evidence.stage = Some(stage.clone());
    assert_eq!(found(&evidence), []);
    stage.routes.push(route(Some(10.0), Some(0)));
    evidence.stage = Some(stage);
    assert_eq!(found(&evidence), [("DR205", "problem")]);
}

#[test]
fn a_function_that_is_not_ready_is_a_problem_and_one_that_is_being_updated_a_warning() {
    let of = |state: &str, update: &str| {
        let mut evidence = evidence();
        let details = FunctionDetails {
            state: Some(state.to_owned()),
            last_update: Some(update.to_owned()),
            ..FunctionDetails::default()
        };
        with_function(&mut evidence, details);
        found(&evidence)
    };
    assert_eq!(of("Active", "Successful"), []);
    assert_eq!(of("Inactive", "Successful"), []);
    assert_eq!(of("Active", "InProgress"), [("DR302", "warning")]);
    assert_eq!(of("Pending", "Successful"), [("DR302", "warning")]);
    assert_eq!(of("Active", "Failed"), [("DR302", "problem")]);
    assert_eq!(of("Failed", "Successful"), [("DR302", "problem")]);
}

#[test]
fn row_k5_the_address_of_connections_has_scheme_api_and_stage() {
    let host = "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com";
    let of = |name: &str, value: &str| {
        let mut evidence = evidence();
        with_function(&mut evidence, variables(name, value));
        let report = DoctorReport::new(&evidence, None);
        report.findings.first().map(|one| one.found.clone())
    };
    let right = format!("https://{host}/prod");
    for (name, value) in [
        ("MANAGEMENT_ENDPOINT", right.as_str()),
        ("CALLBACK_URL", "https://ws.example.com/chat"),
        ("MANAGEMENT_ENDPOINT", &format!("{right}/")),
        ("CLIENT_URL", "wss://ws.example.com"),
        ("GREETING", "hello"),
    ] {
        assert_eq!(of(name, value), None, "{name}={value}");
    }
    for (value, fault) in [
        ("", "MANAGEMENT_ENDPOINT is empty".to_owned()),
        (
            host,
            "MANAGEMENT_ENDPOINT has no scheme: the SDK needs https://".to_owned(),
        ),
        (
            &format!("wss://{host}/prod"),
            "MANAGEMENT_ENDPOINT begins with wss://, which is for clients: it must be https://"
                .to_owned(),
        ),
        (
            &format!("http://{host}/prod"),
            "MANAGEMENT_ENDPOINT begins with http://: it must be https://".to_owned(),
        ),
        (
            &format!("https://{host}"),
            "MANAGEMENT_ENDPOINT has no stage: posts are answered with 403".to_owned(),
        ),
        (
            &format!("{right}/@connections"),
            "MANAGEMENT_ENDPOINT ends in @connections, which the SDK adds once more".to_owned(),
        ),
        (
            "https://other.execute-api.eu-west-1.amazonaws.com/prod",
            "MANAGEMENT_ENDPOINT names API other, which is another one".to_owned(),
        ),
    ] {
        assert_eq!(of("MANAGEMENT_ENDPOINT", value), Some(fault), "{value}");
    }
}

#[test]
fn row_k1_a_role_lacks_the_right_to_post_by_simulation_or_by_its_policies() {
    let of = |verdict| {
        let mut evidence = evidence();
        let details = FunctionDetails {
            role: Some("arn:aws:iam::111122223333:role/chat".to_owned()),
            ..variables(
                "MANAGEMENT_ENDPOINT",
                "https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/prod",
            )
        };
        with_function(&mut evidence, details);
        let right = RoleRight {
            role: "arn:aws:iam::111122223333:role/chat".to_owned(),
            action: "execute-api:ManageConnections",
            resource: "arn:aws:execute-api:eu-west-1:111122223333:a1b2c3d4e5/prod/POST/@connections/{connectionId}"
                .to_owned(),
        };
        evidence.rights.insert(right, verdict);
        let report = DoctorReport::new(&evidence, None);
        report
            .findings
            .first()
            .map(|one| (one.id, one.confidence.name()))
    };
    assert_eq!(of(RightVerdict::Simulated(SimulatedRight::Allowed)), None);
    assert_eq!(
        of(RightVerdict::Simulated(SimulatedRight::Denied)),
        Some(("DR311", "certain"))
    );
    assert_eq!(
        of(RightVerdict::Policies(PolicyDecision::NotAllowed)),
        Some(("DR311", "likely"))
    );
    // A condition is not evaluated.
    assert_eq!(
        of(RightVerdict::Policies(PolicyDecision::Conditional)),
        None
    );
}

#[test]
fn a_table_that_is_being_created_is_a_problem_and_one_that_is_being_updated_is_none() {
    let of = |status: &str| {
        let mut evidence = evidence();
        let table = TableFacts {
            details: TableDetails {
                status: status.to_owned(),
                ..TableDetails::default()
            },
            ttl: Some(None),
        };
        evidence.tables.insert("Rooms".to_owned(), Some(table));
        found(&evidence)
    };
    assert_eq!(of("ACTIVE"), []);
    assert_eq!(of("UPDATING"), []);
    assert_eq!(of("CREATING"), [("DR402", "problem")]);
}
