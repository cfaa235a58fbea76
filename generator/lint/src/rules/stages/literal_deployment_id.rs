use stackgen_cfn::Node;
use stackgen_model::{Api, Stage};

use crate::context::RuleContext;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// A stage serves a deployment whose ID is literal text in the template.
    ///
    /// ## Why it hurts
    ///
    /// API Gateway generates the ID of a deployment. A literal ID ties the template to one account and one point in
    /// time: in another environment the deployment does not exist and the stack fails, and here the stage serves that
    /// snapshot whatever happens to the routes (row D1).
    ///
    /// ## How to fix it
    ///
    /// Create the deployment in the template and refer to it: `DeploymentId: !Ref` and its logical ID.
    id: "SG426",
    name: "literal-deployment-id",
    severity: Warning,
    confidence: High,
    rows: ["D1", "D7"],
    fixable: false,
    example: "stages/literal_deployment_id.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    // Deployments of an API outside the template are created elsewhere.
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

/// Returns true for text that can be an ID. Other text is replaced before or during deployment: `{{resolve:…}}`,
/// `<deployment>`.
fn is_id(written: &str) -> bool {
    let is_of_id = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    !written.is_empty() && written.bytes().all(is_of_id)
}

fn finding(stage: &Stage, written: &str) -> Finding {
    let id = &stage.resource.logical_id;
    let message =
        format!("stage {id} always serves deployment `{written}`, whatever the template contains");
    let location = Location::of(&stage.resource, &["DeploymentId"]);
    Finding::new(&RULE, location, message).hint("refer to a deployment of the template with `!Ref`")
}
