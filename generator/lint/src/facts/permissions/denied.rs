//! Describes an invocation that no permission allows.

use std::fmt;

use stackgen_model::{
    Api, Authorizer, FunctionLink, Integration, LogicalId, Model, Permission, Qualifier, Route,
    Text,
};

use crate::Location;

/// A function of the template that an API calls but may not invoke.
#[derive(Debug)]
pub(crate) struct DeniedInvocation<'a> {
    pub(crate) api: &'a Api,
    pub(crate) function: &'a LogicalId,
    pub(crate) caller: Invoker<'a>,
    pub(crate) why: DenialReason<'a>,
}

/// Caller of the function.
#[derive(Debug)]
pub(crate) enum Invoker<'a> {
    /// Messages of these routes, through the first one's integration.
    Routes(&'a Integration, Vec<&'a Route>),
    /// Handshakes.
    Authorizer(&'a Authorizer),
}

/// Reason of the denial, from the permission that comes nearest to allowing it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum DenialReason<'a> {
    /// No permission comes near.
    Absent,
    /// The permission names another API, which does not call the function.
    OtherApi(&'a Permission),
    /// The permission names other routes, stages or authorizers of the API.
    OtherSource(&'a Permission),
    /// The permission is for another principal or another action.
    OtherPrincipal(&'a Permission),
    /// The permission is for another qualifier of the function, or for none (row D19).
    OtherQualifier(&'a Permission),
}

impl DenialReason<'_> {
    pub(super) fn nearness(&self) -> u8 {
        match self {
            DenialReason::Absent => 0,
            DenialReason::OtherApi(_) => 1,
            DenialReason::OtherSource(_) => 2,
            DenialReason::OtherPrincipal(_) => 3,
            DenialReason::OtherQualifier(_) => 4,
        }
    }
}

/// Formats the caller: `route x of Api`, `routes x, y and 3 more of Api`, `authorizer A`.
impl fmt::Display for DeniedInvocation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let routes = match &self.caller {
            Invoker::Authorizer(authorizer) => {
                return write!(f, "authorizer {}", authorizer.resource.logical_id);
            }
            Invoker::Routes(_, routes) => routes,
        };
        f.write_str(if routes.len() == 1 { "route" } else { "routes" })?;
        for (index, route) in routes.iter().take(MAX_ROUTES).enumerate() {
            let before = match index {
                0 => " ",
                _ if index + 1 == routes.len() => " and ",
                _ => ", ",
            };
            write!(f, "{before}`{}`", route.key)?;
        }
        if routes.len() > MAX_ROUTES {
            write!(f, " and {} more", routes.len() - MAX_ROUTES)?;
        }
        match self.api.id.to() {
            Some(api) => write!(f, " of {api}"),
            None => Ok(()),
        }
    }
}

/// Maximum number of routes in a message.
const MAX_ROUTES: usize = 3;

impl<'a> DeniedInvocation<'a> {
    /// Returns the link that names the function.
    pub(crate) fn link(&self) -> &'a FunctionLink {
        match &self.caller {
            Invoker::Routes(integration, _) => &integration.function,
            Invoker::Authorizer(authorizer) => &authorizer.function,
        }
    }

    /// Returns the location of that link.
    pub(crate) fn location(&self) -> Location {
        match &self.caller {
            Invoker::Routes(integration, _) => {
                Location::of(&integration.resource, &["IntegrationUri"])
            }
            Invoker::Authorizer(authorizer) => {
                Location::of(&authorizer.resource, &["AuthorizerUri"])
            }
        }
    }

    /// Returns true if an authorizer is the caller.
    pub(crate) fn is_of_authorizer(&self) -> bool {
        matches!(self.caller, Invoker::Authorizer(_))
    }

    /// Returns `call` or `calls`, to match the caller's number.
    pub(crate) fn call(&self) -> &'static str {
        match &self.caller {
            Invoker::Routes(_, routes) if routes.len() > 1 => "call",
            _ => "calls",
        }
    }

    /// Returns the missing permission, as templates write it.
    pub(crate) fn permission(&self) -> String {
        format!(
            "{}, `Action: lambda:InvokeFunction`, `Principal: apigateway.amazonaws.com` and `SourceArn: {}`",
            self.function_name(),
            self.source_arn()
        )
    }

    /// Returns the `FunctionName` of the called function.
    pub(crate) fn function_name(&self) -> String {
        match &self.link().qualifier {
            None => format!("`FunctionName: !Ref {}`", self.function),
            Some(Qualifier::Version(id) | Qualifier::Alias(id)) => {
                format!("`FunctionName: !Ref {id}`")
            }
            Some(Qualifier::Named(name)) => {
                format!("`FunctionName: !Sub ${{{}}}:{name}`", self.function)
            }
        }
    }

    /// Returns the `SourceArn` that allows the call.
    pub(crate) fn source_arn(&self) -> String {
        let api = self.api.id.to().map_or("", LogicalId::as_str);
        let path = match &self.caller {
            Invoker::Routes(..) => "*".to_owned(),
            Invoker::Authorizer(authorizer) => {
                format!("authorizers/${{{}}}", authorizer.resource.logical_id)
            }
        };
        format!(
            "!Sub arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{{api}}}/{path}"
        )
    }
}

/// Describes the called function: `alias live of Function`, or the function itself.
pub(crate) fn describe_target(
    model: &Model,
    function: &LogicalId,
    qualifier: Option<&Qualifier>,
) -> String {
    match qualifier {
        None => format!("{function} without a qualifier"),
        Some(Qualifier::Version(id)) => format!("version {id} of {function}"),
        Some(Qualifier::Alias(id)) => {
            let name = model.resource(id).and_then(|it| it.properties.text("Name"));
            match name.as_ref().and_then(Text::as_literal) {
                Some(name) => format!("alias `{name}` of {function}"),
                None => format!("alias {id} of {function}"),
            }
        }
        Some(Qualifier::Named(name)) => format!("`{name}` of {function}"),
    }
}
