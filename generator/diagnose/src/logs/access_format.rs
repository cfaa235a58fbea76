//! Access logs: the format that a stage sets, and values of lines in that format (rows L1, L2).

use std::borrow::Cow;

use stackgen_model::access_log::{VARIABLE, name_length};

/// Largest number of attempts to match a line. Values can contain the text between two variables.
const MAX_ATTEMPTS: u32 = 5_000;

/// Format of an access log: text with variables. JSON, CSV, XML and CLF are all parsed as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessFormat {
    /// Text before the first variable.
    start: String,
    /// Variables without `$context.`, each with the text after it.
    variables: Vec<(String, String)>,
    is_json: bool,
}

impl AccessFormat {
    /// Parses a format.
    pub fn parse(format: &str) -> AccessFormat {
        let format = format.trim_end_matches(['\n', '\r']);
        let mut pieces = format.split(VARIABLE);
        let start = pieces.next().unwrap_or_default().to_owned();
        let variables = pieces.map(|piece| {
            let (name, after) = piece.split_at(name_length(piece));
            (name.to_owned(), after.to_owned())
        });
        AccessFormat {
            variables: variables.collect(),
            is_json: format.trim_start().starts_with('{'),
            start,
        }
    }

    /// True if lines contain a variable, such as `connectionId`.
    pub fn has(&self, variable: &str) -> bool {
        self.variables.iter().any(|(name, _)| name == variable)
    }

    /// True if the format is unknown.
    pub fn is_empty(&self) -> bool {
        self.variables.is_empty()
    }

    /// Returns the variables of a line with their values; `None` if the line has another format. A variable without a value
    /// is left out.
    pub fn values<'f, 'l>(&'f self, line: &'l str) -> Option<Vec<(&'f str, Cow<'l, str>)>> {
        if self.is_empty() {
            return None;
        }
        let line = line.trim_end_matches(['\n', '\r']);
        let rest = line.strip_prefix(self.start.as_str())?;
        let mut lengths = Vec::with_capacity(self.variables.len());
        let mut attempts = 0;
        if !matches(&self.variables, rest, &mut lengths, &mut attempts) {
            return None;
        }
        let mut values = Vec::with_capacity(lengths.len());
        let mut rest = rest;
        for ((name, after), length) in self.variables.iter().zip(lengths) {
            let (value, tail) = rest.split_at(length);
            rest = &tail[after.len()..];
            if !matches!(value, "" | "-") {
                values.push((name.as_str(), self.unescaped(value)));
            }
        }
        Some(values)
    }

    /// Returns a value without JSON's escapes.
    fn unescaped<'l>(&self, value: &'l str) -> Cow<'l, str> {
        if !self.is_json || !value.contains('\\') {
            return Cow::Borrowed(value);
        }
        match serde_json::from_str(&format!("\"{value}\"")) {
            Ok(text) => Cow::Owned(text),
            Err(_) => Cow::Borrowed(value),
        }
    }
}

/// Matches variables against a text, and appends the lengths of their values. The shortest values that fit are found.
fn matches(
    variables: &[(String, String)],
    text: &str,
    lengths: &mut Vec<usize>,
    attempts: &mut u32,
) -> bool {
    let Some(((name, after), others)) = variables.split_first() else {
        return text.is_empty();
    };
    *attempts += 1;
    if *attempts > MAX_ATTEMPTS {
        return false;
    }
    if after.is_empty() && others.is_empty() {
        let is_match = fits(name, text);
        if is_match {
            lengths.push(text.len());
        }
        return is_match;
    }
    let mut from = 0;
    while let Some(found) = text[from..].find(after.as_str()) {
        let length = from + found;
        if fits(name, &text[..length]) {
            lengths.push(length);
            if matches(others, &text[length + after.len()..], lengths, attempts) {
                return true;
            }
            lengths.pop();
        }
        // The next character, which may have several bytes.
        from = length + text[length..].chars().next().map_or(1, char::len_utf8);
        if from > text.len() {
            break;
        }
    }
    false
}

/// True if a variable can have a value. It tells fields apart where values contain the text between them.
fn fits(name: &str, value: &str) -> bool {
    if matches!(value, "" | "-") {
        return true;
    }
    let is_number = name.ends_with("status")
        || name.ends_with("Status")
        || name.ends_with("atency")
        || matches!(name, "connectedAt" | "requestTimeEpoch");
    let is_id = matches!(
        name,
        "connectionId" | "requestId" | "extendedRequestId" | "messageId" | "apiId" | "stage"
    );
    let is_of_id = |byte: u8| byte.is_ascii_alphanumeric() || b"_-=$+/".contains(&byte);
    match name {
        _ if is_number => value.bytes().all(|byte| byte.is_ascii_digit()),
        _ if is_id => value.bytes().all(is_of_id),
        "eventType" => value
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte == b'_'),
        "identity.sourceIp" => {
            let of_ip = |byte: u8| byte.is_ascii_hexdigit() || b".:".contains(&byte);
            value.bytes().all(of_ip)
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(format: &str, line: &str) -> String {
        let format = AccessFormat::parse(format);
        let Some(values) = format.values(line) else {
            return "no match".to_owned();
        };
        let values = values.iter().map(|(name, value)| format!("{name}={value}"));
        values.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn row_l2_lines_of_json_csv_clf_and_xml_are_parsed_by_the_format() {
        let json = r#"{"id":"$context.requestId","status":$context.status,"agent":"$context.identity.userAgent","error":"$context.error.message"}"#;
        let line = r#"{"id":"Ab_-=","status":403,"agent":"a \"quoted\", agent","error":"-"}"#;
        assert_eq!(
            values(json, line),
            r#"requestId=Ab_-= status=403 identity.userAgent=a "quoted", agent"#
        );
        let csv = "$context.identity.userAgent,$context.status,$context.connectionId";
        assert_eq!(
            values(csv, "Mozilla (X11, Linux),200,C1="),
            "identity.userAgent=Mozilla (X11, Linux) status=200 connectionId=C1="
        );
        let clf = r#"$context.identity.sourceIp - - [$context.requestTime] "$context.routeKey $context.eventType" $context.status $context.requestId"#;
        let line = r#"203.0.113.7 - - [30/Nov/2026:08:00:00 +0000] "$connect CONNECT" 401 R="#;
        assert_eq!(
            values(clf, line),
            "identity.sourceIp=203.0.113.7 requestTime=30/Nov/2026:08:00:00 +0000 routeKey=$connect eventType=CONNECT status=401 requestId=R="
        );
        let xml = "<r id=\"$context.requestId\"><s>$context.status</s></r>";
        assert_eq!(
            values(xml, "<r id=\"R=\"><s>200</s></r>\n"),
            "requestId=R= status=200"
        );
    }

    #[test]
    fn a_line_of_another_format_has_no_values() {
        assert_eq!(
            values("$context.requestId,$context.status", "hello"),
            "no match"
        );
        assert_eq!(values("$context.status,x", "abc,x"), "no match");
        assert_eq!(values("", "abc"), "no match");
        // Values that repeat the text between fields end the search.
        let many = "$context.a,".repeat(20) + "$context.status";
        assert!(values(&many, &",".repeat(300)).starts_with("a=,,,"));
        assert_eq!(values(&many, &format!("{}z", "x,".repeat(300))), "no match");
    }
}
