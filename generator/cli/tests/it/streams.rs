//! Streams, colours, links, and closed output.

use std::process::Command;

use insta::assert_snapshot;

use crate::common::{Run, Sandbox};

#[test]
fn bad_usage_goes_to_stderr() {
    assert_snapshot!(Sandbox::new().run("sinth"), @"
    exit 2
    --- stderr
    error: unrecognized subcommand 'sinth'

      tip: some similar subcommands exist: 'init', 'lint', 'synth'

    Usage: stackgen [OPTIONS] <COMMAND>

    For more information, try '--help'.
    ");
}

#[test]
fn bad_usage_is_json_when_asked_for() {
    assert_snapshot!(Sandbox::new().run("synth --json --formt sam"), @r#"
    exit 2
    --- stdout
    {
      "errors": [
        {
          "message": "unexpected argument '--formt' found",
          "file": null,
          "line": null,
          "column": null,
          "endLine": null,
          "hint": "a similar argument exists: '--format'",
          "row": null,
          "related": null
        }
      ]
    }
    "#);
}

#[test]
fn a_renamed_flag_is_an_error_that_names_the_new_one() {
    let sandbox = Sandbox::new();
    for (line, new) in [
        (
            "diff --out build",
            "a similar argument exists: '--rendered'",
        ),
        (
            "init echo --dir my-socket",
            "a similar argument exists: '--out'",
        ),
        (
            "init echo -d my-socket",
            "a similar argument exists: '--out'",
        ),
        (
            "lint --output report.txt",
            "a similar argument exists: '--out'",
        ),
        (
            "lint --output-format sarif",
            "a similar argument exists: '--format'",
        ),
        ("lint --format json", "`--json` prints the report as JSON"),
        (
            "probe --stage prod",
            "a similar argument exists: '--stage-name'",
        ),
    ] {
        let run = sandbox.run(line);
        assert_eq!(run.code, Some(2), "{run}");
        assert!(run.stderr.contains(&format!("tip: {new}")), "{run}");
        let json = sandbox.run(&format!("{line} --json")).json();
        assert_eq!(json["errors"][0]["hint"], new, "{line}");
    }
    assert_eq!(sandbox.files(), Vec::<String>::new());
}

#[test]
fn help_and_version_are_results() {
    let help = Sandbox::new().run("synth --help");
    assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""));
    assert_eq!(
        Sandbox::new().run("--version --json").to_string(),
        format!("exit 0\n--- stdout\nstackgen {}", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn no_command_shows_the_help_and_is_bad_usage() {
    let run = Sandbox::new().run("");
    assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""));
    assert!(run.stderr.contains("Usage: stackgen"));
}

#[test]
fn colours_are_for_terminals_unless_asked_for() {
    let sandbox = Sandbox::new();
    assert!(!sandbox.run("synth").stderr.contains('\x1b'));
    assert!(sandbox.run("synth --color always").stderr.contains('\x1b'));
}

/// Runs a command in a folder whose stackgen.yaml has an error about row A3.
fn run_on_row_a3(line: &str, environment: &[(&str, &str)]) -> Run {
    let spec = Sandbox::starter("chat").read("stackgen.yaml");
    let sandbox = Sandbox::with(&spec.replace("[route.request.", "[$request."));
    let mut command = sandbox.command();
    command
        .args(line.split(' '))
        .envs(environment.iter().copied());
    Run::of(command.output().unwrap())
}

/// The hyperlink of a row.
fn link(id: &str) -> String {
    let page = "blob/main/docs/reference/api-gateway-websocket.md";
    let url = format!(
        "{}/{page}#{}",
        env!("CARGO_PKG_REPOSITORY"),
        id.to_lowercase()
    );
    format!("\x1b]8;;{url}\x1b\\{id}\x1b]8;;\x1b\\")
}

#[test]
fn ids_are_hyperlinks_on_terminals_that_show_them() {
    let links = ("FORCE_HYPERLINK", "1");
    for line in ["synth", "synth --color always"] {
        let run = run_on_row_a3(line, &[links]);
        assert!(
            run.stderr.contains(&format!("row {}", link("A3"))),
            "{run:?}"
        );
    }
    let help = run_on_row_a3("dev --help", &[links]);
    assert!(
        help.stdout.contains(&format!("(row {})", link("M13"))),
        "{help:?}"
    );
    for (line, environment) in [
        ("synth", vec![]),
        ("synth --color never", vec![links]),
        ("synth", vec![links, ("NO_COLOR", "1")]),
        ("synth", vec![links, ("TERM", "dumb")]),
    ] {
        let run = run_on_row_a3(line, &environment);
        assert!(run.stderr.contains("row A3"), "{run:?}");
        assert!(!run.stderr.contains('\x1b'), "{environment:?}: {run:?}");
    }
    // Text for programs has no links.
    let json = run_on_row_a3("synth --json", &[links]);
    assert!(json.stdout.contains("\"A3\"") && !json.stdout.contains('\x1b'));
}

#[test]
fn output_with_ids_ends_once_with_how_to_look_them_up() {
    let advice = "look up a row: stackgen explain A3";
    let run = run_on_row_a3("synth", &[]);
    assert!(run.stderr.ends_with(&format!("\n{advice}\n")), "{run}");
    assert_eq!(run.stderr.matches("look up").count(), 1);
    for line in ["synth --quiet", "synth --json", "explain A3", "rule SG113"] {
        let run = run_on_row_a3(line, &[]);
        assert!(!run.to_string().contains("look up"), "{run}");
    }
    let help = run_on_row_a3("dev --help", &[]).stdout;
    assert!(
        help.ends_with("\nRows: `stackgen explain ROW` explains one.\n"),
        "{help}"
    );
}

#[test]
fn a_closed_output_is_no_error() {
    let sandbox = Sandbox::new();
    let output = sandbox.run_unread("completions bash");
    assert_eq!(
        (output.status.code(), output.stderr.as_slice()),
        (Some(0), b"".as_slice())
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_behind_stdout_is_a_failure() {
    let sandbox = Sandbox::starter("echo");
    for line in [
        "completions bash",
        "synth --json",
        "synth --help",
        "--version",
    ] {
        let full = std::fs::File::options()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let output = Command::new(assert_cmd::cargo::cargo_bin!("stackgen"))
            .args(line.split(' '))
            .current_dir(sandbox.path())
            .stdout(full)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{line}");
        assert_eq!(
            String::from_utf8_lossy(&output.stderr),
            "error: cannot write to standard output: no space left on device\n",
            "{line}"
        );
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_error_that_cannot_be_printed_as_json_goes_to_stderr() {
    let full = std::fs::File::options()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let sandbox = Sandbox::new();
    let output = Command::new(assert_cmd::cargo::cargo_bin!("stackgen"))
        .args(["synth", "--json"])
        .current_dir(sandbox.path())
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_snapshot!(String::from_utf8_lossy(&output.stderr), @"
    error: there is no stackgen.yaml
    help: create one with `stackgen init`, or name another with `--file`
    ");
}
