//! The version of stackgen that a project file requires.

use semver::{Version, VersionReq};
use stackgen_cfn::Node;

use crate::LocatedError;

/// This version of stackgen.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Returns the error of a file that requires another version. Such a file may have keys that this version does not know,
/// so no other error is worth reporting. The check of formats reports an invalid requirement.
pub(crate) fn unmet(document: &Node) -> Option<LocatedError> {
    let node = document.get("requires")?;
    let required = node.as_str()?;
    let requirement = VersionReq::parse(required).ok()?;
    let version = Version::parse(VERSION).ok()?;
    if requirement.matches(&version) {
        return None;
    }
    let message = format!("the file requires stackgen `{required}`, and this is {VERSION}");
    Some(LocatedError::new(node.span, message).hint("install a version that matches"))
}

/// Returns true for a requirement that can be parsed, such as `>=0.1`.
pub(crate) fn is_valid(text: &str) -> bool {
    VersionReq::parse(text).is_ok()
}
