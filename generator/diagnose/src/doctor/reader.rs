//! The view of the evidence that checks get. It records which parts were asked for, so that an answer that is missing makes the
//! check "not known".

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use stackgen_deploy::account::{AccountRegion, ApiDescription};
use stackgen_deploy::drift::StageDrift;
use stackgen_deploy::stack::OwningStack;
use stackgen_deploy::stack::wiring::WiringHistory;
use stackgen_deploy::status::StageStatus;
use stackgen_deploy::{
    ApiInfo, CalledVersion, FunctionName, OffsetDateTime, StageName, VerifyAttempt,
};

use super::evidence::{
    ClosedConnections, DoctorEvidence, FunctionFacts, LogRole, ProjectFacts, QualifiedFunction,
    RecordSample, RightVerdict, RoleRight, StackFacts, TableFacts,
};
use super::part::EvidencePart;
use super::ports::{FunctionDetails, MetricSeries, StageSettings};

/// Something that a check cannot decide, although its evidence was read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenQuestion {
    /// The unknown fact, and the reason.
    pub unknown: String,
    /// The setting or permission that would make it known.
    pub remedy: String,
}

/// Evidence as a check reads it. Each method that returns a part of the evidence records that the part was asked for.
#[derive(Debug)]
pub(crate) struct EvidenceReader<'e> {
    evidence: &'e DoctorEvidence,
    asked: RefCell<BTreeSet<EvidencePart>>,
    open: RefCell<Vec<OpenQuestion>>,
}

impl<'e> EvidenceReader<'e> {
    pub(crate) fn new(evidence: &'e DoctorEvidence) -> Self {
        EvidenceReader {
            evidence,
            asked: RefCell::default(),
            open: RefCell::default(),
        }
    }

    /// Records a question that remains open, so that the check is not healthy.
    pub(crate) fn leave_open(&self, unknown: impl Into<String>, remedy: impl Into<String>) {
        let question = OpenQuestion {
            unknown: unknown.into(),
            remedy: remedy.into(),
        };
        let mut open = self.open.borrow_mut();
        if !open.contains(&question) {
            open.push(question);
        }
    }

    /// Returns the parts that were asked for.
    pub(crate) fn asked(&self) -> BTreeSet<EvidencePart> {
        self.asked.borrow().clone()
    }

    /// Returns the questions that remain open.
    pub(crate) fn into_open(self) -> Vec<OpenQuestion> {
        self.open.into_inner()
    }

    fn ask(&self, part: EvidencePart) -> &'e DoctorEvidence {
        self.asked.borrow_mut().insert(part);
        self.evidence
    }

    pub(crate) fn wiring(&self) -> Option<&'e ApiDescription> {
        self.ask(EvidencePart::Wiring).wiring.as_ref()
    }

    pub(crate) fn stage(&self) -> Option<&'e StageSettings> {
        self.ask(EvidencePart::Stage).stage.as_ref()
    }

    pub(crate) fn status(&self) -> Option<&'e StageStatus> {
        self.ask(EvidencePart::Status).status.as_ref()
    }

    pub(crate) fn history(&self) -> Option<&'e WiringHistory> {
        self.ask(EvidencePart::History).history.as_ref()
    }

    pub(crate) fn drift(&self) -> Option<&'e StageDrift> {
        self.ask(EvidencePart::Drift).drift.as_ref()
    }

    pub(crate) fn log_role(&self) -> Option<&'e LogRole> {
        self.ask(EvidencePart::LogRole).log_role.as_ref()
    }

    pub(crate) fn functions(&self) -> &'e BTreeMap<FunctionName, FunctionFacts> {
        &self.ask(EvidencePart::Functions).functions
    }

    /// Returns the configurations of functions that exist.
    pub(crate) fn existing(&self) -> impl Iterator<Item = (&'e FunctionName, &'e FunctionDetails)> {
        let functions = self.functions().iter();
        functions.filter_map(|(name, facts)| Some((name, facts.details.as_ref()?)))
    }

    pub(crate) fn versions(&self) -> &'e BTreeMap<CalledVersion, Option<FunctionDetails>> {
        &self.ask(EvidencePart::Functions).versions
    }

    pub(crate) fn policies(&self) -> &'e BTreeMap<QualifiedFunction, Option<String>> {
        &self.ask(EvidencePart::Permissions).policies
    }

    pub(crate) fn rights(&self) -> &'e BTreeMap<RoleRight, RightVerdict> {
        &self.ask(EvidencePart::Rights).rights
    }

    pub(crate) fn private_endpoints(&self) -> &'e BTreeMap<String, Vec<String>> {
        &self.ask(EvidencePart::Network).private_endpoints
    }

    pub(crate) fn tables(&self) -> &'e BTreeMap<String, Option<TableFacts>> {
        &self.ask(EvidencePart::Tables).tables
    }

    pub(crate) fn records(&self) -> &'e [RecordSample] {
        &self.ask(EvidencePart::Records).records
    }

    pub(crate) fn callers(&self) -> &'e [VerifyAttempt] {
        &self.ask(EvidencePart::Callers).callers
    }

    pub(crate) fn closes(&self) -> &'e ClosedConnections {
        &self.ask(EvidencePart::Logs).closes
    }

    pub(crate) fn metrics(&self) -> &'e [MetricSeries] {
        &self.ask(EvidencePart::Metrics).metrics
    }

    pub(crate) fn stack(&self) -> Option<&'e StackFacts> {
        self.ask(EvidencePart::Stack).stack.as_ref()
    }

    pub(crate) fn owner(&self) -> Option<&'e OwningStack> {
        self.ask(EvidencePart::Stack).owner.as_ref()
    }
}

