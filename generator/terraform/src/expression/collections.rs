//! `for` expressions.

use std::collections::BTreeMap;

use hcl_edit::expr::ForExpr;

use super::{Evaluated, ExpressionContext, Locals};
use crate::error::ExpressionError;
use crate::functions::known;
use crate::value::HclValue;

/// Keys and values of a collection.
type Pairs = Vec<(HclValue, HclValue)>;

impl ExpressionContext<'_> {
    /// Returns keys and values of a collection; `None` if it is unknown.
    pub(super) fn pairs(&self, collection: &HclValue) -> Result<Option<Pairs>, ExpressionError> {
        #[allow(clippy::cast_precision_loss, reason = "collections are small")]
        let number = |index: usize| HclValue::Number(index as f64);
        Ok(Some(match collection {
            HclValue::List(items) => {
                let items = items.iter().enumerate();
                items
                    .map(|(index, item)| (number(index), item.clone()))
                    .collect()
            }
            HclValue::Set(items) => items
                .iter()
                .map(|item| (item.clone(), item.clone()))
                .collect(),
            HclValue::Map(map) => {
                let entries = map.entries.iter();
                entries
                    .map(|(key, value)| (HclValue::text(key), value.clone()))
                    .collect()
            }
            other if self.is_unknown(other) => return Ok(None),
            other => {
                let message = format!(
                    "`for` needs a list, a set or a map, and not a {}",
                    other.kind()
                );
                return Err(ExpressionError::new(message));
            }
        }))
    }

    pub(super) fn for_expression(&self, expression: &ForExpr, locals: &Locals<'_>) -> Evaluated {
        let intro = &expression.intro;
        let collection = self.evaluate(&intro.collection_expr, locals)?;
        let Some(pairs) = self.pairs(&collection)? else {
            return Ok(self.derived("for", &[&collection]));
        };
        let (mut list, mut map) = (Vec::new(), BTreeMap::<String, Vec<HclValue>>::new());
        for (key, value) in pairs {
            let mut names = vec![(intro.value_var.as_str().to_owned(), value)];
            if let Some(name) = &intro.key_var {
                names.push((name.as_str().to_owned(), key));
            }
            let locals = Locals::within(&names, locals);
            if let Some(condition) = &expression.cond {
                let condition = self.evaluate(&condition.expr, &locals)?;
                match known(self.tokens, &condition).as_bool() {
                    Some(true) => {}
                    Some(false) => continue,
                    None if self.is_unknown(&condition) => {
                        return Ok(self.derived("for", &[&collection, &condition]));
                    }
                    None => {
                        let message = format!("`if` needs a bool, and not a {}", condition.kind());
                        return Err(ExpressionError::new(message));
                    }
                }
            }
            let value = self.evaluate(&expression.value_expr, &locals)?;
            match &expression.key_expr {
                None => list.push(value),
                Some(key) => {
                    let key = self.evaluate(key, &locals)?.to_text()?;
                    let values = map.entry(key.clone()).or_default();
                    if !values.is_empty() && !expression.grouping {
                        let message = format!("two elements have the key {key:?}");
                        return Err(ExpressionError::new(message)
                            .hint("group them: write `...` after the value"));
                    }
                    values.push(value);
                }
            }
        }
        if expression.key_expr.is_none() {
            return Ok(HclValue::List(list));
        }
        let entries = map
            .into_iter()
            .map(|(key, mut values)| match expression.grouping {
                true => (key, HclValue::List(values)),
                false => (key, values.pop().unwrap_or(HclValue::Null)),
            });
        Ok(HclValue::map(entries))
    }
}
