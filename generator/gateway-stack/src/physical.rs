//! Physical IDs of resources: names from the template, and generated IDs. Generated IDs are derived from the stack's name and
//! the logical ID, so that they are the same in every run.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use sha2::{Digest, Sha256};
use stackgen_gateway_common::ArnScope;
use stackgen_model::{LogicalId, Model, Piece, Reference, Resolved, Resource, Text, Unknown};

use super::attributes;
use super::schedule::{SCHEDULE, schedule_path};
use super::service_resource::StoredResource;
use super::trigger::EVENT_RULE;
use super::trigger_properties::rule_path;

/// Reason why a value cannot be determined.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum UnresolvedReason {
    /// The template alone does not determine it.
    Unknown(Unknown),
    /// It depends on a version that is not published yet.
    NotPublished(LogicalId),
    /// The names of resources refer to each other in a cycle.
    Cycle(LogicalId),
    /// The value is not text, but text is needed.
    NotText,
}

/// Physical IDs of a template's resources.
pub(super) struct PhysicalIds<'a> {
    pub(super) scope: &'a ArnScope,
    pub(super) stack: &'a str,
    model: &'a Model,
    /// Known IDs: those of existing resources, and the numbers of published versions.
    known: HashMap<LogicalId, String>,
    /// Number of generated IDs that were taken, by logical ID.
    taken: HashMap<LogicalId, u32>,
    resolving: RefCell<HashSet<LogicalId>>,
    /// Values of resources at the endpoint for services that do not run here.
    values: HashMap<LogicalId, StoredResource>,
}

impl<'a> PhysicalIds<'a> {
    pub(super) fn new(scope: &'a ArnScope, stack: &'a str, model: &'a Model) -> Self {
        PhysicalIds {
            scope,
            stack,
            model,
            known: HashMap::new(),
            taken: HashMap::new(),
            resolving: RefCell::default(),
            values: HashMap::new(),
        }
    }

    /// Stores the physical ID of an existing resource.
    pub(super) fn set(&mut self, id: LogicalId, physical: impl Into<String>) {
        self.known.insert(id, physical.into());
    }

    /// Stores what references to a resource at the endpoint for other services resolve to.
    pub(super) fn set_values(&mut self, id: LogicalId, values: StoredResource) {
        self.values.insert(id, values);
    }

    /// Forgets what references to a resource at the endpoint for other services resolved to.
    pub(super) fn forget_values(&mut self, id: &LogicalId) {
        self.values.remove(id);
    }

    /// Forgets the physical ID of a resource that is replaced.
    pub(super) fn forget(&mut self, id: &LogicalId) {
        self.known.remove(id);
    }

    /// Returns true if the ID is generated because the template gives no name.
    pub(super) fn is_generated(&self, resource: &Resource) -> bool {
        name_property(&resource.kind).is_none_or(|name| resource.properties.get(name).is_none())
    }

    /// Skips a generated ID that is taken.
    pub(super) fn skip_taken(&mut self, id: &LogicalId) {
        *self.taken.entry(id.clone()).or_default() += 1;
    }

    /// Returns the physical ID of a resource; for a version its number.
    pub(super) fn id(&self, id: &LogicalId) -> Result<String, UnresolvedReason> {
        if let Some(known) = self.known.get(id) {
            return Ok(known.clone());
        }
        let Some(resource) = self.model.resource(id) else {
            return Ok(id.to_string());
        };
        if resource.kind == "AWS::Lambda::Version" {
            return Err(UnresolvedReason::NotPublished(id.clone()));
        }
        if !self.resolving.borrow_mut().insert(id.clone()) {
            return Err(UnresolvedReason::Cycle(id.clone()));
        }
        let new_id = self.new_id(resource);
        self.resolving.borrow_mut().remove(id);
        new_id
    }

    /// Returns a text with all references resolved.
    pub(super) fn resolve_text(&self, text: &Text) -> Result<String, UnresolvedReason> {
        let mut resolved = String::new();
        for piece in text.pieces() {
            match piece {
                Piece::Literal(literal) => resolved.push_str(literal),
                Piece::Reference(reference) => resolved.push_str(&self.reference(reference)?),
                // Not reached: the model is read with values for all pseudo parameters.
                Piece::Pseudo(pseudo) => resolved.push_str(pseudo.name()),
                Piece::Unknown(unknown) => return Err(UnresolvedReason::Unknown(unknown.clone())),
            }
        }
        Ok(resolved)
    }

