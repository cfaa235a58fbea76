//! Checks of a stackgen.yaml: its structure against the schema, its values against each other, and the references of
//! its templates.

mod cycle;
mod format;
mod raw;
mod readable;
mod references;
mod semantics;
mod structure;
mod unknown_key;

use stackgen_cfn::Node;

use crate::LocatedError;
use crate::outline::TemplateOutline;

pub(crate) use readable::readable;
pub(crate) use semantics::check as check_spec;
pub(crate) use structure::check as check_structure;

/// Checks the sections in CloudFormation's syntax, and every reference of the template.
///
/// `whole` is false where parts of the file could not be read: a missing name may be declared there.
pub(crate) fn check_outline(
    document: &Node,
    outline: &TemplateOutline,
    whole: bool,
    errors: &mut Vec<LocatedError>,
) {
    raw::check(document, outline, errors);
    references::check(document, outline, whole, errors);
    cycle::check(document, outline, errors);
}
