//! Handler of all routes.

use std::process::ExitCode;
use std::time::Duration;

use aws_lambda_events::apigw::ApiGatewayWebsocketProxyRequest;
use aws_sdk_dynamodb::Client;
use chat::config::ChatConfig;
use chat::dynamo::RoomsTable;
use chat::handler::handle;
use chat::rooms::Chat;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use stackgen_websocket::aws::AwsSettings;
use stackgen_websocket::{Environment, FanOutOptions, ManagementApi, SystemClock, lambda, logs};
use tracing::Instrument;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lambda::exit_code(run().await)
}

async fn run() -> Result<(), Error> {
    let mut environment = Environment::new(|name| std::env::var(name).ok());
    let config = ChatConfig::read(&mut environment);
    let aws = AwsSettings::read(&mut environment);
    config.telemetry.install(&["chat"], "Chat")?;
    let (config, aws) = environment.finish((config, aws))?;
    let sdk = aws.sdk_config();
    let chat = Chat {
        memberships: RoomsTable::new(Client::new(&sdk), config.rooms_table),
        broadcaster: ManagementApi::new(&sdk, &config.management_endpoint),
        clock: SystemClock,
        // The function has 10 seconds, and the table needs a share of them.
        fan_out: FanOutOptions {
            deadline: Duration::from_secs(5),
            ..FanOutOptions::default()
        },
    };
    lambda::run(service_fn(
        async |event: LambdaEvent<ApiGatewayWebsocketProxyRequest>| {
            let span = logs::request_span(&event.payload.request_context);
            // Boxed, because the nested future exceeds the compiler's limits.
            let reply = Box::pin(handle(&chat, &event.payload))
                .instrument(span)
                .await?;
            Ok::<_, Error>(reply)
        },
    ))
    .await
}
