//! Names that a template gives to resources, and that others may have.

use std::fmt;

use stackgen_cfn::{Map, Node};

use super::types::StackResource;
use crate::FunctionName;

/// Name of a resource that a template states.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names are AWS's")]
pub enum FixedName {
    /// An API. Several APIs may share a name, but stackgen finds an API by it.
    Api(String),
    Function(FunctionName),
    Table(String),
    Role(String),
    LogGroup(String),
    /// A bucket. Its name is unique in all accounts.
    Bucket(String),
    /// The domain of a user pool. It is unique in all accounts of a region.
    UserPoolDomain(String),
    /// A custom domain name of API Gateway.
    DomainName(String),
    /// A path of a custom domain name that exists; empty for the whole domain.
    ApiMapping {
        domain: String,
        key: String,
    },
    Alarm(String),
    Dashboard(String),
    /// A DNS record of a hosted zone.
    Record {
        zone: String,
        name: String,
        kind: String,
    },
}

/// A resource to which a template gives a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedResource {
    /// The logical ID.
    pub logical_id: String,
    /// The name.
    pub name: FixedName,
}

impl FixedName {
    /// Returns the name of a resource's kind in messages, in the plural.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            FixedName::Api(_) => "APIs",
            FixedName::Function(_) => "functions",
            FixedName::Table(_) => "tables",
            FixedName::Role(_) => "roles",
            FixedName::LogGroup(_) => "log groups",
            FixedName::Bucket(_) => "buckets",
            FixedName::UserPoolDomain(_) => "domains of user pools",
            FixedName::DomainName(_) => "custom domains",
            FixedName::ApiMapping { .. } => "API mappings",
            FixedName::Alarm(_) => "alarms",
            FixedName::Dashboard(_) => "dashboards",
            FixedName::Record { .. } => "DNS records",
        }
    }

    fn resource_type(&self) -> &'static str {
        match self {
            FixedName::Api(_) => "AWS::ApiGatewayV2::Api",
            FixedName::Function(_) => "AWS::Lambda::Function",
            FixedName::Table(_) => "AWS::DynamoDB::Table",
            FixedName::Role(_) => "AWS::IAM::Role",
            FixedName::LogGroup(_) => "AWS::Logs::LogGroup",
            FixedName::Bucket(_) => "AWS::S3::Bucket",
            FixedName::UserPoolDomain(_) => "AWS::Cognito::UserPoolDomain",
            FixedName::DomainName(_) => "AWS::ApiGatewayV2::DomainName",
            FixedName::ApiMapping { .. } => "AWS::ApiGatewayV2::ApiMapping",
            FixedName::Alarm(_) => "AWS::CloudWatch::Alarm",
            FixedName::Dashboard(_) => "AWS::CloudWatch::Dashboard",
            FixedName::Record { .. } => "AWS::Route53::RecordSet",
        }
    }

    /// Returns the name if it is the physical ID of the resource.
    fn physical_id(&self) -> Option<&str> {
        match self {
            // The physical IDs of APIs and mappings are invented, and that of a record lacks its type.
            FixedName::Api(_) | FixedName::ApiMapping { .. } | FixedName::Record { .. } => None,
            FixedName::Function(name) => Some(name.as_str()),
            FixedName::Table(name)
            | FixedName::Role(name)
            | FixedName::LogGroup(name)
            | FixedName::Bucket(name)
            | FixedName::UserPoolDomain(name)
            | FixedName::DomainName(name)
            | FixedName::Alarm(name)
            | FixedName::Dashboard(name) => Some(name),
        }
    }

    fn of(kind: &str, properties: &Node) -> Option<FixedName> {
        let text = |property: &str| properties.get(property)?.as_str().map(str::to_owned);
        Some(match kind {
            "AWS::ApiGatewayV2::Api" => FixedName::Api(text("Name")?),
            "AWS::Lambda::Function" => {
                FixedName::Function(FunctionName::new(text("FunctionName")?))
            }
            "AWS::DynamoDB::Table" => FixedName::Table(text("TableName")?),
            "AWS::IAM::Role" => FixedName::Role(text("RoleName")?),
            "AWS::Logs::LogGroup" => FixedName::LogGroup(text("LogGroupName")?),
            "AWS::S3::Bucket" => FixedName::Bucket(text("BucketName")?),
            "AWS::Cognito::UserPoolDomain" => FixedName::UserPoolDomain(text("Domain")?),
            "AWS::ApiGatewayV2::DomainName" => FixedName::DomainName(text("DomainName")?),
            // A domain of the same stack is a reference, and has no other mappings.
            "AWS::ApiGatewayV2::ApiMapping" => FixedName::ApiMapping {
                domain: text("DomainName")?,
                key: match properties.get("ApiMappingKey") {
                    Some(key) => key.as_str()?.to_owned(),
                    None => String::new(),
                },
            },
            "AWS::CloudWatch::Alarm" => FixedName::Alarm(text("AlarmName")?),
            "AWS::CloudWatch::Dashboard" => FixedName::Dashboard(text("DashboardName")?),
            // Records of a routing policy share their name.
            "AWS::Route53::RecordSet" if properties.get("SetIdentifier").is_some() => return None,
            "AWS::Route53::RecordSet" => FixedName::Record {
                zone: text("HostedZoneId")?,
                name: text("Name")?,
                kind: text("Type")?,
            },
            _ => return None,
        })
    }
}

