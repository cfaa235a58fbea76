//! `stackgen init`

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::Outcome;
use crate::commands::schema;
use crate::error::CliError;
use crate::file;
use crate::ui::{BOLD, DIM, Ui};
use crate::write;

/// Write a new stack from a starter
///
/// Writes stackgen.yaml, the JSON Schema beside it that editors complete it from, and a .gitignore. Never overwrites
/// a file: a .gitignore that is there stays as it is, and a stackgen.yaml that is there is an error.
#[derive(clap::Args, Debug)]
pub(crate) struct Init {
    /// The starter; asked for on a terminal when it is left out
    #[arg(value_name = "STARTER")]
    starter: Option<String>,

    /// The folder to write into; made when it is not there
    #[arg(long, short, value_name = "DIR", default_value = ".")]
    dir: PathBuf,

    /// List the starters
    #[arg(long, conflicts_with_all = ["starter", "dir"])]
    list: bool,
}

struct Starter {
    name: &'static str,
    summary: &'static str,
    spec: &'static str,
}

macro_rules! starters {
    ($($name:literal: $summary:literal,)*) => {
        &[$(Starter {
            name: $name,
            summary: $summary,
            spec: include_str!(concat!("../../../../templates/", $name, "/stackgen.yaml")),
        }),*]
    };
}

/// The folders of `templates/`, the smallest first.
const STARTERS: &[Starter] = starters! {
    "echo": "one function that answers every message",
    "chat": "rooms, every caller authenticated, every message answered",
    "live-session": "one speaker, many listeners, an HTTP API, alarms, two environments",
};

const GITIGNORE: &str = "# Built code, and what `sam build` and `aws cloudformation package` leave behind.\n\
                         # out/ belongs into git: reviews then see what a change does to the template.\n\
                         /target/\n.aws-sam/\npackaged.yaml\n";

impl Init {
    pub(crate) fn run(&self, ui: &Ui) -> Result<Outcome, CliError> {
        if self.list {
            return list(ui);
        }
        let starter = match &self.starter {
            Some(name) => named(name)?,
            None => chosen(ui)?,
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
        for (path, _) in &files {
            ui.done(&format!("wrote {}", path.display()))?;
        }
        self.next_steps(ui);
        Ok(Outcome::Done)
    }

    fn files(&self, starter: &Starter) -> Result<Vec<(PathBuf, String)>, CliError> {
        let at = |name: &str| file::within(&self.dir, name);
        let mut files = vec![
            (at("stackgen.yaml"), starter.spec.to_owned()),
            (at("stackgen.schema.json"), schema::text()),
        ];
        let there: Vec<_> = files
            .iter()
            .filter(|(path, _)| path.symlink_metadata().is_ok())
            .map(|(path, _)| path.display().to_string())
            .collect();
        if !there.is_empty() {
            let (verb, them) = match there.len() {
                1 => ("is", "it"),
                _ => ("are", "them"),
            };
            let names = there.join(" and ");
            let message = format!("{names} {verb} there already; nothing was written");
            let hint = format!("choose another folder with `--dir`, or move {them} away first");
            return Err(CliError::input(message).hint(hint));
        }
        let ignore = at(".gitignore");
        if ignore.symlink_metadata().is_err() {
            files.push((ignore, GITIGNORE.to_owned()));
        }
        Ok(files)
    }

    fn next_steps(&self, ui: &Ui) {
        let enter = match self.dir.as_path() == Path::new(".") {
            true => String::new(),
            false => format!("  cd {}\n", self.dir.display()),
        };
        ui.aside(&format!(
            "\n{BOLD}Next{BOLD:#}\n{enter}  stackgen synth    {DIM}# render out/<environment>/template.yaml{DIM:#}\n  \
             stackgen graph    {DIM}# see what is wired to what{DIM:#}"
        ));
    }
}

fn list(ui: &Ui) -> Result<Outcome, CliError> {
    if ui.wants_json() {
        let all: Vec<_> = STARTERS
            .iter()
            .map(|starter| json!({ "name": starter.name, "summary": starter.summary }))
            .collect();
        ui.json_result(&json!({ "starters": all }))?;
    } else {
        ui.result(&(table() + "\n"))?;
    }
    Ok(Outcome::Done)
}

fn table() -> String {
    let lines: Vec<_> = STARTERS
        .iter()
        .map(|starter| format!("{BOLD}{:14}{BOLD:#}{}", starter.name, starter.summary))
        .collect();
    lines.join("\n")
}

fn named(name: &str) -> Result<&'static Starter, CliError> {
    STARTERS
        .iter()
        .find(|starter| starter.name == name)
        .ok_or_else(|| {
            let mut names: Vec<_> = STARTERS.iter().map(|starter| starter.name).collect();
            names.sort_by_key(|candidate| strsim::damerau_levenshtein(candidate, name));
            CliError::input(format!("there is no starter {name:?}"))
                .hint(format!("there are: {}", names.join(", ")))
        })
}

