//! stackgen.yaml to a template: typed, checked as a whole, wired right.
//!
//! [`Stack::load`] reads a file and reports every error in it; [`Stack::render`] makes the template of one
//! environment. Nothing here does I/O: digests of built code come in, a [`Node`](stackgen_cfn::Node) goes out.

mod check;
mod digest;
mod environment;
mod error;
mod limits;
mod load;
mod names;
mod options;
mod outline;
mod project_file;
mod references;
mod render;
mod schema;
mod spans;
pub mod spec;
mod wording;

pub use error::{LocatedError, Notice};
pub use options::{Artifacts, Dialect, RenderOptions, Rendered};
pub use project_file::ProjectFile;
pub use schema::schema;
