//! Names that are taken: a check before a deploy, because CloudFormation refuses them only after the upload.

use futures_util::{StreamExt as _, stream};

use super::error::StackError;
use super::owner::API_TYPE;
use super::ports::{NameReader, StackReader};
use super::status::Readiness;
use super::types::{StackName, StackResource};
use crate::error::DeployError;
use crate::progress::DeployStep;
use crate::retry::OperationContext;

pub use super::fixed_names::{FixedName, NamedResource, named_resources};

/// Number of names that are read at the same time.
const PARALLEL: usize = 8;

/// Checks that no resource outside of the stack has a name that the template gives to a resource. All names that are taken are
/// reported at once. A name that cannot be read is skipped with a note, so that the check itself fails no deploy.
///
/// # Errors
///
/// [`StackError::NamesTaken`], [`DeployError::Interrupted`], and errors of the credentials.
pub async fn check_names(
    account: &impl NameReader,
    stack: &StackName,
    named: &[NamedResource],
    own: &[StackResource],
    ctx: OperationContext<'_>,
) -> Result<(), StackError> {
    let names: Vec<&FixedName> = named
        .iter()
        .filter(|resource| !resource.is_in(own))
        .map(|resource| &resource.name)
        .collect();
    let own_apis = own
        .iter()
        .filter(|one| one.exists() && one.kind == API_TYPE);
    let own_apis: Vec<&str> = own_apis
        .filter_map(|api| api.physical_id.as_deref())
        .collect();
    let reads = names
        .iter()
        .map(|name| ctx.read(|| account.is_taken(name, &own_apis)));
    let answers: Vec<_> = stream::iter(reads).buffered(PARALLEL).collect().await;
    let mut taken = Vec::new();
    // The same permission is missing for all names of a kind.
    let mut skipped = Vec::new();
    for (name, answer) in names.into_iter().zip(answers) {
        match answer {
            Ok(true) => taken.push(name.clone()),
            Ok(false) => {}
            Err(error) => {
                let error = unread(error)?;
                if !skipped.contains(&name.kind()) {
                    skipped.push(name.kind());
                    skip(
                        &format!("the check of names of {}", name.kind()),
                        &error,
                        ctx,
                    );
                }
            }
        }
    }
    match taken.is_empty() {
        true => Ok(()),
        false => {
            taken.sort();
            Err(StackError::NamesTaken {
                stack: stack.clone(),
                taken,
            })
        }
    }
}

/// A stack before a deploy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnResources {
    /// True if there is a stack, even one without resources.
    pub stack_exists: bool,
    /// The resources.
    pub resources: Vec<StackResource>,
}

impl OwnResources {
    /// True if the stack has a resource with this logical ID.
    pub fn has(&self, logical_id: &str) -> bool {
        let mut resources = self.resources.iter();
        resources.any(|one| one.logical_id == logical_id && one.exists())
    }
}

/// Reads the resources of a stack before a deploy. Returns `None` while an operation changes the stack, and with a note if they
/// cannot be read: which resources are the stack's is unknown then.
///
/// # Errors
///
/// Those of reading the stack, [`DeployError::Interrupted`], and errors of the credentials.
pub async fn own_resources(
    account: &impl StackReader,
    stack: &StackName,
    ctx: OperationContext<'_>,
) -> Result<Option<OwnResources>, StackError> {
    let Some(found) = ctx.read(|| account.stack(stack.as_str())).await? else {
        return Ok(Some(OwnResources::default()));
    };
    let exists = |resources| OwnResources {
        stack_exists: true,
        resources,
    };
    match found.status.readiness() {
        Readiness::Busy => return Ok(None),
        // Only change sets so far.
        Readiness::Create => return Ok(Some(exists(Vec::new()))),
        _ => {}
    }
    match ctx.read(|| account.resources(&found.id)).await {
        Ok(resources) => Ok(Some(exists(resources))),
        Err(error) => {
            skip("the checks of names and quotas", &unread(error)?, ctx);
            Ok(None)
        }
    }
}

/// Returns an error after which the other checks make sense.
pub(super) fn unread(error: DeployError) -> Result<DeployError, StackError> {
    match error {
        error if error.ends_all_calls() => Err(error.into()),
        error => Ok(error),
    }
}

pub(super) fn skip(what: &str, error: &DeployError, ctx: OperationContext<'_>) {
    let reason = match error.hint() {
        Some(hint) => format!("{error}; {hint}"),
        None => error.to_string(),
    };
    ctx.step(DeployStep::Skipped {
        what,
        reason: &reason,
    });
}
