//! Locations in stackgen.yaml of the entries that resources are made for.

use stackgen_cfn::Span;

use crate::environment::MergedEnvironment;
use crate::render;
use crate::spans::DocumentSpans;

/// Number of hex digits that end the logical IDs of deployments and versions.
const DIGEST: usize = 10;

/// Returns the location of the entry that a resource of an environment's template is made for.
pub(crate) fn origin(environment: &MergedEnvironment, logical_id: &str) -> Option<Span> {
    let MergedEnvironment {
        name,
        document,
        spec,
    } = environment;
    let outline = render::outline(spec, name, document);
    let mut resources = outline.resources.iter();
    let (_, (_, origin)) = match outline.resources.get_key_value(logical_id) {
        Some(known) => Some(known),
        None => resources.find(|(id, _)| is_revision(id, logical_id)),
    }?;
    let path: Vec<&str> = origin.iter().map(String::as_str).collect();
    Some(DocumentSpans(document).key(&path))
}

/// Returns true if two logical IDs differ only in their digests. The outline's ID of a deployment has none, and its ID of a
/// version has one of a function without code.
fn is_revision(outline_id: &str, logical_id: &str) -> bool {
    let Some(stem) = without_digest(logical_id) else {
        return false;
    };
    stem == outline_id || without_digest(outline_id) == Some(stem)
}

fn without_digest(id: &str) -> Option<&str> {
    let (stem, digest) = id.split_at_checked(id.len().checked_sub(DIGEST)?)?;
    let is_digest = digest.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_digest.then_some(stem)
}
