//! A diff for people.

use std::fmt::Write;

use serde_json::Value as Json;

use super::{Change, Diff, What};
use crate::parts::Effect;

/// Longer values are cut: the whole of them is in the JSON form.
const LONGEST: usize = 120;

impl Diff {
    /// The diff as lines of text without colour: `+` added, `-` removed, `~` changed, and what each takes to be
    /// live. Ends with a newline unless nothing changed.
    pub fn human(&self) -> String {
        let many_apis = self.apis.len() > 1;
        let lines: Vec<(String, &str)> = self
            .changes
            .iter()
            .map(|change| (line(change, many_apis), takes(change.effect)))
            .collect();
        let width = lines
            .iter()
            .map(|(line, _)| line.chars().count())
            .filter(|width| *width <= 90)
            .max();
        let width = width.unwrap_or_default();
        let mut text = String::new();
        for (line, takes) in lines {
            writeln!(text, "{line:width$}   {takes}").expect("writing to a String cannot fail");
        }
        for api in self.apis.iter().filter(|api| api.is_stale()) {
            let stages = api.stale_stages.join(", ");
            writeln!(
                text,
                "! stage {stages} of api {} keeps its deployment and will serve the old wiring",
                api.api
            )
            .expect("writing to a String cannot fail");
        }
        text
    }
}

fn takes(effect: Effect) -> &'static str {
    match effect {
        Effect::Wiring => "needs a deployment",
        Effect::Code => "code, live with the update",
        Effect::PinnedCode => "live when a deployment calls the new version",
        Effect::Settings => "live with the update",
        Effect::Replaces => "replaces the resource",
    }
}

fn line(change: &Change, many_apis: bool) -> String {
    let subject = &change.subject;
    let of = match &subject.api {
        Some(api) if many_apis && subject.kind != "api" => format!(" of api {api}"),
        _ => String::new(),
    };
    let subject = format!("{} {}{of}", subject.kind, subject.name);
    match &change.what {
        What::Added => format!("+ {subject}"),
        What::Removed => format!("- {subject}"),
        What::Changed {
            field,
            before,
            after,
        } => {
            format!(
                "~ {subject}: {}",
                phrase(field, before.as_ref(), after.as_ref())
            )
        }
    }
}

fn phrase(field: &str, before: Option<&Json>, after: Option<&Json>) -> String {
    let field = match field {
        "deployment" => return replaced(before),
        "Target.IntegrationUri.Function" | "Target.IntegrationUri.Qualifier" => {
            return calls("integration", before, after);
        }
        "AuthorizerUri.Function" | "AuthorizerUri.Qualifier" => {
            return calls("authorizer", before, after);
        }
        "version" => "code or configuration",
        "Target" => "integration",
        "Grants" => "grant",
        other => other,
    };
    match (before, after) {
        (Some(before), Some(after)) => {
            format!("{field} is now {} (was {})", shown(after), shown(before))
        }
        (None, Some(after)) => format!("{field} {} is new", shown(after)),
        (Some(before), None) => format!("{field} {} is gone", shown(before)),
        (None, None) => field.to_owned(),
    }
}

fn replaced(before: Option<&Json>) -> String {
    format!(
        "takes the place of {}",
        before.map(shown).unwrap_or_default()
    )
}

fn calls(what: &str, before: Option<&Json>, after: Option<&Json>) -> String {
    let shown =
        |value: Option<&Json>| value.map_or_else(|| "no version in particular".to_owned(), shown);
    format!("{what} now calls {} (was {})", shown(after), shown(before))
}

fn shown(value: &Json) -> String {
    let text = match value {
        Json::String(text) => text.clone(),
        Json::Object(grant) if grant.contains_key("Effect") => grant_in_words(value),
        other => other.to_string(),
    };
    if text.chars().count() <= LONGEST {
        return text;
    }
    let cut: String = text.chars().take(LONGEST - 1).collect();
    cut + "…"
}

/// `Allow dynamodb:PutItem on ${table sessions.Arn}`.
fn grant_in_words(grant: &Json) -> String {
    let list = |key: &str| match grant.get(key) {
        Some(Json::Array(items)) => items
            .iter()
            .filter_map(Json::as_str)
            .collect::<Vec<_>>()
            .join(", "),
        _ => String::new(),
    };
    let effect = grant
        .get("Effect")
        .and_then(Json::as_str)
        .unwrap_or_default();
    let actions = if grant.get("Action").is_some() {
        list("Action")
    } else {
        format!("all but {}", list("NotAction"))
    };
    let resources = if grant.get("Resource").is_some() {
        list("Resource")
    } else {
        format!("all but {}", list("NotResource"))
    };
    let condition = if grant.get("Condition").is_some() {
        " under a condition"
    } else {
        ""
    };
    format!("{effect} {actions} on {resources}{condition}")
}
