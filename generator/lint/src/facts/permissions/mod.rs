//! Decides which calls of functions the template's permissions do not allow.

mod denied;
mod findings;

use std::collections::{HashMap, HashSet};

use stackgen_model::{
    Api, Function, FunctionLink, Integration, Link, LogicalId, Model, Permission, Piece, Qualifier,
    Route, Text, Unknown, UnknownReason,
};

use crate::facts::Facts;
use crate::facts::arn::{self, Match};
use crate::facts::hard_coded_arns;
use crate::facts::presence;

pub(crate) use denied::{DenialReason, DeniedInvocation, Invoker, describe_target};
pub(crate) use findings::{missing_permission, permission_of_another_api};

/// Maximum number of permissions that are compared. They would not fit into a function's policy of 20 KB.
const MAX_PERMISSIONS: usize = 128;

/// Returns the calls of WebSocket APIs that no permission allows. Excludes functions that may have other permissions.
pub(crate) fn denied_invocations<'a>(facts: &Facts<'a>) -> Vec<DeniedInvocation<'a>> {
    let mut permissions = None;
    let mut denials = Vec::new();
    for api in facts.websockets().filter(|api| facts.is_complete(api)) {
        let permissions = permissions.get_or_insert_with(|| FunctionPermissions::of(facts.model));
        permissions.add_routes(api, &mut denials);
        permissions.add_authorizers(api, &mut denials);
    }
    denials
}

/// Calls of a function by WebSocket APIs.
#[derive(Default)]
pub(crate) struct CalledFunction<'a> {
    /// True if an integration calls it, false if only authorizers do.
    pub(crate) by_integration: bool,
    /// The first API of the template that calls it.
    pub(crate) api: Option<&'a LogicalId>,
}

/// Returns the functions of the template that WebSocket APIs call.
pub(crate) fn called_functions<'a>(
    facts: &Facts<'a>,
) -> HashMap<&'a LogicalId, CalledFunction<'a>> {
    let named = facts.model.functions.iter().filter_map(|function| {
        let name = function.name.as_ref()?.as_literal()?;
        Some((name, &function.resource.logical_id))
    });
    let named: HashMap<_, _> = named.collect();
    // A URI with a literal account can name a function of the template, too.
    let by_name = |link: &Link, uri: &Option<Text>| match link {
        Link::External(_) => named
            .get(hard_coded_arns::function_name(uri.as_ref()?)?)
            .copied(),
        _ => None,
    };
    let mut called: HashMap<_, CalledFunction<'a>> = HashMap::new();
    for api in facts.websockets() {
        let by_authorizers = api.authorizers.iter();
        let by_authorizers = by_authorizers.map(|it| (&it.function, &it.uri, false));
        let by_integrations = api.integrations.iter();
        let by_integrations = by_integrations.map(|it| (&it.function, &it.uri, true));
        for (link, uri, integration) in by_authorizers.chain(by_integrations) {
            let function = link.function.to().or_else(|| by_name(&link.function, uri));
            if let Some(function) = function {
                let called = called.entry(function).or_default();
                called.by_integration |= integration;
                called.api = called.api.or(api.id.to());
            }
        }
    }
    called
}

/// Returns true if a permission may allow API Gateway to invoke a function.
pub(crate) fn is_for_api_gateway(permission: &Permission) -> bool {
    let action = permission.action.as_ref().is_some_and(|action| {
        let is = |known: &str| {
            ["lambda:InvokeFunction", "lambda:*", "*"]
                .iter()
                .any(|action| action.eq_ignore_ascii_case(known))
        };
        action.as_literal().map_or(action.unknown().is_some(), is)
    });
    let principal =
        permission
            .principal
            .as_ref()
            .is_some_and(|principal| match principal.pieces() {
                [Piece::Literal(text), ..] => text == "*" || text.starts_with("apigateway."),
                _ => principal.unknown().is_some(),
            });
    action && principal
}

