//! Status of a stage: whether it serves what the account holds, and the evidence.

mod probe;
mod trail;
mod verdict;
mod weigh;

use std::borrow::Cow;

use serde::Serialize;
use stackgen_model::SnapshotDigest;
use stackgen_model::diff::ModelChange;

use crate::account::{ApiDescription, ApiPart, ApiWiring};
use crate::code::BuiltCode;
use crate::retry::OperationContext;
use crate::stack::wiring::{StackEvidence, wiring_evidence};
use crate::stack::{StackName, StackReader};
use crate::wiring_diff::differences;
use crate::{
    Account, AccountErrorKind, ApiInfo, CreatedBy, DeployError, DeploymentInfo, DeploymentMetadata,
    FunctionName, StageInfo, StageName,
};
use verdict::StatusEvidence;
use weigh::ForeignEvidence;

pub use probe::{ProbeAnswer, ProbeError, ProbeEvidence, RouteProbePlan};
pub use trail::{ChangeTrail, TrailCall, TrailEvidence};

/// Snapshot of an API in a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateSnapshot {
    /// The digest.
    pub digest: SnapshotDigest,
    /// The canonical form.
    pub snapshot: String,
}

/// A request for the status of a stage.
#[derive(Clone, Copy, Debug)]
pub struct StatusRequest<'a> {
    /// The API.
    pub api: &'a ApiInfo,
    /// The stage.
    pub stage: &'a StageName,
    /// Templates. The first one is current, further ones are earlier versions, one of which the served deployment may have
    /// been created from.
    pub templates: &'a [TemplateSnapshot],
    /// Built code.
    pub built: &'a [BuiltCode],
    /// The stack of the project, in case the API names none.
    pub stack: Option<&'a StackName>,
}

/// Status of a stage.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StageStatus {
    /// The API.
    pub api: ApiInfo,
    /// The stage.
    pub stage: StageInfo,
    /// The deployment that the stage serves.
    pub deployment: Option<DeploymentInfo>,
    /// The origin of that deployment.
    #[serde(rename = "maker")]
    pub created_by: Option<CreatedBy>,
    /// The content of its description, if stackgen wrote it.
    #[serde(rename = "label")]
    pub metadata: Option<DeploymentMetadata>,
    /// The digest of the account's wiring.
    pub account_digest: SnapshotDigest,
    /// The digest of the template's wiring.
    pub template_digest: Option<SnapshotDigest>,
    /// The verdict.
    pub verdict: StatusVerdict,
    /// What CloudFormation knows, if stackgen did not create the deployment.
    #[serde(rename = "cloudFormation", skip_serializing_if = "Option::is_none")]
    pub stack_evidence: Option<StackEvidence>,
    /// What CloudTrail knows, if it was asked.
    #[serde(rename = "cloudTrail", skip_serializing_if = "Option::is_none")]
    pub trail: Option<TrailEvidence>,
    /// A probe of the stage, if one was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probe: Option<ProbeEvidence>,
    /// The wiring of the account.
    #[serde(skip)]
    pub description: ApiDescription,
    /// Differences between the account and the template, or the template that was deployed.
    pub changes: Vec<ModelChange>,
    /// The basis of `changes`.
    #[serde(rename = "changesAre")]
    pub change_basis: Option<ChangeBasis>,
    /// Built code, compared with the account's.
    pub code: Vec<CodeStatus>,
    /// The changes as text.
    #[serde(skip)]
    pub changes_text: String,
}

/// The basis of the changes in a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeBasis {
    /// The stage serves the template. The changes are in the account and not served.
    Undeployed,
    /// The changes lead from the template to the account. It is unknown which of them the stage serves.
    FromTemplate,
}

/// Verdict on a stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusVerdict {
    /// The freshness of the stage.
    #[serde(rename = "state")]
    pub freshness: Freshness,
    /// The confidence.
    #[serde(rename = "sureness")]
    pub confidence: StatusConfidence,
    /// The reason.
    #[serde(rename = "because")]
    pub reason: Cow<'static, str>,
}

/// Freshness of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Freshness {
    /// It serves what the account holds.
    Current,
    /// It serves something older.
    Stale,
    /// Its deployment's digest is unknown.
    Unknown,
    /// It serves nothing.
    NotDeployed,
}

