//! `make run`: what it tells holds, and whatever becomes of it, nothing of it is left.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::common::{Run, building, root, target};
use crate::running::{interrupt, lines};

fn story() -> Command {
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
    let mut story = Command::new(target().join("debug/examples/story"));
    story
        .env("CARGO_TARGET_DIR", target())
        .env("CARGO", env!("CARGO"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    story
}

/// A process's children, theirs, and so on.
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
fn the_story_holds_and_one_that_is_broken_off_leaves_nothing() {
    // Its functions are those of this repository.
    let _building = building();
    let mut broken_off = story().spawn().unwrap();
    let said = lines(broken_off.stdout.take().unwrap());
    let connected = said.iter().find(|line| line.contains("Ada connects"));
    assert!(connected.is_some());
    let mut started = descendants(broken_off.id());
    assert!(started.len() > 1, "{started:?}");
    interrupt(&broken_off);
    assert_eq!(broken_off.wait().unwrap().code(), Some(1));
    started.retain(|process| runs(*process));
    assert!(started.is_empty(), "{started:?} are left");
    let word = root().join("target/story/.stackgen");
    assert!(!word.exists());

    let whole = Run::of(story().output().unwrap());
    assert_eq!(whole.code, Some(0), "{whole}");
    assert!(whole.stdout.trim_end().ends_with("All of it held."));
    assert!(!word.exists());
}
