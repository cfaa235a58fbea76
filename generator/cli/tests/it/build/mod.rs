//! `stackgen build` compiles functions and writes their zip files.

mod cargo_lambda;
mod errors;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use sha2::{Digest, Sha256};

use crate::common::{Run, Sandbox, stackgen, toolchain};
use crate::ending::{runs, until};
use crate::running::interrupt;

const SPEC: &str = "\
name: greetings
functionDefaults: { architecture: ARCHITECTURE }
functions:
  hello: { binary: hello }
  hello-again: { binary: hello }
  world: { binary: world }
websocket:
  name: greetings-api
  stage: { name: prod }
  routes:
    $default: hello
    again: hello-again
    world: world
environments:
  dev: {}
  prod: {}
";

/// Manifest without dependencies, so that the build is fast.
const MANIFEST: &str = "\
[package]
name = \"greetings\"
version = \"0.1.0\"
edition = \"2021\"

[workspace]
";

const ZIPS: [&str; 2] = [
    "target/lambda/hello/bootstrap.zip",
    "target/lambda/world/bootstrap.zip",
];

/// Lambda's name of this machine's architecture.
pub(crate) fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "aarch64" => "arm64",
        other => other,
    }
}

/// Creates a project with two programs, for an architecture.
pub(crate) fn project(architecture: &str) -> Sandbox {
    let sandbox = Sandbox::with(&SPEC.replace("ARCHITECTURE", architecture));
    sandbox.write("Cargo.toml", MANIFEST);
    for name in ["hello", "world"] {
        let source = format!("fn main() {{ println!(\"{name}\"); }}\n");
        sandbox.write(&format!("src/bin/{name}.rs"), source);
    }
    sandbox
}

/// Returns the search path of programs, without cargo-lambda.
pub(crate) fn path() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path);
    folders
        .filter(|folder| !folder.join("cargo-lambda").exists())
        .collect()
}

/// Returns variables with which cargo builds, found on a path.
pub(crate) fn variables(path: &[PathBuf]) -> Vec<(&'static str, OsString)> {
    let variables = toolchain().into_iter();
    let mut variables: Vec<_> = variables
        .map(|(name, value)| (name, value.into_os_string()))
        .collect();
    let rustc = Path::new(env!("CARGO")).with_file_name("rustc");
    variables.push(("RUSTC", rustc.into_os_string()));
    variables.push(("PATH", std::env::join_paths(path).unwrap()));
    variables
}

