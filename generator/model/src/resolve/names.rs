//! Resolution of names: parameters, pseudo parameters, resources.

use stackgen_cfn::{Intrinsic, Node, Span};

use super::{Piece, Pseudo, Reference, Resolved, Resolver, Text, Truth, Unknown, UnknownReason};
use crate::{LogicalId, Problem, ProblemKind};

/// Attributes with the same value as `Ref`.
const SAME_AS_REF: &[(&str, &str)] = &[
    ("AWS::ApiGatewayV2::Api", "ApiId"),
    ("AWS::ApiGatewayV2::Authorizer", "AuthorizerId"),
    ("AWS::ApiGatewayV2::Deployment", "DeploymentId"),
    ("AWS::ApiGatewayV2::Integration", "IntegrationId"),
    ("AWS::ApiGatewayV2::Route", "RouteId"),
    ("AWS::Lambda::Alias", "AliasArn"),
    ("AWS::Lambda::Version", "FunctionArn"),
    ("AWS::Logs::LogGroup", "LogGroupName"),
    ("AWS::SNS::Topic", "TopicArn"),
];

impl Resolver<'_> {
    /// Returns the value of `Ref` for a name; `None` for `AWS::NoValue`.
    pub(super) fn name(&self, name: &str, node: &Node, depth: usize) -> Option<Resolved> {
        if name == "AWS::NoValue" {
            return None;
        }
        if let Some(pseudo) = Pseudo::from_name(name) {
            return Some(Resolved::Text(match self.inputs.pseudo(pseudo) {
                Some(value) => Text::literal(value),
                None => Text::from(Piece::Pseudo(pseudo)),
            }));
        }
        if let Some(parameter) = self.template.at_path(&["Parameters", name]) {
            return Some(self.repeated(self.parameter(name, parameter), node));
        }
        Some(self.resource(name, None, node, depth))
    }

    /// Returns a reference to a resource or one of its attributes.
    pub(super) fn resource(
        &self,
        name: &str,
        attribute: Option<&str>,
        node: &Node,
        depth: usize,
    ) -> Resolved {
        let (name, attribute) = self.real_name(name, attribute);
        let expression = || format!("{{\"Ref\":\"{name}\"}}");
        let Some(resource) = self.template.at_path(&["Resources", name]) else {
            self.report_dangling(name, node.span);
            let reason = UnknownReason::Dangling(name.to_owned());
            return Resolved::Unknown(Unknown::new(reason, node.span, expression()));
        };
        if self.is_excluded(resource, depth) {
            self.report_excluded(name, node.span);
            let reason = UnknownReason::ConditionIsFalse(name.to_owned());
            return Resolved::Unknown(Unknown::new(reason, node.span, expression()));
        }
        let kind = resource
            .get("Type")
            .and_then(Node::as_str)
            .unwrap_or_default();
        let attribute = attribute.filter(|attribute| !SAME_AS_REF.contains(&(kind, attribute)));
        Resolved::Text(Text::from(Piece::Reference(Reference {
            logical_id: LogicalId::new(name),
            attribute: attribute.map(str::to_owned),
        })))
    }

    /// Returns the logical ID and attribute of a SAM name such as `Function.Version`, which `GetAtt` splits at the
    /// wrong dot.
    fn real_name<'n>(
        &'n self,
        name: &'n str,
        attribute: Option<&'n str>,
    ) -> (&'n str, Option<&'n str>) {
        if let Some(id) = self.aliases.get(name) {
            return (id, attribute);
        }
        let Some(attribute) = attribute else {
            return (name, None);
        };
        let (first, rest) = match attribute.split_once('.') {
            Some((first, rest)) => (first, Some(rest)),
            None => (attribute, None),
        };
        match self.aliases.get(&format!("{name}.{first}")) {
            Some(id) => (id, rest),
            None => (name, Some(attribute)),
        }
    }

    /// True if the resource's condition is false.
    pub(crate) fn is_excluded(&self, resource: &Node, depth: usize) -> bool {
        let Some(condition) = resource.get("Condition") else {
            return false;
        };
        let truth = |name| self.named_condition(name, condition.span, depth);
        condition.as_str().map(truth) == Some(Truth::False)
    }

    pub(super) fn parameter(&self, name: &str, parameter: &Node) -> Resolved {
        if let Some(known) = self.parameters.borrow().get(name) {
            return known.clone();
        }
        let value = self.parameter_value(name, parameter);
        self.parameters
            .borrow_mut()
            .insert(name.to_owned(), value.clone());
        value
    }

    fn parameter_value(&self, name: &str, parameter: &Node) -> Resolved {
        let hidden = is_hidden(parameter);
        let kind = parameter
            .get("Type")
            .and_then(Node::as_str)
            .unwrap_or_default();
        let default = parameter.get("Default").and_then(plain_text);
        let given = self.inputs.parameter(name).map(str::to_owned);
        let value = given.or(default);
        let unknown = |reason: fn(String) -> UnknownReason, value: Option<&str>| {
            let value = value
                .map(|value| format!(",\"Default\":{value:?}"))
                .unwrap_or_default();
            let expression = format!("{{\"Ref\":\"{name}\"{value}}}");
            let unknown = Unknown::new(reason(name.to_owned()), parameter.span, expression);
            Resolved::Unknown(unknown.hide(hidden))
        };
        if kind.starts_with("AWS::SSM::Parameter::Value<") {
            return unknown(UnknownReason::SsmParameter, value.as_deref());
        }
        match value {
            None => unknown(UnknownReason::ParameterNotGiven, None),
            Some(text) if kind == "CommaDelimitedList" || kind.starts_with("List<") => {
                let items = text.split(',').map(str::trim).filter(|_| !text.is_empty());
                let item = |item| Resolved::Text(Text::literal(item).hide(hidden));
                Resolved::List(items.map(item).collect())
            }
            Some(text) => self.finish(Text::literal(text).hide(hidden), parameter),
        }
    }

    fn report_dangling(&self, name: &str, span: Span) {
        self.report(format!("dangling {name}"), || {
            Problem::new(
                format!("{name} is neither a resource nor a parameter of this template"),
                span,
            )
            .with_hint("correct the name, or define it under Resources or Parameters")
        });
    }

    fn report_excluded(&self, name: &str, span: Span) {
        self.report(format!("left out {name}"), || {
            Problem::new(
                format!("{name} is used here, but its condition excludes it"),
                span,
            )
            .with_hint(format!(
                "use it inside {} with the same condition",
                Intrinsic::If
            ))
            .of_kind(ProblemKind::ConditionIsFalse)
        });
    }
}

/// True if CloudFormation hides the parameter's value: `NoEcho` is set and not false.
pub(crate) fn is_hidden(parameter: &Node) -> bool {
    let no_echo = parameter.get("NoEcho");
    no_echo.is_some_and(|no_echo| plain_text(no_echo).as_deref() != Some("false"))
}

fn plain_text(node: &Node) -> Option<String> {
    use stackgen_cfn::Value;
    match &node.value {
        Value::String(text) => Some(text.clone()),
        Value::Int(value) => Some(value.to_string()),
        Value::Float(value) => Some(value.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}
