//! Templates applied to a gateway: ours, SAM's and CDK's.

mod flagship;
mod lifecycle;
mod private;
mod problems;
mod serving;
mod support;
