//! Evidence of a stage, built by hand.

use std::borrow::Cow;

use stackgen_deploy::account::{AccountRegion, ApiDescription};
use stackgen_deploy::status::{Freshness, StageStatus, StatusConfidence, StatusVerdict};
use stackgen_deploy::{
    ApiId, ApiInfo, ApiProtocol, FunctionName, OffsetDateTime, StageInfo, StageName,
};
use stackgen_diagnose::doctor::{
    DoctorEvidence, DoctorReport, FunctionDetails, FunctionFacts, VariableValue,
};

/// Returns evidence about nothing but the API.
pub(crate) fn evidence() -> DoctorEvidence {
    let api = ApiInfo {
        id: ApiId::new("a1b2c3d4e5"),
        name: "chat".to_owned(),
        protocol: ApiProtocol::WebSocket,
        endpoint: Some("wss://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com".to_owned()),
        endpoint_disabled: false,
        tags: Default::default(),
    };
    let region = AccountRegion {
        partition: "aws".to_owned(),
        region: "eu-west-1".to_owned(),
        account: "111122223333".to_owned(),
    };
    DoctorEvidence::new(
        api,
        StageName::new("prod"),
        region,
        OffsetDateTime::UNIX_EPOCH,
    )
}

/// Returns the status of a stage with a verdict.
pub(crate) fn status(freshness: Freshness, stage: StageInfo) -> StageStatus {
    StageStatus {
        api: evidence().api,
        stage,
        deployment: None,
        created_by: None,
        metadata: None,
        account_digest: "0".repeat(64).parse().expect("a digest"),
        template_digest: None,
        verdict: StatusVerdict {
            freshness,
            confidence: StatusConfidence::Likely,
            reason: Cow::Borrowed("why"),
        },
        stack_evidence: None,
        trail: None,
        probe: None,
        description: ApiDescription {
            api: Default::default(),
            parts: Vec::new(),
        },
        changes: Vec::new(),
        change_basis: None,
        code: Vec::new(),
        changes_text: String::new(),
    }
}

pub(crate) fn stage_info(auto_deploy: bool, message: Option<&str>) -> StageInfo {
    StageInfo {
        name: StageName::new("prod"),
        deployment: None,
        auto_deploy,
        last_deployment_status_message: message.map(str::to_owned),
    }
}

/// Adds a function with variables.
pub(crate) fn with_function(evidence: &mut DoctorEvidence, details: FunctionDetails) {
    let facts = FunctionFacts {
        details: Some(details),
        is_known: true,
        reserved: None,
    };
    evidence.functions.insert(FunctionName::new("chat"), facts);
}

pub(crate) fn variables(name: &str, value: &str) -> FunctionDetails {
    FunctionDetails {
        environment: [(name.to_owned(), VariableValue(value.to_owned()))].into(),
        ..FunctionDetails::default()
    }
}

/// Returns the IDs of the findings with their severities.
pub(crate) fn found(evidence: &DoctorEvidence) -> Vec<(&'static str, &'static str)> {
    let report = DoctorReport::new(evidence, None);
    report
        .findings
        .iter()
        .map(|one| (one.id, one.severity.name()))
        .collect()
}