    /// Returns a value as JSON with all references resolved.
    pub(super) fn resolve_json(
        &self,
        value: &Resolved,
    ) -> Result<serde_json::Value, UnresolvedReason> {
        use serde_json::Value as Json;
        Ok(match value {
            Resolved::Null => Json::Null,
            Resolved::Bool(value) => Json::from(*value),
            Resolved::Int(value) => Json::from(*value),
            Resolved::Float(value) => Json::from(*value),
            Resolved::Text(text) => Json::from(self.resolve_text(text)?),
            Resolved::List(items) => items
                .iter()
                .map(|item| self.resolve_json(item))
                .collect::<Result<_, _>>()?,
            Resolved::Map(map) => {
                let entries = map
                    .iter()
                    .map(|(key, value)| Ok((key.clone(), self.resolve_json(value)?)));
                Json::Object(entries.collect::<Result<_, UnresolvedReason>>()?)
            }
            Resolved::Unknown(unknown) => return Err(UnresolvedReason::Unknown(unknown.clone())),
        })
    }

    fn reference(&self, reference: &Reference) -> Result<String, UnresolvedReason> {
        let values = self.values.get(&reference.logical_id);
        if let Some(value) = values.and_then(|it| it.value(reference.attribute.as_deref())) {
            return Ok(value.to_owned());
        }
        let id = self.id(&reference.logical_id)?;
        let resource = self.model.resource(&reference.logical_id);
        let kind = resource.map_or("", |resource| resource.kind.as_str());
        let attribute = reference.attribute.as_deref();
        let of = match kind {
            "AWS::Lambda::Version" | "AWS::Lambda::Alias" => self.function_of(resource)?,
            "AWS::ApiGatewayV2::Api" => protocol_of(resource),
            EVENT_RULE => rule_path(
                &self.text_of(resource, "EventBusName")?.unwrap_or_default(),
                &self
                    .text_of(resource, "Name")?
                    .unwrap_or_else(|| id.clone()),
            ),
            SCHEDULE => schedule_path(
                &self.text_of(resource, "GroupName")?.unwrap_or_default(),
                &self
                    .text_of(resource, "Name")?
                    .unwrap_or_else(|| id.clone()),
            ),
            _ => String::new(),
        };
        Ok(attributes::value(self.scope, kind, &id, &of, attribute))
    }

    /// Returns the name of the function of a version or an alias.
    fn function_of(
        &self,
        resource: Option<&std::sync::Arc<Resource>>,
    ) -> Result<String, UnresolvedReason> {
        let name = resource.and_then(|resource| resource.properties.text("FunctionName"));
        let name = self.resolve_text(&name.ok_or(UnresolvedReason::NotText)?)?;
        Ok(attributes::function_name(&name).to_owned())
    }

    fn text_of(
        &self,
        resource: Option<&std::sync::Arc<Resource>>,
        name: &str,
    ) -> Result<Option<String>, UnresolvedReason> {
        let text = resource.and_then(|resource| resource.properties.text(name));
        text.map(|text| self.resolve_text(&text)).transpose()
    }

    fn new_id(&self, resource: &Resource) -> Result<String, UnresolvedReason> {
        let id = &resource.logical_id;
        if let Some(property) = name_property(&resource.kind)
            && let Some(name) = resource.properties.text(property)
        {
            return self.resolve_text(&name);
        }
        let generated = self.generated(&resource.kind, id);
        Ok(match is_fifo(resource) {
            true => format!("{generated}.fifo"),
            false => generated,
        })
    }

