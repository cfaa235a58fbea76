//! Cargo.toml of a vendored crate, derived from the repository's manifests.

use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, TableLike, TomlError, Value, value};

/// Tables that only a member of this repository's workspace needs.
const LEFT_OUT: [&str; 2] = ["dev-dependencies", "lints"];

/// Returns a crate's manifest with the values that it inherits from its workspace, so that it needs no workspace. Without
/// dependencies of tests, lints and `publish`.
///
/// # Errors
///
/// If one of the manifests is not TOML.
pub(super) fn standalone(root: &str, member: &str) -> Result<String, TomlError> {
    let root: DocumentMut = root.parse()?;
    let workspace = &root["workspace"];
    let mut document: DocumentMut = member.parse()?;
    for table in LEFT_OUT {
        document.remove(table);
    }
    if let Some(package) = document["package"].as_table_mut() {
        package.remove("publish");
        fill_in(package, &workspace["package"]);
    }
    if let Some(dependencies) = document["dependencies"].as_table_mut() {
        let mut own = Table::new();
        for (name, item) in dependencies.iter() {
            own.insert(name, dependency(name, item, &workspace["dependencies"]));
        }
        *dependencies = own;
    }
    Ok(document.to_string())
}

/// Replaces the keys that a package inherits by the workspace's values.
fn fill_in(package: &mut Table, workspace: &Item) {
    let inherited: Vec<_> = package
        .iter()
        .filter(|(_, item)| is_inherited(item))
        .map(|(name, _)| name.to_owned())
        .collect();
    for name in inherited {
        let shared = workspace.get(&name).and_then(Item::as_value);
        if let (Some(shared), Some(item)) = (shared, package.get_mut(&name)) {
            *item = value(shared.clone());
        }
    }
}

/// Returns a dependency with the workspace's version and features, and its own features.
fn dependency(name: &str, own: &Item, workspace: &Item) -> Item {
    let shared = workspace.get(name).filter(|_| is_inherited(own));
    let Some(shared) = shared else {
        return own.clone();
    };
    let mut table = InlineTable::new();
    match (shared.as_str(), shared.as_table_like()) {
        (Some(version), _) => {
            table.insert("version", version.into());
        }
        (None, Some(shared)) => copy(shared, &mut table, &["features"]),
        (None, None) => {}
    }
    // In `vendor`, the crates are side by side.
    if table.contains_key("path") {
        table.remove("version");
        table.insert("path", format!("../{name}").into());
    }
    let own_table = own.as_table_like();
    let mut features: Array = [shared.as_table_like(), own_table]
        .into_iter()
        .flatten()
        .flat_map(features)
        .collect();
    features.fmt();
    if !features.is_empty() {
        table.insert("features", Value::Array(features));
    }
    if let Some(own) = own_table {
        copy(own, &mut table, &["features", "workspace"]);
    }
    match table.get("version") {
        Some(version) if table.len() == 1 => value(version.clone().decorated(" ", "")),
        _ => {
            table.fmt();
            value(table)
        }
    }
}

fn copy(from: &dyn TableLike, to: &mut InlineTable, except: &[&str]) {
    for (key, item) in from.iter() {
        if let Some(value) = item.as_value()
            && !except.contains(&key)
        {
            to.insert(key, value.clone());
        }
    }
}

fn features(table: &dyn TableLike) -> Vec<Value> {
    let features = table.get("features").and_then(Item::as_array);
    features
        .into_iter()
        .flatten()
        .map(|feature| feature.clone().decorated("", ""))
        .collect()
}

/// Returns true for a value that a package inherits from its workspace.
pub(crate) fn is_inherited(item: &Item) -> bool {
    let workspace = item.as_table_like().and_then(|it| it.get("workspace"));
    workspace.and_then(Item::as_bool) == Some(true)
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::standalone;

    #[test]
    fn what_a_crate_inherits_is_filled_in() {
        let root = r#"[workspace.package]
version = "0.1.0"
license = "MIT"
publish = false

[workspace.dependencies]
ours = { path = "handlers/ours", default-features = false }
events = { version = "1.2", default-features = false, features = ["apigw"] }
http = "1"
tokio = { version = "1", default-features = false }
insta = "1"
"#;
        let member = r#"[package]
name = "a"
version.workspace = true
license.workspace = true
publish.workspace = true

[features]
oidc = ["dep:http"]

[dependencies]
events = { workspace = true, features = ["all"] }
http = { workspace = true, optional = true }
bytes = "1"
http-body.workspace = true
ours = { workspace = true, features = ["lambda"] }
tokio.workspace = true

[dev-dependencies]
insta.workspace = true

[lints]
workspace = true
"#;
        let root = format!("{root}http-body = \"1\" # for bodies\n");
        assert_snapshot!(standalone(&root, member).unwrap(), @r#"
        [package]
        name = "a"
        version = "0.1.0"
        license = "MIT"

        [features]
        oidc = ["dep:http"]

        [dependencies]
        events = { version = "1.2", default-features = false, features = ["apigw", "all"] }
        http = { version = "1", optional = true }
        bytes = "1"
        http-body = "1"
        ours = { path = "../ours", default-features = false, features = ["lambda"] }
        tokio = { version = "1", default-features = false }
        "#);
    }
}
