//! Cargo.toml of a project, derived from the repository's.

use std::collections::BTreeSet;

use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, value};

use super::origin::LibraryOrigin;
use crate::library::{CRATES, VENDOR_FOLDER, is_inherited};

/// Derives a project's manifest from the repository's root manifest: the members are `handlers/*`, and only dependencies that
/// they inherit stay. Lints and profiles stay too, except settings for single packages.
pub(super) fn derive(
    root: &str,
    members: &[&str],
    library: LibraryOrigin,
) -> Result<String, toml_edit::TomlError> {
    let mut used = BTreeSet::new();
    for member in members {
        inherited(member.parse::<DocumentMut>()?.as_table(), &mut used);
    }
    let mut document: DocumentMut = root.parse()?;
    let workspace = &mut document["workspace"];
    workspace["members"] = value(Array::from_iter(["handlers/*"]));
    if library == LibraryOrigin::Vendored {
        // Otherwise cargo takes crates below this folder for members.
        workspace["exclude"] = value(Array::from_iter([VENDOR_FOLDER]));
    }
    if let Some(package) = workspace["package"].as_table_mut() {
        // The project has another repository.
        package.remove("repository");
    }
    if let Some(dependencies) = workspace["dependencies"].as_table_mut() {
        retain(dependencies, &used);
        for member in &CRATES {
            if let Some(dependency) = dependencies.get_mut(member.name) {
                locate(dependency, member.name, library);
            }
        }
    }
    if let Some(profiles) = document.get_mut("profile").and_then(Item::as_table_mut) {
        // `make simulate` of the repository uses it.
        profiles.remove("simulate");
        for name in ["dev", "release"] {
            if let Some(profile) = profiles.get_mut(name).and_then(Item::as_table_mut) {
                // The settings are for packages of the generator; cargo warns about packages that a project lacks.
                profile.remove("package");
            }
        }
        if let Some(release) = profiles.get_mut("release").and_then(Item::as_table_mut) {
            // The repository's comment is about the generator.
            release
                .decor_mut()
                .set_prefix("\n# A smaller function starts faster.\n");
        }
    }
    Ok(document.to_string())
}

/// Sets the path or the version of one of the library's crates.
fn locate(dependency: &mut Item, name: &str, library: LibraryOrigin) {
    let own = dependency.as_table_like();
    let mut table = InlineTable::new();
    match library {
        LibraryOrigin::Vendored => table.insert("path", format!("{VENDOR_FOLDER}/{name}").into()),
        LibraryOrigin::Registry => table.insert("version", env!("CARGO_PKG_VERSION").into()),
    };
    let features = own.and_then(|own| own.get("default-features"));
    if let Some(features) = features.and_then(Item::as_value) {
        table.insert("default-features", features.clone());
    }
    *dependency = value(table);
}

/// Adds the dependencies of any kind and target that a package inherits from its workspace.
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

/// Removes all other entries. The heading of a group, an empty line and perhaps a comment, moves to its first remaining entry.
fn retain(table: &mut Table, names_to_keep: &BTreeSet<String>) {
    let names: Vec<String> = table.iter().map(|(name, _)| name.to_owned()).collect();
    let mut heading = String::new();
    let mut first = true;
    for (index, name) in names.iter().enumerate() {
        let Some(mut key) = table.key_mut(name) else {
            continue;
        };
        let decor = key.leaf_decor_mut();
        let above = decor.prefix().and_then(|above| above.as_str());
        let mut above = above.unwrap_or_default().to_owned();
        if above.starts_with('\n') || index == 0 {
            heading = std::mem::take(&mut above);
        }
        if !names_to_keep.contains(name) {
            table.remove(name);
            continue;
        }
        above.insert_str(0, &std::mem::take(&mut heading));
        let nothing_above = std::mem::take(&mut first);
        decor.set_prefix(match nothing_above {
            true => above.trim_start_matches('\n'),
            false => &above,
        });
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::{LibraryOrigin, derive};

    #[test]
    fn only_dependencies_that_members_inherit_stay() {
        let root = r#"[workspace]
resolver = "3"
members = ["generator/*", "handlers/*"]

[workspace.package]
version = "0.1.0"
repository = "https://example.com/ours"

[workspace.dependencies]
ours = { path = "generator/ours" }

stackgen-websocket = { path = "handlers/websocket", default-features = false }
stackgen-websocket-testing = { path = "handlers/websocket-testing" }

# For the functions.
unused = "1"
tokio = "1"
# Of the second one.
unused-too = "1"

insta = "1" # for tests
windows = "1"

# Lints.
[workspace.lints.rust]
unsafe_code = "forbid"

# For the generator.
[profile.dev.package]
sha2 = { opt-level = 3 }

[profile.simulate]
opt-level = 2

# For the generator, too.
[profile.release]
lto = "thin"
strip = true

[profile.release.package]
sdk = { opt-level = "z" }
"#;
        let member = r#"[package]
name = "a"
version.workspace = true

[dependencies]
stackgen-websocket.workspace = true
tokio = { workspace = true, features = ["rt"] }
unused = "2"

[dev-dependencies]
insta.workspace = true

[target.'cfg(windows)'.dependencies]
windows.workspace = true
"#;
        assert_snapshot!(derive(root, &[member], LibraryOrigin::Vendored).unwrap(), @r#"
        [workspace]
        resolver = "3"
        members = ["handlers/*"]
        exclude = ["vendor"]

        [workspace.package]
        version = "0.1.0"

        [workspace.dependencies]
        stackgen-websocket = { path = "vendor/stackgen-websocket", default-features = false }

        # For the functions.
        tokio = "1"

        insta = "1" # for tests
        windows = "1"

        # Lints.
        [workspace.lints.rust]
        unsafe_code = "forbid"

        # A smaller function starts faster.
        [profile.release]
        lto = "thin"
        strip = true
        "#);
    }
}