/// Permissions of a template by function.
struct FunctionPermissions<'a> {
    model: &'a Model,
    of_function: HashMap<&'a LogicalId, Vec<&'a Permission>>,
    /// Functions to which other resources may add permissions.
    may_have_more: HashSet<&'a LogicalId>,
    /// True if a permission may belong to any function.
    any_may_have_more: bool,
    /// APIs and the functions that they call.
    calls: HashSet<(&'a LogicalId, &'a LogicalId)>,
}

impl<'a> FunctionPermissions<'a> {
    fn of(model: &'a Model) -> FunctionPermissions<'a> {
        let mut permissions = FunctionPermissions {
            model,
            of_function: HashMap::new(),
            may_have_more: HashSet::new(),
            any_may_have_more: false,
            calls: model.apis.iter().flat_map(calls).collect(),
        };
        let name = |function: &'a Function| {
            let name = function.name.as_ref()?.to_string();
            Some((name, &function.resource.logical_id))
        };
        let by_name: HashMap<String, &LogicalId> =
            model.functions.iter().filter_map(name).collect();
        for permission in &model.permissions {
            permissions.add(permission, &by_name);
        }
        let others = model.resources.values().filter(|it| may_permit(&it.kind));
        for other in others {
            let referenced = other.properties.referenced_ids();
            permissions.may_have_more.extend(referenced);
        }
        permissions
    }

    fn add(&mut self, permission: &'a Permission, by_name: &HashMap<String, &'a LogicalId>) {
        let name = permission.resource.properties.text("FunctionName");
        let named = || by_name.get(&name.as_ref()?.to_string());
        let function = match &permission.function.function {
            Link::To(function) => function,
            // Equal expressions have equal values, even if they are unknown.
            elsewhere => match (named(), elsewhere) {
                (Some(function), _) => function,
                // An ARN with a literal account and region may belong to a function of the template.
                (None, Link::External(text)) => {
                    let function = last_name(text).and_then(|name| by_name.get(name));
                    self.may_have_more.extend(function);
                    // A part of an ARN, such as `${AWS::AccountId}:${Function}`, also names the function.
                    self.may_have_more
                        .extend(text.references().map(|it| &it.logical_id));
                    return;
                }
                _ => {
                    self.any_may_have_more = true;
                    return;
                }
            },
        };
        self.of_function
            .entry(function)
            .or_default()
            .push(permission);
    }

    /// Adds one denial per function, qualifier and kind of reason, with all its routes: one permission fixes them.
    fn add_routes(&self, api: &'a Api, denials: &mut Vec<DeniedInvocation<'a>>) {
        let called = api
            .integrations
            .iter()
            .filter(|it| self.uses_resource_policy(it));
        let called: HashMap<_, _> = called.map(|it| (&it.resource.logical_id, it)).collect();
        let mut index: HashMap<(&LogicalId, String), Vec<usize>> = HashMap::new();
        // API Gateway refuses a reserved key, so its route invokes nothing.
        let routes = api.routes.iter().filter(|route| !is_reserved(route));
        for route in routes {
            let integration = route.target.to().and_then(|id| called.get(id));
            let Some((integration, function)) =
                integration.and_then(|it| Some((*it, it.function.function.to()?)))
            else {
                continue;
            };
            let key = route
                .resource
                .properties
                .text("RouteKey")
                .unwrap_or_default();
            let Some(why) = self.denial_reason(api, &integration.function, &paths(api, &key))
            else {
                continue;
            };
            let qualifier = format!("{:?}", integration.function.qualifier);
            let known = index.entry((function, qualifier)).or_default();
            let reason = std::mem::discriminant(&why);
            let has_reason = |at: &&usize| std::mem::discriminant(&denials[**at].why) == reason;
            let same = known.iter().find(has_reason);
            if let Some(&at) = same {
                if let Invoker::Routes(_, routes) = &mut denials[at].caller {
                    routes.push(route);
                }
                continue;
            }
            known.push(denials.len());
            let caller = Invoker::Routes(integration, vec![route]);
            denials.push(DeniedInvocation {
                api,
                function,
                caller,
                why,
            });
        }
    }

