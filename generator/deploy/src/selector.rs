//! Finding an API and a stage.

use crate::retry::OperationContext;
use crate::{Account, AccountErrorKind, ApiId, ApiInfo, DeployError, StageInfo, StageName};

/// Selector of an API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApiSelector {
    /// By ID.
    Id(ApiId),
    /// By name, which only one API may have.
    Name(String),
}

/// Finds an API.
///
/// # Errors
///
/// If there is no such API, or several have the name.
pub async fn find_api(
    account: &impl Account,
    selector: &ApiSelector,
    ctx: OperationContext<'_>,
) -> Result<ApiInfo, DeployError> {
    let name = match selector {
        ApiSelector::Id(id) => {
            let found = ctx.read(|| account.api(id)).await;
            return found.map_err(|error| match error {
                DeployError::Account(error) if error.kind == AccountErrorKind::NotFound => {
                    DeployError::NoApiId { id: id.clone() }
                }
                other => other,
            });
        }
        ApiSelector::Name(name) => name,
    };
    let mut found = ctx.read(|| account.apis()).await?;
    found.retain(|api| api.name == *name);
    match <[ApiInfo; 1]>::try_from(found) {
        Ok([api]) => Ok(api),
        Err(none) if none.is_empty() => Err(DeployError::NoApi { name: name.clone() }),
        Err(several) => {
            let mut ids: Vec<_> = several.into_iter().map(|api| api.id).collect();
            ids.sort();
            Err(DeployError::AmbiguousApi {
                name: name.clone(),
                ids,
            })
        }
    }
}

/// Finds a stage of an API by its name. Without a name, finds the only stage.
///
/// # Errors
///
/// If there is no such stage, or no name is given and there are several stages.
pub async fn find_stage(
    account: &impl Account,
    api: &ApiId,
    name: Option<&StageName>,
    ctx: OperationContext<'_>,
) -> Result<StageInfo, DeployError> {
    let mut stages = ctx.read(|| account.stages(api)).await?;
    stages.sort_by(|a, b| a.name.cmp(&b.name));
    let found = match name {
        Some(name) => stages.iter().find(|stage| stage.name == *name),
        None if stages.len() == 1 => stages.first(),
        None => None,
    };
    found.cloned().ok_or_else(|| DeployError::NoStage {
        api: api.clone(),
        stage: name.cloned(),
        stages: stages.into_iter().map(|stage| stage.name).collect(),
    })
}