    fn generated(&self, kind: &str, id: &LogicalId) -> String {
        let attempt = self.taken.get(id).copied().unwrap_or_default();
        let seed = format!("{}/{id}/{attempt}", self.stack);
        let digest = Sha256::digest(seed.as_bytes());
        match id_length(kind) {
            Some(length) => base36(&digest, length),
            None => {
                let end = base36(&digest, 12).to_uppercase();
                // Names in Lambda and IAM have at most 64 characters, those of buckets 63.
                let longest = if kind == "AWS::S3::Bucket" { 50 } else { 51 };
                let head: String = format!("{}-{}", self.stack, alphanumeric(id.as_str()))
                    .chars()
                    .take(longest)
                    .collect();
                let name = format!("{head}-{end}");
                match kind {
                    "AWS::S3::Bucket" => name.to_lowercase(),
                    _ => name,
                }
            }
        }
    }
}

/// Returns true for FIFO queues and topics, whose names end with `.fifo`.
fn is_fifo(resource: &Resource) -> bool {
    let property = match resource.kind.as_str() {
        "AWS::SQS::Queue" => "FifoQueue",
        "AWS::SNS::Topic" => "FifoTopic",
        _ => return false,
    };
    match resource.properties.get(property) {
        Some(Resolved::Bool(fifo)) => *fifo,
        Some(value) => value.as_literal() == Some("true"),
        None => false,
    }
}

/// Returns the length of a type's generated IDs, or `None` for types whose generated names start with the stack's name.
fn id_length(kind: &str) -> Option<usize> {
    Some(match kind {
        "AWS::ApiGatewayV2::Api" => 10,
        "AWS::ApiGatewayV2::Route"
        | "AWS::ApiGatewayV2::Integration"
        | "AWS::ApiGatewayV2::RouteResponse"
        | "AWS::ApiGatewayV2::IntegrationResponse" => 7,
        "AWS::ApiGateway::ApiKey" | "AWS::ApiGateway::UsagePlanKey" => 10,
        "AWS::ApiGateway::UsagePlan" => 6,
        kind if kind.starts_with("AWS::ApiGatewayV2::") => 6,
        "AWS::Cognito::UserPoolClient" => 26,
        _ => return None,
    })
}

/// Returns the property that determines the physical ID. APIs, authorizers and models have IDs besides their names.
fn name_property(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "AWS::ApiGatewayV2::DomainName" => "DomainName",
        "AWS::ApiGatewayV2::Stage" => "StageName",
        "AWS::CloudWatch::Alarm" | "AWS::CloudWatch::CompositeAlarm" => "AlarmName",
        "AWS::CloudWatch::Dashboard" => "DashboardName",
        "AWS::DynamoDB::Table" | "AWS::DynamoDB::GlobalTable" => "TableName",
        "AWS::Events::EventBus"
        | "AWS::Kinesis::Stream"
        | "AWS::Lambda::Alias"
        | "AWS::SSM::Parameter"
        | "AWS::SecretsManager::Secret"
        | "AWS::Serverless::StateMachine"
        | "AWS::StepFunctions::Activity" => "Name",
        "AWS::IAM::Role" => "RoleName",
        "AWS::KinesisFirehose::DeliveryStream" => "DeliveryStreamName",
        "AWS::Lambda::Function" => "FunctionName",
        "AWS::Logs::LogGroup" => "LogGroupName",
        "AWS::S3::Bucket" => "BucketName",
        "AWS::SNS::Topic" => "TopicName",
        "AWS::SQS::Queue" => "QueueName",
        "AWS::StepFunctions::StateMachine" => "StateMachineName",
        _ => return None,
    })
}

/// Removes everything but letters and digits, which the logical IDs of SAM's implied resources may contain.
fn alphanumeric(id: &str) -> String {
    id.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// Returns a text of lower-case letters and digits with this length.
fn base36(digest: &[u8], length: usize) -> String {
    const ALPHABET: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let letters = digest.iter().cycle().zip(0..length);
    letters
        .map(|(byte, _)| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()]))
        .collect()
}

fn protocol_of(resource: Option<&std::sync::Arc<Resource>>) -> String {
    if resource.is_some_and(|resource| resource.properties.get("Body").is_some()) {
        return "HTTP".to_owned();
    }
    let protocol = resource.and_then(|resource| resource.properties.text("ProtocolType"));
    let protocol = protocol.as_ref().and_then(Text::as_literal);
    protocol.unwrap_or_default().to_owned()
}
