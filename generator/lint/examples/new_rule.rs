//! Writes the skeleton of a rule: its source, its registration and its fixture.
//!
//! `make new-rule NAME=stage-without-logs GROUP=stages` runs it. The skeleton is `src/rules/skeleton.rs` with another id
//! and name; the linter's tests compile that file and run it on its fixture.

#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it is a program")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use stackgen_lint::registry;

const USAGE: &str = "usage: make new-rule NAME=stage-without-logs GROUP=stages";

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let created = match args.as_slice() {
        [group, name] => create(folder, group, name),
        _ => Err(USAGE.to_owned()),
    };
    match created {
        Ok(files) => {
            for file in files {
                println!("{}", file.display());
            }
            println!(
                "next: edit them, then `INSTA_UPDATE=always cargo test -p stackgen-lint` and `make docs`"
            );
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

/// Adds a rule to a group in the linter's folder and returns the files that it wrote.
fn create(folder: &Path, group: &str, name: &str) -> Result<Vec<PathBuf>, String> {
    check_name(name)?;
    let known = registry::groups().iter().find(|known| known.name == group);
    let known = known.ok_or_else(|| {
        let names: Vec<_> = registry::groups().iter().map(|known| known.name).collect();
        format!(
            "`{group}` is not a group; choose one of {}",
            names.join(", ")
        )
    })?;
    let id = next_id(known.prefix)?;
    let module = name.replace('-', "_");
    let fixture = format!("{group}/{module}.diff");

    let rules = folder.join("src/rules");
    let skeleton = read(&rules.join("skeleton.rs"))?
        .replace("\"SG000\"", &format!("\"{id}\""))
        .replace("\"skeleton\"", &format!("\"{name}\""))
        .replace("\"skeleton.diff\"", &format!("\"{fixture}\""));
    let registry = rules.join(group).join("mod.rs");
    let registered = register(&read(&registry)?, &module)
        .ok_or_else(|| format!("{} has no list of rules", registry.display()))?;

    let example = read(&folder.join("fixtures/skeleton.diff"))?;
    let files = [
        (rules.join(group).join(format!("{module}.rs")), skeleton),
        (registry, registered),
        (folder.join("fixtures").join(fixture), example),
    ];
    for (path, text) in &files {
        fs::write(path, text)
            .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    Ok(files.map(|(path, _)| path).to_vec())
}

fn check_name(name: &str) -> Result<(), String> {
    let is_word = |word: &str| {
        word.starts_with(|first: char| first.is_ascii_lowercase())
            && word
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    if name.is_empty() || !name.split('-').all(is_word) {
        return Err(format!(
            "`{name}` cannot name a rule: write lower-case words with hyphens\n{USAGE}"
        ));
    }
    match registry::find(name) {
        Some(rule) => Err(format!("{} has this name; choose another one", rule.id)),
        None => Ok(()),
    }
}

/// Returns the ID after the last one with a prefix.
fn next_id(prefix: &str) -> Result<String, String> {
    let ids = registry::all().map(|rule| rule.id);
    let numbers = ids.filter_map(|id| id.strip_prefix(prefix)?.parse::<u32>().ok());
    match numbers.max().unwrap_or_default() + 1 {
        number @ ..100 => Ok(format!("{prefix}{number:02}")),
        _ => Err(format!("there is no id left that begins with {prefix}")),
    }
}

/// Adds a module to a group: its `mod` line in alphabetical order, its rule at the end of the list.
fn register(text: &str, module: &str) -> Option<String> {
    let line = format!("mod {module};");
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    let is_module = |text: &String| text.starts_with("mod ");
    let after = lines
        .iter()
        .rposition(|text| is_module(text) && *text < line);
    let at = match after {
        Some(after) => after + 1,
        None => lines.iter().position(is_module)?,
    };
    lines.insert(at, line);
    let end = lines.iter().rposition(|text| text == "    ],")?;
    lines.insert(end, format!("        &{module}::RULE,"));
    Some(lines.join("\n") + "\n")
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    /// Copies what a new rule of a group needs.
    fn copy(group: &str) -> tempfile::TempDir {
        let from = Path::new(env!("CARGO_MANIFEST_DIR"));
        let to = tempfile::tempdir().unwrap();
        let registry = format!("src/rules/{group}/mod.rs");
        for file in ["src/rules/skeleton.rs", "fixtures/skeleton.diff", &registry] {
            let path = to.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::copy(from.join(file), path).unwrap();
        }
        fs::create_dir_all(to.path().join("fixtures").join(group)).unwrap();
        to
    }

    #[test]
    fn a_new_rule_is_written_registered_and_gets_a_fixture() {
        let folder = copy("tables");
        let read = |file: &str| read(&folder.path().join(file)).unwrap();
        let before = read("src/rules/tables/mod.rs");
        create(folder.path(), "tables", "index-without-key").unwrap();

        let id = next_id("SG5").unwrap();
        let source = read("src/rules/tables/index_without_key.rs");
        for line in [
            format!("    id: \"{id}\","),
            "    name: \"index-without-key\",".to_owned(),
            "    example: \"tables/index_without_key.diff\",".to_owned(),
        ] {
            assert!(source.lines().any(|other| other == line), "{line}");
        }
        assert!(!source.contains("SG000") && !source.contains("skeleton"));
        assert_eq!(
            read("fixtures/tables/index_without_key.diff"),
            read("fixtures/skeleton.diff")
        );
        let after = read("src/rules/tables/mod.rs");
        let added = "mod index_without_key;\nmod log_group_without_retention;\n";
        assert!(after.contains(added), "{after}");
        assert!(
            after.contains("        &index_without_key::RULE,\n    ],\n"),
            "{after}"
        );
        assert_eq!(after.lines().count(), before.lines().count() + 2);
    }

    #[test]
    fn the_next_id_follows_the_last_of_all_groups_that_share_its_hundred() {
        let last = registry::all().rfind(|rule| rule.id.starts_with("SG5"));
        let last = last.unwrap();
        assert!(next_id("SG5").unwrap().as_str() > last.id);
        assert_eq!(next_id("SG9").unwrap(), "SG901");
    }

    #[test]
    fn names_and_groups_that_cannot_be_used_are_reported() {
        let error = |group: &str, name: &str| create(Path::new("none"), group, name).unwrap_err();
        assert!(error("stages", "StageWithoutLogs").contains("lower-case words"));
        assert!(error("stages", "").contains("usage"));
        assert_eq!(
            error("stages", "stage-missing"),
            "SG419 has this name; choose another one"
        );
        assert!(error("access", "stage-without-logs").starts_with("`access` is not a group"));
    }
}
