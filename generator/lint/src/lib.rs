//! The linter: finds wiring mistakes in templates before they are deployed.
//!
//! Rules check the model, not the text, so that a mistake is the same in CloudFormation, SAM and synthesized CDK
//! templates. Unknown values produce no findings, or a note that names what is unknown. This crate does no I/O.

mod context;
mod facts;
mod finding;
mod fix;
mod fix_all;
mod lines;
mod lint;
pub mod output;
pub mod registry;
mod report;
mod rule;
mod rules;
mod suppress;
mod suppressions;

pub use finding::{Confidence, Finding, Location, Related, Severity};
pub use fix::{AppliedFixes, Edit, Fix, apply};
pub use fix_all::{Fixed, fix_all};
pub use lint::lint;
pub use report::{LintInput, LintReport, SuppressedFinding};
pub use rule::Rule;
