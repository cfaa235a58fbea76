//! State of Lambda functions.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use aws_sdk_lambda::operation::get_function_configuration::GetFunctionConfigurationOutput;
use aws_sdk_lambda::types::{FunctionConfiguration, LastUpdateStatus, State};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use stackgen_deploy::{
    FunctionState, FunctionVersion, OffsetDateTime, PublishedVersion, UpdateStatus,
};

use crate::convert::text;

/// Returns a published version; `None` for `$LATEST`, and for one without a time.
pub(crate) fn published(found: &FunctionConfiguration) -> Option<PublishedVersion> {
    let version = found.version()?;
    let is_number = version.bytes().all(|byte| byte.is_ascii_digit());
    // `2026-11-22T02:42:52.123+0000`
    let published = found.last_modified()?.replace("+0000", "Z");
    let published = DateTime::from_str(&published, Format::DateTime).ok()?;
    let published = OffsetDateTime::from_unix_timestamp(published.secs()).ok()?;
    is_number.then(|| PublishedVersion {
        version: FunctionVersion::new(version),
        published,
    })
}

/// Returns the state of a function or a version; `None` if the answer has no digest of the code.
pub(crate) fn state(found: &GetFunctionConfigurationOutput) -> Option<FunctionState> {
    let reason = found.last_update_status_reason().or(found.state_reason());
    Some(FunctionState {
        code_sha256: found.code_sha256()?.to_owned(),
        configuration: hash_configuration(found),
        update: update_status(found.state(), found.last_update_status(), reason),
        revision: found.revision_id().and_then(text),
    })
}

fn update_status(
    state: Option<&State>,
    last: Option<&LastUpdateStatus>,
    reason: Option<&str>,
) -> UpdateStatus {
    let failed = || UpdateStatus::Failed(reason.unwrap_or("no reason is given").to_owned());
    match (state, last) {
        (Some(State::Failed), _) | (_, Some(LastUpdateStatus::Failed)) => failed(),
        (Some(State::Pending), _) | (_, Some(LastUpdateStatus::InProgress)) => {
            UpdateStatus::InProgress
        }
        _ => UpdateStatus::Successful,
    }
}

/// Hashes the configuration that a version freezes. A hash, because environment variables may be secret.
fn hash_configuration(found: &GetFunctionConfigurationOutput) -> u64 {
    let variables = found
        .environment()
        .and_then(|environment| environment.variables());
    let variables: BTreeMap<_, _> = variables.into_iter().flatten().collect();
    let layers: Vec<_> = found.layers().iter().map(|layer| layer.arn()).collect();
    let mut hasher = DefaultHasher::new();
    (
        found.runtime().map(|runtime| runtime.as_str()),
        found.role(),
        found.handler(),
    )
        .hash(&mut hasher);
    (found.timeout(), found.memory_size(), variables, layers).hash(&mut hasher);
    let rest = (
        found.description(),
        found.architectures(),
        found.ephemeral_storage(),
        found.kms_key_arn(),
    );
    format!(
        "{rest:?}{:?}{:?}",
        found.logging_config(),
        found.tracing_config()
    )
    .hash(&mut hasher);
    hasher.finish()
}
