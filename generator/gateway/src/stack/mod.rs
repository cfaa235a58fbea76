//! A template, applied as CloudFormation would: resources come and go by their logical ids, deletions last.

mod types;

pub use types::{Applied, Apply, Change, NotRun, Problem, StackCode, Template, What};
