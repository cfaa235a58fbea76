//! Reconciler: removes the records of connections whose `$disconnect` never came, and corrects counts.

use std::process::ExitCode;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use live_session::config::ReconcilerConfig;
use live_session::reconciler::handle;
use live_session::start::{ports, start};
use serde_json::Value;
use stackgen_websocket::lambda;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lambda::exit_code(run().await)
}

async fn run() -> Result<(), Error> {
    let config: ReconcilerConfig = start(|name: &str| std::env::var(name).ok())?;
    let ports = &ports(&config.services.aws.sdk_config(), config.services);
    // Boxed, because the nested future exceeds the compiler's recursion limit.
    let answer = |_: LambdaEvent<Value>| Box::pin(handle(ports, config.reconcile));
    lambda::run(service_fn(answer)).await
}
