//! Symptoms as entry: what a user sees, and the checks that can tell why.

use std::collections::BTreeSet;

use serde::Serialize;

use super::checks;
use super::part::EvidencePart;

/// Something that a user sees: a code, a status, or a line of a log.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Symptom {
    /// The name.
    pub name: &'static str,
    /// Meaning, in a few words.
    pub meaning: &'static str,
    /// Rows of the API Gateway reference about it.
    pub rows: &'static [&'static str],
    /// IDs of the checks that can tell why, likely causes first.
    pub checks: &'static [&'static str],
    /// Texts in lower case, one of which a line with this symptom contains.
    #[serde(skip)]
    texts: &'static [&'static str],
    /// Numbers, one of which stands in such a line as a word.
    #[serde(skip)]
    numbers: &'static [u16],
}

/// All symptoms. The first one that a line shows is meant, so texts come before numbers.
pub const SYMPTOMS: [Symptom; 18] = [
    Symptom {
        name: "Connection not found in database",
        meaning: "a message or `$disconnect` came from a connection without a record: `$connect` did not write it, or another writer deleted it",
        rows: &["M18"],
        checks: &[
            "DR101", "DR308", "DR401", "DR402", "DR403", "DR405", "DR301", "DR302", "DR303",
            "DR605",
        ],
        texts: &[
            "connection not found",
            "no connection record",
            "unknown connection",
        ],
        numbers: &[],
    },
    Symptom {
        name: "No method found matching route",
        meaning: "the deployment that the stage serves has no such route, and no `$default`",
        rows: &["M3"],
        checks: &[
            "DR201", "DR210", "DR203", "DR202", "DR101", "DR103", "DR208",
        ],
        texts: &[
            "no method found matching route",
            "no route",
            "route not found",
        ],
        numbers: &[],
    },
    Symptom {
        name: "Missing Authentication Token",
        meaning: "a request without a signature where one is needed: a post to @connections at a wrong address, or `$connect` with AWS_IAM",
        rows: &["A14", "K5"],
        checks: &["DR310", "DR101", "DR208", "DR501"],
        texts: &["missing authentication token", "missingauthenticationtoken"],
        numbers: &[],
    },
    Symptom {
        name: "GoneException",
        meaning: "a post to a connection that does not exist any more, or not yet: from inside of `$connect`",
        rows: &["K4", "C11"],
        checks: &["DR405", "DR403", "DR310", "DR502", "DR503", "DR504"],
        texts: &["goneexception", "gone exception"],
        numbers: &[410],
    },
    Symptom {
        name: "ForbiddenException",
        meaning: "a post to @connections was refused: wrong stage or address, a missing right, or private DNS",
        rows: &["K1", "K5", "K8"],
        checks: &["DR310", "DR311", "DR312"],
        texts: &[
            "forbiddenexception",
            "accessdeniedexception",
            "not authorized to perform: execute-api:manageconnections",
            "manageconnections",
        ],
        numbers: &[],
    },
    Symptom {
        name: "Endpoint request timed out",
        meaning: "an integration did not answer in time",
        rows: &["M5", "C8"],
        checks: &["DR101", "DR302", "DR604", "DR605", "DR601", "DR501"],
        texts: &["endpoint request timed out", "task timed out"],
        numbers: &[504],
    },
    Symptom {
        name: "Internal server error",
        meaning: "a function threw, answered with something that is no proxy response, or may not be invoked",
        rows: &["M4", "M7", "C7"],
        checks: &[
            "DR301", "DR304", "DR306", "DR307", "DR302", "DR305", "DR308", "DR309", "DR303",
            "DR401", "DR601", "DR602", "DR605", "DR501",
        ],
        texts: &["internal server error", "internalservererror"],
        numbers: &[500],
    },
    Symptom {
        name: "Unauthorized",
        meaning: "API Gateway refused the handshake because an identity source is missing, or the authorizer failed with exactly this word",
        rows: &["A2", "A6"],
        checks: &[
            "DR102", "DR101", "DR308", "DR309", "DR201", "DR210", "DR501", "DR603",
        ],
        texts: &["unauthorized"],
        numbers: &[401],
    },
    Symptom {
        name: "Too many requests",
        meaning: "a throttle or a quota",
        rows: &["D18", "L5", "L6"],
        checks: &["DR205", "DR305", "DR604", "DR603", "DR501"],
        texts: &[
            "too many requests",
            "toomanyrequests",
            "limit exceeded",
            "limitexceeded",
            "rate exceeded",
        ],
        numbers: &[429, 1008],
    },
    Symptom {
        name: "Bad gateway",
        meaning: "the function of `$connect` threw, or its answer is no proxy response",
        rows: &["C6"],
        checks: &[
            "DR302", "DR303", "DR308", "DR309", "DR401", "DR605", "DR601", "DR501",
        ],
        texts: &["bad gateway"],
        numbers: &[502],
    },
    Symptom {
        name: "Forbidden",
        meaning: "as a frame on an open connection: the served deployment has no such route; as a status of the handshake: no deployment, a policy that denies, or a missing API key",
        rows: &["M3", "C3", "A5"],
        checks: &[
            "DR201", "DR210", "DR208", "DR203", "DR202", "DR101", "DR103", "DR501",
        ],
        texts: &["forbidden"],
        numbers: &[403],
    },
    Symptom {
        name: "1005",
        meaning: "the client called `close()` without a code; no server sends it",
        rows: &["X1", "M16"],
        checks: &["DR502", "DR501"],
        texts: &[],
        numbers: &[1005],
    },
    Symptom {
        name: "1006",
        meaning: "no server sends it: the handshake failed, or the connection ended without a close frame",
        rows: &["X2", "X3", "C10"],
        checks: &[
            "DR208", "DR205", "DR102", "DR101", "DR201", "DR210", "DR301", "DR304", "DR306",
            "DR307", "DR302", "DR305", "DR308", "DR401", "DR501", "DR505", "DR503", "DR504",
        ],
        texts: &[
            "failed: websocket is closed before",
            "websocket connection to",
        ],
        numbers: &[1006],
    },
    Symptom {
        name: "1001",
        meaning: "API Gateway closed the connection after 10 idle minutes or two hours, or the user left the page",
        rows: &["M13", "M14", "M17"],
        checks: &["DR503", "DR504"],
        texts: &["going away"],
        numbers: &[1001],
    },
    Symptom {
        name: "1009",
        meaning: "a frame over 32 KB, or a message over 128 KB",
        rows: &["M11"],
        checks: &["DR506"],
        texts: &["payload too large", "payloadtoolarge"],
        numbers: &[1009, 413],
    },
    Symptom {
        name: "1003",
        meaning: "a binary frame",
        rows: &["M10"],
        checks: &["DR506"],
        texts: &[],
        numbers: &[1003, 1011],
    },
    Symptom {
        name: "UPDATE_ROLLBACK_COMPLETE",
        meaning: "the last update of the stack failed, and CloudFormation restored the earlier state",
        rows: &[],
        checks: &["DR701", "DR702", "DR104", "DR204"],
        texts: &["rollback"],
        numbers: &[],
    },
    Symptom {
        name: "no logs",
        meaning: "API Gateway writes no log",
        rows: &["L3", "L4"],
        checks: &["DR206", "DR207"],
        texts: &["no log"],
        numbers: &[],
    },
];

