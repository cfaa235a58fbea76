//! The linter: wiring mistakes in anybody's template, found before it is deployed.
//!
//! Rules judge the model and not the text, so that a mistake is the same mistake in CloudFormation, in SAM and in what
//! CDK synthesised. What the model does not know yields no finding, or a note that says what is not known. Nothing here
//! does I/O.

mod context;
mod facts;
mod finding;
mod fix;
mod lines;
pub mod output;
pub mod registry;
mod report;
mod rule;
mod rules;
mod suppress;

pub use finding::{Confidence, Finding, Location, Related, Severity};
pub use fix::{AppliedFixes, Edit, Fix, Fixed, apply, fix_all};
pub use report::{LintInput, LintReport, SuppressedFinding, lint};
pub use rule::Rule;
