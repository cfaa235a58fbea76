//! Code that needs Unix stays in few modules, so that somebody can port the others. There is no build for Windows yet.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::common::root;

/// Modules that use what only Unix has, without `#[cfg(unix)]`. Everything below the local Lambda and `dev` starts, watches and
/// ends processes; on Windows, these commands run in WSL. For the rest, a port needs a replacement.
const UNIX_ONLY: &[&str] = &[
    // Devices and pipes are recognised, and opened without waiting.
    "generator/cli/src/bounded.rs",
    // A browser outlives the terminal.
    "generator/cli/src/browser.rs",
    // Permission to execute.
    "generator/cli/src/build/compiler.rs",
    // cargo and its children end together.
    "generator/cli/src/cargo/command.rs",
    "generator/cli/src/commands/dev/noise.rs",
    "generator/cli/src/commands/dev/stop.rs",
    // The limit of open files.
    "generator/cli/src/commands/load/files.rs",
    // A function replaces the helper that mounts its layers.
    "generator/cli/src/layer_mount.rs",
    "generator/cli/src/signals.rs",
    "generator/gateway-lambda/src/functions/code/mod.rs",
    "generator/gateway-lambda/src/functions/code/unzip.rs",
    "generator/gateway-lambda/src/functions/environment/launch.rs",
    "generator/gateway-lambda/src/functions/environment/life.rs",
    "generator/gateway-lambda/src/functions/environment/output.rs",
    "generator/gateway-lambda/src/functions/environment/report.rs",
    // Mounts, of Linux only.
    "generator/gateway-lambda/src/functions/layer_mount.rs",
    "generator/gateway-lambda/src/functions/processes.rs",
    "generator/gateway-lambda/src/functions/runtimes/interpreter.rs",
    "generator/gateway-lambda/src/functions/runtimes/mod.rs",
    "generator/gateway-lambda/src/functions/store.rs",
    "generator/gateway-lambda/src/functions/watcher.rs",
    // Keys that only their owner can read.
    "generator/gateway/src/tls/authority_file.rs",
];

/// Parts of Rust and of crates that only Unix has.
const MARKS: [&str; 9] = [
    "std::os::fd",
    "std::os::unix",
    "rustix::",
    " nix::",
    " libc::",
    "tokio::net::unix",
    "tokio::signal::unix",
    ".process_group(",
    "UnixListener",
];

/// Returns true if a file uses one of them: outside of tests, comments and items for Unix.
fn needs_unix(text: &str) -> bool {
    let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let without_unix = remove_items_for_unix(code);
    let mut lines = without_unix.lines().map(str::trim_start);
    lines.any(|line| {
        let is_code = !line.starts_with("//");
        is_code && MARKS.iter().any(|mark| line.contains(mark))
    })
}

/// Removes items below `#[cfg(unix)]`: a `use`, or an item with a body.
fn remove_items_for_unix(code: &str) -> String {
    let mut kept = Vec::new();
    let mut lines = code.lines();
    while let Some(line) = lines.next() {
        if line.trim() != "#[cfg(unix)]" {
            kept.push(line);
            continue;
        }
        let indent = &line[..line.len() - line.trim_start().len()];
        let end = format!("{indent}}}");
        let Some(first) = lines.next() else { break };
        if !first.ends_with(';') {
            lines.by_ref().find(|line| *line == end);
        }
    }
    kept.join("\n")
}

fn collect(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|it| it == "rs") && !path.ends_with("tests.rs") {
            let name = path.strip_prefix(root()).unwrap().to_str().unwrap();
            if needs_unix(&fs::read_to_string(&path).unwrap()) {
                found.insert(name.to_owned());
            }
        }
    }
}

#[test]
fn only_listed_modules_need_unix() {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(root().join("generator")).unwrap() {
        let folder = entry.unwrap().path();
        // Only tests use it.
        if !folder.ends_with("test-tools") {
            collect(&folder.join("src"), &mut found);
        }
    }
    for handlers in ["websocket", "core", "functions"] {
        collect(
            &root().join("handlers").join(handlers).join("src"),
            &mut found,
        );
    }
    let listed: BTreeSet<_> = UNIX_ONLY.iter().map(|name| (*name).to_owned()).collect();
    let (new, gone) = (found.difference(&listed), listed.difference(&found));
    assert_eq!(
        (new.collect::<Vec<_>>(), gone.collect::<Vec<_>>()),
        (Vec::new(), Vec::new()),
        "modules that need Unix now, and listed modules that do not"
    );
}

#[test]
fn code_for_unix_is_found_where_it_is_not_marked() {
    let marked = "#[cfg(unix)]\nfn mode() {\n    use std::os::unix::fs::PermissionsExt;\n}\n";
    assert!(!needs_unix(marked));
    assert!(!needs_unix(
        "#[cfg(unix)]\nuse std::os::unix::fs::PermissionsExt;\nfn f() {}\n"
    ));
    assert!(!needs_unix("// std::os::unix\n"));
    assert!(!needs_unix(
        "#[cfg(test)]\nmod tests {\n    use std::os::unix::fs::symlink;\n}\n"
    ));
    assert!(needs_unix("use std::os::unix::fs::PermissionsExt;\n"));
    let after = format!("{marked}fn other() {{\n    command.process_group(0);\n}}\n");
    assert!(needs_unix(&after));
}
