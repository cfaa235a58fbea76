//! Binary of the function.

use std::process::ExitCode;

use aws_lambda_events::apigw::ApiGatewayWebsocketProxyRequest;
use echo::{EchoConfig, echo};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use stackgen_websocket::{Environment, lambda, logs};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lambda::exit_code(run().await)
}

async fn run() -> Result<(), Error> {
    let mut environment = Environment::new(|name| std::env::var(name).ok());
    let config = EchoConfig::read(&mut environment);
    config.telemetry.install(&["echo"], "Echo")?;
    environment.finish(())?;
    lambda::run(service_fn(
        async |event: LambdaEvent<ApiGatewayWebsocketProxyRequest>| {
            let span = logs::request_span(&event.payload.request_context);
            Ok::<_, Error>(span.in_scope(|| echo(event.payload)))
        },
    ))
    .await
}
