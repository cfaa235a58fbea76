//! Files of a starter's project.

use super::lock;
use super::manifest;
use super::origin::LibraryOrigin;
use super::starter::Starter;
use crate::commands::schema;
use crate::embedded::{SOURCES, text};
use crate::library::{self, VENDOR_FOLDER, VendorRecord};

const GITIGNORE: &str = "# Built code, and what `sam build` and `aws cloudformation package` leave behind.\n\
                         # out/ belongs into git: reviews then see what a change does to the template.\n\
                         /target/\n.aws-sam/\n.stackgen/\npackaged.yaml\n";

/// Returns the files of a starter's project by their paths.
pub(super) fn files(starter: &Starter, library: LibraryOrigin) -> Vec<(String, String)> {
    let crates: Vec<_> = crates(starter).collect();
    let manifests: Vec<_> = crates
        .iter()
        .filter(|(path, _)| path.ends_with("/Cargo.toml"))
        .map(|(_, text)| *text)
        .collect();
    let manifest = manifest::derive(text("Cargo.toml"), &manifests, library)
        .expect("the manifests are the repository's own, and cargo has built this from them");
    let own = |name: &str| text(&format!("templates/{}/{name}", starter.name)).to_owned();
    let lock = match library {
        LibraryOrigin::Vendored => own("Cargo.lock"),
        LibraryOrigin::Registry => lock::without_library(&own("Cargo.lock"))
            .expect("cargo wrote the file: a test compares it"),
    };
    let readme = match library {
        LibraryOrigin::Vendored => own("README.md"),
        LibraryOrigin::Registry => without_vendor(&own("README.md")),
    };
    let top = [
        ("stackgen.yaml", own("stackgen.yaml")),
        ("stackgen.schema.json", schema::text()),
        ("Cargo.toml", manifest),
        ("Cargo.lock", lock),
        ("clippy.toml", text("clippy.toml").to_owned()),
        ("Makefile", own("Makefile")),
        ("README.md", readme),
        (".gitignore", GITIGNORE.to_owned()),
    ];
    let top = top.into_iter().map(|(path, text)| (path.to_owned(), text));
    let others = crates.into_iter().chain(folders(starter));
    let others = others.map(|(path, text)| (path.to_owned(), text.to_owned()));
    let vendored = match library {
        LibraryOrigin::Vendored => vendored(),
        LibraryOrigin::Registry => Vec::new(),
    };
    top.chain(others).chain(vendored).collect()
}

/// Returns a README without the row about the folder of the library.
fn without_vendor(readme: &str) -> String {
    let row = format!("| `{VENDOR_FOLDER}` |");
    let lines = readme.split_inclusive('\n');
    lines.filter(|line| !line.starts_with(&row)).collect()
}

/// Returns the files of the library, and the record of them.
fn vendored() -> Vec<(String, String)> {
    let files = library::files();
    let record = VendorRecord::of(&files);
    let in_project = |(name, text)| (format!("{VENDOR_FOLDER}/{name}"), text);
    let mut vendored: Vec<_> = files.into_iter().map(in_project).collect();
    vendored.push((VendorRecord::path(), record.text()));
    vendored
}

/// Returns the files of a starter's recordings, and of its web page if it has one.
fn folders(starter: &Starter) -> impl Iterator<Item = (&'static str, &'static str)> {
    let own = format!("templates/{}/", starter.name);
    SOURCES.iter().filter_map(move |(path, text)| {
        let name = path.strip_prefix(&own)?;
        let is_included = ["recordings/", "web/"]
            .iter()
            .any(|folder| name.starts_with(folder));
        is_included.then_some((name, *text))
    })
}

/// Returns the files of a starter's crates. In a project, all of them are in `handlers`.
fn crates(starter: &Starter) -> impl Iterator<Item = (&'static str, &'static str)> {
    let own = format!("templates/{}/", starter.name);
    SOURCES.iter().filter_map(move |(path, text)| {
        let name = path.strip_prefix(&own).unwrap_or(path);
        let folder = name.strip_prefix("handlers/")?.split('/').next()?;
        let is_included = name.len() < path.len() || starter.handlers.contains(&folder);
        is_included.then_some((name, *text))
    })
}
