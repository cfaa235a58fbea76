//! What a template means, whatever tool wrote it.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value as Json};

use crate::Model;
use crate::parts::{Kind, Names, Naming, Part, defaults, numbered, parts};

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

impl Model {
    /// What the model means.
    pub fn meaning(&self) -> Meaning {
        let names = Names::new(self, Naming::Meaning);
        let mut sections: BTreeMap<String, Vec<(String, Json)>> = BTreeMap::new();
        let mut apis: BTreeMap<String, Map<String, Json>> = BTreeMap::new();
        for part in parts(self, &names) {
            let Some(section) = section(&part.kind) else {
                continue;
            };
            let (api, name, content) = meant(part);
            let entry = (name, content);
            match api {
                None => sections.entry(section).or_default().push(entry),
                Some(api) => push(apis.entry(api).or_default(), section, entry),
            }
        }
        let mut meaning: BTreeMap<String, Json> = sections
            .into_iter()
            .map(|(section, entries)| (section, by_name(entries)))
            .collect();
        let apis = apis
            .into_iter()
            .map(|(id, sections)| (self.api_name(&id, &names), by_section(sections)));
        meaning.insert("apis".to_owned(), by_name(apis.collect()));
        for section in meaning.values_mut() {
            section.sort_all_objects();
        }
        Meaning(meaning)
    }

    fn api_name(&self, id: &str, names: &Names) -> String {
        names.name(&crate::LogicalId::new(id))
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
        // Attached policies are in the roles that they are attached to.
        Kind::Other(kind) if kind == "AWS::IAM::Policy" => return None,
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

fn push(sections: &mut Map<String, Json>, section: String, (name, content): (String, Json)) {
    let entries = sections
        .entry(section)
        .or_insert_with(|| Json::Array(Vec::new()));
    if let Json::Array(entries) = entries {
        entries.push(Json::Array(vec![Json::from(name), content]));
    }
}

fn by_section(sections: Map<String, Json>) -> Json {
    let sections = sections.into_iter().map(|(section, entries)| {
        let entries = match entries {
            Json::Array(entries) => entries.into_iter().filter_map(pair).collect(),
            _ => Vec::new(),
        };
        (section, by_name(entries))
    });
    Json::Object(sections.collect())
}

fn pair(entry: Json) -> Option<(String, Json)> {
    match entry {
        Json::Array(mut items) => {
            let content = items.pop()?;
            Some((items.pop()?.as_str()?.to_owned(), content))
        }
        _ => None,
    }
}

fn by_name(mut entries: Vec<(String, Json)>) -> Json {
    entries.sort_by_cached_key(|(name, content)| (name.clone(), content.to_string()));
    entries.dedup();
    Json::Object(numbered(entries))
}
