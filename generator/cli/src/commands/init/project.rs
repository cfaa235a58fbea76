//! Files of a starter's project.

use super::manifest;
use super::starter::Starter;
use crate::commands::schema;

/// Files of the repository's starters and handlers by their paths from the root, in order. `build.rs` writes the list.
const SOURCES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/sources.rs"));

const GITIGNORE: &str = "# Built code, and what `sam build` and `aws cloudformation package` leave behind.\n\
                         # out/ belongs into git: reviews then see what a change does to the template.\n\
                         /target/\n.aws-sam/\n.stackgen/\npackaged.yaml\n";

/// Returns the files of a starter's project by their paths.
pub(super) fn files(starter: &Starter) -> Vec<(String, String)> {
    let crates: Vec<_> = crates(starter).collect();
    let manifests: Vec<_> = crates
        .iter()
        .filter(|(path, _)| path.ends_with("/Cargo.toml"))
        .map(|(_, text)| *text)
        .collect();
    let manifest = manifest::derive(text("Cargo.toml"), &manifests)
        .expect("the manifests are the repository's own, and cargo has built this from them");
    let own = |name: &str| text(&format!("templates/{}/{name}", starter.name)).to_owned();
    let top = [
        ("stackgen.yaml", own("stackgen.yaml")),
        ("stackgen.schema.json", schema::text()),
        ("Cargo.toml", manifest),
        ("Cargo.lock", own("Cargo.lock")),
        ("clippy.toml", text("clippy.toml").to_owned()),
        ("Makefile", own("Makefile")),
        ("README.md", own("README.md")),
        (".gitignore", GITIGNORE.to_owned()),
    ];
    let top = top.into_iter().map(|(path, text)| (path.to_owned(), text));
    let others = crates.into_iter().chain(folders(starter));
    let others = others.map(|(path, text)| (path.to_owned(), text.to_owned()));
    top.chain(others).collect()
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

/// Returns the files of a starter's crates: its own, and those that it shares with others. In a project, all of them are in
/// `handlers`.
fn crates(starter: &Starter) -> impl Iterator<Item = (&'static str, &'static str)> {
    let own = format!("templates/{}/", starter.name);
    SOURCES.iter().filter_map(move |(path, text)| {
        let name = path.strip_prefix(&own).unwrap_or(path);
        let folder = name.strip_prefix("handlers/")?.split('/').next()?;
        let is_included = name.len() < path.len() || starter.handlers.contains(&folder);
        is_included.then_some((name, *text))
    })
}

fn text(path: &str) -> &'static str {
    let file = SOURCES.iter().find(|(name, _)| *name == path);
    file.expect("a starter's files are there: tests write every starter")
        .1
}
