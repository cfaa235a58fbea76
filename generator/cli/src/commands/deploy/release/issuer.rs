//! Discovery documents of token issuers.

use std::time::Duration;

use stackgen_network::NetworkOptions;
use stackgen_probe::{ProbeTarget, request_status};

use crate::error::CliError;
use crate::ui::Ui;

/// Longest time to wait for a discovery document.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Checks that an issuer has a discovery document, without which API Gateway refuses every token. Returns the problem.
///
/// An issuer that this machine cannot reach is only noted, because API Gateway may reach it.
pub(super) async fn check_issuer(
    issuer: &str,
    network: &NetworkOptions,
    ui: &Ui,
) -> Option<CliError> {
    let url = format!(
        "{}/.well-known/openid-configuration",
        issuer.trim_end_matches('/')
    );
    let unreachable = match status(&url, network).await {
        Ok(200..=399) => return None,
        Ok(status) => {
            let message =
                format!("the issuer {issuer} has no discovery document: {url} answers {status}");
            let hint = "correct the issuer in stackgen.yaml: without this document, API Gateway refuses every token";
            return Some(CliError::input(message).hint(hint));
        }
        Err(reason) => reason,
    };
    ui.note(
        &format!(
            "the discovery document of the issuer {issuer} could not be checked: {unreachable}"
        ),
        None,
    );
    None
}

async fn status(url: &str, network: &NetworkOptions) -> Result<u16, String> {
    let target = ProbeTarget::new(url).map_err(|error| error.to_string())?;
    let mut target = target.network(network).map_err(|error| error.to_string())?;
    target.timeout = TIMEOUT;
    let status = request_status(&target, "GET").await;
    status.map_err(|error| error.to_string())
}
