//! Type constraints of variables.

use hcl_edit::expr::{Expression, FuncCall};

use crate::error::ExpressionError;
use crate::token::may_have_token;
use crate::value::{HclValue, unify};

/// Type constraint.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TypeConstraint {
    /// Any type.
    Any,
    /// `bool`.
    Bool,
    /// `number`.
    Number,
    /// `string`.
    Text,
    /// `list(…)`.
    List(Box<TypeConstraint>),
    /// `set(…)`.
    Set(Box<TypeConstraint>),
    /// `map(…)`.
    Map(Box<TypeConstraint>),
    /// `tuple([…])`.
    Tuple(Vec<TypeConstraint>),
    /// `object({…})`.
    Object(Vec<ObjectAttribute>),
}

/// Attribute of an object's type.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ObjectAttribute {
    name: String,
    constraint: TypeConstraint,
    /// Default of `optional(…)`; `None` for a required attribute.
    default: Option<Box<Option<Expression>>>,
}

impl TypeConstraint {
    /// Reads a type. What is no type allows everything.
    pub(crate) fn of(expression: &Expression) -> TypeConstraint {
        match expression {
            Expression::Variable(name) => match name.as_str() {
                "bool" => TypeConstraint::Bool,
                "number" => TypeConstraint::Number,
                "string" => TypeConstraint::Text,
                _ => TypeConstraint::Any,
            },
            Expression::String(text) => match text.as_str() {
                "string" => TypeConstraint::Text,
                _ => TypeConstraint::Any,
            },
            Expression::Parenthesis(inner) => TypeConstraint::of(inner.inner()),
            Expression::FuncCall(call) => Self::of_call(call),
            _ => TypeConstraint::Any,
        }
    }

    fn of_call(call: &FuncCall) -> TypeConstraint {
        let first = call.args.iter().next();
        let inner = || Box::new(first.map_or(TypeConstraint::Any, TypeConstraint::of));
        match (call.name.name.as_str(), first) {
            ("list", _) => TypeConstraint::List(inner()),
            ("set", _) => TypeConstraint::Set(inner()),
            ("map", _) => TypeConstraint::Map(inner()),
            ("tuple", Some(Expression::Array(items))) => {
                TypeConstraint::Tuple(items.iter().map(TypeConstraint::of).collect())
            }
            ("object", Some(Expression::Object(object))) => {
                let attributes = object.iter().map(|(key, value)| {
                    let name = match key {
                        hcl_edit::expr::ObjectKey::Ident(name) => name.as_str().to_owned(),
                        hcl_edit::expr::ObjectKey::Expression(key) => {
                            key.as_str().unwrap_or_default().to_owned()
                        }
                    };
                    object_attribute(name, value.expr())
                });
                TypeConstraint::Object(attributes.collect())
            }
            _ => TypeConstraint::Any,
        }
    }

    /// Converts a value to the type. `default` evaluates the defaults of optional attributes.
    ///
    /// # Errors
    ///
    /// If the value has no such conversion.
    pub(crate) fn convert(
        &self,
        value: HclValue,
        default: &dyn Fn(&Expression) -> Result<HclValue, ExpressionError>,
    ) -> Result<HclValue, ExpressionError> {
        if matches!(value, HclValue::Null | HclValue::Unknown(_)) {
            return Ok(value);
        }
        // An attribute that only AWS knows can have any type.
        let is_text = matches!(self, TypeConstraint::Any | TypeConstraint::Text);
        if !is_text && value.as_text().is_some_and(may_have_token) {
            return Ok(value);
        }
        Ok(match self {
            TypeConstraint::Any => value,
            TypeConstraint::Bool => {
                HclValue::Bool(value.as_bool().ok_or_else(|| wrong("a bool", &value))?)
            }
            TypeConstraint::Number => {
                HclValue::Number(value.as_number().ok_or_else(|| wrong("a number", &value))?)
            }
            TypeConstraint::Text => HclValue::Text(value.to_text()?),
            TypeConstraint::List(inner) => HclValue::List(inner.convert_elements(&value, default)?),
            TypeConstraint::Set(inner) => HclValue::set(inner.convert_elements(&value, default)?),
            TypeConstraint::Tuple(types) => {
                let items = value.elements().ok_or_else(|| wrong("a tuple", &value))?;
                let items = items.iter().zip(types);
                let items = items.map(|(item, inner)| inner.convert(item.clone(), default));
                HclValue::List(items.collect::<Result<_, _>>()?)
            }
            TypeConstraint::Map(inner) => {
                let entries = value.entries().ok_or_else(|| wrong("a map", &value))?;
                let entries = entries.iter();
                let entries = entries
                    .map(|(key, value)| Ok((key.as_str(), inner.convert(value.clone(), default)?)));
                HclValue::map(entries.collect::<Result<Vec<_>, ExpressionError>>()?)
            }
            TypeConstraint::Object(attributes) => {
                let entries = value.entries().ok_or_else(|| wrong("an object", &value))?;
                let entries = attributes.iter().map(|attribute| {
                    let given = entries.get(&attribute.name);
                    Ok((attribute.name.as_str(), attribute.value(given, default)?))
                });
                HclValue::map(entries.collect::<Result<Vec<_>, ExpressionError>>()?)
            }
        })
    }

    /// Converts the elements of a list, and gives them one type.
    fn convert_elements(
        &self,
        list: &HclValue,
        default: &dyn Fn(&Expression) -> Result<HclValue, ExpressionError>,
    ) -> Result<Vec<HclValue>, ExpressionError> {
        let items = list.elements().ok_or_else(|| wrong("a list", list))?;
        let items = items.iter().map(|item| self.convert(item.clone(), default));
        Ok(unify(items.collect::<Result<_, _>>()?))
    }
}

fn wrong(expected: &str, value: &HclValue) -> ExpressionError {
    ExpressionError::new(format!("{expected} is needed, and not a {}", value.kind()))
}

fn object_attribute(name: String, constraint: &Expression) -> ObjectAttribute {
    if let Expression::FuncCall(call) = constraint
        && call.name.name.as_str() == "optional"
    {
        let mut arguments = call.args.iter();
        let inner = arguments
            .next()
            .map_or(TypeConstraint::Any, TypeConstraint::of);
        return ObjectAttribute {
            name,
            constraint: inner,
            default: Some(Box::new(arguments.next().cloned())),
        };
    }
    ObjectAttribute {
        name,
        constraint: TypeConstraint::of(constraint),
        default: None,
    }
}

impl ObjectAttribute {
    /// Returns the value of the attribute. A missing one, and null for an optional one, is the default.
    fn value(
        &self,
        given: Option<&HclValue>,
        default: &dyn Fn(&Expression) -> Result<HclValue, ExpressionError>,
    ) -> Result<HclValue, ExpressionError> {
        let value = match (given, self.default.as_deref()) {
            (Some(given), _) if *given != HclValue::Null => given.clone(),
            (given, None) => match given {
                Some(null) => null.clone(),
                None => {
                    return Err(ExpressionError::new(format!(
                        "attribute {:?} is required",
                        self.name
                    )));
                }
            },
            (_, Some(None)) => HclValue::Null,
            (_, Some(Some(expression))) => default(expression)?,
        };
        let converted = self.constraint.convert(value, default);
        converted.map_err(|error| {
            ExpressionError::new(format!("attribute {:?}: {}", self.name, error.message))
        })
    }
}
