//! Checks and renders stackgen.yaml.
//!
//! [`ProjectFile::load`] parses a file and reports all its errors. [`ProjectFile::render`] renders the template of one
//! environment. Nothing here does I/O: the caller passes in digests of built code and gets a
//! [`Node`](stackgen_cfn::Node).

mod check;
mod digest;
mod environment;
mod error;
mod function_code;
mod limits;
mod load;
mod names;
mod options;
mod origin;
mod outline;
mod project_file;
mod references;
mod render;
mod requirement;
mod schema;
mod spans;
pub mod spec;
mod wording;

pub use error::{LocatedError, Notice};
pub use function_code::FunctionCode;
pub use options::{Artifacts, Dialect, RenderOptions, Rendered};
pub use project_file::ProjectFile;
pub use schema::schema;
