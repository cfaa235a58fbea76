//! Text output.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::Value as Json;
use stackgen_cfn::terminal::escape;

use super::{ApiDiff, ChangeKind, Diff, ModelChange};
use crate::parts::ChangeEffect;

/// Prefix of the ARN of an API of this account and region.
const HERE: &str = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:";

/// Longer values are cut. `--json` contains them in full.
const LONGEST: usize = 120;

/// Order of kinds in counts. Resource types that the model does not know follow.
const KIND_ORDER: [&str; 17] = [
    "api",
    "route",
    "integration",
    "authorizer",
    "model",
    "deployment",
    "stage",
    "api mapping",
    "function",
    "version",
    "alias",
    "permission",
    "role",
    "table",
    "log group",
    "parameter",
    "output",
];

impl Diff {
    /// Returns the diff as text without colours. Lines start with `+` (added), `-` (removed) or `~` (changed), and end
    /// with what the change takes to go live. They are followed by a line with `=` or `!` for every API whose wiring
    /// changes, which states whether its stages will serve it. The text ends with a newline unless nothing changed.
    ///
    /// A change that only renames a deployment has no line, because the `=` line covers it.
    ///
    /// The text is safe to print on a terminal: control and format characters of the templates are escaped, so a value
    /// cannot forge a line.
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

    /// Returns the number of changes by kind: `1 api, 2 routes`. Use it if everything was added.
    pub fn counts(&self) -> String {
        let mut counts: BTreeMap<(usize, &str), usize> = BTreeMap::new();
        for change in &self.changes {
            let kind = change.subject.kind.as_str();
            let order = KIND_ORDER.iter().position(|known| *known == kind);
            let order = order.unwrap_or(KIND_ORDER.len());
            *counts.entry((order, kind)).or_default() += 1;
        }
        let counts = counts
            .iter()
            .map(|((_, kind), count)| counted(*count, kind));
        escape(&counts.collect::<Vec<_>>().join(", ")).into_owned()
    }

    /// Returns the deployments that replace another one because the wiring of their API changes.
    fn renamed_deployments(&self) -> Vec<Renamed> {
        let rewired = |api: &String| {
            let mut apis = self.apis.iter();
            apis.any(|one| one.api == *api && one.wiring_changed && !one.is_stale())
        };
        let renamed = self.changes.iter().filter_map(|change| match &change.kind {
            ChangeKind::Changed {
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

/// Returns a number of things: `2 routes`, `1 AWS::SQS::Queue`.
fn counted(count: usize, kind: &str) -> String {
    let plural = match kind {
        _ if count == 1 || kind.contains("::") => "",
        "alias" => "es",
        _ => "s",
    };
    format!("{count} {kind}{plural}")
}

/// A deployment that replaces another one.
struct Renamed {
    api: String,
    before: String,
    after: String,
}

/// True for a change that only renames a deployment, in itself or in a reference to it.
fn follows(change: &ModelChange, renamed: &[Renamed]) -> bool {
    let ChangeKind::Changed {
        field,
        before,
        after,
    } = &change.kind
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

/// Returns a line about whether the stages of an API will serve its new wiring (row D7).
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

fn takes(change: &ModelChange) -> &'static str {
    match change.effect {
        ChangeEffect::Wiring => "needs a deployment",
        ChangeEffect::Code => "code, live with the update",
        ChangeEffect::PinnedCode => "live when a deployment calls the new version",
        ChangeEffect::Settings => "live with the update",
        ChangeEffect::Replaces => "replaces the resource",
        ChangeEffect::Refused => "refused by CloudFormation: a named resource is not replaced",
        ChangeEffect::FixedIndex => {
            "refused by CloudFormation: an index does not change; add one with another name"
        }
        ChangeEffect::OneIndex => {
            "refused by CloudFormation: an update adds or deletes one index of a table"
        }
        ChangeEffect::Lingers => stays(&change.kind),
    }
}

/// Returns how to end a setting that stays on after the update (row D12).
fn stays(what: &ChangeKind) -> &'static str {
    match what {
        ChangeKind::Changed { field, .. } if field.starts_with("StageVariables") => {
            "stays until it is set to \"\" (row D12)"
        }
        // Settings of a removed route: later updates fail while the stage names the route.
        ChangeKind::Changed {
            field,
            before: Some(Json::Object(_)),
            ..
        } if field.starts_with("RouteSettings") => {
            "stays until it is deleted: before the update, aws apigatewayv2 delete-route-settings (row D12)"
        }
        ChangeKind::Changed { field, .. } if field.starts_with("DefaultRouteSettings") => {
            "stays until another value is written (row D12)"
        }
        _ => "stays until it is deleted by its own call (row D12)",
    }
}

fn line(change: &ModelChange, many_apis: bool) -> String {
    let subject = &change.subject;
    let of = match &subject.api {
        Some(api) if many_apis && subject.kind != "api" => format!(" of api {api}"),
        _ => String::new(),
    };
    // The name of a permission contains the ARN of its source. The prefix for this account and region adds nothing.
    let name = subject.name.replace(HERE, "");
    let subject = format!("{} {name}{of}", subject.kind);
    match &change.kind {
        ChangeKind::Added => format!("+ {subject}"),
        ChangeKind::Removed => format!("- {subject}"),
        ChangeKind::Changed {
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
        |value: Option<&Json>| value.map_or_else(|| "the unqualified function".to_owned(), shown);
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

/// Returns a statement as text: `Allow dynamodb:PutItem on ${table sessions.Arn}`. Statements of roles have lists, and
/// those of other policies are as in the template.
fn grant_in_words(grant: &Json) -> String {
    let mut words = vec![listed(grant.get("Effect"))];
    let mut add = |before: &str, value: Option<&Json>| {
        if value.is_some() {
            words.push(format!("{before}{}", listed(value)));
        }
    };
    add("", grant.get("Action"));
    add("all but ", grant.get("NotAction"));
    add("on ", grant.get("Resource"));
    add("on all but ", grant.get("NotResource"));
    add("to ", grant.get("Principal"));
    add("to all but ", grant.get("NotPrincipal"));
    if grant.get("Condition").is_some() {
        words.push("under a condition".to_owned());
    }
    words.join(" ")
}

/// Returns a text, the elements of a list, or the values of a mapping such as `Principal`.
fn listed(value: Option<&Json>) -> String {
    match value {
        Some(Json::String(text)) => text.clone(),
        Some(Json::Array(items)) => {
            let items: Vec<_> = items.iter().map(|item| listed(Some(item))).collect();
            items.join(", ")
        }
        Some(Json::Object(entries)) => {
            let values: Vec<_> = entries.values().map(|value| listed(Some(value))).collect();
            values.join(", ")
        }
        Some(other) => other.to_string(),
        None => String::new(),
    }
}