/// Confidence of a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StatusConfidence {
    /// Nothing is known that could make it wrong.
    Certain,
    /// Something that cannot be read could make it wrong.
    Likely,
}

/// Built code of a function, compared with the account's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CodeStatus {
    /// The function.
    pub function: FunctionName,
    /// `CodeSha256` of the built code.
    pub built: String,
    /// `CodeSha256` in the account; `None` if there is no such function.
    pub account: Option<String>,
}

impl StageStatus {
    /// True if the stage serves what the account holds.
    pub fn is_current(&self) -> bool {
        self.verdict.freshness == Freshness::Current
    }

    /// True if the description of the served deployment records that it was verified.
    pub fn is_verified(&self) -> bool {
        let metadata = self.metadata.as_ref();
        metadata.is_some_and(DeploymentMetadata::is_verified)
    }

    /// Reads CloudTrail if stackgen did not create the deployment that the stage serves, unless CloudFormation knows that it is
    /// stale.
    ///
    /// # Errors
    ///
    /// [`DeployError::Interrupted`].
    pub async fn read_trail(
        &mut self,
        trail: &impl ChangeTrail,
        ctx: OperationContext<'_>,
    ) -> Result<(), DeployError> {
        let (Some(stack), Some(deployment)) = (&self.stack_evidence, &self.deployment) else {
            return Ok(());
        };
        if self.verdict.freshness == Freshness::Stale {
            return Ok(());
        }
        let knows_stack = matches!(stack, StackEvidence::Read(_));
        let found = trail::trail_evidence(trail, &self.api.id, deployment, knows_stack, ctx);
        self.trail = Some(found.await?);
        self.weigh();
        Ok(())
    }

    /// True if a probe may tell more: stackgen did not create the deployment that the stage serves.
    pub fn needs_probe(&self) -> bool {
        self.stack_evidence.is_some()
    }

    /// Plans a probe of a route: the one with this key or else, as far as that is known, one that was created after the
    /// deployment.
    ///
    /// # Errors
    ///
    /// See [`ProbeError`].
    pub fn probe_plan(&self, route: Option<&str>) -> Result<RouteProbePlan, ProbeError> {
        let url = self.api.url(&self.stage.name);
        let created = |part: &ApiPart| self.is_changed_route(part);
        probe::plan(&self.description, url, self.api.protocol, route, created)
    }

    /// Adds the answer to a probe.
    pub fn add_probe(&mut self, probe: ProbeEvidence) {
        self.probe = Some(probe);
        self.weigh();
    }

    /// True if CloudFormation or CloudTrail knows that a route was created after the deployment, or about then.
    fn is_changed_route(&self, route: &ApiPart) -> bool {
        let by_stack = self.changed_route() == Some(route.id.as_str());
        let by_trail = match &self.trail {
            Some(TrailEvidence::Changed(call)) => {
                call.route_key.is_some() && call.route_key.as_deref() == route.text("RouteKey")
            }
            _ => false,
        };
        by_stack || by_trail
    }

    /// Returns the ID of the route whose creation by CloudFormation decided.
    fn changed_route(&self) -> Option<&str> {
        let Some(StackEvidence::Read(history)) = &self.stack_evidence else {
            return None;
        };
        let change = history.change.as_ref()?;
        let is_new =
            change.kind == "AWS::ApiGatewayV2::Route" && change.status == "CREATE_COMPLETE";
        change.physical_id.as_deref().filter(|_| is_new)
    }

    /// Weighs the evidence about a deployment that stackgen did not create.
    fn weigh(&mut self) {
        let (Some(stack), Some(deployment)) = (&self.stack_evidence, &self.deployment) else {
            return;
        };
        let probed_change = self.probe.as_ref().is_some_and(|probe| {
            let mut parts = self.description.parts.iter();
            let changed = parts.find(|part| Some(part.id.as_str()) == self.changed_route());
            changed.and_then(|route| route.text("RouteKey")) == Some(probe.route_key.as_str())
        });
        let evidence = ForeignEvidence {
            api: &self.api.id,
            deployment,
            stack,
            trail: self.trail.as_ref(),
            probe: self.probe.as_ref(),
            probed_change,
        };
        self.verdict = evidence.verdict();
    }

