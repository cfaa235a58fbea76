//! Times and digests as people read them.

use std::time::Duration;

use stackgen_deploy::{CreatedBy, OffsetDateTime};

/// Formats the age of something: `3 minutes ago`. Clocks differ, so a time in the future counts as now.
pub(crate) fn ago(created: OffsetDateTime) -> String {
    let age = Duration::try_from(OffsetDateTime::now_utc() - created);
    let seconds = age.unwrap_or_default().as_secs();
    let (count, unit) = match seconds {
        0..60 => (seconds, "second"),
        60..3_600 => (seconds / 60, "minute"),
        3_600..86_400 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural} ago")
}

/// Returns the first digits of a digest.
pub(crate) fn short_digest(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

/// Returns the origin of a deployment.
pub(crate) fn creator_text(origin: CreatedBy) -> &'static str {
    match origin {
        CreatedBy::Redeploy => "by `stackgen deploy --redeploy-stage`",
        CreatedBy::Template => "by CloudFormation",
        CreatedBy::AutoDeploy => "by AutoDeploy",
        CreatedBy::Unknown => "not by stackgen",
    }
}

/// Formats the changes of a wiring as indented lines.
pub(crate) fn change_lines(changes: &str) -> String {
    let lines = changes.lines().map(|line| {
        let line = line.strip_suffix("needs a deployment").unwrap_or(line);
        format!("    {}\n", line.trim_end())
    });
    lines.collect()
}
