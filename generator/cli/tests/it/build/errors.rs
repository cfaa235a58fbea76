//! Builds that fail.

use std::fs;

use super::{architecture, build, build_with, project};

#[test]
fn a_program_that_does_not_compile_is_an_error_and_no_zip_is_written() {
    let sandbox = project(architecture());
    sandbox.write("src/bin/world.rs", "fn main() { this is no Rust }\n");
    let run = build(&sandbox, "--dev");
    assert_eq!(run.code, Some(1), "{run}");
    let (compiler, ours) = run.stderr.rsplit_once("error: cargo could").unwrap();
    assert!(compiler.contains("src/bin/world.rs"), "{run}");
    let ours = ours.replace(architecture(), "[architecture]");
    insta::assert_snapshot!(ours, @"
     not build hello, world for [architecture]
    help: see the errors above
    ");
    assert!(!sandbox.path().join("target/lambda").exists());
}

#[test]
fn binaries_that_no_package_has_are_located_in_the_project_file() {
    let sandbox = project(architecture());
    let spec = sandbox.read("stackgen.yaml");
    let spec = spec.replace("world: { binary: world }", "world: { binary: wordl }");
    sandbox.write("stackgen.yaml", spec);
    let run = build(&sandbox, "--dev");
    insta::assert_snapshot!(run, @"
    exit 2
    --- stderr
    error: the Cargo workspace has no binary `wordl`
     --> stackgen.yaml:6:20
      |
    6 |   world: { binary: wordl }
      |                    ^^^^^
      |
      = help: it has: world, hello

    1 error in stackgen.yaml
    ");
}

#[test]
fn a_project_outside_of_a_cargo_workspace_is_refused() {
    let sandbox = project(architecture());
    fs::remove_file(sandbox.path().join("Cargo.toml")).unwrap();
    let run = build(&sandbox, "");
    let folder = sandbox.path().display().to_string();
    insta::assert_snapshot!(run.to_string().replace(&folder, "[folder]"), @"
    exit 2
    --- stderr
    error: cargo cannot read the workspace: could not find `Cargo.toml` in `[folder]` or any parent directory
    help: put stackgen.yaml into the Cargo workspace of its functions, beside its Cargo.toml
    ");
}

#[test]
fn a_missing_cargo_is_an_error_that_names_the_way_to_install_it() {
    let sandbox = project(architecture());
    let nothing = sandbox.path().join("nothing");
    let run = build_with(&sandbox, "--dev", vec![("PATH", nothing.into_os_string())]);
    insta::assert_snapshot!(run, @"
    exit 1
    --- stderr
    error: cannot run cargo: no such file or directory
    help: install Rust from https://rustup.rs
    ");
}

#[test]
fn a_zip_file_that_cannot_be_written_is_an_error() {
    let sandbox = project(architecture());
    sandbox.write("target/lambda", "no folder");
    let run = build(&sandbox, "--dev --quiet");
    insta::assert_snapshot!(run, @"
    exit 2
    --- stderr
    error: cannot write target/lambda/hello/bootstrap.zip: target/lambda is a file, not a folder
    help: check that `target/lambda` beside stackgen.yaml is a folder that you may write to
    ");
}

#[test]
fn one_binary_for_two_architectures_is_refused() {
    let sandbox = project("x86_64");
    let spec = sandbox.read("stackgen.yaml");
    let differs = "dev:\n    functions:\n      world: { architecture: arm64 }\n";
    sandbox.write("stackgen.yaml", spec.replace("dev: {}\n", differs));
    let run = build(&sandbox, "--dev");
    insta::assert_snapshot!(run, @"
    exit 2
    --- stderr
    error: the binary `world` cannot be built for x86_64 and for arm64: both would be target/lambda/world/bootstrap.zip
      --> stackgen.yaml:2:35
       |
     2 | functionDefaults: { architecture: x86_64 }
       |                                   ^^^^^^
    ...
    17 |       world: { architecture: arm64 }
       |                              ----- arm64 is here
       |
       = help: use one architecture, or build environments separately with `--env`

    1 error in stackgen.yaml
    ");
}
