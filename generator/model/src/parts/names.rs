//! Names of resources that do not depend on logical IDs.

use std::collections::{BTreeSet, HashMap};

use crate::resource::Resource;
use crate::{Link, LogicalId, Model, Text};

/// Naming of resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Naming {
    /// The physical name if the template sets one as plain text, otherwise the logical ID. Two resources with one name
    /// are the same on AWS.
    Physical,
    /// Names that are equal for two renderings of one stack, whatever tool generated the logical IDs.
    Content,
}

/// The names of a model's resources.
pub(crate) struct Names<'a> {
    model: &'a Model,
    pub(crate) naming: Naming,
    /// True if values of `NoEcho` parameters are marked, to be masked in output.
    pub(crate) marks_hidden: bool,
    /// Names of resources that have none, derived from other resources.
    derived: HashMap<&'a LogicalId, String>,
}

impl<'a> Names<'a> {
    pub(crate) fn new(model: &'a Model, naming: Naming) -> Self {
        let mut names = Names {
            model,
            naming,
            marks_hidden: false,
            derived: HashMap::new(),
        };
        if naming == Naming::Content {
            names.derive();
        }
        names
    }

    /// Returns physical names for a diff, in whose values the hidden ones are marked.
    pub(crate) fn for_diff(model: &'a Model) -> Self {
        Names {
            marks_hidden: true,
            ..Names::new(model, Naming::Physical)
        }
    }

    /// Returns the name of a resource.
    pub(crate) fn name(&self, id: &LogicalId) -> String {
        let derived = self.derived.get(id).cloned();
        let own = || self.own(self.model.resources.get(id)?);
        derived.or_else(own).unwrap_or_else(|| id.to_string())
    }

    /// Returns the name that the template sets, if it counts.
    fn own(&self, resource: &Resource) -> Option<String> {
        let text = resource.properties.text(name_property(&resource.kind)?)?;
        let counts = text.as_literal().is_some() || self.naming == Naming::Content;
        let is_shown = !(self.marks_hidden && text.is_hidden());
        (counts && is_shown).then(|| shown(&text))
    }

    /// Returns kind and name of a resource: `function session-audio`.
    pub(crate) fn label(&self, id: &LogicalId) -> String {
        let kind = self
            .model
            .resources
            .get(id)
            .map(|resource| type_word(resource))
            .unwrap_or_default();
        format!("{kind} {}", self.name(id))
    }

    /// Derives names of resources that have none from the resources that they belong to.
    fn derive(&mut self) {
        let model = self.model;
        for version in &model.versions {
            if let Some(function) = version.function.function.to() {
                let name = format!("of {}", self.name(function));
                self.derived.insert(&version.resource.logical_id, name);
            }
        }
        let mut users = self.users();
        for role in model.roles.iter().filter(|role| role.name.is_none()) {
            let id = &role.resource.logical_id;
            if let Some(mut users) = users.remove(id) {
                users.sort_unstable();
                self.derived.insert(id, format!("of {}", users.join(", ")));
            }
        }
        for api in &model.apis {
            let name = match &api.id {
                Link::To(id) => self.name(id),
                _ => continue,
            };
            for deployment in &api.deployments {
                self.derived
                    .insert(&deployment.resource.logical_id, format!("of {name}"));
            }
        }
    }

    /// Returns the functions that run with each role, and the APIs that invoke with it.
    fn users(&self) -> HashMap<&'a LogicalId, Vec<String>> {
        let model = self.model;
        let mut users: HashMap<_, Vec<String>> = HashMap::new();
        for function in &model.functions {
            if let Some(role) = function.role.to() {
                let name = self.name(&function.resource.logical_id);
                users.entry(role).or_default().push(name);
            }
        }
        for api in &model.apis {
            let Some(id) = api.id.to() else { continue };
            let of_integrations = api.integrations.iter().map(|one| &one.credentials);
            let of_authorizers = api.authorizers.iter().map(|one| &one.credentials);
            let credentials = of_integrations.chain(of_authorizers);
            for role in credentials.filter_map(Link::to).collect::<BTreeSet<_>>() {
                let name = format!("api {}", self.name(id));
                users.entry(role).or_default().push(name);
            }
        }
        users
    }
}

fn shown(text: &Text) -> String {
    text.as_literal()
        .map_or_else(|| text.to_string(), str::to_owned)
}

/// Returns the last segment of the type in lower case: `function` for `AWS::Lambda::Function`.
fn type_word(resource: &Resource) -> String {
    let mut segments = resource.kind.rsplit("::");
    segments.next().unwrap_or_default().to_lowercase()
}

/// Returns the property with the physical name of a resource type.
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
