//! The web page of the starter `live-session`: its client by itself, its types, and sound end to end in a browser.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::json;
use stackgen_test_tools::{installed, on_path};

use crate::common::{Run, Sandbox, building, root, target};
use crate::running::Dev;

/// Writes the project, whose page has everything that its tests need.
fn project() -> Sandbox {
    let sandbox = Sandbox::new();
    let run = sandbox.run("init live-session");
    assert_eq!(run.code, Some(0), "{run}");
    sandbox
}

fn assert_succeeds(command: &mut Command) {
    let run = Run::of(command.output().unwrap());
    assert_eq!(run.code, Some(0), "{run}");
}

#[test]
fn the_client_passes_its_tests() {
    let Some(node) = on_path("node") else { return };
    let project = project();
    let web = project.path().join("web");
    assert_succeeds(Command::new(node).arg("--test").current_dir(web));
}

#[test]
fn the_page_has_no_type_errors() {
    let Some(node) = on_path("node") else { return };
    let Some(compiler) = installed("browser/node_modules/typescript/bin/tsc") else {
        return;
    };
    let project = project();
    let settings = project.path().join("web/jsconfig.json");
    assert_succeeds(Command::new(node).arg(compiler).arg("-p").arg(settings));
}

/// Builds the functions of the flagship, and copies them to where the project's cargo would write them.
fn build_functions(debug: &Path) {
    let sources = fs::read_dir(root().join("handlers/functions/src/bin")).unwrap();
    let sources = sources.map(|entry| entry.unwrap().path());
    let names: Vec<_> = sources
        .map(|source| source.file_stem().unwrap().to_owned())
        .collect();
    let _building = building();
    let status = Command::new(env!("CARGO"))
        .args(["build", "--offline", "--quiet", "--workspace"])
        .args(
            names
                .iter()
                .flat_map(|name| [OsStr::new("--bin"), name.as_os_str()]),
        )
        .current_dir(root())
        .env("CARGO_TARGET_DIR", target())
        .status()
        .unwrap();
    assert!(status.success());
    fs::create_dir_all(debug).unwrap();
    for name in names {
        fs::copy(target().join("debug").join(&name), debug.join(&name)).unwrap();
    }
}

#[test]
fn sound_reaches_two_listeners_in_order_and_every_close_is_explained() {
    let (Some(node), Some(chromium)) = (on_path("node"), on_path("chromium")) else {
        return;
    };
    let Some(modules) = installed("browser/node_modules") else {
        return;
    };
    let sandbox = Sandbox::starter("live-session");
    fs::rename(project().path().join("web"), sandbox.path().join("web")).unwrap();
    let tests = root().join("generator/cli/tests/live_page");
    let recorder = fs::read(tests.join("recorder-worklet.js")).unwrap();
    sandbox.write("web/test/recorder-worklet.js", recorder);
    build_functions(&sandbox.path().join("target/debug"));
    let mut dev = Dev::spawn(sandbox, &["--json", "--no-build", "--no-watch"], &[]);
    dev.ready = dev.event("ready");
    let settings = json!({
        "page": dev.ready["gateway"]["page"],
        "modules": modules,
        "chromium": chromium,
        "screenshots": std::env::var("STACKGEN_SCREENSHOTS").ok(),
    });
    let script = tests.join("sound.mjs");
    assert_succeeds(Command::new(node).arg(script).arg(settings.to_string()));
}
