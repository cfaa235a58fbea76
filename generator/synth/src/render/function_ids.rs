//! Logical IDs of a function's resources.

use crate::names::pascal_case;

/// Logical IDs of a function's resources.
pub(super) struct FunctionIds {
    pub(super) function: String,
    pub(super) role: String,
    pub(super) log_group: String,
    pub(super) schedule: String,
    pub(super) async_invoke: String,
}

impl FunctionIds {
    pub(super) fn new(name: &str) -> Self {
        let name = pascal_case(name);
        FunctionIds {
            function: format!("{name}Function"),
            role: format!("{name}Role"),
            log_group: format!("{name}LogGroup"),
            schedule: format!("{name}Schedule"),
            async_invoke: format!("{name}AsyncInvoke"),
        }
    }
}
