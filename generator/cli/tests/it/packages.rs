//! The packages that `tools/dist/build` makes, installed from their files on a machine without Rust.

mod user;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use insta::assert_snapshot;
use stackgen_test_tools::{installed, on_path};

use crate::common::{Run, Sandbox, root};
use crate::running::{PATIENCE, interrupt};
use user::User;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Returns the folder with all packages of the tested binary, which are made once; `None` skips the test.
fn packages() -> Option<&'static Path> {
    static PACKAGES: OnceLock<PathBuf> = OnceLock::new();
    let python = installed("dist/bin/python")?;
    for program in ["npm", "dpkg-deb"] {
        on_path(program)?;
    }
    Some(PACKAGES.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("dist");
        fs::remove_dir_all(&folder).ok();
        let run = build(&python, env!("CARGO_BIN_EXE_stackgen").as_ref(), &folder);
        assert_eq!(run.code, Some(0), "{run}");
        folder
    }))
}

/// Runs the script that makes packages of a binary.
fn build(python: &Path, binary: &Path, out: &Path) -> Run {
    let mut command = Command::new(python);
    command.arg(root().join("tools/dist/build"));
    command.arg("--binary").arg(binary).arg("--out").arg(out);
    Run::of(command.output().unwrap())
}

/// Returns the file of a package, by the end of its name.
fn package(folder: &Path, end: &str) -> PathBuf {
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut found = files.filter(|file| file.to_str().unwrap().ends_with(end));
    found.next().unwrap_or_else(|| panic!("no {end}"))
}

/// Starts a command with the environment of a new user.
fn new_user(program: &Path, home: &Path) -> Command {
    User::Same.command(program, home)
}

fn assert_done(command: &mut Command) -> String {
    let run = Run::of(command.output().unwrap());
    assert_eq!(run.code, Some(0), "{command:?}: {run}");
    run.stdout
}

/// Projects of other tools: what `stackgen` is given, and the file with the finding. Each declares an authorizer that `$connect`
/// does not name, and answers a message in capitals.
const PROJECTS: [(&str, &str, &str); 3] = [
    ("cdk", "cdk.out", "rooms.template.json"),
    ("sam", "template.yaml", "template.yaml"),
    (
        "serverless",
        ".serverless",
        "cloudformation-template-update-stack.json",
    ),
];

/// Lints and runs what CDK, SAM and the Serverless Framework write.
fn five_minutes(user: &User, stackgen: &Path) {
    let projects = projects();
    user.give(projects.path());
    let in_folder = |folder: &Path, arguments: &[&str]| {
        let mut command = user.command(stackgen, folder);
        Run::of(command.args(arguments).output().unwrap())
    };
    let version = in_folder(projects.path(), &["--version"]);
    assert_eq!(version.stdout, format!("stackgen {VERSION}\n"));
    for (tool, input, finding) in PROJECTS {
        let folder = projects.path().join(tool);
        let run = |arguments: &[&str]| in_folder(&folder, arguments);
        let lint = run(&["lint", input]);
        assert_eq!(lint.code, Some(3), "{lint}");
        assert!(lint.stdout.contains("error[SG102]"), "{lint}");
        assert!(lint.stdout.contains(finding), "{lint}");
        let _dev = Started::dev(user, stackgen, &folder, input);
        let probe = run(&["probe", "--local", "--send", "hello", "--expect", "HELLO"]);
        assert_eq!(probe.code, Some(0), "{probe}");
    }
}

/// Writes the projects, as the tools wrote them: `packages/README.md` says how.
fn projects() -> Sandbox {
    let projects = Sandbox::new();
    let files = root().join("generator/cli/tests/it/packages");
    for (file, of) in [
        ("cdk/cdk.out/manifest.json", "cdk/manifest.json"),
        ("cdk/cdk.out/rooms.assets.json", "cdk/rooms.assets.json"),
        ("cdk/cdk.out/rooms.template.json", "cdk/rooms.template.json"),
        ("sam/template.yaml", "sam/template.yaml"),
        ("serverless/.serverless/rooms.zip", "serverless/rooms.zip"),
        (
            "serverless/.serverless/cloudformation-template-update-stack.json",
            "serverless/cloudformation-template-update-stack.json",
        ),
    ] {
        projects.write(file, fs::read(files.join(of)).unwrap());
    }
    projects
}

