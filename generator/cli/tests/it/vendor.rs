//! `stackgen vendor`

use insta::assert_snapshot;
use serde_json::Value;

use crate::common::{Run, Sandbox};

const LOGS: &str = "vendor/stackgen-websocket/src/logs.rs";
const CLOCK: &str = "vendor/stackgen-websocket/src/clock.rs";
const GONE: &str = "vendor/stackgen-websocket/src/old/gone.rs";
const RECORD: &str = "vendor/stackgen.json";

fn project() -> Sandbox {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.run("init echo").code, Some(0));
    sandbox
}

/// Returns the SHA-256 of a text, as a record has it.
fn digest(text: &str) -> Value {
    use sha2::{Digest, Sha256};
    hex::encode(Sha256::digest(text)).into()
}

/// Turns a project into one of stackgen 0.0.9: `logs.rs` had another text, `clock.rs` did not exist, and `old/gone.rs` did.
fn older(sandbox: &Sandbox) {
    let mut record: Value = serde_json::from_str(&sandbox.read(RECORD)).unwrap();
    record["stackgen"] = "0.0.9".into();
    let files = record["files"].as_object_mut().unwrap();
    let name = |path: &str| path.strip_prefix("vendor/").unwrap().to_owned();
    files.insert(name(LOGS), digest("// old\n"));
    files.remove(&name(CLOCK));
    files.insert(name(GONE), digest("// gone\n"));
    sandbox.write(RECORD, format!("{record:#}\n"));
    sandbox.write(LOGS, "// old\n");
    sandbox.write(GONE, "// gone\n");
    std::fs::remove_file(sandbox.path().join(CLOCK)).unwrap();
}

/// Creates a project of stackgen 0.0.9 in which the user changed `logs.rs`.
fn older_with_change() -> Sandbox {
    let sandbox = project();
    older(&sandbox);
    sandbox.write(LOGS, "// mine\n");
    sandbox
}

/// Runs `stackgen vendor`. Returns what a user sees, without this version, which every release changes.
fn vendor(sandbox: &Sandbox, options: &str) -> String {
    let run = sandbox.run(&format!("vendor {options}"));
    run.to_string()
        .replace(env!("CARGO_PKG_VERSION"), "[version]")
}

#[track_caller]
fn assert_code(sandbox: &Sandbox, options: &str, code: i32) {
    let run = sandbox.run(&format!("vendor {options}"));
    assert_eq!(run.code, Some(code), "vendor {options}: {run}");
}

/// Returns the output of an update of an older project; `logs` is what it did with `logs.rs`.
fn updated(logs: &str) -> String {
    format!(
        "exit 0\n--- stdout\nwrote     {CLOCK}\n{logs:9} {LOGS}\nremoved   {GONE}\n\
         the library is that of stackgen [version]\n--- stderr\n\
         next: `cargo test`; then commit vendor and Cargo.lock together"
    )
}

/// Returns the vendored files with their texts.
fn vendored(sandbox: &Sandbox) -> Vec<(String, String)> {
    let files = sandbox.files().into_iter();
    let files = files.filter(|file| file.starts_with("vendor/"));
    files
        .map(|file| (file.clone(), sandbox.read(&file)))
        .collect()
}

fn assert_current(sandbox: &Sandbox) {
    let run = sandbox.run("vendor --check");
    assert_eq!(run.code, Some(0), "{run}");
    assert_eq!(vendored(sandbox), vendored(&project()));
}

