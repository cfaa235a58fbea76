//! Signals: twice, at a question, and during a deployment.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use stackgen_gateway::Event;
use stackgen_gateway::gateway::GatewayOptions;
use stackgen_gateway::stack::ApplyMode;

use crate::common::{Run, Sandbox};
use crate::deploy_local::{Project, spec};
use crate::limits;
use crate::running::{Dev, interrupt};

fn stackgen(sandbox: &Sandbox, line: &str) -> Command {
    let mut command = crate::common::stackgen();
    command
        .args(line.split_whitespace())
        .current_dir(sandbox.path())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

#[test]
fn a_second_ctrl_c_ends_dev_and_its_functions_at_once() {
    if stackgen_test_tools::on_path("python3").is_none() {
        return;
    }
    let sandbox = limits::project(900);
    sandbox.write("stuck", "");
    let mut dev = Dev::spawn(sandbox, &["template.yaml", "--no-watch"], &[]);
    let url = dev.printed_url();
    let hold = format!("probe {url} --send hello --hold 50s");
    let mut listener = stackgen(&dev.sandbox, &hold).spawn().unwrap();
    dev.line("message ");
    let functions = dev.functions();
    assert!(!functions.is_empty());
    // Its `$disconnect` function does not end.
    dev.interrupt();
    dev.error("closing 1 connection; press Ctrl-C again to stop at once");
    dev.interrupt();
    assert_eq!(dev.ended(), Some(130));
    for id in functions {
        assert!(!Path::new(&format!("/proc/{id}")).exists(), "{id} is left");
    }
    assert!(!dev.sandbox.path().join(".stackgen/gateway.json").exists());
    listener.wait().unwrap();
}

#[test]
fn one_signal_ends_a_command_that_waits_for_an_answer_to_a_question() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", silent.local_addr().unwrap());
        let sandbox = Sandbox::new();
        let line = format!("status --api-id a --region us-east-1 --endpoint-url {endpoint}");
        let child = stackgen(&sandbox, &line)
            .env("HOME", sandbox.path())
            .env("AWS_ACCESS_KEY_ID", "any")
            .env("AWS_SECRET_ACCESS_KEY", "any")
            .spawn()
            .unwrap();
        // The call has arrived.
        let _call = silent.accept().unwrap();
        send_signal(&child, signal);
        let run = Run::of(child.wait_with_output().unwrap());
        insta::allow_duplicates! {
            insta::assert_snapshot!(run, @"
            exit 1
            --- stderr
            stopping at the next safe point; press Ctrl-C again to stop at once
            error: interrupted
            ");
        }
    }
}

fn send_signal(child: &Child, signal: Signal) {
    let id = Pid::from_raw(child.id().try_into().unwrap()).unwrap();
    kill_process(id, signal).unwrap();
}

/// A gateway whose deployments stay PENDING.
fn pending() -> Project {
    let mut options = GatewayOptions::default();
    options.settings.control.pending_deployments = u32::MAX;
    let project = Project::started_with("dev", "", options);
    let broken = project.sandbox.path().join("broken");
    let spec = spec(&broken.display().to_string(), "");
    project.sandbox.write("stackgen.yaml", spec);
    project.apply(ApplyMode::Everything);
    project
}

