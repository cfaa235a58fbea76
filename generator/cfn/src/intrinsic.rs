//! Intrinsic functions: one value however they are written.

use std::fmt;

use crate::{Map, Node, Value};

macro_rules! functions {
    ($($variant:ident $long:literal $tag:literal $doc:literal)*) => {
        /// An intrinsic function of CloudFormation.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Intrinsic {
            $(#[doc = $doc] $variant,)*
        }

        impl Intrinsic {
            /// Every function, in the order of the declaration.
            pub const ALL: &'static [Intrinsic] = &[$(Intrinsic::$variant),*];

            /// The key of the long form, as JSON templates write it: `Fn::Sub`, `Ref`.
            pub fn long_name(self) -> &'static str {
                match self { $(Intrinsic::$variant => $long,)* }
            }

            /// The YAML tag without its exclamation mark: `Sub`, `Ref`.
            pub fn tag(self) -> &'static str {
                match self { $(Intrinsic::$variant => $tag,)* }
            }

            /// The function of a long-form key.
            pub fn from_long_name(name: &str) -> Option<Intrinsic> {
                match name { $($long => Some(Intrinsic::$variant),)* _ => None }
            }

            /// The function of a YAML tag, without its exclamation mark.
            pub fn from_tag(tag: &str) -> Option<Intrinsic> {
                match tag { $($tag => Some(Intrinsic::$variant),)* _ => None }
            }
        }
    };
}

functions! {
    And "Fn::And" "And" "True when all conditions are."
    Base64 "Fn::Base64" "Base64" "Base64 of a string."
    Cidr "Fn::Cidr" "Cidr" "CIDR blocks of a block."
    Condition "Condition" "Condition" "Another condition, by its name."
    Equals "Fn::Equals" "Equals" "True when two values are equal."
    FindInMap "Fn::FindInMap" "FindInMap" "A value of the Mappings section."
    GetAtt "Fn::GetAtt" "GetAtt" "An attribute of a resource: a list of logical id and attribute name."
    GetAZs "Fn::GetAZs" "GetAZs" "The availability zones of a region."
    If "Fn::If" "If" "One of two values, by a condition."
    ImportValue "Fn::ImportValue" "ImportValue" "An output that another stack exports."
    Join "Fn::Join" "Join" "A list of strings with a delimiter between."
    Length "Fn::Length" "Length" "How many elements a list has."
    Not "Fn::Not" "Not" "The opposite of a condition."
    Or "Fn::Or" "Or" "True when one of the conditions is."
    Ref "Ref" "Ref" "A parameter's value or a resource's id."
    Select "Fn::Select" "Select" "One element of a list."
    Split "Fn::Split" "Split" "A string cut at a delimiter."
    Sub "Fn::Sub" "Sub" "A string with `${…}` filled in."
    ToJsonString "Fn::ToJsonString" "ToJsonString" "A value as JSON text."
    Transform "Fn::Transform" "Transform" "A macro's result."
}

impl fmt::Display for Intrinsic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "!{}", self.tag())
    }
}

/// An intrinsic function applied to an argument.
///
/// The argument of [`Intrinsic::GetAtt`] is always a list of the logical id and the attribute's name: the parser
/// splits `Api.ApiId` at the first dot, so that every spelling is one value.
#[derive(Clone, Debug, PartialEq)]
pub struct IntrinsicCall {
    /// Which function.
    pub function: Intrinsic,
    /// Its argument, as written.
    pub argument: Box<Node>,
}

impl IntrinsicCall {
    /// A function applied to an argument.
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

    /// The call that a mapping spells in its long form, or the mapping itself when it spells none: its only key must
    /// be a function's [`long name`](Intrinsic::long_name), and `Ref` and `Condition`, which are ordinary words too,
    /// must map to a string.
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

    /// The name that a `Ref` names.
    pub fn as_ref_name(&self) -> Option<&str> {
        match self.function {
            Intrinsic::Ref => self.argument.as_str(),
            _ => None,
        }
    }

    /// The logical id and the attribute that a `GetAtt` names, when both are plain strings.
    pub fn as_get_att(&self) -> Option<(&str, &str)> {
        match (self.function, self.argument.as_list()) {
            (Intrinsic::GetAtt, Some([id, attribute])) => Some((id.as_str()?, attribute.as_str()?)),
            _ => None,
        }
    }
}
