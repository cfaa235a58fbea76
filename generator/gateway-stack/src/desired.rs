//! Desired state of resources: the properties that the gateway uses, with all references resolved.

use serde_json::{Map, Value as Json};
use stackgen_gateway_common::TRUST_VARIABLES;
use stackgen_gateway_lambda::functions::{Code, CodeFolder};
use stackgen_model::{LogicalId, Model, Resolved, Resource, Text};

use super::physical::{PhysicalIds, UnresolvedReason};
use super::rewrite::Rewriter;
use super::trigger::{EVENT_BUS, TOPIC};
use super::{NotRun, async_invoke, event_source, key_types, schedule, shapes, trigger_properties};

/// Desired state of a resource.
#[derive(Clone, Debug)]
pub(super) struct DesiredResource<'a> {
    pub(super) resource: &'a Resource,
    /// Properties by their names in the template.
    pub(super) properties: Map<String, Json>,
    /// Parts of the resource that the gateway does not run.
    pub(super) notes: Vec<NotRun>,
}

/// Desired code of a function.
#[derive(Clone, Debug)]
pub(super) struct DesiredCode {
    pub(super) code: Code,
    /// Merged content of the layers.
    pub(super) layers: Option<CodeFolder>,
}

/// Property without a value, with the reason.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct UnresolvedProperty {
    pub(super) path: Vec<String>,
    pub(super) reason: UnresolvedReason,
}

/// Properties that refer to the parents of API Gateway resources.
const PARENT_PROPERTIES: [&str; 3] = ["ApiId", "RouteId", "IntegrationId"];

const FUNCTION_PROPERTIES: &[&str] = &[
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

impl<'a> DesiredResource<'a> {
    /// Resolves the properties of a resource.
    ///
    /// # Errors
    ///
    /// If values cannot be determined. All such properties are returned.
    pub(super) fn read(
        resource: &'a Resource,
        model: &Model,
        ids: &PhysicalIds<'_>,
        rewriter: &Rewriter,
    ) -> Result<Self, Vec<UnresolvedProperty>> {
        let mut reader = PropertyReader {
            ids,
            resource,
            properties: Map::new(),
            missing: Vec::new(),
            notes: Vec::new(),
        };
        match resource.kind.as_str() {
            "AWS::IAM::Role" => reader.read_role(model),
            "AWS::Lambda::Function" => reader.read_function(rewriter),
            kind if key_types::is_key(kind) => {
                reader.read_known(key_types::properties(kind));
                for limit in ["Quota", "Throttle"] {
                    if reader.properties.contains_key(limit) {
                        let limit = limit.to_lowercase();
                        reader.note(format!("its {limit} is not enforced locally"));
                    }
                }
            }
            kind => reader.read_properties(used_properties(kind)),
        }
        if let Some(Json::String(issuer)) = reader
            .properties
            .get_mut("JwtConfiguration")
            .and_then(|configuration| configuration.get_mut("Issuer"))
        {
            *issuer = rewriter.rewrite_issuer(issuer);
        }
        match reader.missing.is_empty() {
            true => Ok(DesiredResource {
                resource,
                properties: reader.properties,
                notes: reader.notes,
            }),
            false => Err(reader.missing),
        }
    }

    /// Returns a text property.
    pub(super) fn text(&self, property: &str) -> &str {
        self.properties
            .get(property)
            .and_then(Json::as_str)
            .unwrap_or_default()
    }
}

/// Returns the properties of a type that the gateway uses.
fn used_properties(kind: &str) -> Vec<&'static str> {
    if let Some(shapes) = shapes::shapes_of(kind) {
        let own = shapes.iter().map(|(name, _)| *name);
        // `Body` has no shape: API Gateway imports the OpenAPI document instead of storing it as a property.
        let document = (kind == "AWS::ApiGatewayV2::Api").then_some("Body");
        return own.chain(PARENT_PROPERTIES).chain(document).collect();
    }
    let used: &[&str] = match kind {
        "AWS::DynamoDB::Table" | "AWS::DynamoDB::GlobalTable" => &[
            "TableName",
            "KeySchema",
            "AttributeDefinitions",
            "GlobalSecondaryIndexes",
            "LocalSecondaryIndexes",
            "StreamSpecification",
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
        event_source::EVENT_SOURCE_MAPPING => event_source::PROPERTIES,
        async_invoke::EVENT_INVOKE_CONFIG => async_invoke::PROPERTIES,
        schedule::SCHEDULE => schedule::PROPERTIES,
        EVENT_BUS => &["Name"],
        TOPIC => &["Subscription", "TopicName"],
        kind => trigger_properties::used_properties(kind),
    };
    used.to_vec()
}

/// State while the properties of a resource are resolved.
struct PropertyReader<'a> {
    ids: &'a PhysicalIds<'a>,
    resource: &'a Resource,
    properties: Map<String, Json>,
    missing: Vec<UnresolvedProperty>,
    notes: Vec<NotRun>,
}

