//! Changes of a project as lines.

use stackgen_cfn::terminal::escape;
use stackgen_gateway::stack::{self, ApplyResult};
use stackgen_model::diff::{ChangeKind, Diff, ModelChange};
use stackgen_model::{LogicalId, Model, Version};

use super::variables;
use crate::style::{CYAN, GREEN};

/// Returns a line for each function with new code.
pub(super) fn code_lines(applied: &ApplyResult, model: &Model) -> Vec<String> {
    let versions: Vec<_> = applied
        .changes
        .iter()
        .filter(|change| {
            change.action == stack::ChangeAction::Created && change.kind == "AWS::Lambda::Version"
        })
        .collect();
    let functions = applied
        .changes
        .iter()
        .filter(|change| change.action == stack::ChangeAction::Code);
    let lines = functions.map(|function| {
        let name = &function.physical_id;
        let is_of_it = |version: &&&stack::ResourceChange| {
            let of = function_of(&version.logical_id, model);
            of.is_some_and(|id| id.as_str() == function.logical_id)
        };
        let name = escape(name);
        match versions.iter().find(is_of_it) {
            Some(version) => {
                let number = &version.physical_id;
                format!("{CYAN}code{CYAN:#}       {name}: new version {number}")
            }
            None => format!(
                "{GREEN}code{GREEN:#}       {name}: live now, no deployment needed (row D2)"
            ),
        }
    });
    lines.collect()
}

/// Returns the function of a version. Logical IDs of pinned versions end in a digest of the code, which the model lacks.
fn function_of<'m>(version: &str, model: &'m Model) -> Option<&'m LogicalId> {
    let stem = |id: &str| id.rfind("Version").map(|at| id[..at].to_owned());
    let is_named = |known: &&Version| known.resource.logical_id.as_str() == version;
    let has_same_stem = |known: &&Version| {
        let known = stem(known.resource.logical_id.as_str());
        known.is_some() && known == stem(version)
    };
    let mut all = model.versions.iter();
    let known = all
        .find(is_named)
        .or_else(|| model.versions.iter().find(has_same_stem));
    known?.function.function.to()
}

/// Formats changes other than those of code and deployments. Builds do not show in models, so a changed function has another
/// configuration.
pub(super) fn wiring_text(mut changes: Diff) -> String {
    changes.changes.retain(|change| !is_bookkeeping(change));
    changes.apis.clear();
    changes.changes = variables::in_words(changes.changes);
    changes.human()
}

/// Returns true for changes that only follow from a new deployment, or concern the order of creation.
fn is_bookkeeping(change: &ModelChange) -> bool {
    let field = match &change.kind {
        ChangeKind::Changed { field, .. } => field.as_str(),
        _ => "",
    };
    match change.subject.kind.as_str() {
        "deployment" | "output" | "version" => true,
        "stage" => field == "DeploymentId",
        "resource" => field.starts_with("DependsOn"),
        _ => false,
    }
}
