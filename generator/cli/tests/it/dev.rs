//! `stackgen dev`, `stackgen token` and `stackgen deploy --local`, with the function of the echo starter.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::common::{Sandbox, stackgen};
use crate::limits;
use crate::running::{Dev, PATIENCE};

#[test]
fn a_message_is_answered_and_ctrl_c_leaves_nothing() {
    let mut dev = Dev::start(&[]);
    dev.answers("hello", "hello");
    let message = dev.event("message");
    assert_eq!(message["route"], "$default");
    assert_eq!(message["outcome"]["kind"], "answered");
    let file = dev.sandbox.path().join(".stackgen/gateway.json");
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let functions = dev.functions();
    assert!(!functions.is_empty());

    dev.interrupt();
    assert_eq!(dev.ended(), Some(0));
    assert!(!file.exists());
    // Only the certificate authority stays.
    assert_eq!(files_in(&dev.sandbox.path().join(".stackgen")), ["tls"]);
    for id in functions {
        assert!(!Path::new(&format!("/proc/{id}")).exists(), "{id} is left");
    }
}

/// Returns the names of a folder's files.
fn files_in(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    names.collect()
}

#[test]
fn the_certificate_authority_is_kept_and_only_its_owner_can_read_the_key() {
    use std::os::unix::fs::PermissionsExt;

    let mut dev = Dev::start(&[]);
    let folder = dev.sandbox.path().join(".stackgen/tls");
    let certificate = dev.ready["gateway"]["certificate"].as_str().unwrap();
    assert!(
        certificate.ends_with("/.stackgen/tls/ca.pem"),
        "{certificate}"
    );
    let mode = |name: &str| {
        let found = std::fs::metadata(folder.join(name)).unwrap();
        found.permissions().mode() & 0o777
    };
    assert_eq!((mode(""), mode("authority.pem")), (0o700, 0o600));
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let before = (read("ca.pem"), read("authority.pem"));
    dev.interrupt();
    assert_eq!(dev.ended(), Some(0));
    let next = Dev::spawn(dev.into_sandbox(), &["--json", "--no-build"], &[]);
    next.event("ready");
    assert_eq!((read("ca.pem"), read("authority.pem")), before);
}

#[test]
fn row_d1_a_saved_route_waits_for_a_deployment_and_a_broken_file_changes_nothing() {
    let dev = Dev::start(&[]);
    let spec = dev.sandbox.read("stackgen.yaml");
    dev.sandbox.write("stackgen.yaml", "websocket: [");
    let refused = &dev.event("notApplied")["refused"]["errors"][0];
    assert!(refused["message"].is_string(), "{refused}");
    dev.answers("hello", "hello");

    let routes = "  routes:\n    ping: { function: echo, twoWay: true }";
    dev.sandbox
        .write("stackgen.yaml", spec.replace("  routes:", routes));
    let applied = dev.event("applied");
    let created = applied["changes"].as_array().unwrap().iter();
    let created: Vec<_> = created.map(|change| &change["logicalId"]).collect();
    assert!(created.iter().any(|id| *id == "PingRoute"), "{created:?}");
    assert_eq!(applied["undeployed"].as_array().unwrap().len(), 1);
    assert_eq!(applied["needsDeployment"], true);
    let wiring = applied["diff"].as_array().unwrap().iter();
    let mut wiring = wiring.filter(|change| change["effect"] == "wiring");
    assert!(wiring.any(|change| change["subject"]["name"] == "ping"));

    dev.answers(r#"{"action":"ping"}"#, "ping");
    assert_eq!(dev.event("message")["route"], "$default");
    let deployed = dev.sandbox.run("deploy --local --no-build");
    assert_eq!(deployed.code, Some(0), "{deployed}");
    dev.answers(r#"{"action":"ping"}"#, "ping");
    assert_eq!(dev.event("message")["route"], "ping");
}

#[test]
fn a_template_with_errors_is_applied_only_despite_lint() {
    const DEAD: &str = "
resources:
  Dead:
    Type: AWS::ApiGatewayV2::Route
    Properties:
      ApiId: !Ref WebSocketApi
      RouteKey: dead
      AuthorizationType: NONE
";
    let dev = Dev::start(&["--no-watch"]);
    let spec = dev.sandbox.read("stackgen.yaml") + DEAD;
    dev.sandbox.write("stackgen.yaml", spec);

    let refused = dev.sandbox.run("deploy --local --no-build");
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(3), ""));
    assert!(refused.stderr.contains("error[SG207]"), "{refused}");
    assert!(refused.stderr.contains("nothing is applied"), "{refused}");
    let place = "--> stackgen.yaml (rendered):";
    assert!(refused.stderr.contains(place), "{refused}");

    let json = dev.sandbox.run("deploy --local --no-build --json");
    assert_eq!(json.code, Some(3), "{json}");
    assert_eq!(json.json()["findings"][0]["rule"], "SG207", "{json}");

    let output = dev
        .sandbox
        .run("deploy --local --no-build --despite-lint --quiet");
    assert_eq!(
        (output.code, output.stderr.as_str()),
        (Some(0), ""),
        "{output}"
    );
    let output = dev.sandbox.run("deploy --local --no-build --despite-lint");
    assert!(output.stderr.contains("error[SG207]"), "{output}");
}

