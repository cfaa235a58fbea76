//! Messages of a load, from flags and from stackgen.yaml.

use std::path::Path;

use stackgen_probe::{LoadMessage, NUMBER};

use super::args::MessageArgs;
use crate::bounded;
use crate::error::CliError;

/// Largest message in bytes: API Gateway refuses larger ones (row M11).
const MAX_MESSAGE: u64 = 128 * 1024;

/// Bytes of generated messages.
const DEFAULT_SIZE: usize = 64;

/// What the project file says about messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct MessageDefaults {
    /// Route under `load`, or the route that `stackgen cost` would choose.
    pub(super) route: Option<String>,
    /// Size under `load`.
    pub(super) size: Option<u32>,
    /// Key of the route selection expression, such as `action`.
    pub(super) route_key: Option<String>,
}

impl MessageArgs {
    /// Returns the messages to choose from.
    pub(super) fn messages(
        &self,
        defaults: &MessageDefaults,
    ) -> Result<Vec<LoadMessage>, CliError> {
        let size = self
            .size
            .or(defaults.size)
            .map_or(DEFAULT_SIZE, |size| size as usize);
        let key = defaults.route_key.as_deref().unwrap_or("action");
        let mut messages = Vec::new();
        for send in &self.sends {
            let (weight, message) = weighted(send);
            messages.push(self.message(weight, message)?);
        }
        let declared = defaults
            .route
            .as_ref()
            .filter(|_| messages.is_empty() && self.routes.is_empty());
        for route in self.routes.iter().chain(declared) {
            let (weight, route) = weighted(route);
            messages.push(LoadMessage {
                name: route.to_owned(),
                weight,
                text: generated(key, route, size),
                has_answer: !self.no_answer,
            });
        }
        match messages.is_empty() {
            false => Ok(messages),
            true => Err(CliError::input("no message is given").hint(
                "give one with `--send` or `--route`, or add `load` with a `route` to stackgen.yaml",
            )),
        }
    }

    fn message(&self, weight: f64, message: &str) -> Result<LoadMessage, CliError> {
        let (name, text) = match message.strip_prefix('@') {
            None => (excerpt(message), message.to_owned()),
            Some(path) if path.starts_with('@') => (excerpt(path), path.to_owned()),
            Some(path) => (path.to_owned(), file_text(Path::new(path))?),
        };
        if text.len() as u64 > MAX_MESSAGE {
            return Err(CliError::input(format!("{name} has more than 128 KB"))
                .hint("API Gateway accepts no longer messages (row M11)"));
        }
        Ok(LoadMessage {
            name,
            weight,
            text,
            has_answer: !self.no_answer,
        })
    }
}

fn file_text(path: &Path) -> Result<String, CliError> {
    let failed = |reason: String| {
        CliError::input(format!("cannot read {}: {reason}", path.display())).file(path)
    };
    let bytes = bounded::read(path, MAX_MESSAGE).map_err(|error| failed(error.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|_| failed("it is not UTF-8 text".to_owned()))?;
    // An editor ends a file with a line break, which is no part of the message.
    Ok(text.trim_end_matches('\n').to_owned())
}

/// Splits `WEIGHT=MESSAGE`. A message may contain `=` itself.
fn weighted(text: &str) -> (f64, &str) {
    let split = text.split_once('=').and_then(|(weight, rest)| {
        let is_number = weight
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
        let weight: f64 = weight.parse().ok().filter(|_| is_number)?;
        (weight > 0.0).then_some((weight, rest))
    });
    split.unwrap_or((1.0, text))
}

/// Returns a message for a route, with a number, of about this size. `$default` gets messages that name no route.
fn generated(key: &str, route: &str, size: usize) -> String {
    let route = match route.starts_with('$') {
        true => String::new(),
        false => format!("{}:{},", json(key), json(route)),
    };
    let mut text = format!("{{{route}\"number\":{NUMBER},\"text\":\"");
    // The number is longer than its placeholder.
    let missing = size.saturating_sub(text.len() + 15 - NUMBER.len() + 2);
    text.extend(std::iter::repeat_n('x', missing));
    text.push_str("\"}");
    text
}

fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Returns the beginning of a message as its name.
fn excerpt(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_precedes_a_message() {
        assert_eq!(weighted("3=ping"), (3.0, "ping"));
        assert_eq!(weighted("0.5=@a.json"), (0.5, "@a.json"));
        for text in [
            "ping",
            "a=b",
            r#"{"a":"1=2"}"#,
            "0=x",
            "=x",
            "-1=x",
            "inf=x",
        ] {
            assert_eq!(weighted(text), (1.0, text));
        }
    }

    #[test]
    fn generated_messages_have_a_number_and_the_requested_size() {
        let text = generated("action", "say", 64);
        assert_eq!(text.replace(NUMBER, "100000000000000").len(), 64, "{text}");
        assert!(
            text.starts_with(r#"{"action":"say","number":<number>,"text":"x"#),
            "{text}"
        );
        assert_eq!(
            generated("action", "$default", 1),
            r#"{"number":<number>,"text":""}"#
        );
    }
}
