//! Comparisons of numbers in event patterns.

use serde_json::Value as Json;

/// Bounds of the operator `numeric`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NumericRange(Vec<(NumericOperator, f64)>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NumericOperator {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl NumericOperator {
    fn is_lower_bound(self) -> bool {
        matches!(
            self,
            NumericOperator::Greater | NumericOperator::GreaterOrEqual
        )
    }
}

impl NumericRange {
    /// Reads `["=", 1]`, one bound, or a lower and an upper bound. Returns `None` for anything else.
    pub(crate) fn read(list: &[Json]) -> Option<Self> {
        let pairs = list.chunks(2).map(|pair| {
            let [operator, bound] = pair else {
                return None;
            };
            let operator = match operator.as_str()? {
                "=" => NumericOperator::Equal,
                "<" => NumericOperator::Less,
                "<=" => NumericOperator::LessOrEqual,
                ">" => NumericOperator::Greater,
                ">=" => NumericOperator::GreaterOrEqual,
                _ => return None,
            };
            Some((operator, number(bound)?))
        });
        let bounds: Vec<_> = pairs.collect::<Option<_>>()?;
        let valid = match bounds.as_slice() {
            [_] => true,
            [(first, _), (second, _)] => {
                let equal = NumericOperator::Equal;
                *first != equal
                    && *second != equal
                    && first.is_lower_bound() != second.is_lower_bound()
            }
            _ => false,
        };
        valid.then_some(NumericRange(bounds))
    }

    pub(crate) fn contains(&self, number: f64) -> bool {
        self.0.iter().all(|(operator, bound)| match operator {
            NumericOperator::Equal => number == *bound,
            NumericOperator::Less => number < *bound,
            NumericOperator::LessOrEqual => number <= *bound,
            NumericOperator::Greater => number > *bound,
            NumericOperator::GreaterOrEqual => number >= *bound,
        })
    }
}

/// Returns the value of a JSON number.
pub(crate) fn number(value: &Json) -> Option<f64> {
    match value {
        Json::Number(number) => number.as_f64(),
        _ => None,
    }
}