#[test]
fn a_new_project_has_the_library_of_this_version_without_tests() {
    let sandbox = project();
    assert_snapshot!(vendor(&sandbox, "--check"), @"
    exit 0
    --- stdout
    the library is that of stackgen [version]
    ");
    let files = sandbox.files();
    assert!(
        files
            .iter()
            .any(|file| file == "vendor/stackgen-websocket/LICENSE-MIT")
    );
    let tests: Vec<_> = files
        .iter()
        .filter(|file| file.starts_with("vendor") && file.contains("tests"))
        .collect();
    assert!(tests.is_empty(), "{tests:?}");
}

#[test]
fn an_older_library_is_shown_and_updated() {
    let sandbox = project();
    older(&sandbox);
    let before = vendored(&sandbox);
    assert_snapshot!(vendor(&sandbox, "--check"), @"
    exit 3
    --- stdout
    missing   vendor/stackgen-websocket/src/clock.rs
    outdated  vendor/stackgen-websocket/src/logs.rs
    obsolete  vendor/stackgen-websocket/src/old/gone.rs
    --- stderr
    the library is that of stackgen 0.0.9, and 3 files differ in [version]: update with `stackgen vendor --update`
    ");
    assert_eq!(vendored(&sandbox), before);
    assert_snapshot!(vendor(&sandbox, "--update"), @"
    exit 0
    --- stdout
    wrote     vendor/stackgen-websocket/src/clock.rs
    wrote     vendor/stackgen-websocket/src/logs.rs
    removed   vendor/stackgen-websocket/src/old/gone.rs
    the library is that of stackgen [version]
    --- stderr
    next: `cargo test`; then commit vendor and Cargo.lock together
    ");
    assert_current(&sandbox);
    assert!(
        !sandbox
            .path()
            .join("vendor/stackgen-websocket/src/old")
            .exists()
    );
}

#[test]
fn an_update_of_a_current_library_writes_nothing() {
    let sandbox = project();
    let modified = |file: &str| {
        sandbox
            .path()
            .join(file)
            .metadata()
            .unwrap()
            .modified()
            .unwrap()
    };
    let before = [modified(LOGS), modified(RECORD)];
    assert_snapshot!(vendor(&sandbox, "--update"), @"
    exit 0
    --- stdout
    the library is that of stackgen [version]
    ");
    assert_eq!([modified(LOGS), modified(RECORD)], before);
    assert_eq!(
        sandbox.run("vendor --update --json").json()["updated"],
        false
    );
}

#[test]
fn an_interrupted_update_is_completed_by_the_next() {
    let sandbox = project();
    older(&sandbox);
    // One file was replaced, and the record was not written yet.
    sandbox.write(LOGS, project().read(LOGS));
    assert_code(&sandbox, "--check", 3);
    assert_code(&sandbox, "--update", 0);
    assert_current(&sandbox);
}

#[test]
fn a_changed_file_stops_an_update_that_would_replace_it() {
    let sandbox = older_with_change();
    let before = vendored(&sandbox);
    assert_snapshot!(vendor(&sandbox, "--check"), @"
    exit 3
    --- stdout
    missing   vendor/stackgen-websocket/src/clock.rs
    conflict  vendor/stackgen-websocket/src/logs.rs
    obsolete  vendor/stackgen-websocket/src/old/gone.rs
    --- stderr
    the library is that of stackgen 0.0.9, and 3 files differ in [version]: update with `stackgen vendor --update`
    1 changed file: replace it with `stackgen vendor --update --force`, or keep it with `stackgen vendor --update --keep`
    ");
    assert_snapshot!(vendor(&sandbox, "--update"), @"
    exit 1
    --- stdout
    missing   vendor/stackgen-websocket/src/clock.rs
    conflict  vendor/stackgen-websocket/src/logs.rs
    obsolete  vendor/stackgen-websocket/src/old/gone.rs
    --- stderr
    nothing was written: stackgen [version] has another text for a file that you changed
    1 changed file: replace it with `stackgen vendor --update --force`, or keep it with `stackgen vendor --update --keep`
    ");
    assert_eq!(vendored(&sandbox), before);
    let run = sandbox.run("vendor --update --json");
    assert_eq!(run.code, Some(1), "{run}");
    assert_eq!(run.json()["files"][1]["state"], "conflict");
    assert_eq!(vendored(&sandbox), before);
}

#[test]
fn force_replaces_changed_files() {
    let sandbox = older_with_change();
    assert_eq!(
        vendor(&sandbox, "--update --force").trim_end(),
        updated("wrote")
    );
    assert_current(&sandbox);
}

#[test]
fn a_kept_file_stays_until_this_version_has_another_text() {
    let sandbox = older_with_change();
    assert_eq!(
        vendor(&sandbox, "--update --keep").trim_end(),
        updated("left")
    );
    assert_eq!(sandbox.read(LOGS), "// mine\n");
    assert_snapshot!(vendor(&sandbox, "--check"), @"
    exit 0
    --- stdout
    kept      vendor/stackgen-websocket/src/logs.rs
    the library is that of stackgen [version]
    ");
    // Other updates leave it alone, and it can be given up by its name.
    assert_code(&sandbox, "--update --force", 0);
    assert_eq!(sandbox.read(LOGS), "// mine\n");
    // In any spelling.
    assert_code(&sandbox, &format!("--update --force ./{LOGS}"), 0);
    assert_current(&sandbox);
}

#[test]
fn a_change_after_the_decision_to_keep_is_noticed() {
    let sandbox = project();
    sandbox.write(LOGS, "// mine\n");
    assert_code(&sandbox, "--update --keep", 0);
    sandbox.write(LOGS, "// by mistake\n");
    let run = sandbox.run("vendor --check");
    assert_eq!(run.code, Some(3), "{run}");
}

#[test]
fn a_removed_file_is_a_change() {
    let sandbox = project();
    std::fs::remove_file(sandbox.path().join(LOGS)).unwrap();
    assert_snapshot!(vendor(&sandbox, "--check"), @"
    exit 3
    --- stdout
    changed   vendor/stackgen-websocket/src/logs.rs
    --- stderr
    1 changed file: replace it with `stackgen vendor --update --force`, or keep it with `stackgen vendor --update --keep`
    ");
    assert_code(&sandbox, "--update", 0);
    assert!(!sandbox.path().join(LOGS).exists());
    assert_code(&sandbox, "--update --keep", 0);
    assert_code(&sandbox, "--check", 0);
    assert_eq!(
        sandbox.run(&format!("vendor --update --force {LOGS}")).code,
        Some(0)
    );
    assert_current(&sandbox);
}

#[test]
fn force_and_keep_can_be_chosen_for_each_file() {
    let sandbox = older_with_change();
    sandbox.write(CLOCK, "// mine, too\n");
    let run = sandbox.run(&format!("vendor --update --keep {LOGS}"));
    assert_eq!(run.code, Some(1), "{CLOCK} is undecided: {run}");
    assert_eq!(sandbox.read(CLOCK), "// mine, too\n");
    assert_eq!(
        sandbox
            .run(&format!("vendor --update --keep {LOGS} {CLOCK}"))
            .code,
        Some(0)
    );
    assert_eq!(
        sandbox
            .run(&format!("vendor --update --force {CLOCK}"))
            .code,
        Some(0)
    );
    assert_eq!(sandbox.read(CLOCK), project().read(CLOCK));
    assert_eq!(sandbox.read(LOGS), "// mine\n");
    assert_code(&sandbox, "--check", 0);
}

#[test]
fn files_of_users_in_vendor_are_left_alone() {
    let sandbox = project();
    sandbox.write("vendor/stackgen-websocket/src/own.rs", "// mine\n");
    sandbox.write("vendor/other/Cargo.toml", "# mine\n");
    older(&sandbox);
    assert_code(&sandbox, "--update --force", 0);
    assert_eq!(
        sandbox.read("vendor/stackgen-websocket/src/own.rs"),
        "// mine\n"
    );
    assert_eq!(sandbox.read("vendor/other/Cargo.toml"), "# mine\n");
}

#[test]
fn json_names_the_states() {
    let sandbox = project();
    older(&sandbox);
    assert_snapshot!(vendor(&sandbox, "--check --json"), @r#"
    exit 3
    --- stdout
    {
      "stackgen": "[version]",
      "vendored": "0.0.9",
      "updated": false,
      "files": [
        {
          "path": "vendor/stackgen-websocket/src/clock.rs",
          "state": "missing"
        },
        {
          "path": "vendor/stackgen-websocket/src/logs.rs",
          "state": "outdated"
        },
        {
          "path": "vendor/stackgen-websocket/src/old/gone.rs",
          "state": "obsolete"
        }
      ]
    }
    "#);
}

/// Replaces a project's record, and returns the check.
fn with_record(record: &str) -> Run {
    let sandbox = project();
    sandbox.write(RECORD, record);
    sandbox.run("vendor --check")
}

#[test]
fn bad_input_is_refused_with_what_to_do() {
    assert_snapshot!(vendor(&Sandbox::new(), "--check"), @"
    exit 2
    --- stderr
    error: there is no vendored library: vendor/stackgen.json does not exist
    help: name the folder of a project of `stackgen init` with `--project`. With `init --registry`, cargo updates the library
    ");
    assert_snapshot!(project().run("vendor"), @"
    exit 2
    --- stderr
    error: the following required arguments were not provided:
      <--check|--update>

    Usage: stackgen vendor <--check|--update> [FILE]...

    For more information, try '--help'.
    ");
    assert_code(&project(), &format!("--check {LOGS}"), 2);
    assert_snapshot!(project().run(&format!("vendor --update --force {LOGS}")), @"
    exit 2
    --- stderr
    error: vendor/stackgen-websocket/src/logs.rs is not a changed file of the library
    help: list the changed files with `stackgen vendor --check`
    ");
    assert_snapshot!(project().run(&format!("vendor --update {LOGS}")), @"
    exit 2
    --- stderr
    error: files are named without `--force` or `--keep`
    help: add `--force` or `--keep`
    ");
    assert_snapshot!(with_record("{"), @"
    exit 2
    --- stderr
    error: cannot use vendor/stackgen.json: it is not a record of `stackgen vendor`: EOF while parsing an object at line 1 column 1
    help: restore it from version control, or use the version of stackgen that wrote it
    ");
    let elsewhere = r#"{"format":1,"stackgen":"0.0.9","files":{"../stackgen.yaml":"00"}}"#;
    assert_snapshot!(with_record(elsewhere), @r#"
    exit 2
    --- stderr
    error: cannot use vendor/stackgen.json: it names "../stackgen.yaml", which is not a file of the library
    help: restore it from version control, or use the version of stackgen that wrote it
    "#);
}

#[test]
fn the_library_of_a_later_version_is_only_replaced_by_force() {
    let sandbox = project();
    let record = sandbox
        .read(RECORD)
        .replace(&format!("{:?}", env!("CARGO_PKG_VERSION")), "\"99.0.0\"");
    sandbox.write(RECORD, record);
    assert_snapshot!(vendor(&sandbox, "--update"), @"
    exit 2
    --- stderr
    error: the library is that of stackgen 99.0.0, and this is stackgen [version]
    help: install stackgen 99.0.0, or commit your changes and go back to [version] with `stackgen vendor --update --force`, which also replaces the files that you changed
    ");
    assert_code(&sandbox, "--check", 2);
    assert_code(&sandbox, "--update --force", 0);
    assert_current(&sandbox);
}

#[test]
fn a_folder_in_place_of_a_file_is_an_error() {
    let sandbox = project();
    older(&sandbox);
    std::fs::create_dir(sandbox.path().join(CLOCK)).unwrap();
    assert_code(&sandbox, "--update", 2);
    assert_eq!(sandbox.read(LOGS), "// old\n");
}

#[test]
fn a_file_that_cannot_be_written_leaves_the_library_as_it_was() {
    let sandbox = project();
    older(&sandbox);
    // A file in place of a folder of this version.
    let folder = "stackgen-websocket/src/authorize";
    let mut record: Value = serde_json::from_str(&sandbox.read(RECORD)).unwrap();
    let files = record["files"].as_object_mut().unwrap();
    let known = files.len();
    files.retain(|name, _| !name.starts_with(folder));
    assert!(files.len() < known, "{folder} is no folder of the library");
    sandbox.write(RECORD, format!("{record:#}\n"));
    std::fs::remove_dir_all(sandbox.path().join("vendor").join(folder)).unwrap();
    sandbox.write(&format!("vendor/{folder}"), "// mine\n");
    let run = sandbox.run("vendor --update");
    assert_eq!(run.code, Some(2), "{run}");
    assert!(!run.stderr.contains("--out"), "{run}");
    assert_eq!(sandbox.read(LOGS), "// old\n");
}