#[test]
fn a_token_has_the_requested_claims_and_is_printed_alone() {
    let dev = Dev::start(&["--no-watch"]);
    let run = dev
        .sandbox
        .run("token --sub ada --aud app --claim admin=true --lifetime 5m");
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    let token = run.stdout.trim_end();
    assert_eq!(token.split('.').count(), 3, "{token}");
    assert_eq!(token.lines().count(), 1);
    let rotated = dev.sandbox.run("token --rotate --at-once");
    assert_eq!((rotated.code, rotated.stdout.as_str()), (Some(0), ""));
    let second = Command::new(assert_cmd::cargo::cargo_bin!("stackgen"))
        .current_dir(dev.sandbox.path())
        .arg("dev")
        .output()
        .unwrap();
    let stderr = String::from_utf8(second.stderr).unwrap();
    assert!(stderr.contains("already runs for this project"), "{stderr}");
}

#[test]
fn without_a_gateway_commands_report_how_to_start_one() {
    let sandbox = Sandbox::starter("echo");
    let run = sandbox.run("token --sub ada");
    insta::assert_snapshot!(run, @"
    exit 1
    --- stderr
    error: no local gateway runs for stackgen.yaml
    help: start one with `stackgen dev`, or name another project with `--file`
    ");
    sandbox.write(
        ".stackgen/gateway.json",
        r#"{"pid":1,"key":"k","stack":null,"endpoint":"http://127.0.0.1:1","issuer":"i","audiences":[],
            "dynamodb":"d","partition":"aws","region":"r","account":"a","apis":[]}"#,
    );
    let run = sandbox.run("token --sub ada");
    insta::assert_snapshot!(run, @"
    exit 1
    --- stderr
    error: the local gateway with process ID 1 is no longer running
    help: start it again with `stackgen dev`
    ");
}

/// A gateway that was killed leaves its port behind, and the gateway of another project may use that port later.
#[test]
fn a_gateway_of_another_project_is_not_used() {
    let dev = Dev::start(&["--no-watch"]);
    let other = Sandbox::starter("echo");
    let mut left =
        serde_json::from_str::<serde_json::Value>(&dev.sandbox.read(".stackgen/gateway.json"))
            .unwrap();
    left["key"] = "another".into();
    left["pid"] = 1.into();
    other.write(".stackgen/gateway.json", left.to_string());
    for line in [
        "token --sub ada",
        "deploy --local --no-build",
        "deploy --redeploy-stage --local",
        "deployments list --local",
        "status --local",
        "probe --local",
    ] {
        let run = other.run(line);
        assert_eq!(
            (run.code, run.stdout.as_str()),
            (Some(1), ""),
            "{line}: {run}"
        );
        let error = "the local gateway with process ID 1 is no longer running";
        assert!(run.stderr.contains(error), "{line}: {run}");
    }
    let here = Dev::spawn(other, &["--json", "--no-build"], &[]);
    assert_ne!(here.event("ready")["gateway"]["endpoint"], left["endpoint"]);
}

#[test]
fn with_json_an_error_at_the_start_is_an_event() {
    let sandbox = limits::project(2);
    sandbox.write("broken.yaml", "Resources: [");
    sandbox.write("damaged.db", "no database");
    let damaged = sandbox.read("damaged.db");
    for (line, code, message) in [
        ("missing.yaml", 2, "there is no missing.yaml"),
        ("broken.yaml", 2, "expected a value"),
        (
            "template.yaml --data damaged.db",
            2,
            "damaged.db is not a database, so it cannot store the tables",
        ),
    ] {
        let run = sandbox.run(&format!("dev --json --port 0 {line}"));
        assert_eq!((run.code, run.stdout.lines().count()), (Some(code), 1));
        assert_eq!(run.stderr, "", "{run}");
        let event = run.json();
        assert_eq!(event["event"], "error", "{run}");
        let output = event["errors"][0]["message"].as_str().unwrap();
        assert!(output.contains(message), "{run}");
    }
    assert_eq!(sandbox.read("damaged.db"), damaged);
    insta::assert_snapshot!(
        sandbox.run("dev --port 0 template.yaml --data damaged.db"),
        @"
    exit 2
    --- stderr
    error: damaged.db is not a database, so it cannot store the tables
    help: name another file; this one was not changed
    "
    );

    let dev = Dev::of_template(sandbox, &["--no-watch"]);
    let run = dev.sandbox.run("dev --json --port 0 template.yaml");
    assert_eq!(run.code, Some(1), "{run}");
    let event = run.json();
    assert_eq!(event["event"], "error", "{run}");
    let output = event["errors"][0]["message"].as_str().unwrap();
    assert!(output.contains("already runs for this project"), "{run}");
}

#[test]
fn a_port_in_use_is_named_in_the_ready_event() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let dev = Dev::of_template(limits::project(2), &["--port", &port.to_string()]);
    assert_eq!(dev.ready["portTaken"], port);
    let endpoint = dev.ready["gateway"]["endpoint"].as_str().unwrap();
    assert!(!endpoint.ends_with(&format!(":{port}")), "{endpoint}");
    let free = Dev::of_template(limits::project(2), &[]);
    assert!(free.ready["portTaken"].is_null());
}

