//! Operators and conditions.

use hcl_edit::expr::{BinaryOp, BinaryOperator, Conditional, UnaryOp, UnaryOperator};

use super::{Evaluated, ExpressionContext, Locals};
use crate::error::ExpressionError;
use crate::functions::{equal, known};
use crate::value::{HclValue, unify};

impl ExpressionContext<'_> {
    pub(super) fn conditional(&self, conditional: &Conditional, locals: &Locals<'_>) -> Evaluated {
        let condition = self.evaluate(&conditional.cond_expr, locals)?;
        let condition = known(self.tokens, &condition);
        let branches = [&conditional.true_expr, &conditional.false_expr];
        let taken = match condition.as_bool() {
            Some(true) => 0,
            Some(false) => 1,
            None if self.is_unknown(&condition) => {
                let [yes, no] = branches.map(|branch| self.evaluate(branch, locals));
                return Ok(match (yes?, no?) {
                    (yes, no) if yes == no => yes,
                    (yes, no) => self.derived("conditional", &[&condition, &yes, &no]),
                });
            }
            None => {
                let message = format!(
                    "a condition is true or false, and not a {}",
                    condition.kind()
                );
                return Err(ExpressionError::new(message));
            }
        };
        let value = self.evaluate(branches[taken], locals)?;
        // Both branches have one type. The other one matters for primitive types only, and may fail.
        let other = match &value {
            HclValue::Bool(_) | HclValue::Number(_) => {
                self.evaluate(branches[1 - taken], locals).ok()
            }
            _ => None,
        };
        Ok(match other {
            Some(other @ HclValue::Text(_)) => {
                let mut both = unify(vec![value, other]);
                both.swap_remove(0)
            }
            _ => value,
        })
    }

    pub(super) fn unary(&self, operation: &UnaryOp, locals: &Locals<'_>) -> Evaluated {
        let operand = self.evaluate(&operation.expr, locals)?;
        let operand = known(self.tokens, &operand);
        let operator = *operation.operator.value();
        let result = match operator {
            UnaryOperator::Neg => operand.as_number().map(|number| HclValue::Number(-number)),
            UnaryOperator::Not => operand.as_bool().map(|value| HclValue::Bool(!value)),
        };
        match result {
            Some(result) => Ok(result),
            None if self.is_unknown(&operand) => Ok(self.derived(operator.as_str(), &[&operand])),
            None => Err(unsuitable(operator.as_str(), &operand)),
        }
    }

    pub(super) fn binary(&self, operation: &BinaryOp, locals: &Locals<'_>) -> Evaluated {
        let operator = *operation.operator.value();
        let left = self.evaluate(&operation.lhs_expr, locals)?;
        let left = known(self.tokens, &left);
        // One operand can decide.
        match (operator, left.as_bool()) {
            (BinaryOperator::And, Some(false)) => return Ok(HclValue::Bool(false)),
            (BinaryOperator::Or, Some(true)) => return Ok(HclValue::Bool(true)),
            _ => {}
        }
        let right = self.evaluate(&operation.rhs_expr, locals)?;
        let right = known(self.tokens, &right);
        match apply(operator, &left, &right, self)? {
            Some(value) => Ok(value),
            None => Ok(self.derived(operator.as_str(), &[&left, &right])),
        }
    }

    /// Returns true for a value that the configuration does not determine.
    pub(super) fn is_unknown(&self, value: &HclValue) -> bool {
        match value {
            HclValue::Unknown(_) => true,
            HclValue::Text(text) => self.tokens.has_token(text),
            _ => false,
        }
    }
}

/// Returns the result of an operator; `None` if it is unknown.
fn apply(
    operator: BinaryOperator,
    left: &HclValue,
    right: &HclValue,
    context: &ExpressionContext<'_>,
) -> Result<Option<HclValue>, ExpressionError> {
    use BinaryOperator as B;
    match operator {
        B::Eq => return Ok(equal(context.tokens, left, right).map(HclValue::Bool)),
        B::NotEq => {
            let equal = equal(context.tokens, left, right);
            return Ok(equal.map(|equal| HclValue::Bool(!equal)));
        }
        B::And | B::Or => {
            if let (B::And, Some(false)) | (B::Or, Some(true)) = (operator, right.as_bool()) {
                return Ok(right.as_bool().map(HclValue::Bool));
            }
            return match (left.as_bool(), right.as_bool()) {
                (Some(_), Some(right)) => Ok(Some(HclValue::Bool(right))),
                _ => unknown_or_unsuitable(
                    operator,
                    [left, right],
                    |value| value.as_bool().is_some(),
                    context,
                ),
            };
        }
        _ => {}
    }
    let (Some(one), Some(other)) = (left.as_number(), right.as_number()) else {
        return unknown_or_unsuitable(
            operator,
            [left, right],
            |value| value.as_number().is_some(),
            context,
        );
    };
    if matches!(operator, B::Div | B::Mod) && other == 0.0 {
        return Err(ExpressionError::new("division by zero"));
    }
    Ok(Some(match operator {
        B::Plus => HclValue::Number(one + other),
        B::Minus => HclValue::Number(one - other),
        B::Mul => HclValue::Number(one * other),
        B::Div => HclValue::Number(one / other),
        B::Mod => HclValue::Number(one % other),
        B::Less => HclValue::Bool(one < other),
        B::LessEq => HclValue::Bool(one <= other),
        B::Greater => HclValue::Bool(one > other),
        _ => HclValue::Bool(one >= other),
    }))
}

fn unknown_or_unsuitable(
    operator: BinaryOperator,
    operands: [&HclValue; 2],
    is_suitable: impl Fn(&HclValue) -> bool,
    context: &ExpressionContext<'_>,
) -> Result<Option<HclValue>, ExpressionError> {
    let mut wrong = operands
        .into_iter()
        .filter(|operand| !is_suitable(operand) && !context.is_unknown(operand));
    match wrong.next() {
        Some(wrong) => Err(unsuitable(operator.as_str(), wrong)),
        None => Ok(None),
    }
}

fn unsuitable(operator: &str, operand: &HclValue) -> ExpressionError {
    ExpressionError::new(format!(
        "`{operator}` cannot be applied to a {}",
        operand.kind()
    ))
}
