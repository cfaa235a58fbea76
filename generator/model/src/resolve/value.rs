//! Resolved values.

use crate::{LogicalId, OrderedMap};
use serde::{Serialize, Serializer};

use super::{Piece, Text, Unknown, UnknownReason};

/// A value whose intrinsic functions are evaluated, or unknown.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Resolved {
    /// Null.
    #[default]
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// Text, which may contain references.
    Text(Text),
    /// A list.
    List(Vec<Resolved>),
    /// A map in its written order.
    Map(OrderedMap<String, Resolved>),
    /// Unknown.
    Unknown(Unknown),
}

/// A property that is absent, set to a value, or unknown.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Setting<T> {
    /// The template does not set it.
    #[default]
    Absent,
    /// The value.
    Set(T),
    /// It is set to an unknown value.
    Unknown(Unknown),
}

impl<T> Setting<T> {
    /// Returns the value, if it is set and known.
    pub fn value(&self) -> Option<&T> {
        match self {
            Setting::Set(value) => Some(value),
            _ => None,
        }
    }

    /// True if the template does not set it.
    pub fn is_absent(&self) -> bool {
        matches!(self, Setting::Absent)
    }
}

impl<T: Serialize> Serialize for Setting<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Setting::Absent => serializer.serialize_none(),
            Setting::Set(value) => value.serialize(serializer),
            Setting::Unknown(unknown) => unknown.serialize(serializer),
        }
    }
}

impl Resolved {
    /// Returns known text.
    pub fn literal(text: impl Into<String>) -> Self {
        Resolved::Text(Text::literal(text))
    }

    /// Returns the value of a key, if this is a map.
    pub fn get(&self, key: &str) -> Option<&Resolved> {
        self.as_map()?.get(key)
    }

    /// Returns the value at a path of keys.
    pub fn at_path(&self, path: &[&str]) -> Option<&Resolved> {
        path.iter().try_fold(self, |value, key| value.get(key))
    }

    /// Returns the entries, if this is a map.
    pub fn as_map(&self) -> Option<&OrderedMap<String, Resolved>> {
        match self {
            Resolved::Map(map) => Some(map),
            _ => None,
        }
    }

    /// Returns the elements, if this is a list.
    pub fn as_list(&self) -> Option<&[Resolved]> {
        match self {
            Resolved::List(items) => Some(items),
            _ => None,
        }
    }

    /// Returns the elements, or this value itself if it is not a list. CloudFormation accepts both for `Action` and
    /// `Resource`.
    pub fn one_or_many(&self) -> &[Resolved] {
        match self {
            Resolved::List(items) => items,
            other => std::slice::from_ref(other),
        }
    }

    /// Returns the text, if all of it is known.
    pub fn as_literal(&self) -> Option<&str> {
        match self {
            Resolved::Text(text) => text.as_literal(),
            _ => None,
        }
    }

