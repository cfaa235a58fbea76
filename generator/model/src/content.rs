//! The content of a template, independent of the tool that wrote it.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use serde::Serialize;
use serde_json::Value as Json;

use crate::parts::{ModelPart, Names, Naming, PartKind, defaults, numbered, parts};
use crate::{LogicalId, Model};

/// A model in a form that is equal for two renderings of one stack: names instead of logical IDs, references by their
/// targets, defaults filled in. It leaves out code locations, descriptions of deployments and generated names of
/// policies. Compare two with `==`, and find differences in their [`fmt::Display`] form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ModelContent(BTreeMap<String, Json>);

impl ModelContent {
    /// Returns a section: `apis`, `functions`, `roles`, `tables`, `permissions`, …
    pub fn section(&self, name: &str) -> Option<&Json> {
        self.0.get(name)
    }

    /// Removes a section that another tool writes differently, such as dashboards.
    #[must_use]
    pub fn without(mut self, section: &str) -> ModelContent {
        self.0.remove(section);
        self
    }
}

/// Indented JSON.
impl fmt::Display for ModelContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string_pretty(&self.0).map_err(|_| fmt::Error)?)
    }
}

/// Named entries by section.
type Sections = BTreeMap<String, Vec<(String, Json)>>;

impl Model {
    /// Returns the content of the model.
    pub fn content(&self) -> ModelContent {
        let names = Names::new(self, Naming::Content);
        // The statements of an attached policy are part of the roles that it is attached to.
        let grants = self.roles.iter().flat_map(|role| &role.grants);
        let attached: HashSet<_> = grants.map(|grant| &grant.resource.logical_id).collect();
        let mut sections = Sections::new();
        let mut apis: BTreeMap<String, Sections> = BTreeMap::new();
        for part in parts(self, &names) {
            let in_role = part.kind != PartKind::Role
                && part.id.as_ref().is_some_and(|id| attached.contains(id));
            let Some(section) = section(&part.kind).filter(|_| !in_role) else {
                continue;
            };
            let (api, name, content) = named_content(part);
            let sections = match api {
                None => &mut sections,
                Some(api) => apis.entry(api).or_default(),
            };
            sections.entry(section).or_default().push((name, content));
        }
        let mut content = by_section(sections);
        let apis = apis.into_iter().map(|(id, sections)| {
            let sections = by_section(sections).into_iter().collect();
            (names.name(&LogicalId::new(id)), Json::Object(sections))
        });
        content.insert("apis".to_owned(), by_name(apis.collect()));
        for section in content.values_mut() {
            section.sort_all_objects();
        }
        ModelContent(content)
    }
}

fn section(kind: &PartKind) -> Option<String> {
    let section = match kind {
        PartKind::Api => "settings",
        PartKind::Route => "routes",
        PartKind::Integration => "unused integrations",
        PartKind::Authorizer => "authorizers",
        PartKind::Model => "models",
        PartKind::Deployment => "deployments",
        PartKind::Stage => "stages",
        PartKind::Mapping => "mappings",
        PartKind::Function => "functions",
        PartKind::Version => "versions",
        PartKind::Alias => "aliases",
        PartKind::Permission => "permissions",
        PartKind::Role => "roles",
        PartKind::Table => "tables",
        PartKind::LogGroup => "log groups",
        PartKind::Other(kind) if kind.starts_with("AWS::CDK::") => return None,
        PartKind::Other(kind) => kind,
        PartKind::Parameter | PartKind::Output | PartKind::Attributes => return None,
    };
    Some(section.to_owned())
}

/// Tags that SAM adds.
const OWN_TAGS: [&str; 3] = [
    "httpapi:createdBy",
    "lambda:createdBy",
    "websocketapi:createdBy",
];

/// Returns API, name and content of a part, without what is specific to a tool.
fn named_content(mut part: ModelPart) -> (Option<String>, String, Json) {
    defaults::fill(&part.kind, &mut part.content);
    match part.kind {
        PartKind::Function => {
            part.content.remove("Code");
        }
        PartKind::Deployment => {
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
