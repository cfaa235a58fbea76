//! Checks as functions of evidence that no emulator produces.

mod checks;
mod evidence;
mod faults;
mod open;
mod report;
