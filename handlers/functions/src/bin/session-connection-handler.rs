//! Handler of `$connect` and of all messages except audio.

use std::process::ExitCode;

use aws_lambda_events::apigw::ApiGatewayWebsocketProxyRequest;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use live_session::config::ConnectionConfig;
use live_session::connection::handle;
use live_session::start::{ports, start};
use live_session_core::MessageLimiter;
use stackgen_websocket::{lambda, logs};
use tracing::Instrument;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lambda::exit_code(run().await)
}

async fn run() -> Result<(), Error> {
    let config: ConnectionConfig = start(|name: &str| std::env::var(name).ok())?;
    let messages = &MessageLimiter::new(config.messages);
    let ports = &ports(&config.services.aws.sdk_config(), config.services);
    let answer = |event: LambdaEvent<ApiGatewayWebsocketProxyRequest>| {
        // Boxed, because the nested future exceeds the compiler's recursion limit.
        Box::pin(async move {
            let event = event.payload;
            let span = logs::request_span(&event.request_context);
            let handled = handle(ports, messages, config.join, &event);
            handled.instrument(span).await
        })
    };
    lambda::run(service_fn(answer)).await
}
