use stackgen_model::{Api, ApiModel, Resolved, Route, Text};

use crate::context::RuleContext;
use crate::facts::creation_order::CreationOrder;
use crate::facts::settings;
use crate::fix::{self, Fix};
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// A route names a model of the template but does not depend on it.
    ///
    /// ## Why it hurts
    ///
    /// `RequestModels` contains the name of a model and no reference to its resource, so CloudFormation may create the
    /// route before the model that it names. When the stack is deleted, CloudFormation may delete the model while the
    /// route still names it.
    ///
    /// Whether API Gateway refuses such a route is not known, and often the route waits for something that takes longer. So this is
    /// a note.
    ///
    /// SAM generates the routes of `AWS::Serverless::WebSocketApi`. They cannot have a `DependsOn` and are not checked.
    ///
    /// ## How to fix it
    ///
    /// Add the model to the route's `DependsOn`. `Ref` of a model returns its ID, which is not its name.
    id: "SG223",
    name: "model-not-awaited",
    severity: Note,
    confidence: Medium,
    rows: [],
    fixable: true,
    example: "routes/model_not_awaited.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let has_models = |api: &&Api| !api.models.is_empty();
    let apis = context.websockets().filter(has_models);
    let routes = apis.flat_map(|api| api.routes.iter().map(move |route| (api, route)));
    // Nobody can add a `DependsOn` to a route that SAM generates.
    let routes = routes.filter(|(_, route)| !settings::is_generated(&route.resource));
    let findings = routes.flat_map(|(api, route)| {
        let missing = missing_models(context.facts.creation_order(), api, route);
        missing.into_iter().map(|model| route_finding(route, model))
    });
    findings.collect()
}

/// Returns the models that a route names and that it does not depend on.
fn missing_models<'a>(order: &CreationOrder<'_>, api: &'a Api, route: &Route) -> Vec<&'a ApiModel> {
    let properties = &route.resource.properties;
    let names = properties.get("RequestModels").and_then(Resolved::as_map);
    let names: Vec<Text> = names
        .into_iter()
        .flat_map(|names| names.values().filter_map(Resolved::to_text))
        .filter(|name| name.unknown().is_none())
        .collect();
    if names.is_empty() {
        return Vec::new();
    }
    let dependencies = order.dependencies([&*route.resource]);
    let models = api.models.iter();
    models
        .filter(|model| model.name.as_ref().is_some_and(|name| names.contains(name)))
        .filter(|model| !dependencies.has(&model.resource.logical_id))
        .collect()
}

fn route_finding(route: &Route, model: &ApiModel) -> Finding {
    let id = &model.resource.logical_id;
    let message = format!(
        "route `{}` names the model `{}` ({id}) and may be created before it",
        route.key,
        model
            .name
            .as_ref()
            .map(settings::as_written)
            .unwrap_or_default(),
    );
    let title = format!(
        "add {id} to the `DependsOn` of {}",
        route.resource.logical_id
    );
    Finding::new(
        &RULE,
        Location::of(&route.resource, &["RequestModels"]),
        message,
    )
    .related(Location::of(&model.resource, &["Name"]), "the model")
    .hint(format!("add `DependsOn: {id}` to the route"))
    .fix(Fix::all(title, fix::depend_on(&route.resource, &[id])))
}
