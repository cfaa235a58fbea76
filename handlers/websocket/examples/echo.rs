//! A complete function that sends every message back to its sender.

use std::process::ExitCode;

use aws_lambda_events::apigw::{ApiGatewayProxyResponse, ApiGatewayWebsocketProxyRequest};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use stackgen_websocket::aws::AwsSettings;
use stackgen_websocket::{
    Broadcaster, ConnectionId, Environment, ManagementApi, lambda, logs, metrics,
};
use tracing::Instrument;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lambda::exit_code(run().await)
}

async fn run() -> Result<(), Error> {
    let mut environment = Environment::new(|name| std::env::var(name).ok());
    let telemetry = lambda::Telemetry::read(&mut environment);
    let aws = AwsSettings::read(&mut environment);
    let endpoint = environment.url("MANAGEMENT_ENDPOINT");
    telemetry.install(&["echo"], "Echo")?;
    let (aws, endpoint) = environment.finish((aws, endpoint))?;

    let api = ManagementApi::new(&aws.sdk_config(), &endpoint);
    lambda::run(service_fn(
        |event: LambdaEvent<ApiGatewayWebsocketProxyRequest>| {
            let span = logs::request_span(&event.payload.request_context);
            answer(&api, event.payload).instrument(span)
        },
    ))
    .await
}

async fn answer(
    api: &ManagementApi,
    event: ApiGatewayWebsocketProxyRequest,
) -> Result<ApiGatewayProxyResponse, Error> {
    let id = event.request_context.connection_id.unwrap_or_default();
    match event.request_context.event_type.as_deref() {
        Some("CONNECT") => metrics::count(metrics::CONNECTIONS),
        Some("MESSAGE") => {
            let body = event.body.unwrap_or_default();
            tracing::debug!(bytes = body.len(), "Message received");
            api.post(&ConnectionId::new(id), body.into()).await?;
        }
        _ => metrics::count(metrics::DISCONNECTIONS),
    }
    tracing::info!("Done");
    let mut response = ApiGatewayProxyResponse::default();
    response.status_code = 200;
    Ok(response)
}