impl PropertyReader<'_> {
    fn read_properties(&mut self, names: Vec<&str>) {
        for name in names {
            if let Some(value) = self.resource.properties.get(name) {
                match self.ids.resolve_json(value) {
                    Ok(value) => {
                        self.properties.insert(name.to_owned(), value);
                    }
                    Err(reason) => self.missing.push(UnresolvedProperty {
                        path: vec![name.to_owned()],
                        reason,
                    }),
                }
            }
        }
    }

    /// Resolves properties that may be unknown. Those are left out with a note.
    fn read_known(&mut self, names: &[&str]) {
        self.read_properties(names.to_vec());
        let (unknown, missing) = std::mem::take(&mut self.missing)
            .into_iter()
            .partition(|one| matches!(one.reason, UnresolvedReason::Unknown(_)));
        self.missing = missing;
        for UnresolvedProperty { path, reason } in unknown {
            if let UnresolvedReason::Unknown(unknown) = reason {
                self.note(format!("its {} is not known: {unknown}", path.join(".")));
            }
        }
    }

    /// Resolves a function and rewrites its environment variables. A variable whose value only AWS knows is left out with a
    /// note.
    fn read_function(&mut self, rewriter: &Rewriter) {
        self.read_properties(FUNCTION_PROPERTIES.to_vec());
        let path = ["Environment", "Variables"];
        let variables = match self.resource.properties.at_path(&path) {
            Some(Resolved::Map(variables)) => variables,
            Some(Resolved::Unknown(unknown)) => {
                self.missing.push(UnresolvedProperty {
                    path: path.map(str::to_owned).to_vec(),
                    reason: UnresolvedReason::Unknown(unknown.clone()),
                });
                return;
            }
            _ => return,
        };
        let mut resolved = Map::new();
        for (name, value) in variables {
            let text = value.to_text().ok_or(UnresolvedReason::NotText);
            match text.and_then(|text| self.ids.resolve_text(&text)) {
                Ok(value) => {
                    let value = rewriter.rewrite_variable(name, &value);
                    resolved.insert(name.clone(), Json::from(value));
                }
                Err(UnresolvedReason::Unknown(_)) if name == "JWT_ISSUER" => {
                    resolved.insert(name.clone(), Json::from(rewriter.issuer.clone()));
                }
                Err(UnresolvedReason::Unknown(unknown)) => {
                    self.note(format!(
                        "its environment variable {name} is not set: {unknown}"
                    ));
                }
                Err(reason) => self.missing.push(UnresolvedProperty {
                    path: vec!["Environment".into(), "Variables".into(), name.clone()],
                    reason,
                }),
            }
        }
        self.properties
            .insert("Variables".to_owned(), Json::Object(resolved));
        for name in TRUST_VARIABLES {
            if variables.contains_key(name) {
                self.note(format!(
                    "it sets {name} itself, so it trusts https:// of this gateway only if that file contains the gateway's \
                     certificate"
                ));
            }
        }
    }

    /// Resolves a role with the policies that the template attaches to it. Unknown statements grant nothing.
    fn read_role(&mut self, model: &Model) {
        let id = &self.resource.logical_id;
        let mut roles = model.roles.iter();
        let Some(role) = roles.find(|role| role.resource.logical_id == *id) else {
            return;
        };
        let mut statements = Vec::new();
        for grant in &role.grants {
            match self.resolve_statement(grant) {
                Ok(statement) => statements.push(statement),
                Err(UnresolvedReason::Unknown(unknown)) => {
                    self.note(format!("one of its statements grants nothing: {unknown}"));
                }
                Err(reason) => self.missing.push(UnresolvedProperty {
                    path: vec!["Policies".to_owned()],
                    reason,
                }),
            }
        }
        for unknown in &role.unknown {
            self.note(format!("one of its policies grants nothing: {unknown}"));
        }
        let managed = role.managed_policies.iter();
        let managed: Vec<_> = managed
            .filter_map(|arn| self.ids.resolve_text(arn).ok())
            .collect();
        self.properties
            .insert("Statements".to_owned(), statements.into());
        self.properties
            .insert("ManagedPolicyArns".to_owned(), managed.into());
        self.read_properties(vec!["RoleName"]);
    }

    fn resolve_statement(&self, grant: &stackgen_model::Grant) -> Result<Json, UnresolvedReason> {
        let mut statement = Map::new();
        if let Some(effect) = &grant.effect {
            statement.insert("Effect".to_owned(), self.ids.resolve_text(effect)?.into());
        }
        let lists: [(&str, &[Text]); 4] = [
            ("Action", &grant.actions),
            ("NotAction", &grant.not_actions),
            ("Resource", &grant.resources),
            ("NotResource", &grant.not_resources),
        ];
        for (name, texts) in lists {
            if !texts.is_empty() {
                let texts = texts.iter().map(|text| self.ids.resolve_text(text));
                let texts: Vec<_> = texts.collect::<Result<_, _>>()?;
                statement.insert(name.to_owned(), texts.into());
            }
        }
        if let Some(condition) = &grant.condition {
            let condition = self.ids.resolve_json(condition)?;
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

/// Returns true if a resource refers to one of these.
pub(super) fn refers_to_any(resource: &Resource, ids: &[LogicalId]) -> bool {
    let referenced = resource.properties.referenced_ids();
    referenced.into_iter().any(|id| ids.contains(id))
}
