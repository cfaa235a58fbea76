//! Templates applied to a gateway: ours, SAM's and CDK's.

mod flagship;
mod lifecycle;
mod private;
mod problems;
#[path = "../shared/puppet.rs"]
mod puppet;
mod replacing;
mod serving;
mod support;
