//! What things are called when logical ids do not matter.

use std::collections::HashMap;

use crate::resource::Resource;
use crate::{Link, LogicalId, Model, Text};

/// Which names stand for resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Naming {
    /// The physical name if the template gives one as plain text, otherwise the logical id: two resources of one
    /// name are one thing on AWS.
    Physical,
    /// Names that two renderings of one stack share, whatever tool made the logical ids.
    Meaning,
}

/// The names of a model's resources.
pub(crate) struct Names<'a> {
    model: &'a Model,
    pub(crate) naming: Naming,
    names: HashMap<&'a LogicalId, String>,
}

impl<'a> Names<'a> {
    pub(crate) fn new(model: &'a Model, naming: Naming) -> Self {
        let mut names = HashMap::new();
        for (id, resource) in &model.resources {
            let text = name_property(&resource.kind)
                .and_then(|property| resource.properties.text(property));
            let name = match (text, naming) {
                (Some(text), _) if text.as_literal().is_some() => shown(&text),
                (Some(text), Naming::Meaning) => shown(&text),
                _ => id.to_string(),
            };
            names.insert(id, name);
        }
        let mut names = Names {
            model,
            naming,
            names,
        };
        if naming == Naming::Meaning {
            names.derive();
        }
        names
    }

    /// What a resource is called.
    pub(crate) fn name(&self, id: &LogicalId) -> String {
        self.names
            .get(id)
            .cloned()
            .unwrap_or_else(|| id.to_string())
    }

    /// What a resource is called, with its kind: `function session-audio`.
    pub(crate) fn label(&self, id: &LogicalId) -> String {
        let kind = self
            .model
            .resources
            .get(id)
            .map(|resource| word(resource))
            .unwrap_or_default();
        format!("{kind} {}", self.name(id))
    }

    /// Names for what has none of its own and is known by what it belongs to.
    fn derive(&mut self) {
        let model = self.model;
        for version in &model.versions {
            if let Some(function) = version.function.function.to() {
                let name = format!("of {}", self.name(function));
                self.names.insert(&version.resource.logical_id, name);
            }
        }
        for role in model.roles.iter().filter(|role| role.name.is_none()) {
            let users = self.users(&role.resource.logical_id);
            if !users.is_empty() {
                let name = format!("of {}", users.join(", "));
                self.names.insert(&role.resource.logical_id, name);
            }
        }
        for api in &model.apis {
            let name = match &api.id {
                Link::To(id) => self.name(id),
                _ => continue,
            };
            for deployment in &api.deployments {
                self.names
                    .insert(&deployment.resource.logical_id, format!("of {name}"));
            }
        }
    }
}

impl Names<'_> {
    /// Which functions run as a role, and which apis call as it.
    fn users(&self, role: &LogicalId) -> Vec<String> {
        let model = self.model;
        let functions = model.functions.iter();
        let functions = functions.filter(|function| function.role.to() == Some(role));
        let mut users: Vec<String> = functions
            .map(|function| self.name(&function.resource.logical_id))
            .collect();
        for api in &model.apis {
            let of_integrations = api.integrations.iter().map(|one| &one.credentials);
            let of_authorizers = api.authorizers.iter().map(|one| &one.credentials);
            let mut credentials = of_integrations.chain(of_authorizers);
            if let Some(id) = api.id.to()
                && credentials.any(|link| link.to() == Some(role))
            {
                users.push(format!("api {}", self.name(id)));
            }
        }
        users.sort_unstable();
        users
    }
}

fn shown(text: &Text) -> String {
    text.as_literal()
        .map_or_else(|| text.to_string(), str::to_owned)
}

/// `function` of `AWS::Lambda::Function`; types of API Gateway v1 keep their service to be told apart.
fn word(resource: &Resource) -> String {
    let mut segments = resource.kind.rsplit("::");
    segments.next().unwrap_or_default().to_lowercase()
}

/// The property that holds a resource's physical name.
pub(crate) fn name_property(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "AWS::ApiGatewayV2::Api"
        | "AWS::ApiGatewayV2::Authorizer"
        | "AWS::ApiGatewayV2::Model"
        | "AWS::Events::EventBus"
        | "AWS::Lambda::Alias" => "Name",
        "AWS::ApiGatewayV2::DomainName" => "DomainName",
        "AWS::ApiGatewayV2::Stage" => "StageName",
        "AWS::CloudWatch::Alarm" | "AWS::CloudWatch::CompositeAlarm" => "AlarmName",
        "AWS::CloudWatch::Dashboard" => "DashboardName",
        "AWS::Cognito::UserPool" => "UserPoolName",
        "AWS::DynamoDB::Table" | "AWS::DynamoDB::GlobalTable" => "TableName",
        "AWS::IAM::ManagedPolicy" => "ManagedPolicyName",
        "AWS::IAM::Role" => "RoleName",
        "AWS::Lambda::Function" => "FunctionName",
        "AWS::Logs::LogGroup" => "LogGroupName",
        "AWS::S3::Bucket" => "BucketName",
        "AWS::SNS::Topic" => "TopicName",
        "AWS::SQS::Queue" => "QueueName",
        _ => return None,
    })
}
