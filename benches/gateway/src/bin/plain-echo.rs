//! A minimal echo function, like those of the peers.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::{Deserialize, Serialize};

/// The part of the event that an echo needs.
#[derive(Deserialize)]
struct EchoEvent {
    #[serde(default)]
    body: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EchoResponse {
    status_code: u16,
    body: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_runtime::run(service_fn(async |event: LambdaEvent<EchoEvent>| {
        Ok::<_, Error>(EchoResponse {
            status_code: 200,
            body: event.payload.body.unwrap_or_default(),
        })
    }))
    .await
}