    /// Adds denials of authorizers that a route names; others are not invoked.
    fn add_authorizers(&self, api: &'a Api, denials: &mut Vec<DeniedInvocation<'a>>) {
        let attached: HashSet<_> = api
            .routes
            .iter()
            .filter_map(|it| it.authorizer.to())
            .collect();
        for authorizer in &api.authorizers {
            let id = &authorizer.resource.logical_id;
            let is_checked = attached.contains(id) && authorizer.credentials == Link::Missing;
            let Some(function) = authorizer.function.function.to().filter(|_| is_checked) else {
                continue;
            };
            let mut path = Text::literal("authorizers/");
            path.push(Piece::Reference(stackgen_model::Reference {
                logical_id: id.clone(),
                attribute: None,
            }));
            if let Some(why) = self.denial_reason(api, &authorizer.function, &[path]) {
                let caller = Invoker::Authorizer(authorizer);
                denials.push(DeniedInvocation {
                    api,
                    function,
                    caller,
                    why,
                });
            }
        }
    }

    fn uses_resource_policy(&self, integration: &Integration) -> bool {
        matches!(integration.known_type(), Some("AWS_PROXY" | "AWS"))
            && integration.credentials == Link::Missing
    }

    /// Returns the reason why none of the paths of an API may invoke a function. Returns `None` if one may, or if that
    /// is unknown.
    fn denial_reason(
        &self,
        api: &'a Api,
        link: &'a FunctionLink,
        paths: &[Text],
    ) -> Option<DenialReason<'a>> {
        let (function, id) = (link.function.to()?, api.id.to()?);
        if self.any_may_have_more || self.may_have_more.contains(function) {
            return None;
        }
        let permissions = self
            .of_function
            .get(function)
            .map_or(&[][..], Vec::as_slice);
        if permissions.len() > MAX_PERMISSIONS {
            return None;
        }
        let arns: Vec<_> = paths
            .iter()
            .map(|path| arn::execute_api(id, path.clone()))
            .collect();
        let mut nearest = DenialReason::Absent;
        for permission in permissions {
            let why = self.denial_reason_of(permission, id, link, &arns)?;
            if why.nearness() > nearest.nearness() {
                nearest = why;
            }
        }
        Some(nearest)
    }

    /// Returns the reason why a permission does not allow the call. Returns `None` if it does, or if that is unknown.
    fn denial_reason_of(
        &self,
        permission: &'a Permission,
        api: &LogicalId,
        link: &FunctionLink,
        arns: &[Text],
    ) -> Option<DenialReason<'a>> {
        let allows = |pattern: &Text| {
            let mut matches = arns
                .iter()
                .map(|arn| arn::matches(self.model, pattern, arn));
            matches.any(|it| it != Match::No)
        };
        let source = permission.source_arn.as_ref().is_none_or(allows);
        let principal = is_for_api_gateway(permission);
        let qualifier = self.is_same(
            link.qualifier.as_ref(),
            permission.function.qualifier.as_ref(),
        );
        match (source, principal, qualifier) {
            (true, true, true) => None,
            (true, true, false) => Some(DenialReason::OtherQualifier(permission)),
            // A permission without a source for another service is unrelated to the API.
            (true, false, true) if permission.source_arn.is_some() => {
                Some(DenialReason::OtherPrincipal(permission))
            }
            (false, true, true) => Some(self.other_source(permission, api, link)),
            _ => Some(DenialReason::Absent),
        }
    }

    fn other_source(
        &self,
        permission: &'a Permission,
        api: &LogicalId,
        link: &FunctionLink,
    ) -> DenialReason<'a> {
        let is_api = |id: &&LogicalId| {
            let resource = self.model.resource(id);
            resource.is_some_and(|resource| resource.kind == "AWS::ApiGatewayV2::Api")
        };
        let source = permission.source_arn.iter().flat_map(Text::references);
        let named = source.map(|reference| &reference.logical_id).find(is_api);
        match (named, link.function.to()) {
            (Some(other), _) if other == api => DenialReason::OtherSource(permission),
            // The other API needs its permission, and this API has none.
            (Some(other), Some(function)) if !self.calls.contains(&(other, function)) => {
                DenialReason::OtherApi(permission)
            }
            _ => DenialReason::Absent,
        }
    }

    /// Returns true if two qualifiers are the same, or may be.
    fn is_same(&self, call: Option<&Qualifier>, permission: Option<&Qualifier>) -> bool {
        let (call, permission) = match (call, permission) {
            (None, None) => return true,
            // `$LATEST` uses the function's policy.
            (Some(Qualifier::Named(name)), None) => return name.as_literal() == Some("$LATEST"),
            (Some(_), None) | (None, Some(_)) => return false,
            (Some(call), Some(permission)) => (call, permission),
        };
        if call == permission {
            return true;
        }
        match (call, permission) {
            (Qualifier::Version(_), Qualifier::Version(_)) => false,
            (Qualifier::Version(_), Qualifier::Alias(_))
            | (Qualifier::Alias(_), Qualifier::Version(_)) => false,
            (Qualifier::Version(_), Qualifier::Named(name))
            | (Qualifier::Named(name), Qualifier::Version(_)) => is_number_or_unknown(name),
            (call, permission) => {
                let (call, permission) = (self.name(call), self.name(permission));
                let literals = call.as_ref().and_then(Text::as_literal);
                let literals = literals.zip(permission.as_ref().and_then(Text::as_literal));
                literals.is_none_or(|(call, permission)| call == permission)
            }
        }
    }

    fn name(&self, qualifier: &Qualifier) -> Option<Text> {
        match qualifier {
            Qualifier::Named(name) => Some(name.clone()),
            Qualifier::Alias(id) | Qualifier::Version(id) => {
                self.model.resource(id)?.properties.text("Name")
            }
        }
    }
}

