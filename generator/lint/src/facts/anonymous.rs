//! Decides whether the stack admits callers without a token.

use stackgen_model::{Authorizer, Model, Resolved, Resource};

use super::settings;
use crate::Location;

const VARIABLES: [&str; 2] = ["Environment", "Variables"];

/// Evidence that the stack admits callers without a token.
pub(crate) struct AnonymousAccess {
    pub(crate) location: Location,
    pub(crate) label: String,
    /// True if the stack declares it in metadata, false if an environment variable of the authorizer's function shows
    /// it.
    pub(crate) is_recorded: bool,
    /// True if the value can differ in another environment.
    pub(crate) is_computed: bool,
}

/// Returns the evidence that an authorizer admits callers without a token.
pub(crate) fn anonymous_access(model: &Model, authorizer: &Authorizer) -> Option<AnonymousAccess> {
    from_metadata(&authorizer.resource).or_else(|| {
        let function = model.resource(authorizer.function.function.to()?)?;
        let variables = function.properties.at_path(&VARIABLES)?.as_map()?;
        let admitting = variables
            .iter()
            .find(|(name, value)| allows_anonymous(name, value));
        admitting.map(|(name, value)| from_variable(function, name, value))
    })
}

/// Reads the metadata that stackgen renders.
fn from_metadata(authorizer: &Resource) -> Option<AnonymousAccess> {
    let path = ["Metadata", "Stackgen", "Callers"];
    let metadata = authorizer.attributes.get(path[0])?;
    if metadata.at_path(&path[1..])?.as_literal() != Some("mixed") {
        return None;
    }
    let written = path
        .iter()
        .try_fold(&authorizer.document, |node, key| node.get(key));
    let mut location = Location::of(authorizer, &[]);
    location.span = written.map_or(location.span, |node| node.span);
    Some(AnonymousAccess {
        location,
        label: "the stack declares anonymous callers".to_owned(),
        is_recorded: true,
        is_computed: false,
    })
}

fn from_variable(function: &Resource, name: &str, value: &Resolved) -> AnonymousAccess {
    let value = value.to_text().unwrap_or_default();
    let path = [VARIABLES[0], VARIABLES[1], name];
    AnonymousAccess {
        location: Location::of(function, &path),
        label: format!("`{name}: {value}`: its function admits anonymous callers"),
        is_recorded: false,
        is_computed: settings::is_computed(function, &path),
    }
}

/// Returns true if a variable admits them: `ALLOW_ANONYMOUS: "true"`, `AUTH_REQUIRED: "false"`, `AUTHORIZER_CALLERS:
/// mixed`.
fn allows_anonymous(name: &str, value: &Resolved) -> bool {
    let Some(value) = value.to_text() else {
        return false;
    };
    let value = value.as_literal().map(str::to_ascii_lowercase);
    let is = |words: &[&str]| value.as_deref().is_some_and(|value| words.contains(&value));
    let name = name.to_ascii_uppercase();
    let has = |words: &[&str]| name.split('_').any(|word| words.contains(&word));
    let (yes, no) = (
        ["true", "1", "yes", "on", "enabled"],
        ["false", "0", "no", "off", "disabled"],
    );
    let of_nobody = has(&["ANONYMOUS", "ANON", "UNAUTHENTICATED", "GUEST", "GUESTS"]);
    let allows = has(&[
        "ALLOW",
        "ALLOWED",
        "ALLOWS",
        "ENABLE",
        "ENABLED",
        "PERMIT",
        "PERMITTED",
        "ACCEPT",
    ]);
    let of_proof = has(&["AUTH", "AUTHENTICATION", "TOKEN", "JWT"]);
    match name.as_str() {
        "AUTHORIZER_CALLERS" | "CALLERS" => is(&["mixed"]),
        _ if of_nobody && allows => is(&yes),
        _ if of_proof && has(&["REQUIRE", "REQUIRED"]) => is(&no),
        _ if of_proof && has(&["OPTIONAL"]) => is(&yes),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_admit_anonymous_callers() {
        for (name, value, expected) in [
            ("ALLOW_ANONYMOUS", "true", true),
            ("ANONYMOUS_LISTENERS_ALLOWED", "1", true),
            ("AUTHORIZER_CALLERS", "mixed", true),
            ("AUTH_REQUIRED", "false", true),
            ("TOKEN_OPTIONAL", "yes", true),
            ("ALLOW_ANONYMOUS", "false", false),
            ("DISALLOW_ANONYMOUS", "true", false),
            ("AUTHORIZER_CALLERS", "authenticated", false),
            ("AUTH_REQUIRED", "true", false),
            ("GUEST_TABLE", "true", false),
        ] {
            assert_eq!(
                allows_anonymous(name, &Resolved::literal(value)),
                expected,
                "{name}={value}"
            );
        }
    }
}