fn build_with(sandbox: &Sandbox, line: &str, variables: Vec<(&'static str, OsString)>) -> Run {
    let mut command = sandbox.command();
    command.envs(variables).arg("build");
    command.args(line.split_whitespace());
    Run::of(command.output().unwrap())
}

/// Runs `stackgen build` on a machine without cargo-lambda.
fn build(sandbox: &Sandbox, line: &str) -> Run {
    build_with(sandbox, line, variables(&path()))
}

fn zips(sandbox: &Sandbox) -> Vec<Vec<u8>> {
    let zips = ZIPS.iter().map(|zip| fs::read(sandbox.path().join(zip)));
    zips.map(Result::unwrap).collect()
}

#[test]
fn two_builds_give_the_same_zip_files_and_the_second_one_writes_none() {
    let sandbox = project(architecture());
    let first = build(&sandbox, "--dev --quiet");
    assert_eq!(first.code, Some(0), "{first}");
    assert_eq!(first.stdout, "", "{first}");
    let built = zips(&sandbox);
    let written = |zip: &str| fs::metadata(sandbox.path().join(zip)).unwrap().modified();
    let times = ZIPS.map(|zip| written(zip).unwrap());

    // Another build of the same sources.
    let target = format!("target/{}-unknown-linux-gnu", std::env::consts::ARCH);
    fs::remove_dir_all(sandbox.path().join(target)).unwrap();
    let second = build(&sandbox, "--dev --json");
    assert_eq!(second.code, Some(0), "{second}");
    assert_eq!(zips(&sandbox), built);
    assert_eq!(ZIPS.map(|zip| written(zip).unwrap()), times);
    let artifacts = second.json();
    let artifacts = artifacts.as_array().unwrap();
    let functions: Vec<_> = artifacts.iter().map(|one| &one["function"]).collect();
    assert_eq!(functions, ["hello", "hello-again", "world"]);
    for artifact in artifacts {
        assert_eq!(artifact["status"], "unchanged");
        assert_eq!(artifact["architecture"], architecture());
        let path = artifact["path"].as_str().unwrap();
        let binary = artifact["binary"].as_str().unwrap();
        assert_eq!(path, format!("target/lambda/{binary}/bootstrap.zip"));
        let bytes = fs::read(sandbox.path().join(path)).unwrap();
        assert_eq!(artifact["bytes"], bytes.len());
        assert_eq!(artifact["sha256"], hex::encode(Sha256::digest(&bytes)));
    }

    // `synth` finds the files where its templates refer to them.
    let synth = sandbox.run("synth --env prod");
    assert!(!synth.stderr.contains("not built"), "{synth}");
    assert!(!synth.stderr.contains("no function is built"), "{synth}");
}

#[test]
fn a_build_lists_its_functions_and_writes_only_what_changed() {
    let sandbox = project(architecture());
    assert_eq!(build(&sandbox, "--dev --quiet").code, Some(0));
    sandbox.write("src/bin/world.rs", "fn main() { println!(\"all\"); }\n");
    let run = build(&sandbox, "--dev --env dev");
    assert_eq!(run.code, Some(0), "{run}");
    let stdout = Run {
        stderr: String::new(),
        ..run
    };
    let filters = [
        (r" +[0-9.]+ [KM]iB", "  [size]"),
        (r"sha256 [0-9a-f]{12}", "sha256 [hash]"),
        (architecture(), "[architecture]"),
    ];
    insta::with_settings!({ filters => filters }, {
        insta::assert_snapshot!(stdout, @"
    exit 0
    --- stdout
    unchanged hello        [architecture]  [size]  sha256 [hash]  target/lambda/hello/bootstrap.zip
    unchanged hello-again  [architecture]  [size]  sha256 [hash]  target/lambda/hello/bootstrap.zip
    wrote     world        [architecture]  [size]  sha256 [hash]  target/lambda/world/bootstrap.zip
    ");
    });
}

#[test]
fn environments_with_different_architectures_are_built_one_at_a_time() {
    let sandbox = project(architecture());
    let other = match architecture() {
        "arm64" => "x86_64",
        _ => "arm64",
    };
    let spec = sandbox.read("stackgen.yaml");
    let differs = format!("dev:\n    functionDefaults: {{ architecture: {other} }}\n");
    sandbox.write("stackgen.yaml", spec.replace("dev: {}\n", &differs));
    let run = build(&sandbox, "--dev --quiet --env prod");
    assert_eq!(run.code, Some(0), "{run}");
    assert_eq!(zips(&sandbox).len(), 2);
}

#[test]
fn zip_files_of_the_project_are_listed_without_cargo_and_must_exist() {
    let zip = "zip: code/world.zip, runtime: nodejs22.x, handler: index.handler";
    let spec = SPEC.replace("ARCHITECTURE", "arm64");
    let spec = spec.replace("binary: world", zip);
    let spec = spec.replace("binary: hello", &zip.replace("world", "hello"));
    let sandbox = Sandbox::with(&spec);
    sandbox.write("code/hello.zip", "hello");
    let nothing = || vec![("PATH", OsString::from("/nowhere"))];
    let run = build_with(&sandbox, "", nothing());
    insta::assert_snapshot!(run, @"
    exit 2
    --- stderr
    error: function `world` has no code: there is no code/world.zip
     --> stackgen.yaml:6:17
      |
    6 |   world: { zip: code/world.zip, runtime: nodejs22.x, handler: index.handler }
      |                 ^^^^^^^^^^^^^^
      |
      = help: make the zip file first: stackgen builds only functions with a `binary`

    1 error in stackgen.yaml
    ");
    sandbox.write("code/world.zip", "world");
    let run = build_with(&sandbox, "", nothing());
    insta::assert_snapshot!(run, @"
    exit 0
    --- stdout
    existing  hello        arm64        5 B  sha256 2cf24dba5fb0  code/hello.zip
    existing  hello-again  arm64        5 B  sha256 2cf24dba5fb0  code/hello.zip
    existing  world        arm64        5 B  sha256 486ea46224d1  code/world.zip
    ");
}

#[test]
fn ctrl_c_ends_the_compilers_and_writes_nothing() {
    /// Build script that reports its process and never ends.
    const SCRIPT: &str = r#"

fn main() {
    std::fs::write("started.new", std::process::id().to_string()).unwrap();
    std::fs::rename("started.new", "started").unwrap();
    std::thread::sleep(std::time::Duration::from_secs(3600));
}
"#;
    let sandbox = project(architecture());
    sandbox.write("build.rs", SCRIPT);
    let child = stackgen()
        .args(["build", "--dev", "--quiet"])
        .current_dir(sandbox.path())
        .env_clear()
        .envs(variables(&path()))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let started = sandbox.path().join("started");
    until("the build script has not started", || started.exists());
    interrupt(&child);
    let run = Run::of(child.wait_with_output().unwrap());
    insta::assert_snapshot!(run, @"
    exit 1
    --- stderr
    error: interrupted
    help: run it again; no zip file was written
    ");
    let script = sandbox.read("started").parse().unwrap();
    until("the build script still runs", || !runs(script));
    assert!(!sandbox.path().join("target/lambda").exists());
}
