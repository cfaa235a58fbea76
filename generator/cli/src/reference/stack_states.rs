//! `docs/reference/stack-states.md`: the states of a stack.

use std::fmt::Write;

use stackgen_deploy::stack::status::{Readiness, STATES};

/// Returns the page.
pub(super) fn page() -> String {
    let mut text = String::from(
        "# States of a stack\n\n\
         Generated from the code of `stackgen deploy` by `make docs`; do not edit. The names and meanings are CloudFormation's. An empty \
         change set is no state: `deploy` reports that the stack is up to date, and verifies the stages. Nor is express mode (`deploy \
         --express`): after it a stack is `CREATE_COMPLETE` or `UPDATE_COMPLETE` while resources still become ready, so that the \
         verification may wait for them.\n\n\
         | State | Meaning | `stackgen deploy` | What to do |\n|---|---|---|---|\n",
    );
    for state in STATES {
        let does = match state.readiness {
            Readiness::Create => "creates the stack",
            Readiness::Update => "updates the stack",
            Readiness::Busy => "refuses, unless the operation is its own",
            Readiness::Recreate => "deletes the stack and creates it again",
            Readiness::Blocked => "refuses",
        };
        let (name, meaning, remedy) = (state.name, state.meaning, state.remedy);
        let _ = writeln!(text, "| `{name}` | {meaning} | {does} | {remedy} |");
    }
    text
}
