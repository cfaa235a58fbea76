use stackgen_model::{Api, Resource, Route};

use crate::context::RuleContext;
use crate::facts::presence::{custom_key, exists_with_api};
use crate::facts::selection_expression::{self, SelectionExpression};
use crate::fix::{self, Fix};
use crate::rule::rule;
use crate::{Confidence, Finding, Location, Severity};

rule! {
    /// The route selection expression reads nothing from messages, so that some routes are never selected.
    ///
    /// ## Why it hurts
    ///
    /// An expression without a variable, such as `request.body.action` without its `$`, has the same value for every
    /// message (row M1). An expression that reads headers or the query string has no value, because messages have
    /// neither (row E2). All messages go to one route or to `$default`, or are answered with a `Forbidden` frame (rows
    /// M2, M3), and the functions of the other routes are never called.
    ///
    /// A variable without its `$` is a warning in expressions that select a model or a template, and in an API without
    /// routes for single messages. It is a note if `$default` is the only template, because every value selects it.
    ///
    /// ## How to fix it
    ///
    /// Write `$request.body.action`, with the property that selects the route in your messages. An API whose only route
    /// is `$default` can have a static expression.
    id: "SG214",
    name: "static-route-selection",
    severity: Error,
    confidence: High,
    rows: ["M1", "M2", "M3", "E2"],
    fixable: true,
    example: "routes/static_route_selection.diff",
}

const EXPRESSION: &str = "RouteSelectionExpression";

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let of_api = |api| {
        let finding = check_api(api);
        let others = check_others(api, finding.is_some());
        finding.into_iter().chain(others)
    };
    context.websockets().flat_map(of_api).collect()
}

/// Checks the expressions of models and templates, and the API's own if it is not reported yet.
fn check_others(api: &Api, is_reported: bool) -> Vec<Finding> {
    let own = api.resource.iter().map(|it| (&**it, EXPRESSION));
    let own = own.filter(|_| !is_reported);
    let models = api
        .routes
        .iter()
        .map(|it| (&*it.resource, "ModelSelectionExpression"));
    let templates = api.integrations.iter().flat_map(|it| {
        let responses = it.responses.iter().map(|response| &*response.resource);
        let resources = responses.chain([&*it.resource]);
        resources.map(|resource| (resource, "TemplateSelectionExpression"))
    });
    let all = own.chain(models).chain(templates);
    all.filter_map(|(resource, key)| bare_finding(resource, key))
        .collect()
}

/// Reports a variable without its `$`.
fn bare_finding(resource: &Resource, key: &str) -> Option<Finding> {
    let expression = resource.properties.get(key)?.as_literal()?;
    if !selection_expression::is_bare_variable(expression) {
        return None;
    }
    let right = format!("${expression}");
    let message = format!("`{expression}` has no `$`, so it is fixed text and not a variable");
    let title = format!("write the expression as `{right}`");
    let edit = fix::replace(resource, &[key], right.as_str());
    let finding = Finding::new(&RULE, Location::of(resource, &[key]), message)
        .hint(format!("write `{right}`"))
        .fix(Fix::one(title, edit));
    Some(Finding {
        severity: match has_only_default_template(resource) {
            true => Severity::Note,
            false => Severity::Warning,
        },
        ..finding
    })
}

/// Returns true if a resource has templates, and `$default` is the only one.
fn has_only_default_template(resource: &Resource) -> bool {
    let templates = ["RequestTemplates", "ResponseTemplates"];
    let templates = templates.map(|name| resource.properties.get(name)?.as_map());
    let mut keys = templates
        .into_iter()
        .flatten()
        .flat_map(|map| map.keys())
        .peekable();
    keys.peek().is_some() && keys.all(|key| key == "$default")
}

fn check_api(api: &Api) -> Option<Finding> {
    let resource = api.resource.as_ref()?;
    let selection = SelectionExpression::of_api(api)?;
    let (problem, value) = match selection.constant() {
        Some(text) => ("is the same for every message", text),
        None if reads_the_handshake(&selection) => ("reads what no message has", ""),
        None => return None,
    };
    let is_dead = |route: &&Route| {
        let key = custom_key(route).filter(|&key| key != value);
        key.is_some() && exists_with_api(api, &route.resource)
    };
    let route = api.routes.iter().find(is_dead)?;
    let expression = selection.expression;
    let message = format!(
        "`{expression}` {problem}: route `{}` is never selected",
        route.key
    );
    let location = Location::of(resource, &[EXPRESSION]);
    let finding = Finding::new(&RULE, location, message).related(
        Location::of(&route.resource, &["RouteKey"]),
        "never selected",
    );
    if !expression.starts_with("request.body.") {
        let finding =
            finding.hint("read a property of the message, such as `$request.body.action`");
        return Some(match selection.constant() {
            Some(_) => finding,
            None => finding.with_confidence(Confidence::Medium),
        });
    }
    let right = format!("${expression}");
    let edit = fix::replace(resource, &[EXPRESSION], right.as_str());
    let title = format!("write the expression as `{right}`");
    Some(
        finding
            .hint(format!("write `{right}`"))
            .fix(Fix::one(title, edit)),
    )
}

fn reads_the_handshake(selection: &SelectionExpression<'_>) -> bool {
    let of_handshake = ["request.header.", "request.querystring."];
    let mut variables = selection.variables.iter();
    variables.all(|name| of_handshake.iter().any(|prefix| name.starts_with(prefix)))
}
