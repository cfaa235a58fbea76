//! `stackgen init`

use insta::{assert_debug_snapshot, assert_snapshot};

use crate::common::Sandbox;

#[test]
fn a_starter_is_written_and_next_steps_are_printed() {
    let sandbox = Sandbox::new();
    assert_snapshot!(sandbox.run("init echo --out my/stack"), @"
    exit 0
    --- stdout
    wrote my/stack/stackgen.yaml
    wrote my/stack/stackgen.schema.json
    wrote my/stack/Cargo.toml
    wrote my/stack/Cargo.lock
    wrote my/stack/clippy.toml
    wrote my/stack/Makefile
    wrote my/stack/README.md
    wrote my/stack/.gitignore
    wrote my/stack/handlers/echo/
    wrote my/stack/recordings/
    wrote my/stack/vendor/
    --- stderr

    Next
      cd my/stack
      make test         # the functions, and a recording of clients
      stackgen dev      # the whole stack, on this machine
      stackgen graph    # see what is wired to what
      stackgen build    # zip files for Lambda in target/lambda/
      stackgen synth    # render out/<environment>/template.yaml
    ");
    let files = sandbox.files();
    let files: Vec<_> = files
        .iter()
        .filter(|file| !file.contains("vendor/stackgen-websocket"))
        .collect();
    assert_debug_snapshot!(files, @r#"
    [
        "my/stack/.gitignore",
        "my/stack/Cargo.lock",
        "my/stack/Cargo.toml",
        "my/stack/Makefile",
        "my/stack/README.md",
        "my/stack/clippy.toml",
        "my/stack/handlers/echo/Cargo.toml",
        "my/stack/handlers/echo/src/lib.rs",
        "my/stack/handlers/echo/src/main.rs",
        "my/stack/handlers/echo/tests/echo.rs",
        "my/stack/recordings/echo.jsonl",
        "my/stack/stackgen.schema.json",
        "my/stack/stackgen.yaml",
        "my/stack/vendor/stackgen.json",
    ]
    "#);
}

#[test]
fn the_web_page_of_live_session_is_written() {
    let sandbox = Sandbox::new();
    let run = sandbox.run("init live-session");
    assert!(run.stdout.contains("\nwrote web/\n"), "{run}");
    let client = sandbox.read("web/client.js");
    assert!(client.contains("LiveSession"), "{client}");
}

#[test]
fn no_file_is_overwritten_or_written_in_part() {
    let sandbox = Sandbox::with("mine");
    assert_snapshot!(sandbox.run("init echo"), @"
    exit 2
    --- stderr
    error: stackgen.yaml exists already; nothing was written
    help: choose another folder with `--out`, or move it away
    ");
    assert_eq!(sandbox.files(), ["stackgen.yaml"]);
    assert_eq!(sandbox.read("stackgen.yaml"), "mine");
}

#[test]
fn an_existing_cargo_project_is_left_alone() {
    let sandbox = Sandbox::new();
    sandbox.write("Cargo.toml", "mine");
    sandbox.write("Cargo.lock", "mine");
    sandbox.write("vendor/stackgen-websocket/Cargo.toml", "mine");
    assert_snapshot!(sandbox.run("init chat"), @"
    exit 2
    --- stderr
    error: Cargo.toml and 2 more files exist already; nothing was written
    help: choose another folder with `--out`, or move them away
    ");
    assert_eq!(sandbox.files().len(), 3);
}

#[test]
fn an_existing_readme_and_gitignore_are_kept() {
    let sandbox = Sandbox::new();
    sandbox.write(".gitignore", "mine");
    sandbox.write("README.md", "mine");
    assert_eq!(sandbox.run("init echo").code, Some(0));
    assert_eq!(sandbox.read(".gitignore"), "mine");
    assert_eq!(sandbox.read("README.md"), "mine");
}

#[test]
fn a_folder_that_cannot_be_created_is_an_error() {
    let sandbox = Sandbox::new();
    sandbox.write("file", "");
    assert_snapshot!(sandbox.run("init echo --out file/stack"), @"
    exit 2
    --- stderr
    error: cannot write file/stack/stackgen.yaml: file is a file, not a folder
    help: move it away, or name another folder with `--out`
    ");
    assert_snapshot!(sandbox.run("init echo --out file"), @"
    exit 2
    --- stderr
    error: cannot write file/stackgen.yaml: file is a file, not a folder
    help: move it away, or name another folder with `--out`
    ");
    assert_eq!(sandbox.files(), ["file"]);
}

#[test]
fn an_unknown_starter_is_an_error_with_the_nearest_names() {
    assert_snapshot!(Sandbox::new().run("init live-sesion"), @r#"
    exit 2
    --- stderr
    error: there is no starter "live-sesion"
    help: use one of: live-session, echo, chat
    "#);
}

#[test]
fn without_a_terminal_no_question_is_asked() {
    assert_snapshot!(Sandbox::new().run("init"), @"
    exit 2
    --- stderr
    error: no starter is given
    help: name one: echo, chat, live-session
    ");
}

#[test]
fn the_starters_are_listed() {
    assert_snapshot!(Sandbox::new().run("init --list"), @"
    exit 0
    --- stdout
    echo          one function that answers every message
    chat          rooms, every caller authenticated, every message answered
    live-session  one speaker, many listeners, an HTTP API, alarms, three environments
    ");
}

#[test]
fn the_starters_are_listed_as_json() {
    assert_snapshot!(Sandbox::new().run("init --list --json"), @r#"
    exit 0
    --- stdout
    {
      "starters": [
        {
          "name": "echo",
          "summary": "one function that answers every message"
        },
        {
          "name": "chat",
          "summary": "rooms, every caller authenticated, every message answered"
        },
        {
          "name": "live-session",
          "summary": "one speaker, many listeners, an HTTP API, alarms, three environments"
        }
      ]
    }
    "#);
    assert_eq!(
        Sandbox::new().run("init --list --color never").code,
        Some(0)
    );
    for refused in ["init echo --list", "init --list --registry"] {
        assert_eq!(Sandbox::new().run(refused).code, Some(2), "{refused}");
    }
}

#[test]
fn a_project_of_the_registry_names_versions_and_has_no_vendored_library() {
    let sandbox = Sandbox::new();
    let run = sandbox.run("init echo --registry");
    assert_eq!(run.code, Some(0), "{run}");
    assert!(!run.stdout.contains("vendor"), "{run}");
    assert!(!sandbox.path().join("vendor").exists());
    assert!(!sandbox.read("README.md").contains("vendor"));
    assert!(!sandbox.read("Cargo.lock").contains("stackgen-websocket"));
    let manifest = sandbox.read("Cargo.toml");
    let of_library: Vec<_> = manifest
        .lines()
        .filter(|line| line.contains("stackgen") || line.contains("vendor"))
        // Every release changes the version.
        .map(|line| line.replace(env!("CARGO_PKG_VERSION"), "[version]"))
        .collect();
    assert_debug_snapshot!(of_library, @r#"
    [
        "stackgen-websocket = { version = \"[version]\", default-features = false }",
        "stackgen-websocket-testing = { version = \"[version]\" }",
    ]
    "#);
}

#[test]
fn json_names_the_files() {
    let sandbox = Sandbox::new();
    let report = sandbox.run("init chat --json").json();
    assert_eq!(report["starter"], "chat");
    let named = report["files"].as_array().unwrap().iter();
    let mut named: Vec<_> = named.map(|file| file.as_str().unwrap()).collect();
    named.sort_unstable();
    assert_eq!(named, sandbox.files());
}

#[test]
fn synth_reads_what_init_writes() {
    for starter in ["echo", "chat", "live-session"] {
        let sandbox = Sandbox::new();
        assert_eq!(sandbox.run(&format!("init {starter}")).code, Some(0));
        let run = sandbox.run("synth");
        assert_eq!(run.code, Some(0), "{starter}: {run}");
    }
}
