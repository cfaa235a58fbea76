//! `stackgen doctor`: checks that name the cause of a closed socket.
//!
//! [`gather`] reads the evidence, each part once, and notes what it may not read. Every check is a pure function of the
//! evidence, see [`DoctorCheck`]. [`DoctorReport`] has what they found, the worst first.

mod check;
mod checks;
mod evidence;
mod finding;
mod gather;
mod markdown;
mod part;
mod policy;
mod ports;
mod reader;
mod report;
mod symptom;

pub use check::DoctorCheck;
pub use checks::{CheckFamily, FAMILIES, LIVE_RULES, all, find, is_management_variable};
pub use evidence::{
    ClosedConnection, ClosedConnections, DeclaredCaller, DeclaredFunction, DeclaredTable,
    DoctorEvidence, FunctionFacts, LogRole, ProjectFacts, QualifiedFunction, RecordSample,
    RightVerdict, RoleRight, StackFacts, TableFacts, UnreadEvidence, UnreadReason,
};
pub use finding::{DoctorConfidence, DoctorFinding, DoctorFix, DoctorSeverity};
pub use gather::{DoctorRequest, ExaminedAccount, gather};
pub use markdown::IdMask;
pub use part::EvidencePart;
pub use policy::PolicyDecision;
pub use ports::{
    DoctorAccount, FoundLines, FunctionDetails, LogSearch, LoggedLine, MetricName, MetricPoint,
    MetricSeries, MetricSpan, RouteThrottle, SimulatedRight, StageSettings, TableDetails,
    VariableValue,
};
pub use reader::OpenQuestion;
pub use report::{CheckSummary, DoctorReport};
pub use symptom::{SYMPTOMS, Symptom};
