//! Function of the demo of `make run`: answers every message with the text of `answer.txt` in its code package.
//!
//! New code is another `answer.txt` beside the same `bootstrap`, so that the demo need not compile.

use std::path::Path;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let package = std::env::var("LAMBDA_TASK_ROOT")?;
    let answer = std::fs::read_to_string(Path::new(&package).join("answer.txt"))?;
    let answer = answer.trim_end();
    let handler = |_: LambdaEvent<Value>| async { Ok::<_, Error>(json!({"body": answer})) };
    lambda_runtime::run(service_fn(handler)).await
}
