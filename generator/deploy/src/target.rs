//! Which API and which stage.

use crate::retry::OperationContext;
use crate::{Account, AccountErrorKind, Api, ApiId, DeployError, Stage, StageName};

/// What was asked for, with what a stack says of itself where nothing was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApiSelector {
    /// An API by its id.
    Id(ApiId),
    /// An API by its name, of which there must be one.
    Name(String),
}

/// Finds an API.
///
/// # Errors
///
/// If there is none, or several have the name.
pub async fn api(
    account: &impl Account,
    wanted: &ApiSelector,
    ctx: OperationContext<'_>,
) -> Result<Api, DeployError> {
    let name = match wanted {
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
    match <[Api; 1]>::try_from(found) {
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

/// Finds a stage of an API: the one that is named, or the only one.
///
/// # Errors
///
/// If there is none, or none is named and there are several.
pub async fn stage(
    account: &impl Account,
    api: &ApiId,
    wanted: Option<&StageName>,
    ctx: OperationContext<'_>,
) -> Result<Stage, DeployError> {
    let mut stages = ctx.read(|| account.stages(api)).await?;
    stages.sort_by(|a, b| a.name.cmp(&b.name));
    let found = match wanted {
        Some(name) => stages.iter().find(|stage| stage.name == *name),
        None if stages.len() == 1 => stages.first(),
        None => None,
    };
    found.cloned().ok_or_else(|| DeployError::NoStage {
        api: api.clone(),
        stage: wanted.cloned(),
        stages: stages.into_iter().map(|stage| stage.name).collect(),
    })
}
