//! `make run`: the demo succeeds, and leaves nothing behind when it is interrupted.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::common::{Run, building, root, target};
use crate::running::{interrupt, lines};

fn demo() -> Command {
    let built = Command::new(env!("CARGO"))
        .args([
            "build",
            "--offline",
            "--quiet",
            "--workspace",
            "--bins",
            "--examples",
        ])
        .current_dir(root())
        .env("CARGO_TARGET_DIR", target())
        .status()
        .unwrap();
    assert!(built.success());
    let mut demo = Command::new(target().join("debug/examples/demo"));
    demo.env("CARGO_TARGET_DIR", target())
        .env("CARGO", env!("CARGO"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    demo
}

/// Returns all descendants of a process.
fn descendants(of: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{of}/task"))
        .into_iter()
        .flatten();
    let children = threads.flatten().flat_map(|thread| {
        let children = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        let children = children.split_whitespace().map(|id| id.parse().unwrap());
        children.collect::<Vec<u32>>()
    });
    let both = children.flat_map(|child| [vec![child], descendants(child)].concat());
    both.collect()
}

fn runs(process: u32) -> bool {
    Path::new(&format!("/proc/{process}")).exists()
}

#[test]
fn the_demo_succeeds_and_leaves_nothing_when_interrupted() {
    // The demo builds functions of this repository.
    let _building = building();
    let mut interrupted_demo = demo().spawn().unwrap();
    let output = lines(interrupted_demo.stdout.take().unwrap());
    let connected = output.iter().find(|line| line.contains("Ada connects"));
    assert!(connected.is_some());
    let mut started = descendants(interrupted_demo.id());
    assert!(started.len() > 1, "{started:?}");
    interrupt(&interrupted_demo);
    assert_eq!(interrupted_demo.wait().unwrap().code(), Some(1));
    started.retain(|process| runs(*process));
    assert!(started.is_empty(), "{started:?} are left");
    // The certificate authority stays for the next start.
    let state = root().join("target/demo/.stackgen/gateway.json");
    assert!(!state.exists());

    let run = Run::of(demo().output().unwrap());
    assert_eq!(run.code, Some(0), "{run}");
    assert!(
        run.stdout
            .trim_end()
            .ends_with("Every step had the expected result.")
    );
    assert!(!state.exists());
}
