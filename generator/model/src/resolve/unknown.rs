//! What a template alone cannot tell.

use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use stackgen_cfn::{Intrinsic, Span};

use super::Resolved;

/// A value that is not known, with the reason and the expression that stands for it.
#[derive(Clone, Debug)]
pub struct Unknown {
    /// Why it is not known.
    pub reason: UnknownReason,
    /// Where the expression stands.
    pub span: Span,
    /// The expression as canonical JSON, so that a changed expression is a changed value.
    pub expression: Arc<str>,
    /// What it is one of, when a condition that is not known decides.
    pub branches: Option<Arc<Branches>>,
    /// True when the value or the expression comes from a `NoEcho` parameter and must not be shown.
    pub hidden: bool,
}

/// Both outcomes of an `If`; `None` where the outcome is that the property is absent.
#[derive(Clone, Debug, PartialEq)]
pub struct Branches {
    /// The condition's name.
    pub condition: String,
    /// The condition's own expression, without names of conditions.
    pub when: Arc<str>,
    /// When the condition holds.
    pub yes: Option<Resolved>,
    /// When it does not.
    pub no: Option<Resolved>,
}

/// Why a value is not known.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum UnknownReason {
    /// A parameter without a default was not given.
    ParameterNotGiven(String),
    /// A parameter is looked up in the SSM parameter store.
    SsmParameter(String),
    /// Nothing in the template has that name.
    Dangling(String),
    /// The resource is left out by its condition.
    LeftOut(String),
    /// A condition that is not known decides.
    Condition(String),
    /// There is no such condition.
    NoSuchCondition(String),
    /// A condition depends on itself.
    ConditionCycle(String),
    /// Another stack's export.
    Import,
    /// A macro makes it.
    Macro,
    /// `Fn::ForEach` makes it.
    ForEach,
    /// `{{resolve:…}}`, read while the stack is deployed.
    DynamicReference,
    /// A stage variable of API Gateway, filled in for every request.
    StageVariable,
    /// The mapping has no such key.
    NotInMapping(String),
    /// A function that only CloudFormation can compute, or only with values that are known.
    NotComputed(Intrinsic),
    /// A function with the wrong kind of argument.
    Malformed(Intrinsic),
    /// A key that looks like a function and is none.
    NoSuchFunction(String),
    /// A value of the wrong kind for its place.
    WrongKind(&'static str),
    /// The document is nested too deeply or grows too large when it is resolved.
    TooLarge,
}

impl fmt::Display for UnknownReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ParameterNotGiven(name) => {
                write!(f, "parameter {name} has no default and no value was given")
            }
            Self::SsmParameter(name) => write!(
                f,
                "parameter {name} is read from the SSM parameter store at deployment"
            ),
            Self::Dangling(name) => write!(f, "nothing in the template is called {name}"),
            Self::LeftOut(name) => write!(f, "resource {name} is left out by its condition"),
            Self::Condition(name) => {
                write!(f, "it depends on condition {name}, which is not known")
            }
            Self::NoSuchCondition(name) => write!(f, "there is no condition {name}"),
            Self::ConditionCycle(name) => write!(f, "condition {name} depends on itself"),
            Self::Import => f.write_str("it is imported from another stack"),
            Self::Macro => f.write_str("a macro makes it at deployment"),
            Self::ForEach => f.write_str("Fn::ForEach makes it at deployment"),
            Self::DynamicReference => f.write_str("a dynamic reference is read at deployment"),
            Self::StageVariable => f.write_str("a stage variable is filled in for every request"),
            Self::NotInMapping(name) => write!(f, "mapping {name} has no such key"),
            Self::NotComputed(function) => {
                write!(f, "only CloudFormation can compute {function} here")
            }
            Self::Malformed(function) => write!(f, "{function} has an argument of the wrong kind"),
            Self::NoSuchFunction(name) => write!(f, "there is no function {name}"),
            Self::WrongKind(expected) => write!(f, "{expected} was expected here"),
            Self::TooLarge => f.write_str("it is nested too deeply or too large"),
        }
    }
}

impl Unknown {
    /// An unknown with its expression.
    pub fn new(reason: UnknownReason, span: Span, expression: impl Into<Arc<str>>) -> Self {
        Unknown {
            reason,
            span,
            expression: expression.into(),
            branches: None,
            hidden: false,
        }
    }

    /// Returns the unknown, marked as coming from a `NoEcho` parameter where `hidden` is true.
    #[must_use]
    pub(crate) fn hide(mut self, hidden: bool) -> Self {
        self.hidden |= hidden;
        self
    }
}

/// Equality looks at the meaning, not at the place.
impl PartialEq for Unknown {
    fn eq(&self, other: &Self) -> bool {
        self.reason == other.reason
            && self.expression == other.expression
            && self.branches == other.branches
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}

impl Serialize for Unknown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = [
            ("unknown", self.reason.to_string()),
            ("expression", self.expression.to_string()),
        ];
        serializer.collect_map(fields)
    }
}
