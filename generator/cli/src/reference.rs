//! The generated pages of `docs/reference/`, kept fresh: the test fails when one is stale, and writes them when
//! `STACKGEN_UPDATE_DOCS` is set, which is what `make docs` does.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use clap::{Arg, Command, CommandFactory};

use crate::args::Cli;
use crate::commands;

#[test]
fn the_generated_reference_is_fresh() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference");
    let pages = [
        ("cli.md", cli()),
        ("stackgen.schema.json", commands::schema_text()),
    ];
    let mut stale = Vec::new();
    for (name, text) in pages {
        let path = folder.join(name);
        if fs::read_to_string(&path).is_ok_and(|old| old == text) {
            continue;
        }
        stale.push(name);
        if std::env::var_os("STACKGEN_UPDATE_DOCS").is_some() {
            fs::create_dir_all(&folder).unwrap();
            fs::write(&path, text).unwrap();
        }
    }
    let updated = std::env::var_os("STACKGEN_UPDATE_DOCS").is_some();
    assert!(
        updated || stale.is_empty(),
        "docs/reference/ is stale: {stale:?}; run `make docs`"
    );
}

/// The help of every command, as a person sees it; what every command takes stands at the first one alone.
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

/// Every verb of a command, and the verbs of those.
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
