//! Tests of the whole binary, and of the repository's files.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod accepted;
mod access;
mod api_keys;
mod architecture;
mod auto_deploy;
mod aws_account;
mod bad_input;
mod bad_spec;
mod bounds;
mod build;
mod common;
mod demo;
mod deploy_local;
mod dev;
mod diff;
mod doctor;
mod ending;
mod event_sources;
mod explain;
mod foreign_code;
mod graph;
mod handlers;
mod init;
mod integrations;
mod limits;
mod lint;
mod logs;
mod modules;
mod names;
mod packages;
mod pages;
mod policy;
mod probe;
mod probe_local;
mod projects;
mod readme;
mod rebuild;
mod release;
mod route_backends;
mod running;
mod services;
mod signals;
mod streams;
mod synth;
