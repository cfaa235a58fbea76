//! A gateway with a small stack, and the clients' programs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use stackgen_gateway::gateway::{ApiEndpoint, Gateway, GatewayOptions, GatewayState};
use stackgen_gateway_stack::{StackCode, StackTemplate};
use tokio::process::Command;

use crate::puppet::puppet;

/// A gateway that serves `stack.yaml`.
pub(crate) struct RunningGateway {
    pub(crate) gateway: Gateway,
    pub(crate) state: GatewayState,
}

impl RunningGateway {
    pub(crate) async fn start() -> Self {
        let gateway = Gateway::start(GatewayOptions::default()).await.unwrap();
        let code = |function: &str| (function.to_owned(), StackCode::Program(puppet()));
        let template = StackTemplate {
            stack: "clients".to_owned(),
            file: "stack.yaml".to_owned(),
            text: include_str!("stack.yaml").to_owned(),
            code: BTreeMap::from(["AuthorizerFunction", "Handler"].map(code)),
            ..StackTemplate::default()
        };
        gateway.apply(template).await.unwrap();
        let state = gateway.state().await;
        RunningGateway { gateway, state }
    }

    pub(crate) fn api(&self) -> &ApiEndpoint {
        &self.state.apis[0]
    }

    /// Returns the stage's URL, `ws://127.0.0.1:{port}/prod`.
    pub(crate) fn url(&self) -> &str {
        &self.api().stages[0].url
    }
}

pub(crate) fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// Returns the first of these programs that exists, or skips the test.
pub(crate) fn program(name: &str, paths: &[PathBuf]) -> Option<PathBuf> {
    let found = paths.iter().find(|path| path.exists()).cloned();
    if found.is_none() {
        stackgen_test_tools::skip(&format!("{name} is not installed"));
    }
    found
}

/// Runs a program until it ends.
pub(crate) async fn run(command: &mut Command) -> Output {
    let command = command.stdin(Stdio::null()).kill_on_drop(true);
    command.output().await.unwrap()
}

/// Returns the output of a program, which must have succeeded.
#[track_caller]
pub(crate) fn text(output: &Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {error}", output.status);
    String::from_utf8(output.stdout.clone()).unwrap()
}
