//! Handler of `sendAudio`: sends audio to the listeners of a session, alone or with further invocations of itself.

use std::process::ExitCode;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use live_session::audio::{AudioEvent, handle};
use live_session::config::AudioConfig;
use live_session::relay::LambdaRelay;
use live_session::start::{ports, start};
use live_session_core::AudioSender;
use stackgen_websocket::lambda;
use tracing::Instrument;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lambda::exit_code(run().await)
}

async fn run() -> Result<(), Error> {
    let config: AudioConfig = start(|name: &str| std::env::var(name).ok())?;
    let aws = config.services.aws.sdk_config();
    let this = lambda_runtime::Config::from_env();
    let relay = LambdaRelay::new(&aws, this.function_name, this.version);
    let audio = &AudioSender::new(relay, config.audio);
    let ports = &ports(&aws, config.services);
    let answer = |event: LambdaEvent<AudioEvent>| {
        // Boxed, because the nested future exceeds the compiler's recursion limit.
        Box::pin(async move {
            let event = event.payload;
            let span = event.span();
            handle(ports, audio, event).instrument(span).await
        })
    };
    lambda::run(service_fn(answer)).await
}
