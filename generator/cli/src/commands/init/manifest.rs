//! The Cargo.toml of a project, out of the repository's own.

use std::collections::BTreeSet;

use toml_edit::{Array, DocumentMut, Item, Table, value};

/// The repository's root manifest made a project's: its members are the `handlers`, and of the dependencies stay those
/// that the members inherit. Everything else is as it is, lints and profiles with it.
pub(super) fn derive(root: &str, members: &[&str]) -> Result<String, toml_edit::TomlError> {
    let mut used = BTreeSet::new();
    for member in members {
        inherited(member.parse::<DocumentMut>()?.as_table(), &mut used);
    }
    let mut document: DocumentMut = root.parse()?;
    let workspace = &mut document["workspace"];
    workspace["members"] = value(Array::from_iter(["handlers/*"]));
    if let Some(package) = workspace["package"].as_table_mut() {
        // Whose repository it is, the project's owner knows.
        package.remove("repository");
    }
    if let Some(dependencies) = workspace["dependencies"].as_table_mut() {
        dependencies.retain(|name, _| used.contains(name));
        begin_at_once(dependencies);
    }
    Ok(document.to_string())
}

/// Adds the dependencies that a package inherits from its workspace, of any kind and for any target.
fn inherited(package: &Table, used: &mut BTreeSet<String>) {
    for (key, item) in package {
        let Some(table) = item.as_table_like() else {
            continue;
        };
        match key {
            "dependencies" | "dev-dependencies" | "build-dependencies" => {
                let names = table
                    .iter()
                    .filter(|(_, dependency)| is_inherited(dependency));
                used.extend(names.map(|(name, _)| name.to_owned()));
            }
            "target" => {
                let targets = table.iter().filter_map(|(_, target)| target.as_table());
                targets.for_each(|target| inherited(target, used));
            }
            _ => {}
        }
    }
}

fn is_inherited(dependency: &Item) -> bool {
    let workspace = dependency
        .as_table_like()
        .and_then(|table| table.get("workspace"));
    workspace.and_then(Item::as_bool) == Some(true)
}

/// What stood above the first entry may be gone; the empty line between the two goes as well.
fn begin_at_once(table: &mut Table) {
    let Some(first) = table.iter().next().map(|(name, _)| name.to_owned()) else {
        return;
    };
    let Some(mut key) = table.key_mut(&first) else {
        return;
    };
    let decor = key.leaf_decor_mut();
    let prefix = decor
        .prefix()
        .and_then(|prefix| prefix.as_str())
        .unwrap_or_default();
    let trimmed = prefix.trim_start_matches('\n').to_owned();
    decor.set_prefix(trimmed);
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::derive;

    #[test]
    fn what_the_members_inherit_stays_and_the_rest_of_the_dependencies_goes() {
        let root = r#"[workspace]
resolver = "3"
members = ["generator/*", "handlers/*"]

[workspace.package]
version = "0.1.0"
repository = "https://example.com/ours"

[workspace.dependencies]
ours = { path = "generator/ours" }

# For the functions.
tokio = "1"
unused = "1"

insta = "1" # for tests
windows = "1"

# Lints.
[workspace.lints.rust]
unsafe_code = "forbid"

[profile.release]
strip = true
"#;
        let member = r#"[package]
name = "a"
version.workspace = true

[dependencies]
tokio = { workspace = true, features = ["rt"] }
unused = "2"

[dev-dependencies]
insta.workspace = true

[target.'cfg(windows)'.dependencies]
windows.workspace = true
"#;
        assert_snapshot!(derive(root, &[member]).unwrap(), @r#"
        [workspace]
        resolver = "3"
        members = ["handlers/*"]

        [workspace.package]
        version = "0.1.0"

        [workspace.dependencies]
        # For the functions.
        tokio = "1"

        insta = "1" # for tests
        windows = "1"

        # Lints.
        [workspace.lints.rust]
        unsafe_code = "forbid"

        [profile.release]
        strip = true
        "#);
    }
}
