//! Notices about a template.

use std::collections::BTreeSet;

use super::context::RenderContext;
use super::dependencies::Dependencies;
use super::template::TemplateBuilder;
use super::{api, function};
use crate::Notice;
use crate::spec::DomainSpec;
use crate::wording::join_and;

/// Returns the notices, and adds an output for the prerequisite.
pub(super) fn notices(context: &RenderContext<'_>, template: &mut TemplateBuilder) -> Vec<Notice> {
    let notices = [
        not_built(context),
        frozen_parameters(context, template),
        account_role(context, template),
        posting_from_vpc(context),
    ];
    notices.into_iter().flatten().collect()
}

/// Without a digest of the code, the logical ID of a version does not change with the code.
fn not_built(context: &RenderContext<'_>) -> Option<Notice> {
    let functions = context.spec.functions.iter().filter(|_| context.pinned());
    let unbuilt: Vec<_> = functions
        .filter(|(_, function)| {
            !context
                .artifacts
                .contains_key(&function::artifact_path(function))
        })
        .map(|(name, _)| name.as_str())
        .collect();
    let message = match unbuilt.len() {
        0 => return None,
        1 => format!(
            "{} is not built: changes to its code will not publish a new version",
            join_and(&unbuilt)
        ),
        all if all == context.spec.functions.len() => {
            "no function is built: changes to code will not publish new versions".to_owned()
        }
        _ => format!(
            "{} are not built: changes to their code will not publish new versions",
            join_and(&unbuilt)
        ),
    };
    Some(Notice {
        code: "not-built",
        message,
        hint: Some(format!(
            "before you deploy, {}, then run `stackgen synth` again",
            how_to_build(context)
        )),
    })
}

/// Returns how to build the functions.
fn how_to_build(context: &RenderContext<'_>) -> &'static str {
    let mut functions = context.spec.functions.values();
    match functions.any(|function| function.binary.is_some()) {
        true => "run `stackgen build`",
        false => "build the zip files",
    }
}

/// A parameter value that is passed at deploy time changes neither the logical ID of a deployment nor that of a
/// version.
fn frozen_parameters(context: &RenderContext<'_>, template: &TemplateBuilder) -> Option<Notice> {
    let mut frozen = Dependencies::of_snapshots(template, context).into_parameters();
    if context.pinned() {
        for (name, function) in &context.spec.functions {
            let published = function::published(context, name, function).into();
            frozen.extend(Dependencies::of(&published, context).into_parameters());
        }
    }
    let names: Vec<_> = frozen
        .iter()
        .map(String::as_str)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let values = match names.len() {
        0 => return None,
        1 => "the value",
        _ => "the values",
    };
    Some(Notice {
        code: "frozen-parameter",
        message: format!(
            "deployments snapshot {values} of {}: a value that changes only at deploy time is not served",
            join_and(&names)
        ),
        hint: Some(
            "write the value itself per environment, or change the parameter's `Default` and pass the same value at \
             deploy time: an update keeps the parameter values that the stack has"
                .to_owned(),
        ),
    })
}

/// Private DNS of an endpoint of execute-api makes posts from its VPC fail (row K8). The template rarely contains the VPC, so
/// that the linter cannot see the endpoint.
fn posting_from_vpc(context: &RenderContext<'_>) -> Option<Notice> {
    let closed = context
        .websocket()
        .is_some_and(|api| DomainSpec::is_only_endpoint(api.domain.as_ref()));
    let functions = context.spec.functions.iter();
    let posting = functions.filter(|(_, function)| {
        function.vpc.is_some() && !function.manage_connections.is_empty() && !closed
    });
    let names: Vec<_> = posting.map(|(name, _)| name.as_str()).collect();
    let verb = match names.len() {
        0 => return None,
        1 => "calls",
        _ => "call",
    };
    Some(Notice {
        code: "vpc-posting",
        message: format!(
            "{} {verb} the management API from a VPC: an endpoint of execute-api with private DNS in this VPC would make \
             all calls fail with 403 (row K8)",
            join_and(&names)
        ),
        hint: Some(
            "give the subnets a route to the internet, such as a NAT gateway, and turn private DNS of such an endpoint off"
                .to_owned(),
        ),
    })
}

/// Logs of a WebSocket API need a role of the account (row L3). The access log of an HTTP API does not.
fn account_role(context: &RenderContext<'_>, template: &mut TemplateBuilder) -> Option<Notice> {
    let logs = context
        .websocket()
        .is_some_and(|websocket| api::has_logs(&websocket.stage));
    if !logs || context.spec.api_gateway_cloud_watch_role {
        return None;
    }
    template.output(
        "PrerequisiteApiGatewayCloudWatchRole",
        "What the account must have before this stack can be deployed",
        "Logs of a WebSocket API need the account's CloudWatch role: aws apigateway update-account --patch-operations \
         op=replace,path=/cloudwatchRoleArn,value=ROLE_ARN (once an account and region)",
    );
    Some(Notice {
        code: "account-role",
        message: "logs need API Gateway's CloudWatch role, which is set once per account and region".to_owned(),
        hint: Some("run the command in the template's outputs, or write `apiGatewayCloudWatchRole: true` to create \
            the role for the whole account and region".to_owned()),
    })
}