    /// True if the description of the served deployment records that its verification failed.
    pub fn is_failed(&self) -> bool {
        let metadata = self.metadata.as_ref();
        metadata.is_some_and(DeploymentMetadata::is_failed)
    }
}

/// Returns the status of a stage.
///
/// # Errors
///
/// See [`DeployError`].
pub async fn status(
    account: &impl Account,
    stacks: &impl StackReader,
    request: &StatusRequest<'_>,
    ctx: OperationContext<'_>,
) -> Result<StageStatus, DeployError> {
    let description = ApiDescription::read(account, &request.api.id, ctx).await?;
    status_of_wiring(account, stacks, request, &description, ctx).await
}

/// Returns the status of a stage of an API whose wiring was read.
///
/// # Errors
///
/// See [`DeployError`].
pub async fn status_of_wiring(
    account: &impl Account,
    stacks: &impl StackReader,
    request: &StatusRequest<'_>,
    description: &ApiDescription,
    ctx: OperationContext<'_>,
) -> Result<StageStatus, DeployError> {
    let StatusRequest {
        api,
        stage,
        templates,
        built,
        stack,
    } = *request;
    let region = ctx.read(|| account.account_region()).await?;
    let stage = ctx.read(|| account.stage(&api.id, stage)).await?;
    let wiring = description.wiring(&region);
    let deployment = match &stage.deployment {
        Some(id) => Some(ctx.read(|| account.deployment(&api.id, id)).await?),
        None => None,
    };
    let metadata = deployment.as_ref().and_then(DeploymentInfo::metadata);
    let served = metadata.as_ref().map(|metadata| &metadata.digest);
    let template = templates.first();
    let deployed = templates.iter().find(|one| Some(&one.digest) == served);
    let (changes, changes_text) = changes(api, deployed.or(template), &wiring);
    let change_basis = (!changes.is_empty()).then_some(match deployed {
        Some(_) => ChangeBasis::Undeployed,
        None => ChangeBasis::FromTemplate,
    });
    let stack_evidence = match (&deployment, &metadata) {
        (Some(deployment), None) if !stage.auto_deploy => {
            let created = deployment.created;
            Some(wiring_evidence(stacks, api, stack, created, ctx).await?)
        }
        _ => None,
    };
    let evidence = StatusEvidence {
        stage: &stage,
        deployment: deployment.as_ref(),
        deployed,
        wiring: &wiring,
        template_is_current: template.is_some_and(|one| one.digest == wiring.digest),
    };
    let mut known = StageStatus {
        verdict: evidence.verdict(),
        stack_evidence,
        trail: None,
        probe: None,
        description: description.clone(),
        api: api.clone(),
        created_by: deployment.as_ref().map(DeploymentInfo::created_by),
        metadata,
        account_digest: wiring.digest,
        template_digest: template.map(|one| one.digest.clone()),
        changes,
        change_basis,
        code: code_status(account, built, ctx).await?,
        changes_text,
        stage,
        deployment,
    };
    known.weigh();
    Ok(known)
}

/// Returns the changes from a template to the account, also as text.
fn changes(
    api: &ApiInfo,
    template: Option<&TemplateSnapshot>,
    wiring: &ApiWiring,
) -> (Vec<ModelChange>, String) {
    let Some(template) = template else {
        return Default::default();
    };
    let diff = differences(&api.name, &template.snapshot, &wiring.snapshot);
    let text = diff.human();
    (diff.changes, text)
}

async fn code_status(
    account: &impl Account,
    built: &[BuiltCode],
    ctx: OperationContext<'_>,
) -> Result<Vec<CodeStatus>, DeployError> {
    let mut found = Vec::new();
    for code in built {
        let account = match ctx.read(|| account.function(&code.function, None)).await {
            Ok(state) => Some(state.code_sha256),
            Err(DeployError::Account(error)) if error.kind == AccountErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        found.push(CodeStatus {
            function: code.function.clone(),
            built: code.sha256.clone(),
            account,
        });
    }
    Ok(found)
}
