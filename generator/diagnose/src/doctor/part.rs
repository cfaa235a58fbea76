//! Parts of the evidence.

use std::collections::BTreeSet;

use serde::Serialize;

/// A part of the evidence. Each is read once, and only if a check needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum EvidencePart {
    /// Routes, integrations and authorizers.
    Wiring,
    /// Settings of the stage.
    Stage,
    /// The deployment that the stage serves, compared with the account and the project.
    Status,
    /// Changes of the wiring since the served deployment was created, from the events of the stack.
    History,
    /// The difference to the template in CloudFormation.
    Drift,
    /// The role by which API Gateway writes logs.
    LogRole,
    /// Functions and versions that the API invokes.
    Functions,
    /// Permissions of these functions.
    Permissions,
    /// Rights of roles, by simulation or from their policies.
    Rights,
    /// VPC endpoints of functions in a VPC.
    Network,
    /// Tables.
    Tables,
    /// A sample of connection records.
    Records,
    /// Handshakes as each declared caller.
    Callers,
    /// Logs of closed connections.
    Logs,
    /// Metrics of the last hours.
    Metrics,
    /// The stack in CloudFormation.
    Stack,
}

impl EvidencePart {
    /// All parts, in the order in which reports list them.
    pub const ALL: [EvidencePart; 16] = [
        EvidencePart::Wiring,
        EvidencePart::Stage,
        EvidencePart::Status,
        EvidencePart::History,
        EvidencePart::Drift,
        EvidencePart::LogRole,
        EvidencePart::Functions,
        EvidencePart::Permissions,
        EvidencePart::Rights,
        EvidencePart::Network,
        EvidencePart::Tables,
        EvidencePart::Records,
        EvidencePart::Callers,
        EvidencePart::Logs,
        EvidencePart::Metrics,
        EvidencePart::Stack,
    ];

    /// Returns the part in words.
    pub fn name(self) -> &'static str {
        match self {
            EvidencePart::Wiring => "routes, integrations and authorizers",
            EvidencePart::Stage => "settings of the stage",
            EvidencePart::Status => "status of the stage",
            EvidencePart::History => "wiring changes of the stack",
            EvidencePart::Drift => "difference to the stack's template",
            EvidencePart::LogRole => "API Gateway's role for logs",
            EvidencePart::Functions => "functions",
            EvidencePart::Permissions => "invoke permissions",
            EvidencePart::Rights => "rights of roles",
            EvidencePart::Network => "VPC endpoints",
            EvidencePart::Tables => "tables",
            EvidencePart::Records => "connection records",
            EvidencePart::Callers => "handshakes",
            EvidencePart::Logs => "logs of closed connections",
            EvidencePart::Metrics => "metrics",
            EvidencePart::Stack => "stack",
        }
    }

    /// Returns the parts that decide what to read of this one.
    pub fn follows(self) -> &'static [EvidencePart] {
        match self {
            EvidencePart::Wiring
            | EvidencePart::Stage
            | EvidencePart::LogRole
            | EvidencePart::Stack => &[],
            EvidencePart::Status | EvidencePart::Callers => &[EvidencePart::Wiring],
            EvidencePart::History => &[EvidencePart::Status, EvidencePart::Stack],
            EvidencePart::Drift => &[EvidencePart::Wiring, EvidencePart::Stack],
            EvidencePart::Functions => &[EvidencePart::Wiring, EvidencePart::Status],
            EvidencePart::Permissions
            | EvidencePart::Rights
            | EvidencePart::Network
            | EvidencePart::Metrics => &[EvidencePart::Functions],
            EvidencePart::Tables => &[EvidencePart::Stack],
            EvidencePart::Records => &[EvidencePart::Tables],
            EvidencePart::Logs => &[EvidencePart::Stage, EvidencePart::Functions],
        }
    }

    /// Returns parts and, transitively, those that they follow.
    pub fn with_followed(parts: impl IntoIterator<Item = EvidencePart>) -> BTreeSet<EvidencePart> {
        let mut waiting: Vec<_> = parts.into_iter().collect();
        let mut all = BTreeSet::new();
        while let Some(part) = waiting.pop() {
            if all.insert(part) {
                waiting.extend(part.follows());
            }
        }
        all
    }
}
