use stackgen_model::{Integration, Piece, Text};

use crate::context::RuleContext;
use crate::facts::settings;
use crate::fix::{self, Fix};
use crate::rule::rule;
use crate::{Confidence, Finding, Location, Severity};

rule! {
    /// The URI of a Lambda integration is not an invocation path.
    ///
    /// ## Why it hurts
    ///
    /// A WebSocket API invokes a function through
    /// `arn:{partition}:apigateway:{region}:lambda:path/2015-03-31/functions/{function ARN}/invocations` (row F3). HTTP
    /// APIs accept a function's bare ARN, and examples for them are copied. With a truncated or misspelled URI,
    /// handshakes fail with 500 and messages with `Internal server error` frames, and the function's log stays empty
    /// (row C7). Reports about the bare ARN differ: some saw 500, others saw messages arrive, while the console did not
    /// show the function and added no permission. No AWS documentation says that it works, so it is a warning.
    ///
    /// ## How to fix it
    ///
    /// Write the whole path. `--fix` does this if the URI is only a reference to a function, a version or an alias.
    id: "SG305",
    name: "integration-uri-not-invocation",
    severity: Error,
    confidence: High,
    rows: ["F3", "C7"],
    fixable: true,
    example: "integrations/integration_uri_not_invocation.diff",
}

const PATH: &str = ":lambda:path/2015-03-31/functions/";

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let integrations = context.websockets().flat_map(|api| &api.integrations);
    integrations.filter_map(check_integration).collect()
}

fn check_integration(integration: &Integration) -> Option<Finding> {
    let kind = integration.known_type()?;
    let uri = integration
        .uri
        .as_ref()
        .filter(|uri| uri.unknown().is_none())?;
    let (resource, id) = (&integration.resource, &integration.resource.logical_id);
    let location = Location::of(resource, &["IntegrationUri"]);
    let bare = is_bare(integration, uri);
    let is_proxy = kind == "AWS_PROXY";
    if bare && matches!(kind, "AWS_PROXY" | "AWS") {
        let message = format!("the URI of {id} is a function's ARN, not its invocation path");
        let finding = Finding {
            severity: Severity::Warning,
            ..Finding::new(&RULE, location, message).with_confidence(Confidence::Medium)
        };
        let Some(reference) = uri.as_reference() else {
            return Some(finding.hint(format!("write it between `…{PATH}` and `/invocations`")));
        };
        let function = match (&reference.attribute, &integration.function.qualifier) {
            (None, None) => format!("${{{}.Arn}}", reference.logical_id),
            _ => reference.to_string(),
        };
        let path = format!(
            "arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}{PATH}{function}/invocations"
        );
        let edit = fix::replace(
            resource,
            &["IntegrationUri"],
            stackgen_cfn::sub(path.as_str()),
        );
        let fix = Fix::one("write the function's invocation path", edit);
        return Some(finding.hint(format!("write `!Sub {path}`")).fix(fix));
    }
    // A second slash after `path`, as in AWS's examples, is equivalent.
    let function = uri
        .split_once(PATH)
        .or_else(|| uri.split_once(&PATH.replace("path/", "path//")));
    let problem = match function {
        Some((_, function)) if function.strip_suffix("/invocations").is_some() => return None,
        Some(_) => "does not end in `/invocations`",
        None if settings::is_invocation(uri) => "does not contain `2015-03-31/functions`",
        None if is_proxy && is_web_address(uri) => {
            "is a web address, which `AWS_PROXY` does not call"
        }
        // `AWS` calls other services, and AWS documents some with `AWS_PROXY`.
        None if is_proxy && uri.split_once(":apigateway:").is_none() => {
            "is not the invocation path of a function"
        }
        None => return None,
    };
    let hint = match is_web_address(uri) {
        true => "set `IntegrationType: HTTP_PROXY`, or write the invocation path of a function"
            .to_owned(),
        false => format!(
            "write `arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}{PATH}{{function}}/invocations`"
        ),
    };
    Some(Finding::new(&RULE, location, format!("the URI of {id} {problem}")).hint(hint))
}

fn is_bare(integration: &Integration, uri: &Text) -> bool {
    let is_arn = uri.split_once(":apigateway:").is_none() && uri.split_once(":lambda:").is_some();
    let is_reference = matches!(uri.pieces(), [Piece::Reference(_), ..]);
    (is_reference && integration.function.function.to().is_some()) || is_arn
}

fn is_web_address(uri: &Text) -> bool {
    ["https://", "http://"]
        .iter()
        .any(|prefix| uri.strip_prefix(prefix).is_some())
}
