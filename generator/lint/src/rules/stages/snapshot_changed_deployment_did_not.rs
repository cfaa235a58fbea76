use stackgen_model::diff::{ModelChange, ChangeKind, snapshots};
use stackgen_model::{Deployment, Stage};

use crate::context::Context;
use crate::facts::serving::Serving;
use crate::facts::stale::{self, Rewired};
use crate::rule::rule;
use crate::{Finding, Place};

rule! {
    /// ChangeKind a deployment holds has changed since the earlier revision of the template, and the deployment has not.
    ///
    /// ## Why it hurts
    ///
    /// A deployment is a snapshot of routes, integrations, authorizers and models (row D1). CloudFormation makes another
    /// one only under another logical id (row D7): this update succeeds, and the stage goes on serving the old
    /// snapshot. A route that is new here answers with `Forbidden` frames (row M3), a changed integration still calls
    /// the old function, an authorizer that was attached is not invoked.
    ///
    /// ## How to fix it
    ///
    /// Give the deployment a new logical id and point the stage's `DeploymentId` at it; better, an id that changes by
    /// itself, with a digest of what the deployment holds at its end. When it is deployed already, `stackgen deploy
    /// --redeploy-stage` makes a deployment of what the account holds and points the stage at it.
    ///
    /// The rule needs the earlier revision: `stackgen lint --previous old.yaml new.yaml`.
    id: "SG406",
    name: "snapshot-changed-deployment-did-not",
    severity: Error,
    confidence: High,
    rows: ["D7", "D1", "M3"],
    fixable: false,
    example: "stages/snapshot_changed_deployment_did_not.diff",
    compares: true,
}

fn check(context: &Context<'_>) -> Vec<Finding> {
    let rewired = Rewired::all(context);
    rewired
        .iter()
        .flat_map(|rewired| of_api(context, rewired))
        .collect()
}

fn of_api(context: &Context<'_>, rewired: &Rewired<'_>) -> Vec<Finding> {
    let serving = Serving::of(rewired.api);
    // That the template was edited after it was rendered says better what to do about it.
    let is_edited = |deployment: &Deployment| {
        stale::rendered_digest(deployment).is_some_and(|digest| digest != rewired.digest)
    };
    let kept = rewired.kept().filter(|deployment| !is_edited(deployment));
    let kept = kept.map(|deployment| (deployment, serving.stage(deployment)));
    let is_used = |(deployment, stage): &(&Deployment, Option<&Stage>)| {
        deployment.stage_name.is_some() || stage.is_some()
    };
    let kept: Vec<_> = kept.filter(is_used).collect();
    if kept.is_empty() {
        return Vec::new();
    }
    let before = rewired.before.snapshot(rewired.previous);
    let diff = snapshots("", &before, &rewired.api.snapshot(context.model));
    let changes = in_words(&diff.changes);
    kept.into_iter()
        .map(|(deployment, stage)| finding(deployment, stage, &changes))
        .collect()
}

fn finding(deployment: &Deployment, stage: Option<&Stage>, changes: &str) -> Finding {
    let id = &deployment.resource.logical_id;
    let message =
        format!("deployment {id} is kept although {changes}: its stage serves the old wiring");
    let hint =
        format!("rename {id} and what refers to it, so that CloudFormation makes a new deployment");
    let finding = Finding::new(&RULE, Place::of(&deployment.resource, &[]), message).hint(hint);
    match stage {
        Some(stage) => {
            let place = Place::of(&stage.resource, &["DeploymentId"]);
            finding.related(place, "still points at it")
        }
        None => finding,
    }
}

/// The first changes: `route sendMessage is new`.
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
        "api" => "the api itself".to_owned(),
        kind => format!("{kind} {}", subject.name),
    };
    match change.kind {
        ChangeKind::Added => format!("{name} is new"),
        ChangeKind::Removed => format!("{name} is gone"),
        ChangeKind::Changed { .. } => format!("{name} changed"),
    }
}
