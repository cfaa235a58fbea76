//! Input that cannot be read and output that cannot be written: one message, exit code 2, nothing written.

use std::fs::File;

use insta::assert_snapshot;

use crate::common::{Run, Sandbox};

/// Runs a command line, and checks that it wrote nothing.
fn refused(sandbox: &Sandbox, line: &str) -> Run {
    let before = sandbox.files();
    let run = sandbox.run(line);
    assert_eq!(sandbox.files(), before);
    assert_eq!(run.code, Some(2), "{run}");
    run
}

#[test]
fn no_stackgen_yaml() {
    assert_snapshot!(refused(&Sandbox::new(), "synth"), @"
    exit 2
    --- stderr
    error: there is no stackgen.yaml
    help: create one with `stackgen init`, or name another with `--file`
    ");
}

#[test]
fn a_folder_for_a_file() {
    let sandbox = Sandbox::new();
    sandbox.write("stack/stackgen.yaml", "");
    assert_snapshot!(refused(&sandbox, "synth --file stack"), @"
    exit 2
    --- stderr
    error: stack is a folder, not a file
    help: did you mean stack/stackgen.yaml?
    ");
    std::fs::create_dir(sandbox.path().join("stackgen.yaml")).unwrap();
    assert_snapshot!(refused(&sandbox, "synth"), @"
    exit 2
    --- stderr
    error: stackgen.yaml is a folder, not a file
    help: name the stackgen.yaml itself
    ");
}

#[test]
fn a_path_through_a_file() {
    let sandbox = Sandbox::with("name: x");
    assert_snapshot!(refused(&sandbox, "synth --file stackgen.yaml/stackgen.yaml"), @"
    exit 2
    --- stderr
    error: cannot read stackgen.yaml/stackgen.yaml: not a directory
    help: check the path, and that you may read it
    ");
}

#[test]
fn not_utf8() {
    let sandbox = Sandbox::new();
    sandbox.write("stackgen.yaml", b"name: x\nd\xe9scription: latin1\n");
    assert_snapshot!(refused(&sandbox, "synth"), @"
    exit 2
    --- stderr
    error: this is not UTF-8
     --> stackgen.yaml:2:2
      |
    2 | d�scription: latin1
      |  ^
      |
      = help: save the file as UTF-8

    1 error in stackgen.yaml
    ");
}

#[test]
fn not_utf8_in_json_has_its_location() {
    let sandbox = Sandbox::new();
    sandbox.write("stackgen.yaml", b"name: x\nd\xe9scription: latin1\n");
    let error = &refused(&sandbox, "synth --json").json()["errors"][0];
    assert_eq!(
        (&error["file"], &error["line"], &error["column"]),
        (&"stackgen.yaml".into(), &2.into(), &2.into())
    );
}

#[test]
fn standard_input() {
    assert_snapshot!(refused(&Sandbox::new(), "synth -f -"), @"
    exit 2
    --- stderr
    error: stackgen.yaml cannot be read from standard input
    help: give its path with `--file`
    ");
}

#[cfg(unix)]
#[test]
fn a_pipe_without_a_writer_and_a_device() {
    let sandbox = Sandbox::new();
    let made = std::process::Command::new("mkfifo")
        .arg(sandbox.path().join("fifo"))
        .status();
    assert!(made.unwrap().success());
    assert_snapshot!(refused(&sandbox, "synth -f fifo"), @"
    exit 2
    --- stderr
    error: fifo is a pipe, not a regular file
    help: name the path of a stackgen.yaml with `--file`
    ");
    assert_snapshot!(refused(&sandbox, "synth -f /dev/zero"), @"
    exit 2
    --- stderr
    error: /dev/zero is a device, not a regular file
    help: name the path of a stackgen.yaml with `--file`
    ");
}

#[test]
fn utf16() {
    let sandbox = Sandbox::new();
    sandbox.write("stackgen.yaml", b"\xff\xfen\0a\0m\0e\0:\0");
    assert_snapshot!(refused(&sandbox, "synth"), @"
    exit 2
    --- stderr
    error: stackgen.yaml is UTF-16
    help: save it as UTF-8
    ");
}

#[test]
fn empty() {
    assert_snapshot!(refused(&Sandbox::with(""), "synth"), @"
    exit 2
    --- stderr
    error: stackgen.yaml is empty
    help: create a small project with `stackgen init echo --out DIR`
    ");
    assert_snapshot!(refused(&Sandbox::with("\n  \n"), "synth"), @"
    exit 2
    --- stderr
    error: stackgen.yaml is empty
    help: create a small project with `stackgen init echo --out DIR`
    ");
}

#[test]
fn fifty_megabytes() {
    let sandbox = Sandbox::new();
    let file = File::create(sandbox.path().join("stackgen.yaml")).unwrap();
    file.set_len(50_000_000).unwrap();
    assert_snapshot!(refused(&sandbox, "synth"), @"
    exit 2
    --- stderr
    error: stackgen.yaml is longer than 1 MiB
    help: check that this is the right file: a stackgen.yaml is written by hand
    ");
}

#[test]
fn a_template_of_nine_megabytes() {
    let sandbox = Sandbox::new();
    let file = File::create(sandbox.path().join("template.json")).unwrap();
    file.set_len(9_000_000).unwrap();
    assert_snapshot!(refused(&sandbox, "graph template.json"), @"
    exit 2
    --- stderr
    error: template.json is longer than 8 MiB
    help: check that this is the right file: CloudFormation takes templates of up to 1 MB
    ");
    let piped = sandbox
        .command()
        .args(["graph", "-"])
        .write_stdin(vec![b' '; 9_000_000])
        .output()
        .unwrap();
    assert_eq!(piped.status.code(), Some(2));
    assert_snapshot!(String::from_utf8_lossy(&piped.stderr), @"
    error: <stdin> is longer than 8 MiB
    help: check that this is the right file: CloudFormation takes templates of up to 1 MB
    ");
}

#[test]
fn an_error_without_a_location_as_json() {
    assert_snapshot!(refused(&Sandbox::new(), "synth --json"), @r#"
    exit 2
    --- stdout
    {
      "errors": [
        {
          "message": "there is no stackgen.yaml",
          "file": "stackgen.yaml",
          "line": null,
          "column": null,
          "endLine": null,
          "hint": "create one with `stackgen init`, or name another with `--file`",
          "row": null,
          "related": null
        }
      ]
    }
    "#);
}
