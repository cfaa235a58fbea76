//! Things that can be explained.

use serde::Serialize;
use stackgen_diagnose::doctor::{self, DoctorCheck};
use stackgen_lint::{Rule, registry};
use stackgen_probe::{
    ERROR_FRAMES, Explanation, explain_close_code, explain_error_frame, explain_handshake_status,
};

use crate::error::CliError;
use crate::rows::{self, ReferenceRow};

/// Words that may stand in front of a name.
const KINDS: [&str; 9] = [
    "row ",
    "rule ",
    "close code ",
    "code ",
    "handshake status ",
    "status ",
    "http ",
    "error frame ",
    "frame ",
];

/// Everything that can be explained, for errors.
const TAKES: &str = "`stackgen explain` takes rows (D5), linter rules (SG102), checks of doctor (DR201), close codes (1005), handshake statuses (403) \
                     and error frames (Forbidden)";

/// Near matches to name.
const MAX_MATCHES: usize = 5;

/// Something to explain, and what is known about it.
#[derive(Debug)]
pub(super) struct Topic {
    pub(super) kind: TopicKind,
    pub(super) name: String,
    pub(super) explanations: Vec<Explanation>,
    pub(super) rows: Vec<&'static ReferenceRow>,
    pub(super) rules: Vec<&'static Rule>,
    /// Check of `stackgen doctor`.
    pub(super) check: Option<&'static DoctorCheck>,
}

/// Kind of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum TopicKind {
    /// A row of the reference.
    Row,
    /// Several rows: all, or those of a letter.
    Rows,
    /// A rule of the linter.
    Rule,
    /// Several rules, by the prefix of their IDs.
    Rules,
    /// A check of `stackgen doctor`.
    Check,
    /// A close code of a WebSocket.
    CloseCode,
    /// A status of a handshake.
    HandshakeStatus,
    /// The text of an error frame.
    ErrorFrame,
}

impl Topic {
    /// Finds a topic by its name, in any case.
    ///
    /// # Errors
    ///
    /// If nothing has the name.
    pub(super) fn find(words: &str) -> Result<Topic, CliError> {
        let name = plain(words);
        of_rows(&name)
            .or_else(|| of_rules(&name))
            .or_else(|| of_check(&name))
            .or_else(|| of_number(&name))
            .or_else(|| of_error_frame(&name))
            .ok_or_else(|| unknown(words.trim()))
    }

    fn new(kind: TopicKind, name: impl Into<String>) -> Self {
        Topic {
            kind,
            name: name.into(),
            explanations: Vec::new(),
            rows: Vec::new(),
            rules: Vec::new(),
            check: None,
        }
    }
}

/// Returns the name in lower case, without brackets, quotes and the word for its kind: `row [D5]` is `d5`.
fn plain(words: &str) -> String {
    let is_mark = |c: char| c.is_whitespace() || "[](){}`'\"#.,:".contains(c);
    let lower = words.to_lowercase();
    let lower = lower.trim_matches(is_mark);
    let kind = KINDS.iter().find_map(|kind| lower.strip_prefix(kind));
    kind.unwrap_or(lower).trim_matches(is_mark).to_owned()
}

fn of_rows(name: &str) -> Option<Topic> {
    if let Some(row) = rows::find(name) {
        let mut topic = Topic::new(TopicKind::Row, row.id.as_str());
        topic.rows.push(row);
        return Some(topic);
    }
    let is_listed = |row: &&ReferenceRow| {
        let letters = row.id.trim_end_matches(|c: char| c.is_ascii_digit());
        name.is_empty() || letters.eq_ignore_ascii_case(name)
    };
    let rows: Vec<_> = rows::all().iter().filter(is_listed).collect();
    let topic = Topic {
        rows,
        ..Topic::new(TopicKind::Rows, name.to_uppercase())
    };
    (!topic.rows.is_empty()).then_some(topic)
}

fn of_rules(name: &str) -> Option<Topic> {
    let rules: Vec<_> = registry::all().filter(|rule| rule.is_named(name)).collect();
    let (kind, title) = match rules.as_slice() {
        [] => return None,
        [rule] => (TopicKind::Rule, rule.id.to_owned()),
        _ => (TopicKind::Rules, name.to_uppercase()),
    };
    Some(Topic {
        rules,
        ..Topic::new(kind, title)
    })
}

fn of_check(name: &str) -> Option<Topic> {
    let check = doctor::find(name)?;
    Some(Topic {
        rows: check.rows.iter().filter_map(|id| rows::find(id)).collect(),
        check: Some(check),
        ..Topic::new(TopicKind::Check, check.id)
    })
}

/// A number is a status of a handshake if it has three digits, and a close code if it has four.
fn of_number(name: &str) -> Option<Topic> {
    let number: u16 = name.parse().ok()?;
    let (kind, explanations) = match number {
        100..600 => (TopicKind::HandshakeStatus, explain_handshake_status(number)),
        1000..5000 => (TopicKind::CloseCode, explain_close_code(number)),
        _ => return None,
    };
    let mut rows = cited(&explanations);
    let mention = rows::all().iter().filter(|row| mentions(row, name));
    rows.extend(
        mention
            .filter(|row| !rows.contains(row))
            .collect::<Vec<_>>(),
    );
    Some(Topic {
        explanations,
        rows,
        ..Topic::new(kind, name)
    })
}

