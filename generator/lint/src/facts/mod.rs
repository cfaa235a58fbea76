//! What several rules need to know of a template, each thing worked out in one place.

#[cfg_attr(
    not(test),
    allow(dead_code, reason = "rules that judge policies and permissions use it")
)]
pub(crate) mod arn;
pub(crate) mod presence;
pub(crate) mod quota;
pub(crate) mod records;
pub(crate) mod selection;
pub(crate) mod target;
