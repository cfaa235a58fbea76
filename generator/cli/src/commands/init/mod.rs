//! `stackgen init`

mod lock;
mod manifest;
mod origin;
mod project;
mod starter;

use std::path::{Path, PathBuf};

use indexmap::IndexSet;
use serde_json::json;

use crate::error::CliError;
use crate::file;
use crate::outcome::CommandOutcome;
use crate::style::{BOLD, DIM};
use crate::ui::Ui;
use crate::write;
use origin::LibraryOrigin;
use starter::{STARTERS, Starter};

/// Create a project from a starter
///
/// Writes stackgen.yaml, its JSON Schema for editors, and a Cargo workspace with the functions, which build and pass their
/// tests. The library that they use is written to `vendor`; `stackgen vendor` updates it. Never overwrites a file: keeps an
/// existing README.md or .gitignore, and fails if any other file to be written exists already.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct InitCommand {
    /// Starter: `echo`, `chat` or `live-session` (if omitted, asks on a terminal)
    #[arg(value_name = "STARTER")]
    starter: Option<String>,

    /// Folder to create the project in
    #[arg(
        long,
        short,
        value_name = "DIR",
        default_value = ".",
        help_heading = "Output"
    )]
    out: PathBuf,

    /// Depend on the published library stackgen-websocket instead of its source in vendor/
    #[arg(long, help_heading = "Output")]
    registry: bool,

    /// List the starters
    #[arg(long, conflicts_with_all = ["starter", "out", "registry"], help_heading = "Output")]
    list: bool,
}

const EXAMPLES: &str = "\
Examples:
  stackgen init --list
  stackgen init chat --out my-chat";

/// Files that are kept if they exist.
const KEPT_FILES: [&str; 2] = [".gitignore", "README.md"];

impl InitCommand {
    pub(crate) fn run(&self, ui: &Ui) -> Result<CommandOutcome, CliError> {
        if self.list {
            return list(ui);
        }
        let starter = match &self.starter {
            Some(name) => starter::named(name)?,
            None => starter::chosen(ui)?,
        };
        let files = self.files(starter)?;
        write::create_all(&files)?;
        if ui.wants_json() {
            let paths: Vec<_> = files
                .iter()
                .map(|(path, _)| path.display().to_string())
                .collect();
            ui.json_result(&json!({ "starter": starter.name, "files": paths }))?;
        }
        for line in self.summary(&files) {
            ui.done(&format!("wrote {line}"))?;
        }
        self.next_steps(&files, ui);
        Ok(CommandOutcome::Done)
    }

    fn library(&self) -> LibraryOrigin {
        match self.registry {
            true => LibraryOrigin::Registry,
            false => LibraryOrigin::Vendored,
        }
    }

    fn files(&self, starter: &Starter) -> Result<Vec<(PathBuf, String)>, CliError> {
        let files = project::files(starter, self.library()).into_iter();
        let files = files.map(|(name, text)| (file::within(&self.out, &name), text));
        let (existing, files): (Vec<_>, Vec<_>) =
            files.partition(|(path, _)| path.symlink_metadata().is_ok());
        let conflicts: Vec<_> = existing
            .iter()
            .filter(|(path, _)| !KEPT_FILES.iter().any(|name| path.ends_with(name)))
            .map(|(path, _)| path.display().to_string())
            .collect();
        let (names, verb, object) = match conflicts.as_slice() {
            [] => return Ok(files),
            [one] => (one.clone(), "exists", "it"),
            [one, other] => (format!("{one} and {other}"), "exist", "them"),
            [one, rest @ ..] => (
                format!("{one} and {} more files", rest.len()),
                "exist",
                "them",
            ),
        };
        let message = format!("{names} {verb} already; nothing was written");
        let hint = format!("choose another folder with `--out`, or move {object} away");
        Err(CliError::input(message).hint(hint))
    }

    /// Summarizes the written files: those at the top, the folder of each crate, and other folders.
    fn summary(&self, files: &[(PathBuf, String)]) -> IndexSet<String> {
        let line = |path: &PathBuf| {
            let name = path.strip_prefix(&self.out).unwrap_or(path);
            let depth = match name.starts_with("handlers") {
                true => 2,
                false => 1,
            };
            let mut parts = name.iter();
            let shown: PathBuf = parts.by_ref().take(depth).collect();
            let shown = file::within(&self.out, &shown.to_string_lossy());
            match parts.next() {
                None => shown.display().to_string(),
                Some(_) => format!("{}/", shown.display()),
            }
        };
        files.iter().map(|(path, _)| line(path)).collect()
    }

    fn next_steps(&self, files: &[(PathBuf, String)], ui: &Ui) {
        let enter = match self.out.as_path() == Path::new(".") {
            true => String::new(),
            false => format!("  cd {}\n", self.out.display()),
        };
        let has_page = files
            .iter()
            .any(|(path, _)| path.ends_with("web/index.html"));
        let (width, dev) = match has_page {
            true => (
                24,
                (
                    "stackgen dev --open=page",
                    "the whole stack and its web page, on this machine",
                ),
            ),
            false => (14, ("stackgen dev", "the whole stack, on this machine")),
        };
        let steps = [
            ("make test", "the functions, and a recording of clients"),
            dev,
            ("stackgen graph", "see what is wired to what"),
            ("stackgen build", "zip files for Lambda in target/lambda/"),
            ("stackgen synth", "render out/<environment>/template.yaml"),
        ];
        let steps =
            steps.map(|(command, why)| format!("  {command:width$}    {DIM}# {why}{DIM:#}\n"));
        let steps = steps.concat();
        ui.aside(&format!(
            "\n{BOLD}Next{BOLD:#}\n{enter}{}",
            steps.trim_end()
        ));
    }
}

fn list(ui: &Ui) -> Result<CommandOutcome, CliError> {
    if ui.wants_json() {
        let all: Vec<_> = STARTERS
            .iter()
            .map(|starter| json!({ "name": starter.name, "summary": starter.summary }))
            .collect();
        ui.json_result(&json!({ "starters": all }))?;
    } else {
        ui.print(&(starter::table() + "\n"))?;
    }
    Ok(CommandOutcome::Done)
}
