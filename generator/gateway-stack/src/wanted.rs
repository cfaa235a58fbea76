//! What a template wants of a resource: the properties that mean something here, with every reference filled in.

use serde_json::{Map, Value as Json};
use stackgen_model::{LogicalId, Model, Resolved, Resource, Text};

use super::physical::{Physical, Untold};
use super::rewrite::Rewriter;
use super::{NotRun, shapes};

/// A resource that is to be there.
#[derive(Clone, Debug)]
pub(super) struct Wanted<'a> {
    pub(super) resource: &'a Resource,
    /// Properties by their names in the template.
    pub(super) properties: Map<String, Json>,
    /// What of it is not run here.
    pub(super) notes: Vec<NotRun>,
}

/// Why a property has no value, and which one it is.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Missing {
    pub(super) path: Vec<String>,
    pub(super) why: Untold,
}

/// What the parents of an api's part are named by.
const PARENTS: [&str; 3] = ["ApiId", "RouteId", "IntegrationId"];

const FUNCTION: &[&str] = &[
    "Description",
    "FunctionName",
    "Runtime",
    "Handler",
    "Role",
    "Timeout",
    "MemorySize",
    "Architectures",
    "LoggingConfig",
    "ReservedConcurrentExecutions",
];

impl<'a> Wanted<'a> {
    /// Reads a resource that runs here.
    ///
    /// # Errors
    ///
    /// Every property whose value cannot be told.
    pub(super) fn read(
        resource: &'a Resource,
        model: &Model,
        physical: &Physical<'_>,
        rewriter: &Rewriter,
    ) -> Result<Self, Vec<Missing>> {
        let mut reading = Reading {
            physical,
            resource,
            properties: Map::new(),
            missing: Vec::new(),
            notes: Vec::new(),
        };
        match resource.kind.as_str() {
            "AWS::IAM::Role" => reading.role(model),
            "AWS::Lambda::Function" => reading.function(rewriter),
            kind => reading.each(used(kind)),
        }
        if let Some(Json::String(issuer)) = reading
            .properties
            .get_mut("JwtConfiguration")
            .and_then(|configuration| configuration.get_mut("Issuer"))
        {
            *issuer = rewriter.issuer_or(issuer);
        }
        match reading.missing.is_empty() {
            true => Ok(Wanted {
                resource,
                properties: reading.properties,
                notes: reading.notes,
            }),
            false => Err(reading.missing),
        }
    }

    /// A property that is text.
    pub(super) fn text(&self, property: &str) -> &str {
        self.properties
            .get(property)
            .and_then(Json::as_str)
            .unwrap_or_default()
    }
}

/// The properties of a type that mean something here.
fn used(kind: &str) -> Vec<&'static str> {
    if let Some(shapes) = shapes::of(kind) {
        let own = shapes.iter().map(|(name, _)| *name);
        // An OpenAPI document is no property of the API: it is imported.
        let document = (kind == "AWS::ApiGatewayV2::Api").then_some("Body");
        return own.chain(PARENTS).chain(document).collect();
    }
    let used: &[&str] = match kind {
        "AWS::DynamoDB::Table" | "AWS::DynamoDB::GlobalTable" => &[
            "TableName",
            "KeySchema",
            "AttributeDefinitions",
            "GlobalSecondaryIndexes",
            "LocalSecondaryIndexes",
            "TimeToLiveSpecification",
        ],
        "AWS::Logs::LogGroup" => &["LogGroupName", "RetentionInDays"],
        "AWS::Lambda::Version" => &["FunctionName", "Description"],
        "AWS::Lambda::Alias" => &["FunctionName", "FunctionVersion", "Name", "Description"],
        "AWS::Lambda::Permission" => &[
            "FunctionName",
            "Action",
            "Principal",
            "SourceArn",
            "SourceAccount",
        ],
        _ => &[],
    };
    used.to_vec()
}

/// A resource while it is read.
struct Reading<'a> {
    physical: &'a Physical<'a>,
    resource: &'a Resource,
    properties: Map<String, Json>,
    missing: Vec<Missing>,
    notes: Vec<NotRun>,
}

