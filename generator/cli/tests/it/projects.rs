//! Projects of `stackgen init` build, pass their tests and render.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::common::{Sandbox, building, root, target};
use crate::crates::unpacked;

/// Creates a project, always in the same folder, so that builds replace earlier ones.
fn project(starter: &str) -> PathBuf {
    project_with(starter, starter, "")
}

/// Creates a project in a folder of this name, with options of `init`.
fn project_with(starter: &str, name: &str, options: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("starters")
        .join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let line = format!("init {starter} --out {} {options}", folder.display());
    let run = Sandbox::new().run(&line);
    assert_eq!(run.code, Some(0), "{run}");
    folder
}

/// Profile that differs from the repository's for workspace members only. Without it, a project's crates would replace the
/// repository's in the target folder, and cargo would test them instead.
const OTHER_PROFILE: (&str, &str) = ("CARGO_PROFILE_DEV_DEBUG", "false");

/// Runs cargo with the repository's target folder, so that a project's dependencies are compiled already.
///
/// The project's crates must differ from the repository's, because cargo names artifacts after the member's path in its
/// workspace, which is the same. See [`OTHER_PROFILE`].
fn cargo(folder: &Path, arguments: &[&str]) -> Output {
    let _building = building();
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .args(["--offline"])
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", target())
        .env(OTHER_PROFILE.0, OTHER_PROFILE.1)
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "cargo {arguments:?}\n{out}\n{err}");
    output
}

/// Returns the names of a project's binaries.
fn binaries(folder: &Path) -> BTreeSet<String> {
    let output = cargo(
        folder,
        &["metadata", "--locked", "--no-deps", "--format-version=1"],
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap().iter();
    let targets = packages.flat_map(|package| package["targets"].as_array().unwrap());
    let binaries = targets.filter(|target| target["kind"] == serde_json::json!(["bin"]));
    binaries
        .map(|target| target["name"].as_str().unwrap().to_owned())
        .collect()
}

/// Returns the binaries that a project's SAM templates name.
fn asked_for(folder: &Path) -> BTreeSet<String> {
    let run = Sandbox::new().run(&format!(
        "synth --file {0}/stackgen.yaml --out {0}/out --format sam",
        folder.display()
    ));
    assert_eq!(run.code, Some(0), "{run}");
    assert!(!run.stderr.contains("warning"), "{run}");
    let environments = fs::read_dir(folder.join("out")).unwrap();
    let templates = environments.map(|environment| {
        fs::read_to_string(environment.unwrap().path().join("sam.yaml")).unwrap()
    });
    let names = |template: String| -> Vec<String> {
        let lines = template
            .lines()
            .filter_map(|line| line.trim().strip_prefix("Binary: "));
        lines.map(str::to_owned).collect()
    };
    templates.flat_map(names).collect()
}

/// Checks that a starter's project renders, has the binaries that it names, builds and passes its tests with its lock file.
fn check_starter(starter: &str, commands: &[&str]) {
    let folder = project(starter);
    assert_eq!(asked_for(&folder), binaries(&folder), "{starter}");
    for line in commands {
        cargo(&folder, &line.split_whitespace().collect::<Vec<_>>());
    }
}

#[test]
fn echo_builds_and_passes_its_tests() {
    check_starter("echo", &["test --locked --quiet"]);
}

#[test]
fn chat_builds_and_passes_its_tests() {
    check_starter("chat", &["test --locked --quiet"]);
}

#[test]
fn live_session_builds_and_passes_its_tests() {
    let core = "test --locked --quiet --package live-session-core";
    // Tests of functions are only built here; the repository runs them, because they are slow.
    let functions = "test --locked --quiet --package live-session --no-run";
    check_starter("live-session", &[core, functions]);
}

#[test]
fn a_project_of_the_registry_builds_and_passes_its_tests_with_the_packaged_library() {
    let folder = project_with("echo", "echo-registry", "--registry");
    let library = folder.join("packaged");
    fs::create_dir(&library).unwrap();
    // In place of the registry, which has these crates once they are published.
    let patches = ["stackgen-websocket", "stackgen-websocket-testing"].map(|name| {
        let unpacked = unpacked(name, &library);
        format!(
            "patch.crates-io.{name}.path={:?}",
            unpacked.to_str().unwrap()
        )
    });
    let [library, testing] = patches.each_ref().map(String::as_str);
    cargo(
        &folder,
        &["test", "--quiet", "--config", library, "--config", testing],
    );
    // Cargo has added the library to the lock file, and all other versions are those of the starter.
    let lock = fs::read_to_string(folder.join("Cargo.lock")).unwrap();
    let vendored = fs::read_to_string(root().join("templates/echo/Cargo.lock")).unwrap();
    assert_eq!(versions(&lock), versions(&vendored));
}

/// Returns names and versions of the packages of a lock file.
fn versions(lock: &str) -> BTreeSet<(String, String)> {
    let packages = lock.split("[[package]]\n").skip(1);
    let field = |package: &str, name: &str| {
        let mut lines = package.lines();
        let line = lines.find(|line| line.starts_with(name));
        line.unwrap_or_default().to_owned()
    };
    packages
        .map(|package| (field(package, "name"), field(package, "version")))
        .collect()
}

#[test]
fn vendored_sources_are_those_in_git_without_tests() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.run("init echo").code, Some(0));
    for (name, folder) in [
        ("stackgen-websocket", "handlers/websocket"),
        ("stackgen-websocket-testing", "handlers/websocket-testing"),
    ] {
        let prefix = format!("vendor/{name}/src/");
        let files = sandbox.files().into_iter();
        let vendored: BTreeSet<_> = files
            .filter_map(|file| file.strip_prefix(&prefix).map(str::to_owned))
            .collect();
        let sources = format!("{folder}/src/");
        let in_git = in_git(&[&sources]).into_iter();
        let in_git: BTreeSet<_> = in_git
            .map(|file| file.strip_prefix(&sources).unwrap().to_owned())
            .filter(|file| !file.ends_with("tests.rs") && !file.contains("tests/"))
            .collect();
        assert_eq!(vendored, in_git);
        for file in vendored {
            let original = fs::read_to_string(root().join(&sources).join(&file)).unwrap();
            let copy = sandbox.read(&format!("{prefix}{file}"));
            assert!(original.starts_with(&copy), "{file}");
        }
    }
}