impl fmt::Display for FixedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FixedName::Api(name) => write!(f, "API {name}"),
            FixedName::Function(name) => write!(f, "function {name}"),
            FixedName::Table(name) => write!(f, "table {name}"),
            FixedName::Role(name) => write!(f, "role {name}"),
            FixedName::LogGroup(name) => write!(f, "log group {name}"),
            FixedName::Bucket(name) => write!(f, "bucket {name}"),
            FixedName::UserPoolDomain(name) => write!(f, "domain {name} of a user pool"),
            FixedName::DomainName(name) => write!(f, "custom domain {name}"),
            FixedName::ApiMapping { domain, key } if key.is_empty() => {
                write!(f, "a mapping of {domain} without a path")
            }
            FixedName::ApiMapping { domain, key } => write!(f, "mapping {key} of {domain}"),
            FixedName::Alarm(name) => write!(f, "alarm {name}"),
            FixedName::Dashboard(name) => write!(f, "dashboard {name}"),
            FixedName::Record { zone, name, kind } => {
                write!(f, "{kind} record {name} of hosted zone {zone}")
            }
        }
    }
}

impl NamedResource {
    /// Returns true if a stack has the resource. What a stack retained does not belong to it any more.
    pub(super) fn is_in(&self, stack: &[StackResource]) -> bool {
        stack.iter().any(|resource| {
            let is_named = match self.name.physical_id() {
                Some(name) => {
                    let id = resource.physical_id.as_deref();
                    let id = match self.name {
                        // CloudFormation writes it with or without the pool: `us-east-1_A|sign-in`.
                        FixedName::UserPoolDomain(_) => id.and_then(|id| id.rsplit('|').next()),
                        _ => id,
                    };
                    id == Some(name)
                }
                None => resource.logical_id == self.logical_id,
            };
            is_named && resource.exists() && resource.kind == self.name.resource_type()
        })
    }
}

/// Returns the resources to which a template gives a name. Names that depend on parameters, and resources under a condition, are
/// left out.
pub fn named_resources(template: &Node) -> Vec<NamedResource> {
    let resources = template.get("Resources").and_then(Node::as_map);
    let resources = resources.into_iter().flat_map(Map::iter);
    let named = resources.filter_map(|(logical_id, resource)| {
        if resource.get("Condition").is_some() {
            return None;
        }
        let kind = resource.get("Type")?.as_str()?;
        Some(NamedResource {
            logical_id: logical_id.to_owned(),
            name: FixedName::of(kind, resource.get("Properties")?)?,
        })
    });
    named.collect()
}