    /// Returns the integer, also from text, as CloudFormation does.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Resolved::Int(value) => Some(*value),
            _ => self.as_literal()?.parse().ok(),
        }
    }

    /// Returns the boolean, also from text.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Resolved::Bool(value) => Some(*value),
            _ => self.as_literal()?.parse().ok(),
        }
    }

    /// Returns a scalar as text, and an unknown as unknown text; `None` for other values.
    pub fn to_text(&self) -> Option<Text> {
        match self {
            Resolved::Bool(value) => Some(Text::literal(value.to_string())),
            Resolved::Int(value) => Some(Text::literal(value.to_string())),
            Resolved::Float(value) => Some(Text::literal(value.to_string())),
            Resolved::Text(text) => Some(text.clone()),
            Resolved::Unknown(unknown) => Some(Text::from(Piece::Unknown(unknown.clone()))),
            Resolved::Null | Resolved::List(_) | Resolved::Map(_) => None,
        }
    }

    /// Returns a property as text. A value that is not text becomes an unknown text.
    pub fn text(&self, key: &str) -> Option<Text> {
        let value = self.get(key)?;
        let wrong = || Text::from(Piece::Unknown(value.unknown_or_wrong("text")));
        Some(value.to_text().unwrap_or_else(wrong))
    }

    /// Returns a property as a boolean.
    pub fn bool(&self, key: &str) -> Setting<bool> {
        self.setting(key, "true or false", Resolved::as_bool)
    }

    /// Returns a property as an integer.
    pub fn int(&self, key: &str) -> Setting<i64> {
        self.setting(key, "a whole number", Resolved::as_int)
    }

    fn setting<T>(
        &self,
        key: &str,
        kind: &'static str,
        read: fn(&Resolved) -> Option<T>,
    ) -> Setting<T> {
        match (self, self.get(key)) {
            (Resolved::Unknown(unknown), _) => Setting::Unknown(unknown.clone()),
            (_, None) => Setting::Absent,
            (_, Some(value)) => match read(value) {
                Some(read) => Setting::Set(read),
                None => Setting::Unknown(value.unknown_or_wrong(kind)),
            },
        }
    }

    /// Returns the resources to which it refers, in its order, with repetitions.
    pub fn referenced_ids(&self) -> Vec<&LogicalId> {
        match self {
            Resolved::Text(text) => text.references().map(|one| &one.logical_id).collect(),
            Resolved::List(items) => items.iter().flat_map(Resolved::referenced_ids).collect(),
            Resolved::Map(map) => map.values().flat_map(Resolved::referenced_ids).collect(),
            _ => Vec::new(),
        }
    }

    /// True if a part comes from a `NoEcho` parameter and must not be shown.
    pub fn is_hidden(&self) -> bool {
        match self {
            Resolved::Text(text) => text.is_hidden(),
            Resolved::List(items) => items.iter().any(Resolved::is_hidden),
            Resolved::Map(map) => map.values().any(Resolved::is_hidden),
            Resolved::Unknown(unknown) => unknown.hidden,
            _ => false,
        }
    }

    /// Returns its approximate size in bytes when written.
    pub(crate) fn weight(&self) -> usize {
        const EACH: usize = 64;
        let inside: usize = match self {
            Resolved::Text(text) => text.weight(),
            Resolved::List(items) => items.iter().map(Resolved::weight).sum(),
            Resolved::Map(map) => {
                let entries = map.iter();
                entries.map(|(key, value)| key.len() + value.weight()).sum()
            }
            Resolved::Unknown(unknown) => unknown.expression.len(),
            _ => 0,
        };
        EACH + inside
    }

    fn unknown_or_wrong(&self, kind: &'static str) -> Unknown {
        match self {
            Resolved::Unknown(unknown) => unknown.clone(),
            Resolved::Text(text) if text.unknown().is_some() => text
                .unknown()
                .cloned()
                .unwrap_or_else(|| wrong_kind(kind, self)),
            other => wrong_kind(kind, other),
        }
    }
}

fn wrong_kind(kind: &'static str, value: &Resolved) -> Unknown {
    let expression = serde_json::to_string(value).unwrap_or_default();
    Unknown::new(
        UnknownReason::WrongKind(kind),
        stackgen_cfn::Span::default(),
        expression,
    )
    .hide(value.is_hidden())
}

impl Serialize for Resolved {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Resolved::Null => serializer.serialize_unit(),
            Resolved::Bool(value) => serializer.serialize_bool(*value),
            Resolved::Int(value) => serializer.serialize_i64(*value),
            Resolved::Float(value) => serializer.serialize_f64(*value),
            Resolved::Text(text) => text.serialize(serializer),
            Resolved::List(items) => serializer.collect_seq(items),
            Resolved::Map(map) => serializer.collect_map(map),
            Resolved::Unknown(unknown) => unknown.serialize(serializer),
        }
    }
}