/// Returns what cargo reads from the manifest of a crate: package, features and dependencies. Without those of tests, and
/// without paths.
fn manifest(folder: &Path) -> Value {
    let manifest = folder.join("Cargo.toml");
    let path = manifest.to_str().unwrap();
    let output = cargo(
        folder,
        &[
            "metadata",
            "--no-deps",
            "--format-version=1",
            "--manifest-path",
            path,
        ],
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages
        .iter()
        .find(|package| package["manifest_path"] == path);
    let package = package.unwrap();
    let mut dependencies = package["dependencies"].as_array().unwrap().clone();
    dependencies.retain(|dependency| dependency["kind"].is_null());
    for dependency in &mut dependencies {
        if !dependency["path"].is_null() {
            dependency["path"] = "a folder".into();
            dependency["req"] = Value::Null;
        }
    }
    let fields = [
        "name",
        "version",
        "edition",
        "license",
        "description",
        "repository",
        "features",
    ];
    let fields = fields.map(|field| package[field].clone());
    serde_json::json!([fields, dependencies])
}

#[test]
fn the_manifests_of_vendored_crates_say_the_same_without_a_workspace() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.run("init echo").code, Some(0));
    for (name, folder) in [
        ("stackgen-websocket", "handlers/websocket"),
        ("stackgen-websocket-testing", "handlers/websocket-testing"),
    ] {
        let vendored = sandbox.path().join("vendor").join(name);
        assert_eq!(
            manifest(&vendored),
            manifest(&root().join(folder)),
            "{name}"
        );
    }
}

/// Returns the files that git tracks or would track.
fn in_git(paths: &[&str]) -> BTreeSet<String> {
    let output = Command::new("git")
        .args([
            "ls-files",
            "--cached",
            "--others",
            "--exclude-standard",
            "--",
        ])
        .args(paths)
        .current_dir(root())
        .output()
        .unwrap();
    let files = String::from_utf8(output.stdout).unwrap();
    // Git still lists files that are deleted and not committed.
    let files = files.lines().filter(|file| root().join(file).exists());
    files.map(str::to_owned).collect()
}

/// Returns every file of a starter's crates and of its web page, by its path in the repository.
fn embedded(starter: &str) -> BTreeSet<String> {
    let own = root().join("templates").join(starter).join("handlers");
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.run(&format!("init {starter}")).code, Some(0));
    let files = sandbox.files().into_iter();
    let in_folders = files.filter_map(|file| {
        if file.starts_with("web/") {
            return Some(format!("templates/{starter}/{file}"));
        }
        let folder = file.strip_prefix("handlers/")?.split('/').next()?;
        match own.join(folder).exists() {
            true => Some(format!("templates/{starter}/{file}")),
            false => Some(file),
        }
    });
    in_folders.collect()
}

#[test]
fn embedded_sources_are_those_in_git() {
    for (starter, folders) in [
        ("echo", &["templates/echo/handlers"][..]),
        ("chat", &["templates/chat/handlers"]),
        (
            "live-session",
            &[
                "handlers/core",
                "handlers/functions",
                "templates/live-session/web",
            ],
        ),
    ] {
        let (embedded, in_git) = (embedded(starter), in_git(folders));
        let extra: Vec<_> = embedded.difference(&in_git).collect();
        let is_source = |file: &&String| {
            let ends = [".rs", ".toml", ".js", ".json", ".html", ".css", ".svg"];
            ends.iter().any(|end| file.ends_with(end))
        };
        let missing: Vec<_> = in_git.difference(&embedded).filter(is_source).collect();
        assert!(
            extra.is_empty() && missing.is_empty(),
            "{starter}: {extra:?} {missing:?}"
        );
    }
}

/// Returns the lock file that cargo derives from the repository's: the same versions, and only packages that the project
/// needs.
fn lock(starter: &str) -> String {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.run(&format!("init {starter}")).code, Some(0));
    fs::copy(root().join("Cargo.lock"), sandbox.path().join("Cargo.lock")).unwrap();
    cargo(sandbox.path(), &["update", "--workspace"]);
    sandbox.read("Cargo.lock")
}

#[test]
fn every_starter_locks_the_repositorys_versions() {
    let update = std::env::var_os("STACKGEN_UPDATE_LOCKS").is_some();
    let mut stale = Vec::new();
    for starter in ["echo", "chat", "live-session"] {
        let path = root().join("templates").join(starter).join("Cargo.lock");
        let lock = lock(starter);
        if fs::read_to_string(&path).is_ok_and(|old| old == lock) {
            continue;
        }
        stale.push(starter);
        if update {
            fs::write(&path, lock).unwrap();
        }
    }
    assert!(
        update || stale.is_empty(),
        "the locks of {stale:?} are stale: run `make locks`"
    );
}
