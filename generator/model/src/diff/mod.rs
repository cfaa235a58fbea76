//! Differences between two models.

mod apis;
mod human;
mod indexes;
mod pairs;
mod snapshots;
mod unknown;
mod values;

use std::collections::HashSet;

use serde::Serialize;
use serde_json::{Map, Value as Json};

pub use crate::parts::hidden::MASK;
pub use apis::ApiDiff;
pub use snapshots::snapshots;

use crate::parts::{
    ChangeEffect, ModelPart, Names, PartKind, effect, hidden, in_snapshot, keeps_name, lingers,
    parts, replaces,
};
use crate::{LogicalId, Model, Qualifier};
use indexes::IndexChanges;
use pairs::Pairing;

/// The differences between two models.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Diff {
    /// The changes. Those that need a deployment come first, then all others, each API by API.
    pub changes: Vec<ModelChange>,
    /// The consequences for each API that both models contain.
    pub apis: Vec<ApiDiff>,
}

/// A change.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModelChange {
    /// The changed part.
    pub subject: ChangeSubject,
    /// The kind of change.
    #[serde(flatten)]
    pub kind: ChangeKind,
    /// Effect of the change: the step that makes it live.
    pub effect: ChangeEffect,
}

/// A part of a model: route `sendAudio` of API `session-socket`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChangeSubject {
    /// `route`, `function`, …, or a resource type that the model does not know.
    pub kind: String,
    /// The name.
    pub name: String,
    /// The API that it belongs to.
    pub api: Option<String>,
}

/// Kind of a change.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "what", rename_all = "camelCase")]
pub enum ChangeKind {
    /// The part is new.
    Added,
    /// The part is gone.
    Removed,
    /// A field of the part changed. `None` is an absent value.
    Changed {
        /// The path of the property: `Target.TimeoutInMillis`. In a list, an added or removed element.
        field: String,
        /// The old value.
        before: Option<Json>,
        /// The new value.
        after: Option<Json>,
    },
}

