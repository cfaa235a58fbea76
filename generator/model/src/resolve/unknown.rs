//! Unknown values: those that the template alone does not determine.

use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use stackgen_cfn::{Intrinsic, Span};

use super::Resolved;

/// An unknown value, with the reason and its expression.
#[derive(Clone, Debug)]
pub struct Unknown {
    /// The reason.
    pub reason: UnknownReason,
    /// The location of the expression.
    pub span: Span,
    /// The expression as canonical JSON. A changed expression is a changed value.
    pub expression: Arc<str>,
    /// Both outcomes, if an unknown condition decides.
    pub branches: Option<Arc<Branches>>,
    /// True if the value or the expression comes from a `NoEcho` parameter and must not be shown.
    pub hidden: bool,
}

/// Both outcomes of an `If`. `None` is an absent property.
#[derive(Clone, Debug, PartialEq)]
pub struct Branches {
    /// The name of the condition.
    pub condition: String,
    /// The expression of the condition, without names of conditions.
    pub when: Arc<str>,
    /// The outcome if the condition is true.
    pub yes: Option<Resolved>,
    /// The outcome if it is false.
    pub no: Option<Resolved>,
}

/// Reason why a value is unknown.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum UnknownReason {
    /// A parameter has no default, and no value was given.
    ParameterNotGiven(String),
    /// A parameter is read from the SSM parameter store.
    SsmParameter(String),
    /// The template has nothing of that name.
    Dangling(String),
    /// The condition of the resource is false.
    ConditionIsFalse(String),
    /// An unknown condition decides.
    Condition(String),
    /// There is no such condition.
    NoSuchCondition(String),
    /// A condition depends on itself.
    ConditionCycle(String),
    /// The value is an export of another stack.
    Import,
    /// A macro generates it.
    Macro,
    /// `Fn::ForEach` generates it.
    ForEach,
    /// `{{resolve:…}}` is resolved at deploy time.
    DynamicReference,
    /// A stage variable of API Gateway is inserted into every request.
    StageVariable,
    /// The mapping has no such key.
    NotInMapping(String),
    /// Only CloudFormation can evaluate the function, or only with known values.
    NotComputed(Intrinsic),
    /// An intrinsic function has the wrong kind of argument.
    Malformed(Intrinsic),
    /// A key looks like an intrinsic function and is not one.
    NoSuchFunction(String),
    /// The value has the wrong type for its property.
    WrongKind(&'static str),
    /// The document is nested too deeply, or its resolved text is too large.
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
            Self::Dangling(name) => write!(f, "the template has no {name}"),
            Self::ConditionIsFalse(name) => {
                write!(f, "the condition of resource {name} excludes it")
            }
            Self::Condition(name) => {
                write!(f, "it depends on condition {name}, which is unknown")
            }
            Self::NoSuchCondition(name) => write!(f, "there is no condition {name}"),
            Self::ConditionCycle(name) => write!(f, "condition {name} depends on itself"),
            Self::Import => f.write_str("it is imported from another stack"),
            Self::Macro => f.write_str("a macro generates it at deployment"),
            Self::ForEach => f.write_str("Fn::ForEach generates it at deployment"),
            Self::DynamicReference => f.write_str("a dynamic reference is read at deployment"),
            Self::StageVariable => f.write_str("a stage variable is inserted into every request"),
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
    /// Creates an unknown with its expression.
    pub fn new(reason: UnknownReason, span: Span, expression: impl Into<Arc<str>>) -> Self {
        Unknown {
            reason,
            span,
            expression: expression.into(),
            branches: None,
            hidden: false,
        }
    }

    /// Marks the unknown as coming from a `NoEcho` parameter if `hidden` is true.
    #[must_use]
    pub(crate) fn hide(mut self, hidden: bool) -> Self {
        self.hidden |= hidden;
        self
    }
}

/// Equality ignores the location.
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