#[test]
fn ctrl_c_while_a_deployment_is_created_leaves_nothing_behind() {
    let project = pending();
    let apis = &project.gateway.account().apis;
    let api = apis.list_apis()[0].api_id.clone();
    let before = apis.list_deployments(&api).unwrap();
    let mut events = project.gateway.events().subscribe();
    let line = "deploy --redeploy-stage --local --force --env dev";
    let child = stackgen(&project.sandbox, line).spawn().unwrap();
    project.runtime.block_on(async {
        while !matches!(events.recv().await.unwrap(), Event::Deployed { .. }) {}
    });
    interrupt(&child);
    let run = Run::of(child.wait_with_output().unwrap());
    insta::assert_snapshot!(project.masked_output(&run), @"
    exit 1
    --- stderr
    told-api-dev (<0>), stage prod
      wiring    2 routes, sha256:<1>; the stage serves it already
    stopping at the next safe point; press Ctrl-C again to stop at once
    error: interrupted: stage prod serves deployment <2>, which was not verified
    help: run the command again to continue
    ");
    let ids = |all: Vec<std::sync::Arc<stackgen_gateway::apis::StoredDeployment>>| {
        let ids = all.iter().map(|one| one.deployment_id.clone());
        ids.collect::<Vec<_>>()
    };
    let (before, after) = (ids(before), ids(apis.list_deployments(&api).unwrap()));
    assert_eq!(after, before);
    let stage = apis.list_stages(&api).unwrap()[0].clone();
    assert_eq!(stage.deployment_id.as_ref(), before.first());
    project.end();
}

/// Answers the question of a command on a terminal.
const AT_A_TERMINAL: &str = r#"
import os, pty, sys

answer, command = sys.argv[1].encode().decode("unicode_escape").encode(), sys.argv[2:]
process, terminal = pty.fork()
if process == 0:
    os.execv(command[0], command)
seen = b""
try:
    while b"[y/N]" not in seen:
        seen += os.read(terminal, 1024)
    os.write(terminal, answer)
    while True:
        seen += os.read(terminal, 1024)
except OSError:
    pass
_, status = os.waitpid(process, 0)
sys.stdout.write(seen.decode())
sys.exit(os.waitstatus_to_exitcode(status))
"#;

fn answered(sandbox: &Sandbox, answer: &str, line: &str) -> Run {
    let mut python = Command::new("python3");
    python
        .args(["-c", AT_A_TERMINAL, answer])
        .arg(assert_cmd::cargo::cargo_bin!("stackgen"))
        .args(line.split_whitespace())
        .current_dir(sandbox.path())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("NO_COLOR", "1");
    Run::of(python.output().unwrap())
}

#[test]
fn a_question_takes_no_and_ctrl_c_and_yes_skips_it() {
    if stackgen_test_tools::on_path("python3").is_none() {
        return;
    }
    let project = Project::started_with("dev", "", GatewayOptions::default());
    let broken = project.sandbox.path().join("broken");
    let spec = spec(&broken.display().to_string(), "");
    project.sandbox.write("stackgen.yaml", spec);
    project.apply(ApplyMode::Everything);
    let redeployed = project.run("deploy --redeploy-stage --local --force --env dev");
    assert_eq!(redeployed.code, Some(0), "{redeployed}");
    let serves = || {
        let apis = &project.gateway.account().apis;
        let api = apis.list_apis()[0].api_id.clone();
        apis.list_stages(&api).unwrap()[0].deployment_id.clone()
    };
    let served = serves();
    for line in [
        "deployments rollback --local",
        "deployments prune --local --keep 0 --all --templates",
    ] {
        if line.contains("prune") {
            // Creates a deployment to delete.
            for _ in 0..2 {
                project.run("deploy --redeploy-stage --local --force --no-prune --env dev");
            }
        }
        let served = serves();
        let no = answered(&project.sandbox, r"n\n", line);
        assert_eq!(no.code, Some(0), "{no}");
        let cut = answered(&project.sandbox, r"\x03", line);
        assert_eq!(cut.code, Some(1), "{cut}");
        assert!(cut.stdout.contains("error: interrupted"), "{cut}");
        assert_eq!(serves(), served);
    }
    assert_ne!(serves(), served);
    let served = serves();
    let yes = answered(&project.sandbox, r"y\n", "deployments rollback --local");
    assert_eq!(yes.code, Some(0), "{yes}");
    assert_ne!(serves(), served);
    // Without a terminal, no question is asked, and `--yes` is accepted.
    for line in [
        "deployments prune --local --yes",
        "deployments rollback --local --yes --dry-run",
    ] {
        let run = project.run(line);
        assert_eq!(run.code, Some(0), "{run}");
    }
    project.end();
}
