use stackgen_model::diff::{ChangeKind, ModelChange, snapshots};
use stackgen_model::{Deployment, Stage};

use crate::context::RuleContext;
use crate::facts::changed_apis::{self, ChangedApi};
use crate::facts::served_deployments::ServedDeployments;
use crate::facts::terraform;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// The wiring changed since the earlier revision, but the deployment that snapshots it did not.
    ///
    /// ## Why it hurts
    ///
    /// A deployment is a snapshot of routes, integrations, authorizers and models (row D1). CloudFormation creates
    /// another one only with another logical ID (row D7). This update succeeds, and the stage keeps serving the old
    /// snapshot: a new route answers with `Forbidden` frames (row M3), a changed integration still calls the old
    /// function, and a new authorizer is not invoked.
    ///
    /// ## How to fix it
    ///
    /// Give the deployment a new logical ID and set the stage's `DeploymentId` to it. Better, end the ID in a digest of
    /// what the deployment snapshots. If the update is deployed already, `stackgen deploy --redeploy-stage` creates a
    /// deployment of the current wiring and activates it.
    ///
    /// This rule needs the earlier revision: `stackgen lint --previous old.yaml new.yaml`.
    id: "SG406",
    name: "snapshot-changed-deployment-did-not",
    severity: Error,
    confidence: High,
    rows: ["D7", "D1", "M3"],
    fixable: false,
    example: "stages/snapshot_changed_deployment_did_not.diff",
    compares: true,
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let changed = context.facts.changed_apis();
    changed
        .iter()
        .flat_map(|changed| check_api(context, changed))
        .collect()
}

fn check_api(context: &RuleContext<'_>, changed: &ChangedApi<'_>) -> Vec<Finding> {
    let serving = ServedDeployments::of(changed.api);
    // For an edited rendered template, another rule has the better advice.
    let is_edited = |deployment: &Deployment| {
        changed_apis::rendered_digest(deployment).is_some_and(|digest| digest != changed.digest)
    };
    let unchanged = changed
        .unchanged_deployments()
        .filter(|deployment| !is_edited(deployment));
    let unchanged = unchanged.map(|deployment| (deployment, serving.stage(deployment)));
    let is_used = |(deployment, stage): &(&Deployment, Option<&Stage>)| {
        deployment.stage_name.is_some() || stage.is_some()
    };
    let unchanged: Vec<_> = unchanged.filter(is_used).collect();
    if unchanged.is_empty() {
        return Vec::new();
    }
    let before = changed.before.snapshot(changed.previous);
    let diff = snapshots("", &before, &changed.api.snapshot(context.model));
    let changes = in_words(&diff.changes);
    unchanged
        .into_iter()
        .map(|(deployment, stage)| finding(deployment, stage, &changes))
        .collect()
}

fn finding(deployment: &Deployment, stage: Option<&Stage>, changes: &str) -> Finding {
    let id = &deployment.resource.logical_id;
    let message =
        format!("deployment {id} is unchanged although {changes}: its stage serves the old wiring");
    let hint = match terraform::is_terraform(&deployment.resource) {
        true => "name what changed in its `triggers`, so that Terraform replaces it".to_owned(),
        false => format!(
            "rename {id} and its references, so that CloudFormation creates a new deployment"
        ),
    };
    let finding = Finding::new(&RULE, Location::of(&deployment.resource, &[]), message).hint(hint);
    match stage {
        Some(stage) => {
            let location = Location::of(&stage.resource, &["DeploymentId"]);
            finding.related(location, "the stage still serves this deployment")
        }
        None => finding,
    }
}

/// Describes the first changes: `route sendMessage is new`.
fn in_words(changes: &[ModelChange]) -> String {
    const SHOWN: usize = 3;
    let mut words: Vec<String> = changes.iter().map(one).collect();
    words.dedup();
    let left = words.len().saturating_sub(SHOWN);
    words.truncate(SHOWN);
    match (left, words.as_slice()) {
        (_, []) => "its snapshot changed".to_owned(),
        (0, [words @ .., last]) if !words.is_empty() => format!("{} and {last}", words.join(", ")),
        (0, words) => words.join(", "),
        (left, words) => format!("{} and {left} more changed", words.join(", ")),
    }
}

fn one(change: &ModelChange) -> String {
    let subject = &change.subject;
    let name = match subject.kind.as_str() {
        "api" => "the API itself".to_owned(),
        kind => format!("{kind} {}", subject.name),
    };
    match change.kind {
        ChangeKind::Added => format!("{name} is new"),
        ChangeKind::Removed => format!("{name} was removed"),
        ChangeKind::Changed { .. } => format!("{name} changed"),
    }
}
