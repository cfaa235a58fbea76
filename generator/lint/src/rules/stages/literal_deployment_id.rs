use stackgen_cfn::Node;
use stackgen_model::{Api, Stage};

use crate::context::RuleContext;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// A stage points at a deployment whose id is written into the template.
    ///
    /// ## Why it hurts
    ///
    /// The id of a deployment is given when it is made. Written out, it ties the template to one account and one moment:
    /// another environment has no such deployment and the stack fails there, and here the stage serves that snapshot
    /// whatever becomes of the routes (row D1).
    ///
    /// ## How to fix it
    ///
    /// Make the deployment in the template and refer to it: `DeploymentId: !Ref` and its logical id.
    id: "SG426",
    name: "literal-deployment-id",
    severity: Warning,
    confidence: High,
    rows: ["D1", "D7"],
    fixable: false,
    example: "stages/literal_deployment_id.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    // Of an API outside of the template, somebody else makes the deployments.
    let apis = context.websockets().filter(|api| api.resource.is_some());
    apis.flat_map(check_api).collect()
}

fn check_api(api: &Api) -> impl Iterator<Item = Finding> {
    let stages = api.stages.iter();
    stages.filter_map(|stage| {
        let node = stage.resource.node(&["DeploymentId"]);
        let written = node.and_then(Node::as_str)?;
        is_id(written).then(|| finding(stage, written))
    })
}

/// Anything else is filled in before or while the template is deployed: `{{resolve:…}}`, `<deployment>`.
fn is_id(written: &str) -> bool {
    let is_of_id = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    !written.is_empty() && written.bytes().all(is_of_id)
}

fn finding(stage: &Stage, written: &str) -> Finding {
    let id = &stage.resource.logical_id;
    let message = format!("stage {id} serves deployment `{written}` whatever the template says");
    let location = Location::of(&stage.resource, &["DeploymentId"]);
    Finding::new(&RULE, location, message).hint("refer to a deployment of the template")
}
