//! A diff for people.

use std::fmt::Write;

use serde_json::Value as Json;
use stackgen_cfn::terminal::escape;

use super::{ApiDiff, Change, Diff, What};
use crate::parts::Effect;

/// How the ARN of an api of this account and region begins.
const HERE: &str = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:";

/// Longer values are cut: the whole of them is in the JSON form.
const LONGEST: usize = 120;

impl Diff {
    /// The diff as lines of text without colour: `+` added, `-` removed, `~` changed, and what each takes to be
    /// live; then `=` or `!` for every api whose wiring changes, and whether its stages will serve it. Ends with a
    /// newline unless nothing changed.
    ///
    /// What only says that a deployment has another name is not told line by line: the `=` line tells it.
    ///
    /// The text is safe to print on a terminal: control and format characters of the templates are escaped, so that a
    /// value cannot forge a line.
    pub fn human(&self) -> String {
        let many_apis = self.apis.len() > 1;
        let renamed = self.renamed_deployments();
        let lines: Vec<(String, &str)> = self
            .changes
            .iter()
            .filter(|change| !follows(change, &renamed))
            .map(|change| {
                let line = line(change, many_apis);
                (escape(&line).into_owned(), takes(change))
            })
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
        for api in &self.apis {
            let redeployed = renamed.iter().any(|renamed| renamed.api == api.api);
            text += &verdict(api, redeployed);
        }
        text
    }

    /// The deployments that take the place of another because the wiring of their api changes.
    fn renamed_deployments(&self) -> Vec<Renamed> {
        let rewired = |api: &String| {
            let mut apis = self.apis.iter();
            apis.any(|one| one.api == *api && one.wiring_changed && !one.is_stale())
        };
        let renamed = self.changes.iter().filter_map(|change| match &change.what {
            What::Changed {
                field,
                before: Some(Json::String(before)),
                after: Some(Json::String(after)),
            } if field == "deployment" => Some(Renamed {
                api: change.subject.api.clone().filter(rewired)?,
                before: before.clone(),
                after: after.clone(),
            }),
            _ => None,
        });
        renamed.collect()
    }
}

/// A deployment that takes the place of another.
struct Renamed {
    api: String,
    before: String,
    after: String,
}

/// True for a change that is nothing but another name of a deployment: of itself, and in what refers to it.
fn follows(change: &Change, renamed: &[Renamed]) -> bool {
    let What::Changed {
        field,
        before,
        after,
    } = &change.what
    else {
        return false;
    };
    let is = |value: &Option<Json>, name: &str| {
        let text = value.as_ref().and_then(Json::as_str);
        text == Some(name) || text == Some(&format!("${{deployment {name}}}"))
    };
    renamed.iter().any(|renamed| {
        let itself = change.subject.kind == "deployment" && change.subject.name == renamed.after;
        (itself && field == "Description")
            || (is(before, &renamed.before) && is(after, &renamed.after))
    })
}

/// Whether the stages of an api will serve its new wiring (row D7).
fn verdict(api: &ApiDiff, redeployed: bool) -> String {
    let name = escape(&api.api);
    let stages = api.stale_stages.join(", ");
    let stages = escape(&stages);
    if api.is_stale() {
        let serves = "keeps its deployment and will serve the old wiring (row D7)";
        return format!("! api {name}: stage {stages} {serves}\n");
    }
    let mut text = String::new();
    if redeployed {
        text += &format!("= api {name}: a new deployment serves the new wiring\n");
    }
    if !api.lingering.is_empty() {
        let held: Vec<String> = api
            .lingering
            .iter()
            .map(|held| format!("{} {}", held.kind, held.name))
            .collect();
        text += &format!(
            "! api {name}: the new deployment still holds {}, which CloudFormation deletes only afterwards; \
             make one more deployment (row D20)\n",
            escape(&held.join(", "))
        );
    }
    text
}

fn takes(change: &Change) -> &'static str {
    match change.effect {
        Effect::Wiring => "needs a deployment",
        Effect::Code => "code, live with the update",
        Effect::PinnedCode => "live when a deployment calls the new version",
        Effect::Settings => "live with the update",
        Effect::Replaces => "replaces the resource",
        Effect::Refused => "refused by CloudFormation: a named resource is not replaced",
        Effect::Lingers => stays(&change.what),
    }
}

/// How to be rid of what an update leaves on (row D12).
fn stays(what: &What) -> &'static str {
    match what {
        What::Changed { field, .. } if field.starts_with("StageVariables") => {
            "stays until it is set to \"\" (row D12)"
        }
        // The settings of a whole route: an update fails once they name a route that is gone.
        What::Changed {
            field,
            before: Some(Json::Object(_)),
            ..
        } if field.starts_with("RouteSettings") => {
            "stays until it is deleted: before the update, aws apigatewayv2 delete-route-settings (row D12)"
        }
        What::Changed { field, .. } if field.starts_with("DefaultRouteSettings") => {
            "stays until another value is written (row D12)"
        }
        _ => "stays until it is deleted by its own call (row D12)",
    }
}

fn line(change: &Change, many_apis: bool) -> String {
    let subject = &change.subject;
    let of = match &subject.api {
        Some(api) if many_apis && subject.kind != "api" => format!(" of api {api}"),
        _ => String::new(),
    };
    // A permission's name holds the ARN of what may call; here and in this account goes without saying.
    let name = subject.name.replace(HERE, "");
    let subject = format!("{} {name}{of}", subject.kind);
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
    let text = escape(&text).into_owned();
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
