use std::collections::{HashMap, HashSet};

use stackgen_model::{
    Api, Function, FunctionLink, Integration, Link, LogicalId, Model, Permission, Text,
};

use crate::context::RuleContext;
use crate::facts::creation_order::visit_references;
use crate::facts::hard_coded_arns;
use crate::facts::permissions::is_for_api_gateway;
use crate::facts::presence::exists_with_api;
use crate::facts::settings::is_invocation;
use crate::rule::rule;
use crate::{Confidence, Finding, Location};

rule! {
    /// An API may invoke a function, but no integration or authorizer calls it.
    ///
    /// ## Why it hurts
    ///
    /// The author of the permission expected the API to call the function. Often an integration was copied and still
    /// names the function of the original. Its routes then send their messages to the wrong function, and nothing
    /// reports an error.
    ///
    /// There is no finding if the function of an integration is unknown, because it may be this one. If an integration
    /// calls a function outside of the template, the finding is a note.
    ///
    /// ## How to fix it
    ///
    /// Name the function in the `IntegrationUri` of its integration. If nothing should call it, remove the permission.
    id: "SG320",
    name: "permitted-function-never-called",
    severity: Warning,
    confidence: Medium,
    rows: [],
    fixable: false,
    example: "integrations/permitted_function_never_called.diff",
}

/// Maximum number of integrations in a finding.
const SHOWN: usize = 3;

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let visibility = context.facts.route_visibility();
    let apis = context
        .websockets()
        .filter(|api| visibility.shows_every_route(api));
    let of_rest = named_by_rest_apis(context.model);
    apis.flat_map(|api| check_api(context, api, &of_rest))
        .collect()
}

/// Returns the names that resources of REST APIs refer to. An authorizer of that kind is reported by another rule.
fn named_by_rest_apis(model: &Model) -> HashSet<String> {
    let resources = model.resources.values();
    let mut names = HashSet::new();
    for resource in resources.filter(|it| it.kind.starts_with("AWS::ApiGateway::")) {
        visit_references(&resource.properties, &mut |id| {
            names.insert(id.to_owned());
        });
    }
    names
}

fn check_api(context: &RuleContext<'_>, api: &Api, of_rest: &HashSet<String>) -> Vec<Finding> {
    let model = context.model;
    let calls = ApiCalls::of(api);
    if calls.kind == CallKind::Unclear {
        return Vec::new();
    }
    let called = context.facts.called_functions();
    let mut seen = HashSet::new();
    let mut findings = Vec::new();
    for permission in permissions_for(model, api) {
        let function = permission.function.function.to();
        let Some(function) = function.and_then(|id| model.function(id)) else {
            continue;
        };
        let id = &function.resource.logical_id;
        let is_called =
            called.contains_key(id) || calls.names(function) || of_rest.contains(id.as_str());
        if is_called || !seen.insert(id) {
            continue;
        }
        let finding = function_finding(api, permission, id);
        findings.push(match calls.kind {
            CallKind::Outside => finding.with_confidence(Confidence::Low),
            _ => finding,
        });
    }
    findings
}

/// Functions that the integrations and authorizers of an API call.
struct ApiCalls<'a> {
    kind: CallKind,
    /// Names in ARNs, which the model does not follow.
    names: HashSet<&'a str>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum CallKind {
    /// All call functions of the template, or services.
    Known,
    /// One calls a function outside of the template by its ARN, which may be a literal name of this one.
    Outside,
    /// A function is unknown, or its URI is wrong, which another rule reports.
    Unclear,
}

impl<'a> ApiCalls<'a> {
    fn of(api: &'a Api) -> ApiCalls<'a> {
        let of_integrations = api.integrations.iter().filter(|it| calls_function(it));
        let of_integrations = of_integrations.map(|it| (&it.function, &it.uri));
        let of_authorizers = api.authorizers.iter().map(|it| (&it.function, &it.uri));
        let mut calls = ApiCalls {
            kind: CallKind::Known,
            names: HashSet::new(),
        };
        for (link, uri) in of_integrations.chain(of_authorizers) {
            calls.kind = calls.kind.max(match (&link.function, uri) {
                (Link::To(_), _) => CallKind::Known,
                (Link::External(_), Some(uri)) if is_invocation(uri) => CallKind::Outside,
                _ => CallKind::Unclear,
            });
            calls
                .names
                .extend(uri.as_ref().and_then(hard_coded_arns::function_name));
        }
        calls
    }

    fn names(&self, function: &Function) -> bool {
        let name = function.name.as_ref().and_then(Text::as_literal);
        name.is_some_and(|name| self.names.contains(name))
    }
}

/// Returns true for an integration that should call a function: a proxy, or one of a kind that may be wrong.
fn calls_function(integration: &Integration) -> bool {
    match integration.known_type() {
        Some("MOCK" | "HTTP" | "HTTP_PROXY") => false,
        Some("AWS") => integration.uri.as_ref().is_none_or(is_invocation),
        _ => true,
    }
}

/// Returns the permissions whose `SourceArn` names the API.
fn permissions_for<'m>(model: &'m Model, api: &Api) -> impl Iterator<Item = &'m Permission> {
    let names_api = move |source: &Text| {
        let mut references = source.references();
        references.any(|it| it.attribute.is_none() && Some(&it.logical_id) == api.id.to())
            && source.split_once(":execute-api:").is_some()
    };
    model.permissions.iter().filter(move |permission| {
        is_for_api_gateway(permission)
            && permission.source_arn.as_ref().is_some_and(names_api)
            && exists_with_api(api, &permission.resource)
    })
}

fn function_finding(api: &Api, permission: &Permission, function: &LogicalId) -> Finding {
    let id = api.id.to().map_or("", LogicalId::as_str);
    let message =
        format!("{id} may invoke {function}, but none of its routes and authorizers calls it");
    let location = Location::of(&permission.resource, &[]);
    let finding = Finding::new(&RULE, location, message);
    let repeated = repeated_calls(api);
    let hint = match repeated.is_empty() {
        true => format!("name {function} in an integration, or remove the permission"),
        false => format!(
            "does one of these integrations have to call {function}? Otherwise remove the permission"
        ),
    };
    let shown = repeated.into_iter().take(SHOWN);
    let finding = shown.fold(finding, |finding, (integration, link)| {
        let called = link.function.to().map_or("", LogicalId::as_str);
        let location = Location::of(&integration.resource, &["IntegrationUri"]);
        finding.related(location, format!("calls {called}, as another one does"))
    });
    finding.hint(hint)
}

/// Returns the integrations that call the function of an earlier one.
fn repeated_calls(api: &Api) -> Vec<(&Integration, &FunctionLink)> {
    let mut counts: HashMap<&LogicalId, usize> = HashMap::new();
    let mut repeated = Vec::new();
    for integration in &api.integrations {
        if let Some(function) = integration.function.function.to() {
            let count = counts.entry(function).or_default();
            *count += 1;
            if *count > 1 {
                repeated.push((integration, &integration.function));
            }
        }
    }
    repeated
}
