//! A call that is refused, and how to say so.

use std::fmt;

use stackgen_model::{
    Api, Authorizer, FunctionLink, Integration, LogicalId, Model, Permission, Qualifier, Route,
    Text,
};

use crate::Location;

/// A function of the template that an api may not invoke, although its wiring names it.
#[derive(Debug)]
pub(crate) struct DeniedInvocation<'a> {
    pub(crate) api: &'a Api,
    pub(crate) function: &'a LogicalId,
    pub(crate) caller: Invoker<'a>,
    pub(crate) why: DenialReason<'a>,
}

/// What would invoke the function.
#[derive(Debug)]
pub(crate) enum Invoker<'a> {
    /// Messages of these routes, by the first one's integration.
    Routes(&'a Integration, Vec<&'a Route>),
    /// Handshakes.
    Authorizer(&'a Authorizer),
}

/// DenialReason it may not, by the permission that is nearest to admitting it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum DenialReason<'a> {
    /// There is no permission that comes near.
    Absent,
    /// The permission names another api, which does not call the function.
    OtherApi(&'a Permission),
    /// The permission names other routes, stages or authorizers of the api.
    OtherSource(&'a Permission),
    /// The permission is for another principal, or another action.
    OtherPrincipal(&'a Permission),
    /// The permission is for the function without its qualifier, or with another one (row D19).
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

/// `route x of Api`, `routes x, y and 3 more of Api`, `authorizer A`.
impl fmt::Display for DeniedInvocation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let routes = match &self.caller {
            Invoker::Authorizer(authorizer) => {
                return write!(f, "authorizer {}", authorizer.resource.logical_id);
            }
            Invoker::Routes(_, routes) => routes,
        };
        f.write_str(if routes.len() == 1 { "route" } else { "routes" })?;
        for (index, route) in routes.iter().take(SHOWN).enumerate() {
            let before = match index {
                0 => " ",
                _ if index + 1 == routes.len() => " and ",
                _ => ", ",
            };
            write!(f, "{before}`{}`", route.key)?;
        }
        if routes.len() > SHOWN {
            write!(f, " and {} more", routes.len() - SHOWN)?;
        }
        match self.api.id.to() {
            Some(api) => write!(f, " of {api}"),
            None => Ok(()),
        }
    }
}

/// How many routes a message names.
const SHOWN: usize = 3;

impl<'a> DeniedInvocation<'a> {
    /// What names the function.
    pub(crate) fn link(&self) -> &'a FunctionLink {
        match &self.caller {
            Invoker::Routes(integration, _) => &integration.function,
            Invoker::Authorizer(authorizer) => &authorizer.function,
        }
    }

    /// Where the function is named.
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

    /// Whether an authorizer is the caller.
    pub(crate) fn is_of_authorizer(&self) -> bool {
        matches!(self.caller, Invoker::Authorizer(_))
    }

    /// `call` or `calls`, as its name wants it.
    pub(crate) fn call(&self) -> &'static str {
        match &self.caller {
            Invoker::Routes(_, routes) if routes.len() > 1 => "call",
            _ => "calls",
        }
    }

    /// The permission that is missing, as a template writes it.
    pub(crate) fn permission(&self) -> String {
        format!(
            "{}, `Action: lambda:InvokeFunction`, `Principal: apigateway.amazonaws.com` and `SourceArn: {}`",
            self.function_name(),
            self.source_arn()
        )
    }

    /// The `FunctionName` that names what is called.
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

    /// The `SourceArn` that admits the call.
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

/// What a call names of a function: `alias live of Function`, or the function itself.
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
