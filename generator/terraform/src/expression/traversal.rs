//! Paths such as `var.names[0]` and `aws_sqs_queue.orders[*].arn`.

use hcl_edit::expr::{Expression, Traversal, TraversalOperator};

use super::{Evaluated, ExpressionContext, Locals, PathStep};
use crate::error::ExpressionError;
use crate::functions::known;
use crate::value::HclValue;

impl ExpressionContext<'_> {
    pub(super) fn traversal(&self, traversal: &Traversal, locals: &Locals<'_>) -> Evaluated {
        let mut steps = Vec::new();
        let mut is_attribute_splat = false;
        for operator in &traversal.operators {
            let step = match &**operator {
                TraversalOperator::GetAttr(name) => PathStep::Attribute(name.as_str().to_owned()),
                TraversalOperator::AttrSplat(_) => {
                    is_attribute_splat = true;
                    PathStep::Splat
                }
                TraversalOperator::FullSplat(_) => PathStep::Splat,
                TraversalOperator::Index(index) => {
                    PathStep::Index(known(self.tokens, &self.evaluate(index, locals)?))
                }
                #[allow(clippy::cast_precision_loss, reason = "an index")]
                TraversalOperator::LegacyIndex(index) => {
                    PathStep::Index(HclValue::Number(*index.value() as f64))
                }
            };
            steps.push(step);
        }
        match &traversal.expr {
            Expression::Variable(name) => self.path(name.as_str(), &steps, locals),
            other => {
                let value = self.evaluate(other, locals)?;
                self.follow(value, &steps, is_attribute_splat)
            }
        }
    }

    /// Returns the value of a name with steps.
    pub(super) fn path(&self, name: &str, steps: &[PathStep], locals: &Locals<'_>) -> Evaluated {
        if let Some(value) = locals.get(name) {
            return self.follow(value.clone(), steps, false);
        }
        match self.references.resolve(name, steps)? {
            Some(resolved) => self.follow(resolved.value, &steps[resolved.steps..], false),
            None => Err(ExpressionError::new(format!("there is no {name:?} here"))
                .hint("names are `var.…`, `local.…`, `module.…`, `data.…` and resources")),
        }
    }

    fn follow(&self, value: HclValue, steps: &[PathStep], attribute_splat: bool) -> Evaluated {
        let Some((step, rest)) = steps.split_first() else {
            return Ok(value);
        };
        match step {
            PathStep::Attribute(name) => {
                let value = self.attribute(&value, name)?;
                self.follow(value, rest, attribute_splat)
            }
            PathStep::Index(index) => {
                let value = self.index(&value, index)?;
                self.follow(value, rest, attribute_splat)
            }
            PathStep::Splat => {
                // `.*` applies to attributes only: an index after it selects one of the results.
                let is_index =
                    |step: &PathStep| attribute_splat && matches!(step, PathStep::Index(_));
                let inner = rest.iter().position(is_index).unwrap_or(rest.len());
                let (inner, rest) = rest.split_at(inner);
                let items = match value {
                    HclValue::Null => Vec::new(),
                    HclValue::List(items) | HclValue::Set(items) => items,
                    other if matches!(other, HclValue::Unknown(_)) => {
                        return Ok(self.derived("[*]", &[&other]));
                    }
                    other => vec![other],
                };
                let items = items
                    .into_iter()
                    .map(|item| self.follow(item, inner, attribute_splat));
                let items = HclValue::List(items.collect::<Result<_, _>>()?);
                self.follow(items, rest, attribute_splat)
            }
        }
    }

    fn attribute(&self, value: &HclValue, name: &str) -> Evaluated {
        match value {
            HclValue::Map(map) => match (map.entries.get(name), &map.open) {
                (Some(value), _) => Ok(value.clone()),
                (None, Some(open)) => Ok(self.open_attribute(open, name)),
                (None, None) => Err(ExpressionError::new(format!(
                    "this object has no attribute {name:?}"
                ))),
            },
            HclValue::Unknown(token) => {
                let name = format!("{}.{name}", self.unknown_name(*token));
                Ok(HclValue::Unknown(self.tokens.unknown(name)))
            }
            HclValue::Text(text) if self.tokens.has_token(text) => {
                Ok(self.derived(&format!(".{name}"), &[value]))
            }
            // A nested block of which there is one, as older configurations write it.
            HclValue::List(items) | HclValue::Set(items) if items.len() == 1 => {
                self.attribute(&items[0], name)
            }
            other => Err(ExpressionError::new(format!(
                "a {} has no attribute {name:?}",
                other.kind()
            ))),
        }
    }

    fn index(&self, value: &HclValue, index: &HclValue) -> Evaluated {
        if self.is_unknown(index) {
            return Ok(self.derived("index", &[value, index]));
        }
        match value {
            HclValue::Map(_) => self.attribute(value, &index.to_text()?),
            HclValue::List(items) | HclValue::Set(items) => {
                let number = index
                    .as_number()
                    .filter(|number| *number >= 0.0 && number.fract() == 0.0);
                #[allow(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "whole and not negative"
                )]
                let item = number.and_then(|number| items.get(number as usize));
                item.cloned().ok_or_else(|| {
                    let index = index.to_text().unwrap_or_default();
                    ExpressionError::new(format!(
                        "there is no element {index} in a list of {}",
                        items.len()
                    ))
                })
            }
            HclValue::Unknown(token) => {
                let name = format!("{}[{}]", self.unknown_name(*token), index.to_text()?);
                Ok(HclValue::Unknown(self.tokens.unknown(name)))
            }
            // An attribute that only AWS knows may be a list.
            HclValue::Text(text) if self.tokens.has_token(text) => {
                Ok(self.derived("index", &[value, index]))
            }
            other => Err(ExpressionError::new(format!(
                "a {} has no elements",
                other.kind()
            ))),
        }
    }

    fn unknown_name(&self, token: char) -> String {
        let name = self.tokens.unknowns(token.encode_utf8(&mut [0; 4]));
        name.into_iter().next().unwrap_or_default()
    }
}
