//! Answers of integrations.

use stackgen_gateway_common::FailureEvidence;

use super::evidence::InvocationLog;
use super::proxy_response::ProxyResponse;

/// Answer of an integration.
#[derive(Debug)]
pub(super) enum IntegrationAnswer {
    /// Response of a function.
    Returned {
        response: ProxyResponse,
        log: InvocationLog,
    },
    /// Answer of an integration that is no proxy, as its integration response maps it, or of an HTTP endpoint.
    Mapped {
        status: u16,
        body: Option<String>,
        /// Subprotocol that an HTTP endpoint selected (row C9).
        protocol: Option<String>,
    },
}

/// Failure that an integration reports with a status of 400 or more. After the handshake, clients do not see the status
/// (row M7).
pub(super) struct ReportedFailure {
    pub(super) status: u16,
    pub(super) evidence: FailureEvidence,
}

impl ReportedFailure {
    /// Returns the failure in words.
    pub(super) fn reason(&self) -> String {
        let status = self.status;
        format!("the integration returned the status {status}, which clients do not see")
    }
}

impl IntegrationAnswer {
    /// Returns the body, and the failure that the integration reported.
    pub(super) async fn into_body(self) -> (Option<String>, Option<ReportedFailure>) {
        let (status, body, log) = match self {
            IntegrationAnswer::Mapped { status, body, .. } => (Some(status), body, None),
            IntegrationAnswer::Returned { response, log } => {
                (response.status, response.body, Some(log))
            }
        };
        let Some(status) = status.filter(|status| *status >= 400) else {
            return (body, None);
        };
        let log = match log {
            Some(log) => log.first_lines().await,
            None => Vec::new(),
        };
        let evidence = FailureEvidence { error: None, log };
        (body, Some(ReportedFailure { status, evidence }))
    }
}