/// The subject of the examination, which is known before anything is read.
impl<'e> EvidenceReader<'e> {
    pub(crate) fn now(&self) -> OffsetDateTime {
        self.evidence.now
    }

    pub(crate) fn region(&self) -> &'e AccountRegion {
        &self.evidence.region
    }

    pub(crate) fn api(&self) -> &'e ApiInfo {
        &self.evidence.api
    }

    pub(crate) fn stage_name(&self) -> &'e StageName {
        &self.evidence.stage_name
    }

    pub(crate) fn project(&self) -> &'e ProjectFacts {
        &self.evidence.project
    }

    /// Returns the stage in words: `stage prod`.
    pub(crate) fn stage_text(&self) -> String {
        format!("stage {}", self.evidence.stage_name)
    }

    /// Returns the command that deploys the stack, or words for that of another tool.
    pub(crate) fn deploy(&self) -> String {
        match self.project().is_known {
            true => self.command("deploy"),
            false => "the tool that deployed the stack".to_owned(),
        }
    }

    /// Returns a command with the flags that select the stage.
    pub(crate) fn command(&self, command: &str) -> String {
        match self.project().selector.is_empty() {
            true => format!("`stackgen {command}`"),
            false => format!("`stackgen {command} {}`", self.project().selector),
        }
    }

    /// Returns a command of the AWS CLI, with the flags that select the account.
    pub(crate) fn aws(&self, command: &str) -> String {
        match self.project().aws_flags.is_empty() {
            true => format!("`aws {command}`"),
            false => format!("`aws {command} {}`", self.project().aws_flags),
        }
    }

    /// Returns the command that changes settings of the stage.
    pub(crate) fn update_stage(&self, flags: &str) -> String {
        let (api, stage) = (&self.api().id, self.stage_name());
        self.aws(&format!(
            "apigatewayv2 update-stage --api-id {api} --stage-name '{stage}' {flags}"
        ))
    }

    /// Returns the command that gives a role a right.
    pub(crate) fn allow(&self, right: &RoleRight) -> String {
        let role = right.role.rsplit('/').next().unwrap_or(&right.role);
        let statement = serde_json::json!({
            "Effect": "Allow", "Action": right.action, "Resource": right.resource,
        });
        let policy = serde_json::json!({ "Version": "2012-10-17", "Statement": [statement] });
        let name = right.action.replace(':', "-");
        self.aws(&format!(
            "iam put-role-policy --role-name {role} --policy-name {name} --policy-document '{policy}'"
        ))
    }

    /// Returns the address of the management API of the stage; `None` if only a custom domain name leads to the API.
    pub(crate) fn management_endpoint(&self) -> Option<String> {
        self.api().management_endpoint(self.stage_name())
    }
}
