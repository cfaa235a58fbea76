//! A message to a stage that shows whether it serves a route.

use std::path::Path;
use std::time::Duration;

use clap::Args;
use stackgen_deploy::status::{ProbeAnswer, RouteProbePlan};
use stackgen_network::NetworkOptions;
use stackgen_probe::{ClientClose, ClientConnection, Incoming, connect};
use stackgen_synth::spec::{VerifyApi, VerifyCallerSpec, VerifyValue};
use tokio::time::Instant;

use super::callers::{StageCaller, caller_target, caller_value, named_caller_value};
use super::target::StageTarget;
use crate::error::CliError;

/// Time for API Gateway's answer that the deployment lacks a route, which comes at once.
const ANSWER_TIME: Duration = Duration::from_secs(5);

/// Flags of a probe.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Probe")]
pub(crate) struct RouteProbeArgs {
    /// Ask stages with deployments of other tools by a message for a route; runs `$connect`, and the route if it is served
    #[arg(long)]
    pub(crate) probe: bool,

    /// Key of the route to probe (default: one that was created last, as far as that is known)
    #[arg(long, value_name = "KEY", requires = "probe")]
    pub(crate) probe_route: Option<String>,

    /// Query parameter of the probe: NAME=env:VARIABLE, NAME=command:LINE or NAME=text:VALUE
    #[arg(long, value_name = "NAME=VALUE", value_parser = named_caller_value, requires = "probe")]
    probe_query: Vec<(String, VerifyValue)>,

    /// Header of the probe, in the same form
    #[arg(long, value_name = "NAME=VALUE", value_parser = named_caller_value, requires = "probe")]
    probe_header: Vec<(String, VerifyValue)>,

    /// Subprotocol that the probe offers: env:VARIABLE, command:LINE or text:VALUE
    #[arg(long, value_name = "VALUE", value_parser = caller_value, requires = "probe")]
    probe_subprotocol: Vec<VerifyValue>,
}

impl RouteProbeArgs {
    /// Sends the message of a plan as the caller of the flags or, without any, as the first caller that the project declares.
    ///
    /// # Errors
    ///
    /// If a variable is not set, or a command fails.
    pub(crate) async fn send(
        &self,
        plan: &RouteProbePlan,
        target: &StageTarget,
        network: &NetworkOptions,
    ) -> Result<ProbeAnswer, CliError> {
        let caller = self.caller(target).await?;
        let answer = ask(plan, caller.as_ref(), network).await;
        Ok(answer.unwrap_or_else(|reason| ProbeAnswer::Unanswered { reason }))
    }

    async fn caller(&self, target: &StageTarget) -> Result<Option<StageCaller>, CliError> {
        let flags = VerifyCallerSpec {
            query: self.probe_query.iter().cloned().collect(),
            headers: self.probe_header.iter().cloned().collect(),
            subprotocols: self.probe_subprotocol.clone(),
            ..VerifyCallerSpec::default()
        };
        if flags != VerifyCallerSpec::default() {
            let caller = StageCaller::prepare("flags".to_owned(), flags, Path::new("."));
            return Ok(Some(caller.await?));
        }
        let mut declared = target.callers.iter();
        match declared.find(|(_, caller)| caller.api == VerifyApi::WebSocket) {
            Some((name, caller)) => {
                let caller = StageCaller::prepare(name.clone(), caller.clone(), &target.folder);
                Ok(Some(caller.await?))
            }
            None => Ok(None),
        }
    }
}

async fn ask(
    plan: &RouteProbePlan,
    caller: Option<&StageCaller>,
    network: &NetworkOptions,
) -> Result<ProbeAnswer, String> {
    let target = caller_target(&plan.url, caller, network)?;
    let attempt = connect(&target).await.map_err(|error| error.to_string())?;
    let status = attempt.handshake.status;
    let Some(mut connection) = attempt.connection else {
        return Err(format!("the handshake was answered with {status}"));
    };
    let answer = exchange(&mut connection, &plan.message).await;
    connection.close(&ClientClose::NORMAL).await;
    answer
}

async fn exchange(connection: &mut ClientConnection, message: &str) -> Result<ProbeAnswer, String> {
    let closed = |code: u16| format!("the WebSocket was closed ({code})");
    let sent = connection.send(message).await;
    sent.map_err(|end| closed(end.code))?;
    let deadline = Instant::now() + ANSWER_TIME;
    loop {
        match connection.receive(deadline).await {
            Incoming::Text(text) => {
                if let Some(answer) = ProbeAnswer::of_frame(text.as_str()) {
                    return Ok(answer);
                }
            }
            Incoming::Closed(end) => return Err(closed(end.code)),
            Incoming::Nothing => return Ok(ProbeAnswer::Served),
            _ => {}
        }
    }
}
