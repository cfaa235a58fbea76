//! Tests of the reader of Terraform configurations.

mod console;
mod convert;
mod files;
mod generated;
