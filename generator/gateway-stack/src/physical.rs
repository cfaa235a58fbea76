//! What resources are called in the account: names that the template gives, and ids that follow from the stack's name
//! and the logical id, so that they are the same in every run.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use sha2::{Digest, Sha256};
use stackgen_gateway_common::ArnScope;
use stackgen_model::{LogicalId, Model, Piece, Reference, Resolved, Resource, Text, Unknown};

use super::attributes;

/// Why a value cannot be told.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Untold {
    /// The template alone cannot tell it.
    Unknown(Unknown),
    /// It is of a resource that is not made yet.
    NotYet(LogicalId),
    /// Names go in a circle.
    Circle(LogicalId),
    /// Here, a text stands where one is needed.
    NoText,
}

/// The physical ids of a template's resources.
pub(super) struct Physical<'a> {
    pub(super) place: &'a ArnScope,
    pub(super) stack: &'a str,
    model: &'a Model,
    /// Ids that are settled: of resources that exist, and of versions, which get their number when they are published.
    settled: HashMap<LogicalId, String>,
    /// How often an id was taken by something else, by logical id.
    attempts: HashMap<LogicalId, u32>,
    asking: RefCell<HashSet<LogicalId>>,
}

impl<'a> Physical<'a> {
    pub(super) fn new(place: &'a ArnScope, stack: &'a str, model: &'a Model) -> Self {
        Physical {
            place,
            stack,
            model,
            settled: HashMap::new(),
            attempts: HashMap::new(),
            asking: RefCell::default(),
        }
    }

    /// Notes the id of a resource that exists.
    pub(super) fn settle(&mut self, id: LogicalId, physical: impl Into<String>) {
        self.settled.insert(id, physical.into());
    }

    /// A resource is replaced: it gets a new id.
    pub(super) fn unsettle(&mut self, id: &LogicalId) {
        self.settled.remove(id);
    }

    /// True when the id is made up and the template names none.
    pub(super) fn is_generated(&self, resource: &Resource) -> bool {
        name_property(&resource.kind).is_none_or(|name| resource.properties.get(name).is_none())
    }

    /// The id that a resource gets is taken by something else: it gets another.
    pub(super) fn next(&mut self, id: &LogicalId) {
        *self.attempts.entry(id.clone()).or_default() += 1;
    }

    /// What `Ref` gives for a resource; for an api's parts the bare id, for versions the number.
    pub(super) fn id(&self, id: &LogicalId) -> Result<String, Untold> {
        if let Some(settled) = self.settled.get(id) {
            return Ok(settled.clone());
        }
        let Some(resource) = self.model.resource(id) else {
            return Ok(id.to_string());
        };
        if resource.kind == "AWS::Lambda::Version" {
            return Err(Untold::NotYet(id.clone()));
        }
        if !self.asking.borrow_mut().insert(id.clone()) {
            return Err(Untold::Circle(id.clone()));
        }
        let made = self.make(resource);
        self.asking.borrow_mut().remove(id);
        made
    }

    /// A text with every reference filled in.
    pub(super) fn text(&self, text: &Text) -> Result<String, Untold> {
        let mut told = String::new();
        for piece in text.pieces() {
            match piece {
                Piece::Literal(literal) => told.push_str(literal),
                Piece::Reference(reference) => told.push_str(&self.reference(reference)?),
                // All of them are given when the model is read.
                Piece::Pseudo(pseudo) => told.push_str(pseudo.name()),
                Piece::Unknown(unknown) => return Err(Untold::Unknown(unknown.clone())),
            }
        }
        Ok(told)
    }

    /// A value as JSON, with every reference filled in.
    pub(super) fn json(&self, value: &Resolved) -> Result<serde_json::Value, Untold> {
        use serde_json::Value as Json;
        Ok(match value {
            Resolved::Null => Json::Null,
            Resolved::Bool(value) => Json::from(*value),
            Resolved::Int(value) => Json::from(*value),
            Resolved::Float(value) => Json::from(*value),
            Resolved::Text(text) => Json::from(self.text(text)?),
            Resolved::List(items) => items
                .iter()
                .map(|item| self.json(item))
                .collect::<Result<_, _>>()?,
            Resolved::Map(map) => {
                let entries = map
                    .iter()
                    .map(|(key, value)| Ok((key.clone(), self.json(value)?)));
                Json::Object(entries.collect::<Result<_, Untold>>()?)
            }
            Resolved::Unknown(unknown) => return Err(Untold::Unknown(unknown.clone())),
        })
    }

