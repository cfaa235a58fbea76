//! The library that functions of projects use, as source: the crates that `init` and `vendor` write to a project's `vendor`.

mod crates;
mod manifest;
mod record;
mod source;

use std::collections::BTreeMap;

pub(crate) use crates::{CRATES, VENDOR_FOLDER};
pub(crate) use manifest::is_inherited;
pub(crate) use record::{FileDigest, VendorRecord};

use crate::embedded::{self, SOURCES};

/// Licences that every crate is copied with.
const LICENSES: [&str; 2] = ["LICENSE-APACHE", "LICENSE-MIT"];

/// Returns the library's files without its tests, by their paths in `vendor`.
pub(crate) fn files() -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for member in &CRATES {
        let mut add = |name: &str, text: &str| {
            files.insert(format!("{}/{name}", member.name), text.to_owned());
        };
        let own = SOURCES
            .iter()
            .filter_map(|(path, text)| Some((path.strip_prefix(member.folder)?, *text)));
        for (name, text) in own {
            match name {
                "Cargo.toml" => add(name, &standalone_manifest(text)),
                "README.md" => add(name, text),
                _ if source::is_of_tests(name) => {}
                _ => add(name, source::without_tests(text)),
            }
        }
        for license in LICENSES {
            add(license, embedded::text(license));
        }
    }
    files
}

/// Returns a manifest that inherits nothing, because the crates are no members of the project's workspace.
fn standalone_manifest(member: &str) -> String {
    manifest::standalone(embedded::text("Cargo.toml"), member)
        .expect("the manifests are the repository's own, and cargo has built this from them")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_has_no_tests_and_both_licences() {
        let files = files();
        for (path, text) in &files {
            assert!(!path.contains("/tests"), "{path}");
            assert!(!text.contains("#[cfg(test)]"), "{path}");
            assert!(!text.contains("dev-dependencies"), "{path}");
        }
        for member in &CRATES {
            for file in ["Cargo.toml", "src/lib.rs", "LICENSE-MIT", "LICENSE-APACHE"] {
                let path = format!("{}/{file}", member.name);
                assert!(files.contains_key(&path), "{path}");
            }
        }
    }
}