/// A running `stackgen dev`.
struct Started(Child);

impl Started {
    fn dev(user: &User, stackgen: &Path, folder: &Path, input: &str) -> Self {
        let mut command = user.command(stackgen, folder);
        command.args(["dev", input, "--port", "0", "--no-watch"]);
        let child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let started = Started(child);
        let until = Instant::now() + PATIENCE;
        while !folder.join(".stackgen/gateway.json").exists() {
            assert!(Instant::now() < until, "dev does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        started
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        interrupt(&self.0);
        self.0.wait().ok();
    }
}

#[test]
fn a_wheel_is_installed_with_pip_and_needs_no_rust() {
    let Some(folder) = packages() else { return };
    let home = Sandbox::new();
    let python = on_path("python3").unwrap();
    assert_done(new_user(&python, home.path()).args(["-m", "venv", "venv"]));
    let venv = home.path().join("venv/bin");
    let wheel = package(folder, ".whl");
    assert_done(
        new_user(&venv.join("pip"), home.path())
            .args(["install", "--no-index", "--quiet"])
            .arg(&wheel),
    );
    five_minutes(&User::Same, &venv.join("stackgen"));
    let shown =
        assert_done(new_user(&venv.join("pip"), home.path()).args(["show", "--files", "stackgen"]));
    assert!(shown.contains("../../../bin/stackgen"), "{shown}");
    assert_done(new_user(&venv.join("pip"), home.path()).args(["uninstall", "--yes", "stackgen"]));
    assert!(!venv.join("stackgen").exists());
}

#[test]
fn a_wheel_serves_another_user_who_has_no_rust() {
    let Some(folder) = packages() else { return };
    let Some(user) = User::separate() else { return };
    let home = user.home();
    let run = |program: &Path, arguments: &[&str]| {
        assert_done(user.command(program, home.path()).args(arguments));
    };
    let cargo = user
        .command(Path::new("cargo"), home.path())
        .arg("--version")
        .output();
    assert!(!cargo.is_ok_and(|output| output.status.success()));
    let wheel = user.copy(&package(folder, ".whl"), &home);
    // Python of the system: that of the tests may be in another user's home.
    run(Path::new("python3"), &["-m", "venv", "venv"]);
    let venv = home.path().join("venv/bin");
    let install = ["install", "--no-index", "--quiet", wheel.to_str().unwrap()];
    run(&venv.join("pip"), &install);
    five_minutes(&user, &venv.join("stackgen"));
}

#[test]
fn the_action_and_the_hook_install_the_wheel_of_their_version() {
    let Some(folder) = packages() else { return };
    let home = Sandbox::new();
    let mut install = new_user(&root().join("tools/install"), home.path());
    // No registry has the package of a commit.
    install
        .env("PIP_NO_INDEX", "1")
        .env("PIP_FIND_LINKS", folder);
    assert_done(install.arg("installed"));
    let stackgen = home.path().join("installed/bin/stackgen");
    let version = assert_done(new_user(&stackgen, home.path()).arg("--version"));
    assert_eq!(version, format!("stackgen {VERSION}\n"));
}

#[test]
fn npm_packages_are_installed_without_a_registry_and_run_no_script() {
    let Some(folder) = packages() else { return };
    let home = Sandbox::new();
    let binary = package(
        folder,
        &format!("stackgen-linux-{}-{VERSION}.tgz", npm_arch()),
    );
    let command = package(folder, &format!("/stackgen-{VERSION}.tgz"));
    let stackgen = npm_install(&home, "--ignore-scripts", &[binary, command]);
    five_minutes(&User::Same, &stackgen);
}

#[test]
fn the_npm_command_names_a_platform_without_a_package() {
    let Some(folder) = packages() else { return };
    let home = Sandbox::new();
    let command = package(folder, &format!("/stackgen-{VERSION}.tgz"));
    let stackgen = npm_install(&home, "--omit=optional", &[command]);
    let run = Run::of(
        new_user(&stackgen, home.path())
            .arg("--version")
            .output()
            .unwrap(),
    );
    assert_eq!(run.code, Some(1), "{run}");
    let said = run.stderr.replace(npm_arch(), "ARCH");
    assert_snapshot!(said, @r"
    error: there is no package @stackgen/linux-ARCH
      = help: install it without --omit=optional, or build it from source with cargo
    ");
}

/// Installs packages without a registry, and returns the command.
fn npm_install(home: &Sandbox, flag: &str, packages: &[PathBuf]) -> PathBuf {
    let npm = on_path("npm").unwrap();
    assert_done(
        new_user(&npm, home.path())
            .args([
                "install",
                "--offline",
                "--no-audit",
                "--no-fund",
                "--silent",
                flag,
            ])
            .args(packages),
    );
    home.path().join("node_modules/.bin/stackgen")
}

/// Returns npm's name of this machine's architecture.
fn npm_arch() -> &'static str {
    match std::env::consts::ARCH {
        "aarch64" => "arm64",
        _ => "x64",
    }
}

#[test]
fn the_debian_package_holds_the_binary_its_manual_and_completions() {
    let Some(folder) = packages() else { return };
    let home = Sandbox::new();
    let package = package(folder, ".deb");
    assert_done(
        Command::new("dpkg-deb")
            .arg("--extract")
            .arg(&package)
            .arg(home.path()),
    );
    let version = new_user(&home.path().join("usr/bin/stackgen"), home.path())
        .arg("--version")
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&version.stdout),
        format!("stackgen {VERSION}\n")
    );
    for file in [
        "usr/share/man/man1/stackgen-lint.1",
        "usr/share/bash-completion/completions/stackgen",
        "usr/share/doc/stackgen/copyright",
    ] {
        assert!(home.path().join(file).is_file(), "{file}");
    }
    let fields = assert_done(
        Command::new("dpkg-deb")
            .arg("--field")
            .arg(&package)
            .args(["Package", "Version", "Depends"]),
    );
    assert!(fields.contains("Depends: libc6 (>= 2."), "{fields}");
}

