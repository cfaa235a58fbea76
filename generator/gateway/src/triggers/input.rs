//! Input of a target of a rule: the event, a part of it, a constant, or a rendered template.

use serde_json::{Value as Json, json};
use stackgen_gateway_common::EpochMillis;
use stackgen_gateway_stack::{TargetInput, Trigger};

/// Returns the JSON text that a target receives for an event.
pub(super) fn input_of(input: &TargetInput, event: &Json, trigger: &Trigger) -> String {
    match input {
        TargetInput::Event => event.to_string(),
        TargetInput::Constant(text) => text.clone(),
        TargetInput::Path(path) => at_path(event, path)
            .cloned()
            .unwrap_or_default()
            .to_string(),
        TargetInput::Template { paths, template } => {
            let value = |name: &str| match predefined(name, event, trigger) {
                Some(value) => Some(value),
                None => {
                    let (_, path) = paths.iter().find(|(one, _)| one == name)?;
                    Some(at_path(event, path).cloned().unwrap_or_default())
                }
            };
            let text = render(template, value);
            // A template without quotes is text.
            match serde_json::from_str::<serde::de::IgnoredAny>(&text) {
                Ok(_) => text,
                Err(_) => Json::from(text).to_string(),
            }
        }
    }
}

/// Returns the value of a variable that every template has.
fn predefined(name: &str, event: &Json, trigger: &Trigger) -> Option<Json> {
    Some(match name {
        "aws.events.rule-arn" => json!(trigger.arn),
        "aws.events.rule-name" => json!(trigger.name),
        "aws.events.event.ingestion-time" => json!(EpochMillis::now().iso8601()),
        "aws.events.event" | "aws.events.event.json" => event.clone(),
        _ => return None,
    })
}

/// Returns the value at a path such as `$.detail.items[0].name`.
fn at_path<'a>(event: &'a Json, path: &str) -> Option<&'a Json> {
    let path = path.strip_prefix('$')?;
    let keys = path.split(['.', '[', ']']).filter(|key| !key.is_empty());
    keys.map(|key| key.trim_matches('\''))
        .try_fold(event, |value, key| match value {
            Json::Array(items) => items.get(key.parse::<usize>().ok()?),
            value => value.get(key),
        })
}

/// Replaces `<name>` by values. Text stands without quotes where the template has them.
fn render(template: &str, value: impl Fn(&str) -> Option<Json>) -> String {
    let mut text = String::new();
    let mut rest = template;
    let mut quoted = false;
    while let Some(next) = rest.chars().next() {
        let variable = rest
            .strip_prefix('<')
            .and_then(|after| after.split_once('>'))
            .and_then(|(name, after)| Some((value(name)?, after)));
        if let Some((value, after)) = variable {
            text += &inserted(&value, quoted);
            rest = after;
            continue;
        }
        let escaped = if next == '\\' {
            rest.chars().nth(1)
        } else {
            None
        };
        quoted ^= next == '"';
        text.push(next);
        text.extend(escaped);
        rest = &rest[next.len_utf8() + escaped.map_or(0, char::len_utf8)..];
    }
    text
}

fn inserted(value: &Json, quoted: bool) -> String {
    let text = value.to_string();
    match (value, quoted) {
        (_, false) => text,
        (Json::String(_), true) => text[1..text.len() - 1].to_owned(),
        (_, true) => {
            let text = Json::from(text).to_string();
            text[1..text.len() - 1].to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use stackgen_gateway_common::EventPattern;
    use stackgen_gateway_stack::TriggerSource;

    use super::*;

    fn rule() -> Trigger {
        Trigger {
            name: "one".to_owned(),
            arn: "arn:rule".to_owned(),
            source: TriggerSource::Bus {
                bus: "default".to_owned(),
                pattern: EventPattern::parse("{}").unwrap(),
            },
            enabled: true,
            targets: Vec::new(),
        }
    }

    fn input(input: &TargetInput) -> String {
        let event = json!({ "source": "app", "detail": { "who": "a\"b", "list": [{ "n": 7 }] } });
        input_of(input, &event, &rule())
    }

    #[test]
    fn a_path_selects_a_part_of_the_event() {
        for (path, expected) in [
            ("$.source", r#""app""#),
            ("$.detail.list[0].n", "7"),
            ("$.detail.list[1]", "null"),
            ("$.missing", "null"),
            ("source", "null"),
        ] {
            assert_eq!(
                input(&TargetInput::Path(path.to_owned())),
                expected,
                "{path}"
            );
        }
    }

    #[test]
    fn a_template_inserts_values_as_json_or_into_text() {
        let render = |template: &str| {
            input(&TargetInput::Template {
                paths: vec![
                    ("who".to_owned(), "$.detail.who".to_owned()),
                    ("list".to_owned(), "$.detail.list".to_owned()),
                ],
                template: template.to_owned(),
            })
        };
        assert_eq!(
            render(r#"{"who": <who>, "all": <list>}"#),
            r#"{"who": "a\"b", "all": [{"n":7}]}"#
        );
        assert_eq!(
            render(r#""<who> of <aws.events.rule-name>""#),
            r#""a\"b of one""#
        );
        assert_eq!(
            render(r#"{"text": "\"<list>\""}"#),
            r#"{"text": "\"[{\"n\":7}]\""}"#
        );
        assert_eq!(render("hello <unknown>"), r#""hello <unknown>""#);
    }

    proptest! {
        #[test]
        fn every_template_renders_to_json(template in "[<>a\"\\\\{}: é]{0,12}") {
            let text = input(&TargetInput::Template { paths: vec![("a".to_owned(), "$.detail".to_owned())], template });
            prop_assert!(serde_json::from_str::<Json>(&text).is_ok(), "{text}");
        }
    }
}
