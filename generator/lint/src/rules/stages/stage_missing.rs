use stackgen_model::Api;

use crate::context::RuleContext;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// An API has routes but no stage.
    ///
    /// ## Why it hurts
    ///
    /// Clients connect to a stage: `wss://{api}.execute-api.{region}.amazonaws.com/{stage}`. Without one there is
    /// nothing to connect to. Another stack or a script may create it, which the template does not show. Such a stage
    /// serves changed routes only after someone else deploys them (row D1).
    ///
    /// ## How to fix it
    ///
    /// Add an `AWS::ApiGatewayV2::Stage` with `AutoDeploy: true` or a `DeploymentId`.
    id: "SG419",
    name: "stage-missing",
    severity: Note,
    confidence: Medium,
    rows: ["C3", "D1"],
    fixable: false,
    example: "stages/stage_missing.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let apis = context.websockets().filter(|api| context.is_complete(api));
    let bare: Vec<_> = apis.filter(|api| is_bare(api)).collect();
    if bare.is_empty() {
        return Vec::new();
    }
    let visibility = context.facts.route_visibility();
    let bare = bare.into_iter().filter(|api| !visibility.is_shared(api));
    bare.filter_map(finding).collect()
}

/// Returns true for an API with routes and without a stage. Another rule reports a deployment without a stage.
fn is_bare(api: &Api) -> bool {
    api.stages.is_empty() && api.deployments.is_empty() && !api.routes.is_empty()
}

fn finding(api: &Api) -> Option<Finding> {
    let resource = api.resource.as_ref()?;
    let id = &resource.logical_id;
    let message = format!("API {id} has routes but no stage that clients could connect to");
    let hint =
        format!("add an `AWS::ApiGatewayV2::Stage` with `ApiId: !Ref {id}` and `AutoDeploy: true`");
    Some(Finding::new(&RULE, Location::of(resource, &[]), message).hint(hint))
}