    fn reference(&self, reference: &Reference) -> Result<String, Untold> {
        let id = self.id(&reference.logical_id)?;
        let resource = self.model.resource(&reference.logical_id);
        let kind = resource.map_or("", |resource| resource.kind.as_str());
        let attribute = reference.attribute.as_deref();
        let of = match kind {
            "AWS::Lambda::Version" | "AWS::Lambda::Alias" => self.function_of(resource)?,
            "AWS::ApiGatewayV2::Api" => protocol_of(resource),
            _ => String::new(),
        };
        Ok(attributes::value(self.place, kind, &id, &of, attribute))
    }

    /// The name of the function that a version or an alias is of.
    fn function_of(&self, resource: Option<&std::sync::Arc<Resource>>) -> Result<String, Untold> {
        let name = resource.and_then(|resource| resource.properties.text("FunctionName"));
        let name = self.text(&name.ok_or(Untold::NoText)?)?;
        Ok(attributes::function_name(&name).to_owned())
    }

    fn make(&self, resource: &Resource) -> Result<String, Untold> {
        let id = &resource.logical_id;
        if let Some(property) = name_property(&resource.kind)
            && let Some(name) = resource.properties.text(property)
        {
            return self.text(&name);
        }
        Ok(self.generated(&resource.kind, id))
    }

    fn generated(&self, kind: &str, id: &LogicalId) -> String {
        let attempt = self.attempts.get(id).copied().unwrap_or_default();
        let seed = format!("{}/{id}/{attempt}", self.stack);
        let digest = Sha256::digest(seed.as_bytes());
        match id_length(kind) {
            Some(length) => base36(&digest, length),
            None => {
                let end = base36(&digest, 12).to_uppercase();
                // Lambda's and IAM's names have 64 characters at most; CloudFormation shortens both parts.
                let head: String = format!("{}-{}", self.stack, plain(id.as_str()))
                    .chars()
                    .take(51)
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

/// Ids of apis and their parts are short; everything else has a name that begins with the stack's.
fn id_length(kind: &str) -> Option<usize> {
    Some(match kind {
        "AWS::ApiGatewayV2::Api" => 10,
        "AWS::ApiGatewayV2::Route"
        | "AWS::ApiGatewayV2::Integration"
        | "AWS::ApiGatewayV2::RouteResponse"
        | "AWS::ApiGatewayV2::IntegrationResponse" => 7,
        kind if kind.starts_with("AWS::ApiGatewayV2::") => 6,
        "AWS::Cognito::UserPoolClient" => 26,
        _ => return None,
    })
}

/// The property that is a resource's id. Apis, authorizers and models have names beside their ids.
fn name_property(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "AWS::ApiGatewayV2::DomainName" => "DomainName",
        "AWS::ApiGatewayV2::Stage" => "StageName",
        "AWS::CloudWatch::Alarm" | "AWS::CloudWatch::CompositeAlarm" => "AlarmName",
        "AWS::CloudWatch::Dashboard" => "DashboardName",
        "AWS::DynamoDB::Table" | "AWS::DynamoDB::GlobalTable" => "TableName",
        "AWS::Events::EventBus" | "AWS::Lambda::Alias" => "Name",
        "AWS::IAM::Role" => "RoleName",
        "AWS::Lambda::Function" => "FunctionName",
        "AWS::Logs::LogGroup" => "LogGroupName",
        "AWS::S3::Bucket" => "BucketName",
        "AWS::SNS::Topic" => "TopicName",
        "AWS::SQS::Queue" => "QueueName",
        _ => return None,
    })
}

/// Letters and digits only: implied resources have others in their ids.
fn plain(id: &str) -> String {
    id.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// That many lower-case letters and digits.
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