fn of_error_frame(name: &str) -> Option<Topic> {
    let mut frames = ERROR_FRAMES.iter();
    let frame = frames.find(|frame| frame.eq_ignore_ascii_case(name))?;
    let explanations: Vec<_> = explain_error_frame(frame).into_iter().collect();
    Some(Topic {
        rows: cited(&explanations),
        explanations,
        ..Topic::new(TopicKind::ErrorFrame, *frame)
    })
}

/// Returns the rows that explanations cite, each once.
fn cited(explanations: &[Explanation]) -> Vec<&'static ReferenceRow> {
    let mut cited = Vec::new();
    let ids = explanations
        .iter()
        .flat_map(|explanation| &explanation.rows);
    for row in ids.filter_map(|id| rows::find(id)) {
        if !cited.contains(&row) {
            cited.push(row);
        }
    }
    cited
}

/// Returns true if a row mentions a number or a name as a word.
fn mentions(row: &ReferenceRow, name: &str) -> bool {
    let texts = row.facts.iter().map(|fact| &fact.text);
    let mut texts = texts.chain([&row.subject]);
    texts.any(|text| {
        let text = text.to_lowercase();
        let mut words = text.split(|c: char| !c.is_alphanumeric());
        match name.contains(' ') {
            true => text.contains(name),
            false => words.any(|word| word == name),
        }
    })
}

fn unknown(words: &str) -> CliError {
    let error = CliError::input(format!("there is no explanation of {words:?}"));
    match near_matches(&plain(words)).as_slice() {
        [] => error.hint(TAKES),
        near => error.hint(format!("did you mean {}? {TAKES}", near.join(" or "))),
    }
}

/// Returns names that differ little, and the rows that mention the name.
fn near_matches(name: &str) -> Vec<String> {
    let ids = rows::all().iter().map(|row| row.id.as_str());
    let rules = registry::all().flat_map(|rule| [rule.id, rule.name]);
    let known = ids.chain(rules).chain(ERROR_FRAMES);
    let distance = |known: &str| strsim::damerau_levenshtein(&known.to_lowercase(), name);
    let mut near: Vec<_> = known
        .map(|known| (distance(known), known))
        .filter(|(distance, known)| distance * 3 <= known.chars().count().max(3))
        .collect();
    near.sort_by_key(|(distance, _)| *distance);
    let near = near.into_iter().map(|(_, known)| known.to_owned());
    let mention = rows::all().iter().filter(|row| mentions(row, name));
    let mention = mention.map(|row| row.id.clone());
    near.chain(mention).take(MAX_MATCHES).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(words: &str) -> (TopicKind, String) {
        let topic = Topic::find(words).unwrap();
        (topic.kind, topic.name)
    }

    #[test]
    fn every_row_of_the_reference_is_explained() {
        for row in rows::all() {
            let topic = Topic::find(&row.id.to_lowercase()).unwrap();
            assert_eq!((topic.kind, topic.rows), (TopicKind::Row, vec![row]));
        }
    }

    #[test]
    fn every_rule_is_explained_by_id_and_by_name() {
        for rule in registry::all() {
            for word in [rule.id, rule.name] {
                let rules = Topic::find(&word.to_uppercase()).unwrap().rules;
                let ids: Vec<_> = rules.iter().map(|rule| rule.id).collect();
                assert_eq!(ids, [rule.id], "{word}");
            }
        }
    }

    #[test]
    fn codes_statuses_and_error_frames_are_distinguished() {
        for (words, kind, name) in [
            ("1005", TopicKind::CloseCode, "1005"),
            ("close code 1006", TopicKind::CloseCode, "1006"),
            ("429", TopicKind::HandshakeStatus, "429"),
            ("HTTP 502", TopicKind::HandshakeStatus, "502"),
            ("forbidden", TopicKind::ErrorFrame, "Forbidden"),
            (
                "\"Internal Server Error\"",
                TopicKind::ErrorFrame,
                "Internal server error",
            ),
            ("row [D5]", TopicKind::Row, "D5"),
            ("(row d5)", TopicKind::Row, "D5"),
            ("sg1", TopicKind::Rules, "SG1"),
            ("dr201", TopicKind::Check, "DR201"),
            ("a", TopicKind::Rows, "A"),
            ("", TopicKind::Rows, ""),
        ] {
            assert_eq!(found(words), (kind, name.to_owned()), "{words}");
        }
    }

    #[test]
    fn rows_that_mention_a_number_are_added_to_the_cited_ones() {
        let ids = |words: &str| -> Vec<_> {
            let rows = Topic::find(words).unwrap().rows;
            rows.iter().map(|row| row.id.as_str()).collect()
        };
        assert_eq!(ids("1005"), ["X1", "M16", "L4"]);
        assert!(ids("410").ends_with(&["C11", "K4"]), "{:?}", ids("410"));
        // A handshake that is accepted has no cause.
        assert_eq!(ids("101"), ["C1", "C2", "C10"]);
    }

    #[test]
    fn an_unknown_name_is_an_error_with_near_matches() {
        for (words, near) in [
            ("forbiden", "did you mean Forbidden"),
            ("GoneException", "did you mean C11 or K4?"),
            (
                "authorizer-never-atached",
                "did you mean authorizer-never-attached",
            ),
            ("D99", "did you mean D9"),
            ("70000", "`stackgen explain` takes"),
        ] {
            let error = Topic::find(words).unwrap_err();
            let problem = &error.problems[0].problem;
            let hint = problem.hint.as_deref().unwrap_or_default();
            assert!(
                hint.starts_with(near) && hint.ends_with(TAKES),
                "{words}: {hint}"
            );
            assert_eq!(
                problem.message,
                format!("there is no explanation of {words:?}")
            );
        }
    }
}
