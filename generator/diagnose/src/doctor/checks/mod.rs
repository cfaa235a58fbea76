//! The checks: pure functions of the evidence, a family of related ones in each file.

mod clients;
mod code;
mod environment;
mod invocations;
mod management;
mod metrics;
mod stack;
mod stage;
mod tables;
mod wiring;

use super::check::DoctorCheck;

pub(super) use invocations::{invocations, invoke_right, served_invocations};
pub use management::is_management_variable;
pub(super) use management::{posting, posting_right};
pub(super) use tables::is_connection_key;
pub use wiring::LIVE_RULES;

/// A family of checks, which share the first digit of their IDs.
#[derive(Debug)]
pub struct CheckFamily {
    /// The first characters of the IDs: `DR1`.
    pub prefix: &'static str,
    /// The heading.
    pub title: &'static str,
    /// The checks in the order of their IDs.
    pub checks: &'static [&'static DoctorCheck],
}

/// All families, causes before symptoms.
pub const FAMILIES: [CheckFamily; 7] = [
    CheckFamily {
        prefix: "DR1",
        title: "Wiring",
        checks: wiring::CHECKS,
    },
    CheckFamily {
        prefix: "DR2",
        title: "Stage",
        checks: stage::CHECKS,
    },
    CheckFamily {
        prefix: "DR3",
        title: "Functions",
        checks: &[
            &code::MISSING,
            &code::NOT_READY,
            &code::OTHER_CODE,
            &code::VERSION_MISSING,
            &code::NO_CONCURRENCY,
            &invocations::INTEGRATION_DENIED,
            &invocations::AUTHORIZER_DENIED,
            &environment::VARIABLE_MISSING,
            &environment::VARIABLE_DIFFERS,
            &management::WRONG_ENDPOINT,
            &management::POSTING_DENIED,
            &management::PRIVATE_DNS,
        ],
    },
    CheckFamily {
        prefix: "DR4",
        title: "Data",
        checks: tables::CHECKS,
    },
    CheckFamily {
        prefix: "DR5",
        title: "Clients",
        checks: clients::CHECKS,
    },
    CheckFamily {
        prefix: "DR6",
        title: "Metrics",
        checks: metrics::CHECKS,
    },
    CheckFamily {
        prefix: "DR7",
        title: "CloudFormation",
        checks: stack::CHECKS,
    },
];

/// Returns all checks in the order of their IDs.
pub fn all() -> impl Iterator<Item = &'static DoctorCheck> {
    FAMILIES
        .iter()
        .flat_map(|family| family.checks.iter().copied())
}

/// Returns the check with an ID.
pub fn find(id: &str) -> Option<&'static DoctorCheck> {
    all().find(|check| check.id.eq_ignore_ascii_case(id))
}