#[test]
fn the_archive_runs_and_the_checksums_are_those_of_the_files() {
    let Some(folder) = packages() else { return };
    let home = Sandbox::new();
    assert_done(
        Command::new("tar")
            .arg("--extract")
            .arg("--file")
            .arg(package(folder, ".tar.gz"))
            .args(["--strip-components=1", "--directory"])
            .arg(home.path()),
    );
    let version = new_user(&home.path().join("stackgen"), home.path())
        .arg("--version")
        .output()
        .unwrap();
    assert!(version.status.success());
    assert!(home.path().join("man/stackgen-dev.1").is_file());
    assert_done(
        Command::new("sha256sum")
            .args(["--check", "--strict", "SHA256SUMS"])
            .current_dir(folder),
    );
    let listed = fs::read_to_string(folder.join("SHA256SUMS")).unwrap();
    assert_eq!(listed.lines().count(), 7, "{listed}");
}

#[test]
fn the_bill_of_materials_names_what_is_linked_and_nothing_of_tests() {
    let Some(folder) = packages() else { return };
    let text = fs::read_to_string(package(folder, ".cdx.json")).unwrap();
    let bill: serde_json::Value = serde_json::from_str(&text).unwrap();
    let components = bill["components"].as_array().unwrap();
    let has = |name: &str| components.iter().any(|it| it["name"] == name);
    for linked in ["clap", "rustls", "aws-sdk-cloudformation", "stackgen-lint"] {
        assert!(has(linked), "{linked} is missing");
    }
    for tests in ["insta", "proptest", "stackgen-test-tools"] {
        assert!(!has(tests), "{tests} is not linked");
    }
}

#[test]
fn what_is_no_binary_of_stackgen_is_refused() {
    let Some(python) = installed("dist/bin/python") else {
        return;
    };
    let sandbox = Sandbox::new();
    sandbox.write("script", "#!/bin/sh\n");
    let refused = |binary: &str| {
        let run = build(
            &python,
            &sandbox.path().join(binary),
            &sandbox.path().join("dist"),
        );
        assert_eq!(run.code, Some(1), "{run}");
        run.stderr
            .replace(sandbox.path().to_str().unwrap(), "[folder]")
    };
    assert_snapshot!(refused("missing"), @"[folder]/missing is no file: build it first, with `cargo build --release --package stackgen`");
    assert_snapshot!(refused("script"), @"[folder]/script is no binary for Linux or macOS");
    let said = refused("/bin/true");
    assert!(
        said.starts_with("/bin/true is not stackgen: `--version` printed"),
        "{said}"
    );
}