fn chosen(ui: &Ui) -> Result<&'static Starter, CliError> {
    if !ui.can_prompt() {
        let names: Vec<_> = STARTERS.iter().map(|starter| starter.name).collect();
        return Err(
            CliError::input("which starter?").hint(format!("name one: {}", names.join(", ")))
        );
    }
    choose(|question| ui.ask(question)).ok_or_else(|| {
        // The prompt's line is still open.
        ui.aside("");
        CliError::input("no starter was chosen; nothing was written")
    })
}

/// Asks until an answer means a starter; `None` when there are no more answers.
fn choose(mut ask: impl FnMut(&str) -> Option<String>) -> Option<&'static Starter> {
    let mut question = String::new();
    for (line, number) in table().lines().zip(1..) {
        question.push_str(&format!("{number}  {line}\n"));
    }
    question.push('\n');
    loop {
        question.push_str(&format!("Starter [{}]: ", STARTERS[0].name));
        let answer = ask(&question)?;
        if let Some(starter) = answered(&answer) {
            return Some(starter);
        }
        question = format!("{answer:?} is none of them: give a number, a name or its beginning\n");
    }
}

/// The starter that an answer means: the first for an empty one, otherwise by number, name or unique beginning.
fn answered(answer: &str) -> Option<&'static Starter> {
    if answer.is_empty() {
        return STARTERS.first();
    }
    if let Ok(number) = answer.parse::<usize>() {
        return STARTERS.get(number.checked_sub(1)?);
    }
    if let Some(starter) = STARTERS.iter().find(|starter| starter.name == answer) {
        return Some(starter);
    }
    let mut meant = STARTERS
        .iter()
        .filter(|starter| starter.name.starts_with(answer));
    meant.next().filter(|_| meant.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_starter_is_chosen_by_number_name_or_beginning() {
        let name = |answer| answered(answer).map(|starter| starter.name);
        assert_eq!(name(""), Some("echo"));
        assert_eq!(name("2"), Some("chat"));
        assert_eq!(name("chat"), Some("chat"));
        assert_eq!(name("live"), Some("live-session"));
        for typo in ["0", "4", "-1", "chatt", "Chat", "x"] {
            assert_eq!(name(typo), None, "{typo}");
        }
    }

    #[test]
    fn a_typo_is_asked_again_until_the_input_ends() {
        let asked_with = |answers: &[&str]| {
            let (mut answers, mut questions) = (answers.iter(), Vec::new());
            let starter = choose(|question| {
                questions.push(question.to_owned());
                answers.next().map(|answer| (*answer).to_owned())
            });
            (starter.map(|starter| starter.name), questions)
        };
        let (starter, questions) = asked_with(&["livv", "live"]);
        assert_eq!(starter, Some("live-session"));
        assert!(questions[0].contains("3  "), "{}", questions[0]);
        assert_eq!(
            questions[1],
            "\"livv\" is none of them: give a number, a name or its beginning\nStarter [echo]: "
        );
        assert_eq!(asked_with(&["x"]).0, None);
    }

    #[test]
    fn every_folder_of_templates_is_a_starter() {
        let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../templates");
        let mut folders: Vec<_> = std::fs::read_dir(templates)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        let mut names: Vec<_> = STARTERS.iter().map(|starter| starter.name).collect();
        folders.sort();
        names.sort_unstable();
        assert_eq!(folders, names);
    }
}
