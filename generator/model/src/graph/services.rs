//! Tables, queues and other resources behind integrations with services of AWS.

use super::access::is_read;
use super::build::{Builder, beginning, plain};
use super::steps::step;
use super::{GraphNode, NodeKind};
use crate::api::Integration;
use crate::{LogicalId, Reference, Resolved, Text};

const TABLE: &str = "AWS::DynamoDB::Table";

/// Services in integration URIs, with the type of the resource that the request names.
const SERVICES: &[(&str, &str)] = &[
    ("dynamodb", TABLE),
    ("events", "AWS::Events::EventBus"),
    ("firehose", "AWS::KinesisFirehose::DeliveryStream"),
    ("kinesis", "AWS::Kinesis::Stream"),
    ("s3", "AWS::S3::Bucket"),
    ("sns", "AWS::SNS::Topic"),
    ("sqs", "AWS::SQS::Queue"),
    ("states", "AWS::StepFunctions::StateMachine"),
];

/// Properties of an integration that contain a request.
const REQUEST: [&str; 2] = ["RequestTemplates", "RequestParameters"];

/// Box behind an integration with a service.
pub(super) struct ServiceTarget {
    pub(super) node: usize,
    pub(super) label: String,
}

impl Builder<'_> {
    /// Returns the box of the resource that an integration's request names, if it is one of the template. For a table,
    /// it is the box of the action, with an arrow to the table.
    pub(super) fn service(&mut self, integration: &Integration) -> Option<ServiceTarget> {
        let uri = integration.uri.as_ref()?;
        let (kind, rest) = SERVICES.iter().find_map(|(service, kind)| {
            let (_, rest) = uri.split_once(&format!(":{service}:"))?;
            Some((*kind, rest))
        })?;
        let action = rest
            .as_literal()
            .and_then(|rest| rest.strip_prefix("action/"));
        let action = beginning(action.unwrap_or_default());
        let id = self.request_resource(integration, uri, kind)?;
        if kind != TABLE {
            let node = self.resource_box(&id, kind);
            return Some(ServiceTarget {
                node,
                label: action,
            });
        }
        let table = self.boxes.get(id.as_str()).copied()?;
        let integration = &integration.resource.logical_id;
        let node = GraphNode {
            id: format!("service_{}", plain(integration)),
            kind: NodeKind::Other,
            lines: vec![format!("DynamoDB {action}").trim_end().to_owned()],
            details: Vec::new(),
            resource: None,
        };
        let node = self.node(integration.as_str(), node);
        self.edge(node, table, access(&action), false);
        Some(ServiceTarget {
            node,
            label: String::new(),
        })
    }

    /// Returns the first resource of a type that the URI or the request of an integration names.
    fn request_resource(
        &self,
        integration: &Integration,
        uri: &Text,
        kind: &str,
    ) -> Option<LogicalId> {
        let properties = &integration.resource.properties;
        let values = REQUEST
            .iter()
            .filter_map(|key| properties.get(key)?.as_map());
        let values = values.flat_map(|map| map.values());
        let texts = values.filter_map(|value| match value {
            Resolved::Text(text) => Some(text),
            _ => None,
        });
        let is_kind = |reference: &&Reference| {
            step();
            let resource = self.model.resource(&reference.logical_id);
            resource.is_some_and(|resource| resource.kind == kind)
        };
        let mut references = texts.clone().chain([uri]).flat_map(Text::references);
        let named = references.find(is_kind).map(|it| it.logical_id.clone());
        named.or_else(|| {
            texts
                .filter_map(Text::as_literal)
                .find_map(|text| self.table_named_in(text).filter(|_| kind == SERVICES[0].1))
        })
    }

    /// Returns the table whose literal name follows `"TableName":` in a mapping template.
    fn table_named_in(&self, template: &str) -> Option<LogicalId> {
        let (_, rest) = template.split_once("\"TableName\"")?;
        let name = rest.trim_start().strip_prefix(':')?.trim_start();
        let (name, _) = name.strip_prefix('"')?.split_once('"')?;
        let position = self.table_names.get(name)?;
        Some(self.model.tables[*position].resource.logical_id.clone())
    }

    fn resource_box(&mut self, id: &LogicalId, kind: &str) -> usize {
        match self.boxes.get(id.as_str()) {
            Some(&node) => node,
            None => {
                let kind = kind.strip_prefix("AWS::").unwrap_or(kind);
                let node = GraphNode {
                    id: format!("resource_{}", plain(id)),
                    kind: NodeKind::Other,
                    lines: vec![id.to_string()],
                    details: vec![kind.replace("::", " ")],
                    resource: Some(id.clone()),
                };
                self.node(id.as_str(), node)
            }
        }
    }
}

/// Returns the access of an action of DynamoDB.
fn access(action: &str) -> &'static str {
    match action {
        "" => "",
        _ if is_read(action) => "reads",
        _ => "writes",
    }
}
