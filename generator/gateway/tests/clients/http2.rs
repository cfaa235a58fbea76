//! Node's client of HTTP/2, with which the AWS SDK for JavaScript calls Bedrock, Kinesis and Transcribe.

use std::path::Path;

use tokio::process::Command;

use crate::support::{RunningGateway, program, run, text};

#[tokio::test]
async fn the_control_endpoint_speaks_http2_with_prior_knowledge_and_with_tls() {
    let Some(node) = program(
        "Node.js",
        &["/usr/bin/node", "/usr/local/bin/node"].map(Into::into),
    ) else {
        return;
    };
    let running = RunningGateway::start().await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/http2.js");
    let mut command = Command::new(node);
    command.arg(script).arg(&running.state.endpoint);
    let output = run(command.arg(&running.state.certificate)).await;
    let one =
        "400 ServiceNotRunLocally\n400 ServiceNotRunLocally\n200 <GetCallerIdentityResponse xml";
    let lines: Vec<String> = text(&output).lines().map(str::to_owned).collect();
    assert_eq!(lines.join("\n"), format!("{one}\n{one}"));
    running.gateway.shutdown().await;
}
