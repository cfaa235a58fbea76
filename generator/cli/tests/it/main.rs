//! The whole binary, as a person or a pipeline meets it, and the project's own promises about its files.

mod architecture;
mod bad_input;
mod common;
mod init;
mod pages;
mod streams;