/// Returns the template of `limits` with a variable from a `NoEcho` parameter, a literal one, and a description.
fn with_secrets(sandbox: &Sandbox, secret: &str, tag: &str) -> String {
    let folder = sandbox.path().display().to_string();
    let template = limits::TEMPLATE.replace("FOLDER", &folder);
    let variables = format!("Variables: {{ TOKEN: !Ref Token, PLAIN: \"{secret}-plain{tag}\",");
    let template = template.replace("Variables: {", &variables);
    let described = format!("FunctionName: f\n      Description: !Sub \"{tag} of ${{Token}}\"");
    let template = template.replacen("FunctionName: f", &described, 1);
    let template = template.replace("Name: limited", r#"Name: "api\nforged\u202e""#);
    format!(
        "Parameters: {{ Token: {{ Type: String, NoEcho: true, Default: {secret} }} }}\n{template}"
    )
}

#[test]
fn changed_variables_are_named_without_their_values() {
    for json in [&["--json"][..], &[]] {
        let sandbox = limits::project(2);
        sandbox.write("template.yaml", with_secrets(&sandbox, "secret1", "a"));
        let arguments = [&["template.yaml"], json].concat();
        let dev = Dev::spawn(sandbox, &arguments, &[]);
        let mut output = match json {
            [] => vec![dev.line("ws://127.0.0.1:"), dev.line("Ctrl-C ends it")],
            _ => vec![dev.line(r#""event":"ready""#)],
        };
        let forging = r"\nchanged    forged\r\u202e\e[2J";
        let changed = with_secrets(&dev.sandbox, "secret2", forging);
        dev.sandbox.write("template.yaml", changed);
        match json {
            [] => {
                for change in [
                    "function f: Description is now **** (was ****)",
                    "function f: variable PLAIN changed ",
                    "function f: variable TOKEN changed ",
                    "parameter Token: Value.Default is now **** (was ****)",
                ] {
                    let line = dev.line("changed    ");
                    assert!(line.contains(change), "{line}");
                    output.push(line);
                }
            }
            _ => {
                let line = dev.line(r#""event":"applied""#);
                let applied: Value = serde_json::from_str(&line).unwrap();
                let changes = applied["diff"].as_array().unwrap().iter();
                let fields: Vec<_> = changes.map(|change| &change["field"]).collect();
                let expected = [
                    "Description",
                    "Environment.Variables.PLAIN",
                    "Environment.Variables.TOKEN",
                    "Value.Default",
                ];
                assert_eq!(fields, expected, "{applied}");
                output.push(line);
            }
        }
        let output = output.concat();
        assert!(output.contains(r"api\nforged\u"), "{output:?}");
        let raw = |c: char| c.is_control() || c == '\u{202e}';
        assert!(
            !output.contains("secret") && !output.contains(raw),
            "{output:?}"
        );
    }
}

#[test]
fn logs_of_functions_keep_their_text_and_are_escaped() {
    let sandbox = limits::project(2);
    let printing = "    print(event.get('body'), flush=True)\n    answer = ";
    let code = sandbox
        .read("code/bootstrap")
        .replace("    answer = ", printing);
    sandbox.write("code/bootstrap", code);
    let dev = Dev::spawn(sandbox, &["template.yaml", "--no-watch", "--logs"], &[]);
    let url = dev.printed_url();
    let message = "\u{1b}[31mred\u{1b}[0m\ttab\rconnected\u{202e} müde \u{7}";
    dev.answers_at(&url, message, "done-");
    let log = dev.line("tab");
    assert!(
        log.ends_with("f  red\ttab\\rconnected\\u{202e} müde \\u{7}"),
        "{log:?}"
    );
}

/// Process that does not outlive its test.
struct KilledOnDrop(Child);

impl Drop for KilledOnDrop {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn output_of_the_gateway_in_a_watched_folder_is_no_change() {
    let sandbox = limits::project(2);
    let log = sandbox.path().join("code/dev.log");
    let child = stackgen()
        .current_dir(sandbox.path())
        .stdin(Stdio::null())
        .args(["dev", "template.yaml", "--json", "--port", "0"])
        .stdout(fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let _killed = KilledOnDrop(child);
    let events = |kind: &str| -> Vec<Value> {
        let lines = fs::read_to_string(&log).unwrap();
        let events = lines
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok());
        events
            .filter(|event: &Value| event["event"] == kind)
            .collect()
    };
    let wait_for = |kind: &str, count: usize| {
        let began = Instant::now();
        while events(kind).len() < count {
            assert!(began.elapsed() < PATIENCE, "no {kind}");
            thread::sleep(Duration::from_millis(20));
        }
    };
    wait_for("ready", 1);
    let code = sandbox.read("code/bootstrap");
    for count in 1..=3 {
        sandbox.write("code/bootstrap", format!("{code}\n# {count}\n"));
        wait_for("applied", count);
    }
    let applied = events("applied");
    for event in &applied {
        assert_eq!(event["changes"][0]["what"], "code", "{event}");
    }
    assert_eq!(applied.len(), 3);
}

/// Function on a one-way route that reports one failure with its status, and throws another.
const FAILING: &str = r#"
def handler(event, context):
    if event["requestContext"]["eventType"] == "DISCONNECT":
        return {"statusCode": 200}
    if event["body"] == "quiet":
        print("cannot read the table")
        return {"statusCode": 500}
    raise KeyError(event["body"])
"#;

#[test]
fn a_function_that_failed_is_a_failed_line_with_its_error_and_its_log() {
    if stackgen_test_tools::on_path("python3").is_none() {
        return;
    }
    let sandbox = limits::project(2);
    let template = sandbox.read("template.yaml");
    let template = template
        .replace("Runtime: provided.al2023", "Runtime: python3.12")
        .replace("Handler: bootstrap", "Handler: app.handler")
        .replace("RouteResponseSelectionExpression: $default, ", "");
    sandbox.write("template.yaml", template);
    sandbox.write("code/app.py", FAILING);
    let dev = Dev::spawn(sandbox, &["template.yaml", "--no-watch"], &[]);
    let url = dev.printed_url();
    let probe = dev.sandbox.run("probe --local --send quiet --hold 2s");
    let line = dev.line("message ");
    assert!(
        line.contains("the integration returned 500, which the client does not see (row M7)"),
        "{line}"
    );
    assert_eq!(dev.line("log: ").trim_start(), "log: cannot read the table");
    assert!(
        probe.to_string().contains("log: cannot read the table"),
        "{probe}"
    );

    dev.sandbox
        .run(&format!("probe {url} --send loud --hold 2s"));
    let line = dev.line("message ");
    assert!(
        line.contains("Internal server error: the function failed with KeyError"),
        "{line}"
    );
    assert_eq!(dev.line("KeyError").trim_start(), "KeyError: 'loud'");
    assert!(dev.line("app.py").contains("line 8, in handler"));
}
