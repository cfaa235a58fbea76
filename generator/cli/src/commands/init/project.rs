//! What a starter's project holds.

use super::manifest;
use super::starter::Starter;
use crate::commands::schema;

/// The repository's starters and handlers, each file by its path from the root, in order. `build.rs` writes the list.
const SOURCES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/sources.rs"));

const GITIGNORE: &str = "# Built code, and what `sam build` and `aws cloudformation package` leave behind.\n\
                         # out/ belongs into git: reviews then see what a change does to the template.\n\
                         /target/\n.aws-sam/\n.stackgen/\npackaged.yaml\n";

/// Every file of a starter's project, by its path in it.
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
        ("README.md", own("README.md")),
        (".gitignore", GITIGNORE.to_owned()),
    ];
    let top = top.into_iter().map(|(path, text)| (path.to_owned(), text));
    let crates = crates
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
    top.chain(crates).collect()
}

/// The files of a starter's crates: the ones of its own, and those that it carries along. In a project, all of them
/// lie in `handlers`.
fn crates(starter: &Starter) -> impl Iterator<Item = (&'static str, &'static str)> {
    let own = format!("templates/{}/", starter.name);
    SOURCES.iter().filter_map(move |(path, text)| {
        let place = path.strip_prefix(&own).unwrap_or(path);
        let folder = place.strip_prefix("handlers/")?.split('/').next()?;
        let carried = place.len() < path.len() || starter.handlers.contains(&folder);
        carried.then_some((place, *text))
    })
}

fn text(path: &str) -> &'static str {
    let file = SOURCES.iter().find(|(name, _)| *name == path);
    file.expect("a starter's files are there: tests write every starter")
        .1
}
