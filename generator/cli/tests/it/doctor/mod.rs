//! `stackgen doctor` on stacks that are broken one fault at a time.

mod denied;
mod emulator;
mod faults;
mod fixes;
mod foreign;
mod local;
mod output;
mod policy;
