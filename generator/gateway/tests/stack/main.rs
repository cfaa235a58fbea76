//! Tests that apply templates to a gateway: those of stackgen, SAM and CDK.

mod endpoints;
mod event_sources;
mod flagship;
mod identities;
mod lifecycle;
mod mapping;
mod private;
mod problems;
#[path = "../shared/puppet.rs"]
mod puppet;
mod replacing;
mod schedules;
mod serving;
mod support;
mod tls;
mod triggers;
