//! Finds problems of a template before it is applied.

use stackgen_model::Model;

use super::account::LocalAccount;
use super::desired::DesiredResource;
use super::run::{in_creation_order, known_ids, rewriter};
use super::unresolved::unresolved_problem;
use super::{StackState, StackTemplate, TemplateProblem, resource_types};

/// Finds all problems of a template before anything is applied.
pub(super) fn check_template(
    account: &LocalAccount,
    state: &StackState,
    template: &StackTemplate,
    model: &Model,
) -> Result<(), Vec<TemplateProblem>> {
    let mut ids = known_ids(account, state, template, model);
    for version in &model.versions {
        let id = &version.resource.logical_id;
        if !state.resources.contains_key(id) {
            ids.set(id.clone(), "0");
        }
    }
    let rewriter = rewriter(account, model, &ids);
    let mut problems = Vec::new();
    for resource in in_creation_order(model) {
        if resource_types::is_optional(&resource.kind) {
            continue;
        }
        if let Some(conditional) = &resource.conditional {
            let message = format!(
                "cannot determine whether {} exists: {}",
                resource.logical_id, conditional.unknown
            );
            let name = &conditional.name;
            let hint = format!("set the parameters of condition {name}: `--parameter NAME=VALUE`");
            let hint = Some(hint);
            problems.push(TemplateProblem::at(resource.span, message, hint));
        }
        if let Err(missing) = DesiredResource::read(resource, model, &ids, &rewriter) {
            problems.extend(
                missing
                    .iter()
                    .map(|missing| unresolved_problem(resource, missing)),
            );
        }
    }
    problems.sort_by_key(|problem| problem.byte_range);
    match problems.is_empty() {
        true => Ok(()),
        false => Err(problems),
    }
}
