//! Values of expressions.

use super::{Rendered, Renderer};
use crate::error::RenderProblem;
use crate::syntax::{BinaryOperator, Block, ChainExpr, ChainLink, Expr};
use crate::value::{ListKind, VtlValue, arithmetic, compare, narrow, template_equals, to_int};

impl Renderer<'_> {
    /// Returns the value of an expression.
    pub(super) fn value(&mut self, expression: &Expr, frame: usize) -> Rendered<VtlValue> {
        self.nested(|renderer| renderer.value_of(expression, frame))
    }

    fn value_of(&mut self, expression: &Expr, frame: usize) -> Rendered<VtlValue> {
        Ok(match expression {
            Expr::Reference(reference) if !reference.has_value => VtlValue::Null,
            Expr::Reference(reference) => self.resolve(reference, frame)?,
            Expr::Text(text) => VtlValue::text(text),
            Expr::Interpolated { body, has_padding } => {
                self.interpolate(body, *has_padding, frame)?
            }
            Expr::Integer(value) => narrow(*value),
            Expr::Float(value) => VtlValue::Double(*value),
            Expr::Boolean(value) => VtlValue::Boolean(*value),
            Expr::Range(ends) => {
                let from = self.value(&ends.0, frame)?;
                let to = self.value(&ends.1, frame)?;
                self.range(&from, &to)?
            }
            Expr::List(items) => {
                let mut list = Vec::with_capacity(items.len());
                for item in items {
                    list.push(self.value(item, frame)?);
                }
                let list = self.heap.list(ListKind::List, list);
                self.check(list)?
            }
            Expr::Map(entries) => {
                let mut map = Vec::with_capacity(entries.len());
                for entry in entries {
                    map.push((
                        self.value(&entry.key, frame)?,
                        self.value(&entry.value, frame)?,
                    ));
                }
                let map = self.heap.map(map);
                self.check(map)?
            }
            Expr::Not(operand) => VtlValue::Boolean(!self.is_true(operand, frame)?),
            Expr::Chain(chain) => self.chain(chain, frame)?,
            Expr::Nothing(_) => VtlValue::Null,
        })
    }

    /// Returns true if a condition holds. Velocity accepts references, comparisons and booleans; all other expressions, such
    /// as strings and sums, are false.
    pub(super) fn is_true(&mut self, condition: &Expr, frame: usize) -> Rendered<bool> {
        match condition {
            Expr::Reference(reference) => {
                let value = self.nested(|renderer| renderer.resolve(reference, frame))?;
                match value {
                    VtlValue::Null => Ok(false),
                    VtlValue::Boolean(value) => Ok(value),
                    value => match self.block_of(&value) {
                        Some(id) => Ok(self.text_of_block(id)?.is_some()),
                        None => Ok(true),
                    },
                }
            }
            Expr::Boolean(value) => Ok(*value),
            Expr::Not(operand) => Ok(!self.nested(|renderer| renderer.is_true(operand, frame))?),
            Expr::Chain(chain) if !is_arithmetic(chain) => {
                let value = self.nested(|renderer| renderer.chain(chain, frame))?;
                Ok(matches!(value, VtlValue::Boolean(true)))
            }
            _ => Ok(false),
        }
    }

    fn chain(&mut self, chain: &ChainExpr, frame: usize) -> Rendered<VtlValue> {
        let is_logical = chain
            .rest
            .first()
            .is_some_and(|link| matches!(link.operator, BinaryOperator::And | BinaryOperator::Or));
        if is_logical {
            let mut result = self.is_true(&chain.first, frame)?;
            for link in &chain.rest {
                // The right side of `&&` counts if the left one is true, and that of `||` if it is false.
                if result == (link.operator == BinaryOperator::And) {
                    result = self.is_true(&link.operand, frame)?;
                }
            }
            return Ok(VtlValue::Boolean(result));
        }
        let mut left = self.value(&chain.first, frame)?;
        for link in &chain.rest {
            let right = self.value(&link.operand, frame)?;
            self.mark(link.position);
            left = self.operate(link, left, right)?;
        }
        Ok(left)
    }

    fn operate(&mut self, link: &ChainLink, left: VtlValue, right: VtlValue) -> Rendered<VtlValue> {
        let charged = self.heap.charge(1);
        self.check(charged)?;
        let numbers = left.is_number() && right.is_number();
        let compared = |accepted: fn(std::cmp::Ordering) -> bool| {
            VtlValue::Boolean(numbers && accepted(compare(&left, &right)))
        };
        Ok(match link.operator {
            BinaryOperator::Less => compared(std::cmp::Ordering::is_lt),
            BinaryOperator::Greater => compared(std::cmp::Ordering::is_gt),
            BinaryOperator::LessOrEqual => compared(std::cmp::Ordering::is_le),
            BinaryOperator::GreaterOrEqual => compared(std::cmp::Ordering::is_ge),
            BinaryOperator::Equal => VtlValue::Boolean(self.are_equal(&left, &right)?),
            BinaryOperator::NotEqual => VtlValue::Boolean(!self.are_equal(&left, &right)?),
            BinaryOperator::Add if is_text(&left) || is_text(&right) => {
                let left = self.operand_text(&left, || link.left_source.text())?;
                let right = self.operand_text(&right, || link.right_source.text())?;
                let text = self.heap.string(left + &right);
                self.check(text)?
            }
            operator if numbers => {
                let result = arithmetic(operator, &left, &right);
                self.check(result)?
            }
            _ => VtlValue::Null,
        })
    }

    /// Returns the text of an operand, or its source if it is null.
    fn operand_text(
        &mut self,
        operand: &VtlValue,
        source: impl FnOnce() -> String,
    ) -> Rendered<String> {
        if operand.is_null() {
            return Ok(source());
        }
        match self.text_of(operand)? {
            Some(text) => Ok(text),
            None => self.fail(RenderProblem::Unsupported(
                "text of a block that contains itself",
            )),
        }
    }

    /// Compares two values; those of a block are compared by their texts.
    fn are_equal(&mut self, left: &VtlValue, right: &VtlValue) -> Rendered<bool> {
        let blocks = (self.block_of(left), self.block_of(right));
        match blocks {
            (None, None) => {
                let equal = template_equals(&mut self.heap, left, right);
                self.check(equal)
            }
            (Some(left), Some(right)) => Ok(left == right),
            _ => Ok(self.text_of(left)? == self.text_of(right)?),
        }
    }

    /// Renders a string. The padding at its end is not part of the value.
    fn interpolate(&mut self, body: &Block, has_padding: bool, frame: usize) -> Rendered<VtlValue> {
        self.inner_templates += 1;
        let rendered = self.capture(|renderer| {
            renderer.render_block(body, frame)?;
            Ok(true)
        });
        self.inner_templates -= 1;
        let mut text = rendered?.unwrap_or_default();
        if has_padding {
            text.pop();
        }
        let text = self.heap.string(text);
        self.check(text)
    }

    fn range(&mut self, from: &VtlValue, to: &VtlValue) -> Rendered<VtlValue> {
        let (Some(from), Some(to)) = (to_int(from), to_int(to)) else {
            return Ok(VtlValue::Null);
        };
        let length = usize::try_from(from.abs_diff(to)).unwrap_or(usize::MAX);
        // Before the list is allocated.
        let charged = self.heap.charge_places(length);
        self.check(charged)?;
        let items: Vec<_> = if from < to {
            (from..=to).map(VtlValue::Int).collect()
        } else {
            (to..=from).rev().map(VtlValue::Int).collect()
        };
        let list = self.heap.list(ListKind::List, items);
        self.check(list)
    }
}

fn is_text(value: &VtlValue) -> bool {
    matches!(value, VtlValue::Text(_))
}

fn is_arithmetic(chain: &ChainExpr) -> bool {
    chain.rest.last().is_some_and(|link| {
        matches!(
            link.operator,
            BinaryOperator::Add
                | BinaryOperator::Subtract
                | BinaryOperator::Multiply
                | BinaryOperator::Divide
                | BinaryOperator::Modulo
        )
    })
}
