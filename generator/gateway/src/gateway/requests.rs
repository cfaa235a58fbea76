//! Requests to the private routes, and the header that authorizes them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

/// Header with the gateway's key.
pub(super) const KEY_HEADER: &str = "x-stackgen-key";

/// Token to mint.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TokenRequest {
    /// Subject (`sub`) claim.
    pub subject: String,
    /// Audience (`aud`) claim (default: one that the stack's authorizer accepts).
    pub audience: Option<String>,
    /// Mints an access token instead of an ID token.
    pub access: bool,
    /// Lifetime in seconds (default: one hour).
    pub lifetime_seconds: Option<u64>,
    /// More claims, which override the others.
    pub claims: Map<String, Json>,
}

/// Rotation of the issuer's key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct KeyRotation {
    pub(super) at_once: bool,
}

/// Run of a schedule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ScheduleRun {
    /// Name of the schedule.
    pub(super) name: String,
}

/// Lookup of failures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FailureLookup {
    /// Request ID or connection ID.
    pub(super) id: String,
}
