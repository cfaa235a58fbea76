//! Inputs that never end, block or contain themselves: every command refuses them and ends.

use std::fs::File;
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};

use insta::assert_snapshot;

use crate::common::{Run, Sandbox, root};

const TOPIC: &str = "Resources: { Topic: { Type: 'AWS::SNS::Topic' } }\n";

/// Creates a template, a pipe without a writer, and links to the pipe and to a device.
fn traps() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("template.yaml", TOPIC);
    let pipe = sandbox.path().join("pipe.yaml");
    assert!(Command::new("mkfifo").arg(pipe).status().unwrap().success());
    symlink("pipe.yaml", sandbox.path().join("to-pipe.yaml")).unwrap();
    symlink("/dev/zero", sandbox.path().join("zero.yaml")).unwrap();
    sandbox
}

#[test]
fn no_command_waits_for_a_pipe_or_reads_a_device() {
    let sandbox = traps();
    for (trap, kind) in [
        ("pipe.yaml", "a pipe"),
        ("to-pipe.yaml", "a pipe"),
        ("zero.yaml", "a device"),
        ("/dev/zero", "a device"),
    ] {
        for line in [
            format!("lint {trap}"),
            format!("lint template.yaml --previous {trap}"),
            format!("lint template.yaml --baseline {trap}"),
            format!("diff {trap} template.yaml"),
            format!("diff template.yaml {trap}"),
            format!("graph {trap}"),
            format!("synth -f {trap}"),
            format!("dev {trap} --port 0 --no-watch --no-build"),
        ] {
            let run = sandbox.run(&line);
            assert_eq!(run.code, Some(2), "{line}: {run}");
            let refused = format!("is {kind}, not a regular file");
            assert!(run.stderr.contains(&refused), "{line}: {run}");
            assert!(run.stderr.contains(trap), "{line}: {run}");
            assert!(run.stderr.contains("help: "), "{line}: {run}");
        }
    }
    assert_snapshot!(sandbox.run("lint to-pipe.yaml"), @"
    exit 2
    --- stderr
    error: to-pipe.yaml is a pipe, not a regular file
    help: name a file, or `-` for standard input
    1 file cannot be read
    ");
    assert_snapshot!(sandbox.run("lint template.yaml --baseline zero.yaml"), @"
    exit 2
    --- stderr
    error: cannot read the baseline zero.yaml: it is a device, not a regular file
    help: name a file that `--update-baseline` wrote
    ");
}

#[test]
fn a_folder_with_traps_is_searched() {
    let sandbox = traps();
    sandbox.write("a/b/other.yaml", TOPIC);
    symlink("..", sandbox.path().join("a/b/up")).unwrap();
    symlink("itself.yaml", sandbox.path().join("a/itself.yaml")).unwrap();
    for line in ["lint", "lint . --quiet", "lint *.yaml"] {
        let run = sandbox.run(line);
        assert_eq!(run.code, Some(0), "{line}: {run}");
    }
    assert_snapshot!(sandbox.run("lint ."), @"
    exit 0
    --- stderr
    no WebSocket API in 2 templates: nothing to check
    ");
}

#[test]
fn an_assembly_that_names_itself_is_read_once() {
    let sandbox = Sandbox::new();
    let stage = |directory: &str| {
        format!(
            r#"{{"type": "cdk:cloud-assembly", "properties": {{"directoryName": "{directory}"}}}}"#
        )
    };
    for (folder, directories, again) in [
        ("itself", ["", ""], "t.json"),
        ("link", ["up", "up"], "up/t.json"),
    ] {
        let [a, b] = directories.map(stage);
        let stack =
            r#"{"type": "aws:cloudformation:stack", "properties": {"templateFile": "t.json"}}"#;
        let manifest =
            format!(r#"{{"version": "1", "artifacts": {{"a": {a}, "b": {b}, "c": {stack}}}}}"#);
        sandbox.write(&format!("{folder}/manifest.json"), manifest);
        let nested = |path: &str| {
            format!(
                r#"{{"Type": "AWS::CloudFormation::Stack", "Metadata": {{"aws:asset:path": "{path}"}}}}"#
            )
        };
        let template = format!(
            r#"{{"Resources": {{"A": {}, "B": {}}}}}"#,
            nested("t.json"),
            nested(again)
        );
        sandbox.write(&format!("{folder}/t.json"), template);
    }
    symlink(".", sandbox.path().join("link/up")).unwrap();
    for folder in ["itself", "link", "."] {
        let run = sandbox.run(&format!("lint {folder}"));
        assert_eq!(run.code, Some(0), "{folder}: {run}");
    }
}

#[test]
fn an_unreadable_manifest_is_no_assembly() {
    for trap in ["/dev/zero", "../pipe.yaml"] {
        let sandbox = traps();
        sandbox.write(
            "cdk.out/t.template.json",
            r#"{"Resources": {"A": {"Type": "AWS::SNS::Topic"}}}"#,
        );
        symlink(trap, sandbox.path().join("cdk.out/manifest.json")).unwrap();
        let run = sandbox.run("lint cdk.out");
        assert_eq!(run.code, Some(0), "{run}");
        assert!(run.stderr.contains("1 template"), "{run}");
    }
}

#[test]
fn a_huge_file_is_refused_before_it_is_in_memory() {
    let sandbox = traps();
    let huge = File::create(sandbox.path().join("huge.json")).unwrap();
    huge.set_len(1 << 40).unwrap();
    for line in [
        "lint huge.json",
        "graph huge.json",
        "diff huge.json template.yaml",
        "lint template.yaml --previous huge.json",
        "lint template.yaml --baseline huge.json",
        "synth -f huge.json",
    ] {
        let run = sandbox.run(line);
        assert_eq!(run.code, Some(2), "{line}: {run}");
        assert!(run.stderr.contains("is longer than "), "{line}: {run}");
    }
}

#[test]
fn endless_standard_input_is_refused() {
    let sandbox = traps();
    for line in ["lint -", "graph -", "diff - template.yaml"] {
        let zero = File::open("/dev/zero").unwrap();
        let output = Command::new(assert_cmd::cargo::cargo_bin!("stackgen"))
            .args(line.split_whitespace())
            .current_dir(sandbox.path())
            .stdin(Stdio::from(zero))
            .output()
            .unwrap();
        let run = Run::of(output);
        assert_eq!(run.code, Some(2), "{line}: {run}");
        assert!(run.stderr.contains("<stdin> is longer than 8 MiB"), "{run}");
    }
}

#[test]
fn code_that_is_no_regular_file_is_refused() {
    let sandbox = traps();
    let spec = std::fs::read_to_string(root().join("templates/echo/stackgen.yaml")).unwrap();
    sandbox.write(
        "stackgen.yaml",
        spec.replace(
            "binary: echo",
            "zip: code.zip\n    runtime: nodejs22.x\n    handler: index.handler",
        ),
    );
    symlink("/dev/zero", sandbox.path().join("code.zip")).unwrap();
    // The version of a pinned release is named after its code.
    sandbox.write(
        "stackgen.yaml",
        sandbox
            .read("stackgen.yaml")
            .replace("dev: {}", "dev: { release: pinned }"),
    );
    let run = sandbox.run("synth");
    assert_eq!(run.code, Some(2), "{run}");
    assert!(
        run.stderr
            .contains("code.zip: it is a device, not a regular file"),
        "{run}"
    );
}

#[test]
fn a_pipe_from_the_shell_is_read() {
    let sandbox = traps();
    let output = Command::new("bash")
        .args(["-c", r#""$0" diff <(cat template.yaml) template.yaml && cat template.yaml | "$0" diff /dev/stdin template.yaml"#])
        .arg(assert_cmd::cargo::cargo_bin!("stackgen"))
        .current_dir(sandbox.path())
        .output()
        .unwrap();
    let run = Run::of(output);
    assert_eq!(run.code, Some(0), "{run}");
    assert_eq!(run.stdout, "nothing changes\nnothing changes\n");
}

#[test]
fn a_huge_file_of_a_revision_is_refused() {
    let sandbox = traps();
    sandbox.write("big.yaml", " ".repeat(9 << 20));
    let git = |words: &[&str]| {
        let status = Command::new("git")
            .args(["-c", "user.name=a", "-c", "user.email=a@example.com"])
            .args(words)
            .current_dir(sandbox.path())
            .env("HOME", sandbox.path())
            .stdout(Stdio::null())
            .status();
        assert!(status.unwrap().success());
    };
    git(&["init", "--quiet"]);
    git(&["add", "big.yaml"]);
    git(&["commit", "--quiet", "--message", "big"]);
    assert_snapshot!(sandbox.run("diff HEAD:big.yaml template.yaml"), @"
    exit 2
    --- stderr
    error: HEAD:big.yaml is longer than 8 MiB
    help: check that this is the right file: CloudFormation takes templates of up to 1 MB
    ");
}

/// Returns a stack with a number of environments, each of which sets a number of variables.
fn environments(count: usize, variables: usize) -> String {
    let mut spec = String::from("name: many\nfunctions: { f: { binary: f } }\nenvironments:\n");
    for environment in 0..count {
        spec += &format!("  e{environment}:\n    functions:\n      f:\n        environment:\n");
        for variable in 0..variables {
            spec += &format!("          VARIABLE_{variable}: '{environment}'\n");
        }
    }
    spec
}

/// Runs the binary under a limit of `ulimit`, such as `-n 32`.
fn run_limited(sandbox: &Sandbox, limit: &str, line: &str) -> Run {
    let script = format!("ulimit {limit} && exec \"$0\" {line}");
    let output = Command::new("bash")
        .args(["-c", &script])
        .arg(assert_cmd::cargo::cargo_bin!("stackgen"))
        .current_dir(sandbox.path())
        .output()
        .unwrap();
    Run::of(output)
}

#[test]
fn memory_of_synth_does_not_grow_with_environments() {
    let sandbox = Sandbox::with(&environments(200, 100));
    let run = run_limited(&sandbox, "-v 600000", "synth --unbuilt --quiet");
    assert_eq!(run.code, Some(0), "{run}");
    assert!(sandbox.read("out/e199/template.yaml").contains("199"));
}

#[test]
fn synth_writes_more_templates_than_a_process_may_open_files() {
    let sandbox = Sandbox::with(&environments(64, 1));
    for line in ["synth --unbuilt --quiet", "synth --unbuilt --quiet --check"] {
        let run = run_limited(&sandbox, "-n 32", line);
        assert_eq!(run.code, Some(0), "{line}: {run}");
    }
}

#[test]
fn an_error_in_the_last_environment_leaves_nothing_written() {
    let sandbox = Sandbox::with(&(environments(3, 1) + BROKEN));
    let run = sandbox.run("synth --unbuilt --out new");
    assert_eq!(run.code, Some(3), "{run}");
    assert!(!sandbox.path().join("new").exists());
}

/// Environment with a resource that has a lint error.
const BROKEN: &str = "  broken:
    websocket: { name: x, routes: { $default: f } }
    resources:
      Dead:
        Type: AWS::ApiGatewayV2::Route
        Properties: { ApiId: !Ref WebSocketApi, RouteKey: dead, AuthorizationType: NONE }
";
