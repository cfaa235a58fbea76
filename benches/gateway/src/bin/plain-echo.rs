//! An echo that does nothing else, as those of the peers.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::{Deserialize, Serialize};

/// Of the event, what an echo needs.
#[derive(Deserialize)]
struct Event {
    #[serde(default)]
    body: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Reply {
    status_code: u16,
    body: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Event>| {
        Ok::<_, Error>(Reply {
            status_code: 200,
            body: event.payload.body.unwrap_or_default(),
        })
    }))
    .await
}
