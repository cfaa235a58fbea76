//! Starters, and the choice of one.

use crate::error::CliError;
use crate::style::BOLD;
use crate::ui::Ui;

/// A starter: a folder of `templates/`.
pub(super) struct Starter {
    pub(super) name: &'static str,
    pub(super) summary: &'static str,
    /// Folders of `handlers/` that its project includes.
    pub(super) handlers: &'static [&'static str],
}

/// All starters, smallest first.
pub(super) const STARTERS: &[Starter] = &[
    Starter {
        name: "echo",
        summary: "one function that answers every message",
        handlers: &[],
    },
    Starter {
        name: "chat",
        summary: "rooms, every caller authenticated, every message answered",
        handlers: &[],
    },
    Starter {
        name: "live-session",
        summary: "one speaker, many listeners, an HTTP API, alarms, three environments",
        handlers: &["core", "functions"],
    },
];

pub(super) fn table() -> String {
    let lines: Vec<_> = STARTERS
        .iter()
        .map(|starter| format!("{BOLD}{:14}{BOLD:#}{}", starter.name, starter.summary))
        .collect();
    lines.join("\n")
}

pub(super) fn named(name: &str) -> Result<&'static Starter, CliError> {
    STARTERS
        .iter()
        .find(|starter| starter.name == name)
        .ok_or_else(|| {
            let mut names: Vec<_> = STARTERS.iter().map(|starter| starter.name).collect();
            names.sort_by_key(|candidate| strsim::damerau_levenshtein(candidate, name));
            CliError::input(format!("there is no starter {name:?}"))
                .hint(format!("use one of: {}", names.join(", ")))
        })
}

pub(super) fn chosen(ui: &Ui) -> Result<&'static Starter, CliError> {
    if !ui.can_prompt() {
        let names: Vec<_> = STARTERS.iter().map(|starter| starter.name).collect();
        return Err(
            CliError::input("no starter is given").hint(format!("name one: {}", names.join(", ")))
        );
    }
    choose(|question| ui.ask(question)).ok_or_else(|| {
        // The line of the prompt is still open.
        ui.aside("");
        CliError::input("no starter was chosen; nothing was written")
    })
}

/// Asks until an answer names a starter; `None` if there are no more answers.
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
        question = format!(
            "{answer:?} is not a starter: enter a number, a name or the beginning of one\n"
        );
    }
}

/// Returns the starter that an answer names: by number, name or unique beginning; the first for an empty answer.
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
    let mut candidates = STARTERS
        .iter()
        .filter(|starter| starter.name.starts_with(answer));
    candidates.next().filter(|_| candidates.next().is_none())
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
            "\"livv\" is not a starter: enter a number, a name or the beginning of one\nStarter [echo]: "
        );
        assert_eq!(asked_with(&["x"]).0, None);
    }

    #[test]
    fn every_folder_of_templates_is_a_starter() {
        let templates = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../templates");
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
