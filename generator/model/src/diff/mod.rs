//! What changes between two models, in words of the model.

mod apis;
mod human;
mod pairs;
mod snapshots;
mod values;

use std::collections::HashSet;

use serde::Serialize;
use serde_json::{Map, Value as Json};

pub use crate::parts::hidden::MASK;
pub use apis::ApiDiff;
pub use snapshots::snapshots;

use crate::parts::{
    Effect, Kind, Names, Part, effect, hidden, in_snapshot, keeps_name, lingers, parts, replaces,
};
use crate::{LogicalId, Model, Qualifier};
use pairs::Pairing;

/// Every difference of two models.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Diff {
    /// The changes: wiring first, api by api, then everything else.
    pub changes: Vec<Change>,
    /// What they mean for each api that is in both models.
    pub apis: Vec<ApiDiff>,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// What changes.
    pub subject: Subject,
    /// How.
    #[serde(flatten)]
    pub what: What,
    /// What it takes to be live.
    pub effect: Effect,
}

/// A thing with a name: route `sendAudio` of api `session-socket`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Subject {
    /// `route`, `function`, or a resource type that the model does not know.
    pub kind: String,
    /// What people call it.
    pub name: String,
    /// The api that it belongs to.
    pub api: Option<String>,
}

/// How something changes.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "what", rename_all = "camelCase")]
pub enum What {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// One of its fields is another; `None` stands for absent.
    Changed {
        /// The path of the property: `Target.TimeoutInMillis`. Of a list, an element that came or went.
        field: String,
        /// In the old model.
        before: Option<Json>,
        /// In the new one.
        after: Option<Json>,
    },
}

impl Diff {
    /// True when the models say the same.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

/// What changes from the old model to the new one. Routes are matched by key, integrations by what they call,
/// authorizers, models and stages by name, everything else by logical id or physical name. Logical ids of
/// integrations and responses mean nothing and are not compared.
///
/// Values that come from `NoEcho` parameters, their defaults among them, are compared and reported as `****`.
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
        let subject = Subject {
            kind: word(&part.kind).to_owned(),
            name: hidden::masked_name(&part.name).into_owned(),
            api,
        };
        // A resource is in both models here; what it has beside its properties may be new as a whole.
        let nothing = Part {
            content: Map::new(),
            ..part.clone()
        };
        let (before, after) = match part.kind {
            Kind::Attributes => (
                before.as_ref().or(Some(&nothing)),
                after.as_ref().or(Some(&nothing)),
            ),
            _ => (before.as_ref(), after.as_ref()),
        };
        match (before, after) {
            (Some(before), Some(after)) => found.extend(changes(before, after, &subject, new)),
            (None, _) => found.push((part.kind.clone(), whole(subject, What::Added, part, new))),
            (_, None) => {
                let change = whole(subject, What::Removed, part, new);
                if change.effect == Effect::Wiring {
                    removed.extend(part.id.clone().map(|id| (id, change.subject.clone())));
                }
                found.push((part.kind.clone(), change));
            }
        }
    }
    found.sort_by_cached_key(|(kind, change)| {
        (
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

fn whole(subject: Subject, what: What, part: &Part, new: &Model) -> Change {
    let effect = match &part.kind {
        // Whoever called the version is told in its own line.
        Kind::Version if what == What::Removed => Effect::Settings,
        Kind::Version => code(part, new),
        Kind::Alias => Effect::Code,
        kind if *kind != Kind::Api && in_snapshot(kind, "") => Effect::Wiring,
        _ => Effect::Settings,
    };
    Change {
        subject,
        what,
        effect,
    }
}

/// The changes inside one thing.
fn changes(before: &Part, after: &Part, subject: &Subject, new: &Model) -> Vec<(Kind, Change)> {
    let mut changes = Vec::new();
    let kind = &after.kind;
    let mut push = |field: String, before: Option<Json>, after: Option<Json>, effect: Effect| {
        let what = What::Changed {
            field,
            before,
            after,
        };
        changes.push((
            kind.clone(),
            Change {
                subject: subject.clone(),
                what,
                effect,
            },
        ));
    };
    let code = code(after, new);
    if before.id != after.id && !matches!(kind, Kind::Attributes | Kind::Permission) {
        let id = |part: &Part| part.id.as_ref().map(|id| Json::from(id.as_str()));
        let (field, effect) = match kind {
            Kind::Deployment => ("deployment", Effect::Settings),
            Kind::Version => ("version", code),
            _ => ("logical id", Effect::Replaces),
        };
        push(field.to_owned(), id(before), id(after), effect);
    }
    let differences = values::differences(&before.content, &after.content);
    let is_replaced = before.id != after.id
        || differences
            .iter()
            .any(|difference| replaces(kind, difference.property()));
    let keeps_name = keeps_name(kind, &before.content, &after.content);
    for difference in differences {
        let is_gone = difference.after.is_none();
        let effect = match effect(kind, difference.property()) {
            Effect::Code => code,
            // The new version tells it.
            Effect::Replaces if *kind == Kind::Version && before.id != after.id => code,
            Effect::Replaces if keeps_name => Effect::Refused,
            _ if is_gone && !is_replaced && lingers(kind, &difference.path) => Effect::Lingers,
            effect => effect,
        };
        let path = hidden::masked_name(&difference.path).into_owned();
        let [before, after] = difference.masked();
        push(path, before, after, effect);
    }
    changes
}

/// What new code of a function or a version of it takes to be live.
fn code(part: &Part, new: &Model) -> Effect {
    let versioned = new
        .versions
        .iter()
        .find(|version| Some(&version.resource.logical_id) == part.id.as_ref());
    let function = match part.kind {
        Kind::Function => part.id.as_ref(),
        _ => versioned.and_then(|version| version.function.function.to()),
    };
    match is_pinned(new, function) {
        true => Effect::PinnedCode,
        false => Effect::Code,
    }
}

/// True when every integration and authorizer that calls the function calls a version of it.
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

fn word(kind: &Kind) -> &str {
    match kind {
        Kind::Api => "api",
        Kind::Route => "route",
        Kind::Integration => "integration",
        Kind::Authorizer => "authorizer",
        Kind::Model => "model",
        Kind::Deployment => "deployment",
        Kind::Stage => "stage",
        Kind::Mapping => "api mapping",
        Kind::Function => "function",
        Kind::Version => "version",
        Kind::Alias => "alias",
        Kind::Permission => "permission",
        Kind::Role => "role",
        Kind::Table => "table",
        Kind::LogGroup => "log group",
        Kind::Parameter => "parameter",
        Kind::Output => "output",
        Kind::Other(kind) => kind,
        Kind::Attributes => "resource",
    }
}