fn is_number_or_unknown(name: &Text) -> bool {
    name.as_literal()
        .is_none_or(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
}

fn calls(api: &Api) -> impl Iterator<Item = (&LogicalId, &LogicalId)> {
    let integrations = api.integrations.iter().map(|it| &it.function);
    let authorizers = api.authorizers.iter().map(|it| &it.function);
    let links = integrations.chain(authorizers);
    links.filter_map(|link| Some((api.id.to()?, link.function.to()?)))
}

/// Returns true for a key that begins with `$` but is not one of API Gateway's own.
fn is_reserved(route: &Route) -> bool {
    presence::custom_key(route).is_some_and(|key| key.starts_with('$'))
}

/// Returns `{stage}/{route}` for every stage, or an unknown stage if the template has none.
fn paths(api: &Api, key: &Text) -> Vec<Text> {
    let of_stage = |name: Option<Text>| {
        let mut path = name.unwrap_or_else(any_stage);
        path.push(Piece::Literal("/".to_owned()));
        path.append(key.clone());
        path
    };
    match api.stages.as_slice() {
        [] => vec![of_stage(None)],
        // An API cannot have so many stages.
        stages if stages.len() > 10 => vec![of_stage(None)],
        stages => stages
            .iter()
            .map(|stage| of_stage(stage.name.clone()))
            .collect(),
    }
}

fn any_stage() -> Text {
    let reason = UnknownReason::StageVariable;
    Text::from(Piece::Unknown(Unknown::new(
        reason,
        Default::default(),
        "the stage",
    )))
}

/// Returns the name in a function's ARN, or the text itself.
fn last_name(text: &Text) -> Option<&str> {
    let [.., Piece::Literal(end)] = text.pieces() else {
        return None;
    };
    let name = end
        .split_once(":function:")
        .map_or(end.as_str(), |(_, name)| name);
    name.split(':').next()
}

/// Returns true for resource types that may add permissions which the template does not show.
fn may_permit(kind: &str) -> bool {
    kind.starts_with("Custom::")
        || matches!(
            kind,
            "AWS::CloudFormation::CustomResource" | "AWS::CloudFormation::Stack"
        )
}
