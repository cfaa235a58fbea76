//! `stackgen init`

use insta::assert_snapshot;

use crate::common::Sandbox;

#[test]
fn a_starter_is_written_and_the_next_steps_are_told() {
    let sandbox = Sandbox::new();
    assert_snapshot!(sandbox.run("init echo --dir my/stack"), @"
    exit 0
    --- stdout
    wrote my/stack/stackgen.yaml
    wrote my/stack/stackgen.schema.json
    wrote my/stack/.gitignore
    --- stderr

    Next
      cd my/stack
      stackgen synth    # render out/<environment>/template.yaml
      stackgen graph    # see what is wired to what
    ");
    assert_eq!(
        sandbox.files(),
        [
            "my/stack/.gitignore",
            "my/stack/stackgen.schema.json",
            "my/stack/stackgen.yaml"
        ]
    );
}

#[test]
fn nothing_is_overwritten_and_nothing_is_half_written() {
    let sandbox = Sandbox::with("mine");
    assert_snapshot!(sandbox.run("init echo"), @"
    exit 2
    --- stderr
    error: stackgen.yaml is there already; nothing was written
    help: choose another folder with `--dir`, or move it away first
    ");
    assert_eq!(sandbox.files(), ["stackgen.yaml"]);
    assert_eq!(sandbox.read("stackgen.yaml"), "mine");
}

#[test]
fn a_gitignore_that_is_there_stays_as_it_is() {
    let sandbox = Sandbox::new();
    sandbox.write(".gitignore", "mine");
    assert_eq!(sandbox.run("init echo").code, Some(0));
    assert_eq!(sandbox.read(".gitignore"), "mine");
}

#[test]
fn a_folder_that_cannot_be_made_is_an_error() {
    let sandbox = Sandbox::new();
    sandbox.write("file", "");
    assert_snapshot!(sandbox.run("init echo --dir file/stack"), @"
    exit 2
    --- stderr
    error: cannot write file/stack/stackgen.yaml: file is a file, not a folder
    help: move it away, or name another folder with `--out` or `--dir`
    ");
    assert_snapshot!(sandbox.run("init echo --dir file"), @"
    exit 2
    --- stderr
    error: cannot write file/stackgen.yaml: file is a file, not a folder
    help: move it away, or name another folder with `--out` or `--dir`
    ");
    assert_eq!(sandbox.files(), ["file"]);
}

#[test]
fn an_unknown_starter_is_answered_with_the_nearest() {
    assert_snapshot!(Sandbox::new().run("init live-sesion"), @r#"
    exit 2
    --- stderr
    error: there is no starter "live-sesion"
    help: there are: live-session, echo, chat
    "#);
}

#[test]
fn nobody_is_asked_without_a_terminal() {
    assert_snapshot!(Sandbox::new().run("init"), @"
    exit 2
    --- stderr
    error: which starter?
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
    live-session  one speaker, many listeners, an HTTP API, alarms, two environments
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
          "summary": "one speaker, many listeners, an HTTP API, alarms, two environments"
        }
      ]
    }
    "#);
    assert_eq!(
        Sandbox::new().run("init --list --color never").code,
        Some(0)
    );
    assert_eq!(Sandbox::new().run("init echo --list").code, Some(2));
}

#[test]
fn json_names_the_files() {
    assert_snapshot!(Sandbox::new().run("init chat --json"), @r#"
    exit 0
    --- stdout
    {
      "starter": "chat",
      "files": [
        "stackgen.yaml",
        "stackgen.schema.json",
        ".gitignore"
      ]
    }
    "#);
}

#[test]
fn what_init_writes_is_what_synth_reads() {
    for starter in ["echo", "chat", "live-session"] {
        let sandbox = Sandbox::new();
        assert_eq!(sandbox.run(&format!("init {starter}")).code, Some(0));
        let run = sandbox.run("synth");
        assert_eq!(run.code, Some(0), "{starter}: {run}");
    }
}
