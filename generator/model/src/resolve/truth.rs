//! Value of a condition.

use super::Unknown;

/// Value of a condition.
#[derive(Clone, Debug, PartialEq)]
pub enum Truth {
    /// True.
    True,
    /// False.
    False,
    /// It depends on an unknown value.
    Unknown(Unknown),
}

impl From<bool> for Truth {
    fn from(value: bool) -> Self {
        if value { Truth::True } else { Truth::False }
    }
}
