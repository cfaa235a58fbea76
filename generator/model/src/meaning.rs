//! What a template means, whatever tool wrote it.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use serde::Serialize;
use serde_json::Value as Json;

use crate::parts::{Kind, Names, Naming, Part, defaults, numbered, parts};
use crate::{LogicalId, Model};

/// A model in a form that two renderings of one stack share: things by name instead of logical id, references by
/// what they refer to, defaults filled in. Code locations, deployments' descriptions and the names that tools give
/// to policies are left out. Compare two with `==`, and see where they differ in their [`fmt::Display`] form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Meaning(BTreeMap<String, Json>);

impl Meaning {
    /// One section: `apis`, `functions`, `roles`, `tables`, `permissions`, …
    pub fn section(&self, name: &str) -> Option<&Json> {
        self.0.get(name)
    }

    /// The same without a section that another tool lays out in its own way, such as dashboards.
    #[must_use]
    pub fn without(mut self, section: &str) -> Meaning {
        self.0.remove(section);
        self
    }
}

/// Indented JSON.
impl fmt::Display for Meaning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string_pretty(&self.0).map_err(|_| fmt::Error)?)
    }
}

/// Things by name, by what they are.
type Sections = BTreeMap<String, Vec<(String, Json)>>;

impl Model {
    /// What the model means.
    pub fn meaning(&self) -> Meaning {
        let names = Names::new(self, Naming::Meaning);
        // The statements of an attached policy are in the roles that it is attached to.
        let grants = self.roles.iter().flat_map(|role| &role.grants);
        let attached: HashSet<_> = grants.map(|grant| &grant.resource.logical_id).collect();
        let mut sections = Sections::new();
        let mut apis: BTreeMap<String, Sections> = BTreeMap::new();
        for part in parts(self, &names) {
            let in_role =
                part.kind != Kind::Role && part.id.as_ref().is_some_and(|id| attached.contains(id));
            let Some(section) = section(&part.kind).filter(|_| !in_role) else {
                continue;
            };
            let (api, name, content) = meant(part);
            let sections = match api {
                None => &mut sections,
                Some(api) => apis.entry(api).or_default(),
            };
            sections.entry(section).or_default().push((name, content));
        }
        let mut meaning = by_section(sections);
        let apis = apis.into_iter().map(|(id, sections)| {
            let sections = by_section(sections).into_iter().collect();
            (names.name(&LogicalId::new(id)), Json::Object(sections))
        });
        meaning.insert("apis".to_owned(), by_name(apis.collect()));
        for section in meaning.values_mut() {
            section.sort_all_objects();
        }
        Meaning(meaning)
    }
}

fn section(kind: &Kind) -> Option<String> {
    let section = match kind {
        Kind::Api => "settings",
        Kind::Route => "routes",
        Kind::Integration => "unused integrations",
        Kind::Authorizer => "authorizers",
        Kind::Model => "models",
        Kind::Deployment => "deployments",
        Kind::Stage => "stages",
        Kind::Mapping => "mappings",
        Kind::Function => "functions",
        Kind::Version => "versions",
        Kind::Alias => "aliases",
        Kind::Permission => "permissions",
        Kind::Role => "roles",
        Kind::Table => "tables",
        Kind::LogGroup => "log groups",
        Kind::Other(kind) if kind.starts_with("AWS::CDK::") => return None,
        Kind::Other(kind) => kind,
        Kind::Parameter | Kind::Output | Kind::Attributes => return None,
    };
    Some(section.to_owned())
}

/// Tags in which SAM speaks of itself.
const OWN_TAGS: [&str; 3] = [
    "httpapi:createdBy",
    "lambda:createdBy",
    "websocketapi:createdBy",
];

/// The api, the name and the content of a part, without what only its tool says.
fn meant(mut part: Part) -> (Option<String>, String, Json) {
    defaults::fill(&part.kind, &mut part.content);
    match part.kind {
        Kind::Function => {
            part.content.remove("Code");
        }
        Kind::Deployment => {
            part.content.remove("Description");
        }
        _ => {}
    }
    if let Some(Json::Object(tags)) = part.content.get_mut("Tags") {
        tags.retain(|key, _| !OWN_TAGS.contains(&key.as_str()));
        if tags.is_empty() {
            part.content.remove("Tags");
        }
    }
    (part.api, part.name, Json::Object(part.content))
}

fn by_section(sections: Sections) -> BTreeMap<String, Json> {
    sections
        .into_iter()
        .map(|(section, entries)| (section, by_name(entries)))
        .collect()
}

fn by_name(mut entries: Vec<(String, Json)>) -> Json {
    entries.sort_by_cached_key(|(name, content)| (name.clone(), content.to_string()));
    entries.dedup();
    Json::Object(numbered(entries))
}
