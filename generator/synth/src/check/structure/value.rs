//! Single values: numbers in a range, choices, and strings with a format.

use serde_json::Value as Json;
use stackgen_cfn::{Node, Span, Value};

use super::{StructureChecker, plain, type_words};
use crate::LocatedError;
use crate::check::format;
use crate::wording::{nearest, use_one_of};

impl<'a> StructureChecker<'a> {
    pub(super) fn string(&mut self, schema: &Json, name: &str, text: &str, span: Span) {
        let length = text.chars().count() as u64;
        let least = schema.get("minLength").and_then(Json::as_u64).unwrap_or(0);
        let most = schema
            .get("maxLength")
            .and_then(Json::as_u64)
            .unwrap_or(u64::MAX);
        if length < least || length > most {
            let limit = if length < least {
                format!("at least {least}")
            } else {
                format!("at most {most}")
            };
            self.report(LocatedError::new(
                span,
                format!("`{name}` has {length} characters; it must have {limit}"),
            ));
        }
        let format = schema.get("format").and_then(Json::as_str);
        if let Some(error) = format.and_then(|format| format::check(format, text)) {
            self.report(error.at(span));
        }
    }

    pub(super) fn number(&mut self, schema: &Json, name: &str, number: f64, span: Span) {
        let limit = |key: &str| schema.get(key).and_then(Json::as_f64);
        let (least, most) = (limit("minimum"), limit("maximum"));
        let above = limit("exclusiveMinimum");
        let fits = least.is_none_or(|least| number >= least)
            && most.is_none_or(|most| number <= most)
            && above.is_none_or(|above| number > above);
        if fits {
            return;
        }
        let range = match (least, most, above) {
            (_, _, Some(above)) => format!("more than {above}"),
            (Some(least), Some(most), _) => format!("between {least} and {most}"),
            (Some(least), None, _) => format!("at least {least}"),
            (None, Some(most), _) => format!("at most {most}"),
            (None, None, None) => return,
        };
        let error = LocatedError::new(span, format!("`{name}` is {number}; it must be {range}"));
        let throttle = matches!(name, "burstLimit" | "rateLimit") && number == 0.0;
        self.report(match throttle {
            true => error
                .hint("raise it: with 0, API Gateway answers every handshake with 429")
                .row("D18"),
            false => error,
        });
    }

    pub(super) fn one_of(&mut self, constants: &[&Json], name: &str, node: &Node, key: Span) {
        let found = match &node.value {
            Value::String(text) => text.clone(),
            Value::Int(number) => number.to_string(),
            _ => return self.wrong_type(&["string"], name, node, key),
        };
        let texts: Vec<_> = constants.iter().map(|constant| plain(constant)).collect();
        if texts.contains(&found) {
            return;
        }
        let names: Vec<_> = texts.iter().map(String::as_str).collect();
        let error = LocatedError::new(node.span, format!("`{name}` cannot be `{found}`"));
        self.report(match nearest(&found, names.iter().copied()) {
            Some(near) if found.parse::<i64>().is_err() => {
                error.hint(format!("did you mean `{near}`?"))
            }
            _ => error.hint(use_one_of(&names)),
        });
    }

    pub(super) fn intrinsic(&mut self, name: &str, node: &Node) {
        self.report(
            LocatedError::new(node.span, format!("`{name}` cannot be an intrinsic function"))
                .hint("write the value itself, per environment if it differs: stackgen needs it to render the \
                    template"),
        );
    }

    pub(super) fn without_unit(&mut self, number: i64, name: &str, span: Span) {
        let error = LocatedError::new(span, format!("`{name}` lacks a unit: `{number}`"));
        self.report(error.hint(format!("write `{number}s`, or use `ms`, `m` or `h`")));
    }

    pub(super) fn wrong_type(&mut self, types: &[&str], name: &str, node: &Node, key: Span) {
        let mut words: Vec<_> = types
            .iter()
            .filter(|word| **word != "null")
            .map(|word| type_words(word))
            .collect();
        words.dedup();
        let span = if node.value == Value::Null {
            key
        } else {
            node.span
        };
        let subject = if name == "the file" {
            name.to_owned()
        } else {
            format!("`{name}`")
        };
        let error = LocatedError::new(
            span,
            format!(
                "{subject} must be {}, not {}",
                words.join(" or "),
                node.kind()
            ),
        );
        let quote = words.contains(&"a string")
            && matches!(node.value, Value::Bool(_) | Value::Int(_) | Value::Float(_));
        self.report(if quote {
            error.hint("put it in quotes")
        } else {
            error
        });
    }

    /// Checks that a scalar has the same text when CloudFormation gets it as a string: `1.10` must not become `1.1`,
    /// and `on` must not become `true`.
    pub(super) fn as_written(&mut self, name: &str, node: &Node) {
        let read = match &node.value {
            Value::Bool(value) => value.to_string(),
            Value::Int(value) => value.to_string(),
            Value::Float(value) => value.to_string(),
            _ => return,
        };
        let range = node.span.start as usize..node.span.end as usize;
        let written = self.text.get(range).unwrap_or(&read);
        // The span of an alias, an anchor or a tag does not contain only the value.
        if written != read && !written.starts_with(['*', '&', '!']) {
            let message =
                format!("`{name}` is written as `{written}`, which YAML reads as `{read}`");
            self.report(
                LocatedError::new(node.span, message)
                    .hint(format!("put it in quotes: '{written}'")),
            );
        }
    }
}
