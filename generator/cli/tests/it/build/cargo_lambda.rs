//! Builds with a program that behaves like cargo-lambda.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::{ZIPS, build_with, path, project, variables, zips};
use crate::common::Sandbox;

/// Compiles for this machine, and moves the programs as cargo-lambda does.
const CARGO_LAMBDA: &str = "\
\"$CARGO\" build --quiet --message-format=json-render-diagnostics || exit 1
for name in hello world; do
  mkdir -p target/lambda/$name
  mv target/debug/$name target/lambda/$name/bootstrap
done";

/// Adds a program `cargo-lambda` that writes its arguments to a file. Returns the path with it.
fn with_cargo_lambda(sandbox: &Sandbox, script: &str) -> Vec<PathBuf> {
    let tools = sandbox.path().join("tools");
    let text = format!("#!/bin/sh\necho \"$@\" > arguments\n{script}\n");
    sandbox.write("tools/cargo-lambda", text);
    let program = tools.join("cargo-lambda");
    fs::set_permissions(program, fs::Permissions::from_mode(0o755)).unwrap();
    [vec![tools], path()].concat()
}

#[test]
fn cargo_lambda_compiles_if_it_is_installed() {
    let sandbox = project("arm64");
    let path = with_cargo_lambda(&sandbox, CARGO_LAMBDA);
    let run = build_with(&sandbox, "--verbose --env prod", variables(&path));
    assert_eq!(run.code, Some(0), "{run}");
    let line = "lambda build --arm64 --output-format binary --lambda-dir target/lambda --release --package greetings \
        --bin hello --bin world --message-format=json-render-diagnostics";
    assert_eq!(sandbox.read("arguments").trim_end(), line);
    assert!(
        run.stderr.contains(&format!("in .: cargo {line}\n")),
        "{run}"
    );
    assert_eq!(zips(&sandbox).len(), 2);
}

#[test]
fn a_program_that_needs_a_newer_glibc_than_lambda_has_is_refused() {
    let sandbox = project("arm64");
    // As if it was linked on a system of the future.
    let newer =
        "LC_ALL=C sed -i 's/GLIBC_2[.][0-9][0-9]/GLIBC_2.99/' target/lambda/world/bootstrap";
    let path = with_cargo_lambda(&sandbox, &format!("{CARGO_LAMBDA}\n{newer}"));
    let run = build_with(&sandbox, "--quiet", variables(&path));
    insta::assert_snapshot!(run, @"
    exit 1
    --- stderr
    error: Lambda has GLIBC 2.34, but target/lambda/world/bootstrap needs GLIBC_2.99
    help: let cargo-lambda link with Zig, its default, which has an older GLIBC: unset CARGO_LAMBDA_COMPILER
    ");
    assert!(ZIPS.iter().all(|zip| !sandbox.path().join(zip).exists()));
}

#[test]
fn a_cargo_lambda_that_fails_or_builds_nothing_is_an_error() {
    let sandbox = project("arm64");
    for script in ["exit 1", "exit 0"] {
        let path = with_cargo_lambda(&sandbox, script);
        let run = build_with(&sandbox, "--quiet", variables(&path));
        match script {
            "exit 1" => insta::assert_snapshot!(run, @"
            exit 1
            --- stderr
            error: cargo-lambda could not build hello, world for arm64
            help: see the errors above
            "),
            _ => insta::assert_snapshot!(run, @"
            exit 1
            --- stderr
            error: cargo-lambda succeeded without building hello
            help: run `stackgen build --verbose`, and try the command that it prints
            "),
        }
    }
}