impl Reading<'_> {
    fn each(&mut self, names: Vec<&str>) {
        for name in names {
            if let Some(value) = self.resource.properties.get(name) {
                match self.physical.json(value) {
                    Ok(value) => {
                        self.properties.insert(name.to_owned(), value);
                    }
                    Err(why) => self.missing.push(Missing {
                        path: vec![name.to_owned()],
                        why,
                    }),
                }
            }
        }
    }

    /// A function's variables are rewritten; one that only AWS can tell is left out and noted.
    fn function(&mut self, rewriter: &Rewriter) {
        self.each(FUNCTION.to_vec());
        let path = ["Environment", "Variables"];
        let variables = match self.resource.properties.at_path(&path) {
            Some(Resolved::Map(variables)) => variables,
            Some(Resolved::Unknown(unknown)) => {
                self.missing.push(Missing {
                    path: path.map(str::to_owned).to_vec(),
                    why: Untold::Unknown(unknown.clone()),
                });
                return;
            }
            _ => return,
        };
        let mut told = Map::new();
        for (name, value) in variables {
            let text = value.to_text().ok_or(Untold::NoText);
            match text.and_then(|text| self.physical.text(&text)) {
                Ok(value) => {
                    let value = rewriter.variable(name, &value);
                    told.insert(name.clone(), Json::from(value));
                }
                Err(Untold::Unknown(_)) if name == "JWT_ISSUER" => {
                    told.insert(name.clone(), Json::from(rewriter.issuer.clone()));
                }
                Err(Untold::Unknown(unknown)) => {
                    self.note(format!("its variable {name} is not set: {unknown}"));
                }
                Err(why) => self.missing.push(Missing {
                    path: vec!["Environment".into(), "Variables".into(), name.clone()],
                    why,
                }),
            }
        }
        self.properties
            .insert("Variables".to_owned(), Json::Object(told));
        if self.resource.properties.get("Layers").is_some() {
            self.note("its layers are not unpacked here".to_owned());
        }
    }

    /// What a role may do, with the policies that the template attaches to it. What is not known grants nothing.
    fn role(&mut self, model: &Model) {
        let id = &self.resource.logical_id;
        let mut roles = model.roles.iter();
        let Some(role) = roles.find(|role| role.resource.logical_id == *id) else {
            return;
        };
        let mut statements = Vec::new();
        for grant in &role.grants {
            match self.grant(grant) {
                Ok(statement) => statements.push(statement),
                Err(Untold::Unknown(unknown)) => {
                    self.note(format!("a statement of it grants nothing: {unknown}"));
                }
                Err(why) => self.missing.push(Missing {
                    path: vec!["Policies".to_owned()],
                    why,
                }),
            }
        }
        for unknown in &role.unknown {
            self.note(format!("a policy of it grants nothing: {unknown}"));
        }
        let managed = role.managed_policies.iter();
        let managed: Vec<_> = managed
            .filter_map(|arn| self.physical.text(arn).ok())
            .collect();
        self.properties
            .insert("Statements".to_owned(), statements.into());
        self.properties
            .insert("ManagedPolicyArns".to_owned(), managed.into());
        self.each(vec!["RoleName"]);
    }

    fn grant(&self, grant: &stackgen_model::Grant) -> Result<Json, Untold> {
        let mut statement = Map::new();
        if let Some(effect) = &grant.effect {
            statement.insert("Effect".to_owned(), self.physical.text(effect)?.into());
        }
        let lists: [(&str, &[Text]); 4] = [
            ("Action", &grant.actions),
            ("NotAction", &grant.not_actions),
            ("Resource", &grant.resources),
            ("NotResource", &grant.not_resources),
        ];
        for (name, texts) in lists {
            if !texts.is_empty() {
                let texts = texts.iter().map(|text| self.physical.text(text));
                let texts: Vec<_> = texts.collect::<Result<_, _>>()?;
                statement.insert(name.to_owned(), texts.into());
            }
        }
        if let Some(condition) = &grant.condition {
            let condition = self.physical.json(condition)?;
            statement.insert("Condition".to_owned(), condition);
        }
        Ok(Json::Object(statement))
    }

    fn note(&mut self, reason: String) {
        self.notes.push(NotRun {
            logical_id: self.resource.logical_id.to_string(),
            kind: self.resource.kind.clone(),
            reason,
        });
    }
}

/// True when a resource refers to one of these.
pub(super) fn refers(resource: &Resource, ids: &[LogicalId]) -> bool {
    fn any(value: &Resolved, ids: &[LogicalId]) -> bool {
        match value {
            Resolved::Text(text) => text.references().any(|one| ids.contains(&one.logical_id)),
            Resolved::List(items) => items.iter().any(|item| any(item, ids)),
            Resolved::Map(map) => map.values().any(|value| any(value, ids)),
            _ => false,
        }
    }
    !ids.is_empty() && any(&resource.properties, ids)
}