impl Symptom {
    /// Finds the symptom that a line shows, such as `1006` or a line of a log.
    pub fn find(line: &str) -> Option<&'static Symptom> {
        let lower = line.to_lowercase();
        let has_text = |one: &&Symptom| {
            one.texts.iter().any(|text| lower.contains(text))
                || lower.trim() == one.name.to_lowercase()
        };
        // A number in a long line may be anything: a duration, a part of an ID.
        let words: BTreeSet<&str> = lower.split(|c: char| !c.is_ascii_alphanumeric()).collect();
        let has_number = |one: &&Symptom| {
            one.numbers
                .iter()
                .any(|number| words.contains(number.to_string().as_str()))
        };
        SYMPTOMS
            .iter()
            .find(has_text)
            .or_else(|| SYMPTOMS.iter().find(has_number))
    }

    /// Returns the parts of the evidence to read for the checks.
    pub fn parts(&self) -> BTreeSet<EvidencePart> {
        let checks = self.checks.iter().filter_map(|id| checks::find(id));
        EvidencePart::with_followed(checks.flat_map(|check| check.needs.iter().copied()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_of_a_symptom_exists_and_every_check_but_those_of_settings_has_a_symptom() {
        let named: BTreeSet<_> = SYMPTOMS
            .iter()
            .flat_map(|symptom| symptom.checks)
            .copied()
            .collect();
        let all: BTreeSet<_> = checks::all().map(|check| check.id).collect();
        assert_eq!(
            named.difference(&all).collect::<Vec<_>>(),
            Vec::<&&str>::new()
        );
        // Nothing that users see points at them first.
        let rest: Vec<_> = all.difference(&named).copied().collect();
        assert_eq!(rest, ["DR209", "DR404"]);
    }

    #[test]
    fn a_pasted_line_shows_its_symptom() {
        for (line, name) in [
            ("1006", "1006"),
            ("WebSocket closed with code 1005", "1005"),
            ("Unexpected response: 401", "Unauthorized"),
            (
                "WARN Connection not found in database connectionId=abc=",
                "Connection not found in database",
            ),
            (
                r#"{"message": "Internal server error", "connectionId":"x", "requestId":"y"}"#,
                "Internal server error",
            ),
            (
                "(abc) No method found matching route sendAudio for http method POST",
                "No method found matching route",
            ),
            ("GoneException: 410", "GoneException"),
            (
                r#"{"message":"Missing Authentication Token"}"#,
                "Missing Authentication Token",
            ),
            (
                r#"{"message": "Forbidden", "connectionId":"x"}"#,
                "Forbidden",
            ),
            ("Error: ForbiddenException", "ForbiddenException"),
            (
                "stack is UPDATE_ROLLBACK_COMPLETE",
                "UPDATE_ROLLBACK_COMPLETE",
            ),
        ] {
            assert_eq!(
                Symptom::find(line).map(|symptom| symptom.name),
                Some(name),
                "{line}"
            );
        }
        assert!(Symptom::find("everything is fine").is_none());
        assert!(Symptom::find("").is_none());
    }
}
