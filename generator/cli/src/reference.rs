//! Generated pages of `docs/`. The tests fail if a page is stale. If `STACKGEN_UPDATE_DOCS` is set, as by `make docs`, they
//! write the pages instead.

mod doctor;
mod help;
mod keys;
mod rules;
mod stack_states;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use clap::{Arg, Command, CommandFactory};

use crate::args::Cli;
use crate::commands;

#[test]
fn the_generated_reference_is_fresh() {
    let pages = [
        ("cli.md".to_owned(), cli()),
        (
            "stackgen.schema.json".to_owned(),
            commands::schema_text().to_owned(),
        ),
        (
            "events.schema.json".to_owned(),
            commands::events_schema_text().to_owned(),
        ),
        ("stack-states.md".to_owned(), stack_states::page()),
        ("doctor.md".to_owned(), doctor::page()),
        ("stackgen-yaml.md".to_owned(), keys::page()),
    ];
    keep_fresh("docs/reference", &pages);
}

#[test]
fn the_pages_of_rules_are_fresh() {
    let pages = rules::pages();
    keep_fresh("docs/rules", &pages);
    let names: BTreeSet<_> = pages.into_iter().map(|(name, _)| name).collect();
    let folder = root().join("docs/rules");
    let mut gone = Vec::new();
    for entry in fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if !names.contains(&name) {
            gone.push(name);
        }
    }
    if updates() {
        for name in gone.drain(..) {
            fs::remove_file(folder.join(name)).unwrap();
        }
    }
    assert!(
        gone.is_empty(),
        "docs/rules/ has pages of no rule: {gone:?}; run `make docs`"
    );
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn updates() -> bool {
    std::env::var_os("STACKGEN_UPDATE_DOCS").is_some()
}

/// Checks that the pages of a folder are up to date, or updates them.
fn keep_fresh(folder: &str, pages: &[(String, String)]) {
    let mut stale = Vec::new();
    for (name, text) in pages {
        let path = root().join(folder).join(name);
        if fs::read_to_string(&path).is_ok_and(|old| old == *text) {
            continue;
        }
        stale.push(name);
        if updates() {
            fs::create_dir_all(root().join(folder)).unwrap();
            fs::write(&path, text).unwrap();
        }
    }
    assert!(
        updates() || stale.is_empty(),
        "{folder}/ is stale: {stale:?}; run `make docs`"
    );
}

/// Returns the help of all commands. Global options are in the first one only.
fn cli() -> String {
    let mut command = Cli::command().term_width(100);
    command.build();
    let mut page = String::from(
        "# Command line\n\nGenerated from the help texts by `make docs`; do not edit.\n",
    );
    section(&mut page, &mut command);
    verbs(&mut page, &mut command);
    page
}

/// Adds the help of all subcommands.
fn verbs(page: &mut String, command: &mut Command) {
    for command in command.get_subcommands_mut() {
        let everywhere = |arg: Arg| match arg.is_global_set() || arg.get_id() == "help" {
            true => arg.hide(true),
            false => arg,
        };
        *command = command.clone().mut_args(everywhere);
        section(page, command);
        verbs(page, command);
    }
}

fn section(page: &mut String, command: &mut Command) {
    let name = command.get_bin_name().unwrap_or("stackgen").to_owned();
    let help = command.render_long_help().to_string();
    let help: Vec<_> = help.lines().map(str::trim_end).collect();
    let help = help.join("\n");
    let _ = write!(page, "\n## {name}\n\n```text\n{}\n```\n", help.trim_end());
}
