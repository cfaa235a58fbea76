use crate::context::RuleContext;
use crate::facts::connection_arns;
use crate::facts::endpoints::{Endpoint, EndpointHost, Purpose, Scheme};
use crate::facts::environment::{self, EnvironmentVariable};
use crate::rule::rule;
use crate::{Confidence, Finding};

rule! {
    /// The management endpoint in a function's environment has no stage.
    ///
    /// ## Why it hurts
    ///
    /// Stages serve `@connections`: a request to `https://{api}.execute-api.{region}.{suffix}/@connections/{id}` fails
    /// with 403 `ForbiddenException` (row K5), which looks like a missing permission. Only at a custom domain the path
    /// has no stage (row L8).
    ///
    /// A function may add the stage itself. There is no finding if another variable of the function names a stage. It
    /// is a note if the name of the variable does not mention management and the function is behind the API, where
    /// events contain the stage.
    ///
    /// ## How to fix it
    ///
    /// Append `/` and the name of the stage to the value. With CDK, use `stage.callbackUrl` instead of
    /// `api.apiEndpoint`.
    id: "SG505",
    name: "management-endpoint-without-stage",
    severity: Error,
    confidence: Medium,
    rows: ["K5", "L8"],
    fixable: false,
    example: "management/management_endpoint_without_stage.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let endpoints = context.facts.endpoints();
    let mut stageless = endpoints.iter().filter(|it| is_stageless(it)).peekable();
    if stageless.peek().is_none() {
        return Vec::new();
    }
    let functions = context.facts.message_functions();
    let finding = |endpoint: &Endpoint<'_>| {
        let id = &endpoint.variable.function.resource.logical_id;
        let purpose = Purpose::of(endpoint.variable.name);
        let finding = endpoint_finding(context, endpoint);
        match purpose != Purpose::Management && functions.contains_key(id) {
            true => finding.with_confidence(Confidence::Low),
            false => finding,
        }
    };
    environment::one_per_location(stageless.map(finding))
}

fn is_stageless(endpoint: &Endpoint<'_>) -> bool {
    let EnvironmentVariable { function, name, .. } = endpoint.variable;
    let path = endpoint.path.as_ref();
    let mut names = function.environment.value().into_iter().flatten();
    let is_about = |word: &str| name.to_ascii_uppercase().contains(word);
    endpoint.scheme == Scheme::Https
        && matches!(endpoint.host, EndpointHost::WebSocket(_))
        && path.is_none_or(|path| path.as_literal() == Some(""))
        && Purpose::of(name) != Purpose::Clients
        && !["HOST", "DOMAIN", "BASE", "ORIGIN"]
            .into_iter()
            .any(is_about)
        && !names.any(|(name, _)| name.to_ascii_uppercase().contains("STAGE"))
}

fn endpoint_finding(context: &RuleContext<'_>, endpoint: &Endpoint<'_>) -> Finding {
    let EnvironmentVariable { function, name, .. } = endpoint.variable;
    let id = &function.resource.logical_id;
    let message = format!("{name} of {id} is a management endpoint without a stage");
    let finding = Finding::new(&RULE, endpoint.variable.location(), message);
    let EndpointHost::WebSocket(api) = endpoint.host else {
        return finding;
    };
    let stages = connection_arns::stage_names(&context.facts, api).unwrap_or_default();
    match stages.as_slice() {
        [stage] => finding.hint(format!("append `/{stage}`")),
        _ => finding.hint("append `/` and the name of the stage"),
    }
}
