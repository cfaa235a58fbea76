//! Reads Terraform configurations as CloudFormation templates.
//!
//! [`read`] reads the files of a root module and of the modules that it calls, evaluates their expressions, and converts
//! the resources of the AWS provider to the template that the model reads. References become `Ref` and `Fn::GetAtt`, and
//! values that the configuration does not determine become parameters. The crate does no I/O of its own: files are a port.

#![forbid(unsafe_code)]

mod address;
mod configuration;
mod convert;
mod document;
mod error;
mod evaluate;
mod expression;
mod files;
mod functions;
mod large_stack;
mod module;
mod template_types;
mod token;
mod types;
mod value;
mod words;

pub use configuration::{
    ConfigurationInputs, TerraformConfiguration, UnreadableConfiguration, evaluate, local_modules,
    read,
};
pub use error::ConfigurationProblem;
pub use files::ConfigurationFiles;
pub use module::is_configuration;
pub use words::in_terraform_words;
