//! Intrinsic functions, as one value for all their notations.

use std::fmt;

use crate::{Map, Node, Value};

macro_rules! functions {
    ($($variant:ident $long:literal $tag:literal $doc:literal)*) => {
        /// Intrinsic function of CloudFormation.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Intrinsic {
            $(#[doc = $doc] $variant,)*
        }

        impl Intrinsic {
            /// All functions, in the order of declaration.
            pub const ALL: &'static [Intrinsic] = &[$(Intrinsic::$variant),*];

            /// Returns the key of the long form, as in JSON templates: `Fn::Sub`, `Ref`.
            pub fn long_name(self) -> &'static str {
                match self { $(Intrinsic::$variant => $long,)* }
            }

            /// Returns the YAML tag without its exclamation mark: `Sub`, `Ref`.
            pub fn tag(self) -> &'static str {
                match self { $(Intrinsic::$variant => $tag,)* }
            }

            /// Returns the function of a long-form key.
            pub fn from_long_name(name: &str) -> Option<Intrinsic> {
                match name { $($long => Some(Intrinsic::$variant),)* _ => None }
            }

            /// Returns the function of a YAML tag without its exclamation mark.
            pub fn from_tag(tag: &str) -> Option<Intrinsic> {
                match tag { $($tag => Some(Intrinsic::$variant),)* _ => None }
            }
        }
    };
}

functions! {
    And "Fn::And" "And" "True if all conditions are true."
    Base64 "Fn::Base64" "Base64" "Base64 of a string."
    Cidr "Fn::Cidr" "Cidr" "Subnets of a CIDR block."
    Condition "Condition" "Condition" "Another condition, by its name."
    Equals "Fn::Equals" "Equals" "True if two values are equal."
    FindInMap "Fn::FindInMap" "FindInMap" "A value in the Mappings section."
    GetAtt "Fn::GetAtt" "GetAtt" "An attribute of a resource: a list of logical ID and attribute name."
    GetAZs "Fn::GetAZs" "GetAZs" "The Availability Zones of a region."
    If "Fn::If" "If" "One of two values, by a condition."
    ImportValue "Fn::ImportValue" "ImportValue" "An output that another stack exports."
    Join "Fn::Join" "Join" "A list of strings, joined by a delimiter."
    Length "Fn::Length" "Length" "The number of elements of a list."
    Not "Fn::Not" "Not" "The opposite of a condition."
    Or "Fn::Or" "Or" "True if one of the conditions is true."
    Ref "Ref" "Ref" "A parameter's value or a resource's ID."
    Select "Fn::Select" "Select" "One element of a list."
    Split "Fn::Split" "Split" "A string, split at a delimiter."
    Sub "Fn::Sub" "Sub" "A string with variables `${…}`."
    ToJsonString "Fn::ToJsonString" "ToJsonString" "A value as JSON."
    Transform "Fn::Transform" "Transform" "A macro's result."
}

impl fmt::Display for Intrinsic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "!{}", self.tag())
    }
}

/// Call of an intrinsic function.
///
/// The argument of [`Intrinsic::GetAtt`] is always a list of the logical ID and the name of the attribute. The parser
/// splits `Api.ApiId` at the first dot, so that all notations are the same value.
#[derive(Clone, Debug, PartialEq)]
pub struct IntrinsicCall {
    /// The function.
    pub function: Intrinsic,
    /// Argument of the function.
    pub argument: Box<Node>,
}

impl IntrinsicCall {
    /// Creates a call.
    pub fn new(function: Intrinsic, argument: impl Into<Node>) -> Self {
        let argument = argument.into();
        let argument = match (function, argument.as_str().and_then(|s| s.split_once('.'))) {
            (Intrinsic::GetAtt, Some((id, attribute))) => {
                let (id, attribute) = (Node::from(id), Node::from(attribute));
                let span = argument.span;
                Node::new(Value::List(vec![id.at(span), attribute.at(span)])).at(span)
            }
            _ => argument,
        };
        IntrinsicCall {
            function,
            argument: Box::new(argument),
        }
    }

    /// Returns the call that a mapping in long form represents, or the mapping if it is not a call. The only key of a
    /// call is a function's [`long name`](Intrinsic::long_name). `Ref` and `Condition`, which can also be ordinary
    /// keys, must map to a string.
    pub fn fold(map: Map) -> Value {
        let function = match map.iter().next() {
            Some((key, node)) if map.len() == 1 => {
                Intrinsic::from_long_name(key).filter(|function| {
                    !matches!(function, Intrinsic::Ref | Intrinsic::Condition)
                        || node.as_str().is_some()
                })
            }
            _ => None,
        };
        match (function, map) {
            (Some(function), map) => match map.into_iter().next() {
                Some((_, argument)) => Value::Call(IntrinsicCall::new(function, argument)),
                None => Value::Map(Map::new()),
            },
            (None, map) => Value::Map(map),
        }
    }

    /// Returns the name in a `Ref`.
    pub fn as_ref_name(&self) -> Option<&str> {
        match self.function {
            Intrinsic::Ref => self.argument.as_str(),
            _ => None,
        }
    }

    /// Returns the logical ID and the attribute in a `GetAtt`, if both are strings.
    pub fn as_get_att(&self) -> Option<(&str, &str)> {
        match (self.function, self.argument.as_list()) {
            (Intrinsic::GetAtt, Some([id, attribute])) => Some((id.as_str()?, attribute.as_str()?)),
            _ => None,
        }
    }
}