impl Diff {
    /// True if nothing changed.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

/// Compares two models. Routes are matched by key, integrations by what they invoke, authorizers, models and stages by
/// name, everything else by logical ID or physical name. Logical IDs of integrations and responses are not compared.
///
/// Values that come from `NoEcho` parameters, and their defaults, are compared and reported as `****`.
pub fn diff(old: &Model, new: &Model) -> Diff {
    let (old_names, new_names) = (Names::for_diff(old), Names::for_diff(new));
    let pairing = Pairing::new(old, new, [&old_names, &new_names]);
    let pairs = pairing.pairs(parts(old, &old_names), parts(new, &new_names));
    let mut found = Vec::new();
    let mut removed = Vec::new();
    for (before, after) in &pairs {
        let Some(part) = after.as_ref().or(before.as_ref()) else {
            continue;
        };
        let api = part.api.as_ref().map(|id| match &after {
            Some(_) => new_names.name(&LogicalId::new(id)),
            None => old_names.name(&LogicalId::new(id)),
        });
        let subject = ChangeSubject {
            kind: kind_name(&part.kind).to_owned(),
            name: unknown::readable_text(&hidden::masked_name(&part.name)),
            api,
        };
        // Both models contain the resource, but one may have no attributes.
        let nothing = ModelPart {
            content: Map::new(),
            ..part.clone()
        };
        let (before, after) = match part.kind {
            PartKind::Attributes => (
                before.as_ref().or(Some(&nothing)),
                after.as_ref().or(Some(&nothing)),
            ),
            _ => (before.as_ref(), after.as_ref()),
        };
        match (before, after) {
            (Some(before), Some(after)) => found.extend(changes(before, after, &subject, new)),
            (None, _) => found.push((
                part.kind.clone(),
                whole_change(subject, ChangeKind::Added, part, new),
            )),
            (_, None) => {
                let change = whole_change(subject, ChangeKind::Removed, part, new);
                if change.effect == ChangeEffect::Wiring {
                    removed.extend(part.id.clone().map(|id| (id, change.subject.clone())));
                }
                found.push((part.kind.clone(), change));
            }
        }
    }
    found.sort_by_cached_key(|(kind, change)| {
        (
            !change.effect.needs_deployment(),
            change.subject.api.is_none(),
            change.subject.api.clone(),
            kind.clone(),
        )
    });
    Diff {
        changes: found.into_iter().map(|(_, change)| change).collect(),
        apis: apis::apis(old, new, &pairing, &new_names, &removed),
    }
}

fn whole_change(
    subject: ChangeSubject,
    kind: ChangeKind,
    part: &ModelPart,
    new: &Model,
) -> ModelChange {
    let effect = match &part.kind {
        // The change of its caller has a line of its own.
        PartKind::Version if kind == ChangeKind::Removed => ChangeEffect::Settings,
        PartKind::Version => code(part, new),
        PartKind::Alias => ChangeEffect::Code,
        part_kind if *part_kind != PartKind::Api && in_snapshot(part_kind, "") => {
            ChangeEffect::Wiring
        }
        _ => ChangeEffect::Settings,
    };
    ModelChange {
        subject,
        kind,
        effect,
    }
}

/// Returns the changes of a part.
fn changes(
    before: &ModelPart,
    after: &ModelPart,
    subject: &ChangeSubject,
    new: &Model,
) -> Vec<(PartKind, ModelChange)> {
    let mut changes = Vec::new();
    let kind = &after.kind;
    let mut push =
        |field: String, before: Option<Json>, after: Option<Json>, effect: ChangeEffect| {
            let change = ChangeKind::Changed {
                field,
                before,
                after,
            };
            changes.push((
                kind.clone(),
                ModelChange {
                    subject: subject.clone(),
                    kind: change,
                    effect,
                },
            ));
        };
    let code = code(after, new);
    if before.id != after.id && !matches!(kind, PartKind::Attributes | PartKind::Permission) {
        let id = |part: &ModelPart| part.id.as_ref().map(|id| Json::from(id.as_str()));
        let (field, effect) = match kind {
            PartKind::Deployment => ("deployment", ChangeEffect::Settings),
            PartKind::Version => ("version", code),
            _ => ("logical id", ChangeEffect::Replaces),
        };
        push(field.to_owned(), id(before), id(after), effect);
    }
    let differences = values::differences(&before.content, &after.content);
    let is_replaced = before.id != after.id
        || differences
            .iter()
            .any(|difference| replaces(kind, difference.property()));
    let keeps_name = keeps_name(kind, &before.content, &after.content);
    let indexes = IndexChanges::of(&differences);
    for difference in differences {
        let is_gone = difference.after.is_none();
        let effect = match effect(kind, difference.property()) {
            ChangeEffect::Code => code,
            // The new version covers it.
            ChangeEffect::Replaces if *kind == PartKind::Version && before.id != after.id => code,
            ChangeEffect::Replaces if keeps_name => ChangeEffect::Refused,
            _ if is_gone && !is_replaced && lingers(kind, &difference.path) => {
                ChangeEffect::Lingers
            }
            effect if *kind == PartKind::Table && !is_replaced => {
                indexes.effect(&difference).unwrap_or(effect)
            }
            effect => effect,
        };
        let path = unknown::readable_text(&hidden::masked_name(&difference.path));
        let [before, after] = difference
            .masked()
            .map(|value| value.map(unknown::readable));
        push(path, before, after, effect);
    }
    changes
}

/// Returns what new code of a function or its version takes to go live.
fn code(part: &ModelPart, new: &Model) -> ChangeEffect {
    let versioned = new
        .versions
        .iter()
        .find(|version| Some(&version.resource.logical_id) == part.id.as_ref());
    let function = match part.kind {
        PartKind::Function => part.id.as_ref(),
        _ => versioned.and_then(|version| version.function.function.to()),
    };
    match is_pinned(new, function) {
        true => ChangeEffect::PinnedCode,
        false => ChangeEffect::Code,
    }
}

/// True if every integration and authorizer that invokes the function invokes a version of it.
fn is_pinned(model: &Model, function: Option<&LogicalId>) -> bool {
    if function.is_none() {
        return false;
    }
    let callers = model.apis.iter().flat_map(|api| {
        let integrations = api
            .integrations
            .iter()
            .map(|integration| &integration.function);
        integrations.chain(
            api.authorizers
                .iter()
                .map(|authorizer| &authorizer.function),
        )
    });
    let qualifiers: HashSet<bool> = callers
        .filter(|link| link.function.to() == function)
        .map(|link| matches!(link.qualifier, Some(Qualifier::Version(_))))
        .collect();
    qualifiers == HashSet::from([true])
}

fn kind_name(kind: &PartKind) -> &str {
    match kind {
        PartKind::Api => "api",
        PartKind::Route => "route",
        PartKind::Integration => "integration",
        PartKind::Authorizer => "authorizer",
        PartKind::Model => "model",
        PartKind::Deployment => "deployment",
        PartKind::Stage => "stage",
        PartKind::Mapping => "api mapping",
        PartKind::Function => "function",
        PartKind::Version => "version",
        PartKind::Alias => "alias",
        PartKind::Permission => "permission",
        PartKind::Role => "role",
        PartKind::Table => "table",
        PartKind::LogGroup => "log group",
        PartKind::Parameter => "parameter",
        PartKind::Output => "output",
        PartKind::Other(kind) => kind,
        PartKind::Attributes => "resource",
    }
}
