//! Handler of the HTTP API, which creates, shows, pauses, resumes and ends sessions.

use std::convert::Infallible;
use std::process::ExitCode;

use lambda_http::{Adapter, Request, service_fn};
use lambda_runtime::Error;
use live_session::config::HttpConfig;
use live_session::http::{handle, span};
use live_session::start::{ports, start};
use stackgen_websocket::lambda;
use tracing::Instrument;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lambda::exit_code(run().await)
}

async fn run() -> Result<(), Error> {
    let config: HttpConfig = start(|name: &str| std::env::var(name).ok())?;
    let ports = &ports(&config.services.aws.sdk_config(), config.services);
    let answer = |request: Request| async move {
        let span = span(&request);
        let response = handle(ports, config.limits, config.token_use, &request);
        Ok::<_, Infallible>(response.instrument(span).await)
    };
    lambda::run(Adapter::from(service_fn(answer))).await
}
