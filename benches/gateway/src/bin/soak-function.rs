//! Function of the soak test: records a message, then returns it. Its record contains every message that it
//! acknowledged.

use std::env;
use std::fs::{File, OpenOptions};
use std::io::Write;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let record = OpenOptions::new()
        .append(true)
        .create(true)
        .open(env::var("RECORD")?)?;
    let record = &record;
    lambda_runtime::run(service_fn(async move |event: LambdaEvent<Value>| {
        handle(record, &event.payload)
    }))
    .await
}

fn handle(mut record: &File, event: &Value) -> Result<Value, Error> {
    let context = &event["requestContext"];
    let (id, kind) = (&context["connectionId"], &context["eventType"]);
    let text = event["body"].as_str().unwrap_or_default();
    let id = id.as_str().unwrap_or_default();
    // One write per line, so that lines of several processes do not mix.
    let line = match kind.as_str() {
        Some("MESSAGE") if text == "whoami" => {
            return Ok(json!({ "statusCode": 200, "body": format!("id {id}") }));
        }
        Some("MESSAGE") => format!("M {id} {}\n", text.split(' ').next().unwrap_or_default()),
        Some("CONNECT") => format!("C {id}\n"),
        _ => format!("D {id} {}\n", context["disconnectStatusCode"]),
    };
    record.write_all(line.as_bytes())?;
    Ok(json!({ "statusCode": 200, "body": text }))
}
