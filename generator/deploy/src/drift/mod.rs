//! Drift of an API from the template of its stack: a stage that was moved, or wiring that was changed outside
//! CloudFormation.
//!
//! CloudFormation's own drift detection does not support stages of API Gateway v2 (row D8), so the account is read.

mod template;

use serde::Serialize;
use stackgen_model::diff::{Diff, ModelChange};

use crate::account::ApiDescription;
use crate::retry::OperationContext;
use crate::stack::{OwningStack, StackName, StackReader, find_owner};
use crate::wiring_diff::differences_with_versions;
use crate::{
    Account, ApiInfo, CreatedBy, DeployError, DeploymentId, DeploymentInfo, DeploymentMetadata,
    StageInfo, StageName,
};
use template::{TemplateApi, TemplatePointer, is_unresolved};

/// A request to compare a stage and its API with the template of their stack.
#[derive(Clone, Copy, Debug)]
pub struct DriftRequest<'a> {
    /// The API.
    pub api: &'a ApiInfo,
    /// The stage.
    pub stage: &'a StageName,
    /// The stack of the project, in case the API names none.
    pub stack: Option<&'a StackName>,
}

/// Drift of a stage and its API.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StageDrift {
    /// The API.
    pub api: ApiInfo,
    /// The stage.
    pub stage: StageInfo,
    /// The stack.
    pub stack: StackName,
    /// The status of the stack.
    pub stack_status: String,
    /// The stage's deployment, compared with the template's.
    pub pointer: StagePointer,
    /// Changes of the wiring, from the template to the account.
    pub wiring: Vec<ModelChange>,
    /// Number of differences that were left out because the template alone does not determine a value.
    pub unresolved: usize,
    /// The changes as text.
    #[serde(skip)]
    pub wiring_text: String,
}

/// The deployment that a stage serves, compared with the one that the template's stage names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "state")]
pub enum StagePointer {
    /// The stage serves it.
    AsInTemplate,
    /// The template turns AutoDeploy on, so API Gateway moves the stage (row D5).
    AutoDeploy,
    /// AutoDeploy was turned on or off outside CloudFormation.
    AutoDeployChanged {
        /// The template's setting.
        template: bool,
    },
    /// The stage serves another deployment.
    Moved {
        /// The deployment of the template.
        template: DeploymentId,
        /// The deployment that the stage serves.
        served: Option<Box<ServedDeployment>>,
    },
    /// They cannot be compared.
    Unknown {
        /// The reason.
        reason: String,
    },
}

/// The deployment that a moved stage serves, and its origin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServedDeployment {
    /// The deployment.
    pub deployment: DeploymentInfo,
    /// The origin.
    #[serde(rename = "maker")]
    pub created_by: CreatedBy,
    /// The content of the description, if stackgen wrote it.
    #[serde(rename = "label")]
    pub metadata: Option<DeploymentMetadata>,
}

impl StageDrift {
    /// True if stage and wiring are known to be as in the template.
    pub fn is_none(&self) -> bool {
        let is_same = matches!(
            self.pointer,
            StagePointer::AsInTemplate | StagePointer::AutoDeploy
        );
        is_same && self.wiring.is_empty()
    }
}

/// Compares a stage and its API with the template of their stack.
///
/// # Errors
///
/// [`DeployError::NoStack`] without a stack, [`DeployError::StackTemplate`] if the template does not describe the API, and
/// failures of calls.
pub async fn drift(
    account: &impl Account,
    stacks: &impl StackReader,
    request: &DriftRequest<'_>,
    ctx: OperationContext<'_>,
) -> Result<StageDrift, DeployError> {
    let api = request.api;
    let owner = find_owner(stacks, api, request.stack, ctx).await?;
    let owner = owner.ok_or_else(|| DeployError::NoStack {
        api: api.id.clone(),
    })?;
    let description = ApiDescription::read(account, &api.id, ctx).await?;
    drift_of_wiring(account, stacks, request, &owner, &description, ctx).await
}

/// Compares a stage and its API, whose wiring was read, with the template of the stack that has them.
///
/// # Errors
///
/// As of [`drift`].
pub async fn drift_of_wiring(
    account: &impl Account,
    stacks: &impl StackReader,
    request: &DriftRequest<'_>,
    owner: &OwningStack,
    description: &ApiDescription,
    ctx: OperationContext<'_>,
) -> Result<StageDrift, DeployError> {
    let api = request.api;
    let text = ctx.read(|| stacks.template(&owner.stack.id)).await?;
    let template = TemplateApi::read(owner, api, request.stage, text)?;
    let region = ctx.read(|| account.account_region()).await?;
    let stage = ctx.read(|| account.stage(&api.id, request.stage)).await?;
    let account_wiring = description.wiring(&region);
    let all = differences_with_versions(&api.name, &template.snapshot, &account_wiring.snapshot);
    let before = all.changes.len();
    let changes: Vec<_> = all
        .changes
        .into_iter()
        .filter(|change| !is_unresolved(change))
        .collect();
    let unresolved = before - changes.len();
    let wiring = Diff {
        changes,
        apis: Vec::new(),
    };
    Ok(StageDrift {
        pointer: pointer(account, api, &stage, &template.pointer, owner, ctx).await?,
        api: api.clone(),
        stage,
        stack: owner.stack.name.clone(),
        stack_status: owner.stack.status.name().to_owned(),
        unresolved,
        wiring_text: wiring.human(),
        wiring: wiring.changes,
    })
}

async fn pointer(
    account: &impl Account,
    api: &ApiInfo,
    stage: &StageInfo,
    template: &TemplatePointer,
    owner: &OwningStack,
    ctx: OperationContext<'_>,
) -> Result<StagePointer, DeployError> {
    let unknown = |reason: String| Ok(StagePointer::Unknown { reason });
    let expected = match template {
        TemplatePointer::AutoDeploy if stage.auto_deploy => return Ok(StagePointer::AutoDeploy),
        TemplatePointer::AutoDeploy => {
            return Ok(StagePointer::AutoDeployChanged { template: true });
        }
        _ if stage.auto_deploy => return Ok(StagePointer::AutoDeployChanged { template: false }),
        TemplatePointer::Unknown(reason) => return unknown(reason.clone()),
        TemplatePointer::Literal(id) => DeploymentId::new(id.as_str()),
        TemplatePointer::Resource(id) => match owner.physical_id(id) {
            Some(physical_id) => DeploymentId::new(physical_id),
            None => return unknown(format!("the stack has no resource {id} yet")),
        },
    };
    if stage.deployment.as_ref() == Some(&expected) {
        return Ok(StagePointer::AsInTemplate);
    }
    let served = match &stage.deployment {
        None => None,
        Some(id) => {
            let deployment = ctx.read(|| account.deployment(&api.id, id)).await?;
            Some(Box::new(ServedDeployment {
                created_by: deployment.created_by(),
                metadata: deployment.metadata(),
                deployment,
            }))
        }
    };
    Ok(StagePointer::Moved {
        template: expected,
        served,
    })
}
