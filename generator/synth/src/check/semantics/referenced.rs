//! Resources that routes and functions name by their logical IDs or ARNs.

use stackgen_cfn::{Node, Span};

use super::SpecChecker;
use crate::LocatedError;
use crate::render::logical_id;
use crate::spec::Expression;
use crate::wording::nearest;

/// Type of a resource that is named, and its service in ARNs.
#[derive(Clone, Copy)]
pub(super) struct ReferencedService {
    kind: &'static str,
    service: &'static str,
}

impl ReferencedService {
    pub(super) const QUEUE: Self = Self::new("AWS::SQS::Queue", "sqs");
    pub(super) const TOPIC: Self = Self::new("AWS::SNS::Topic", "sns");
    pub(super) const STATE_MACHINE: Self = Self::new("AWS::StepFunctions::StateMachine", "states");
    pub(super) const EVENT_BUS: Self = Self::new("AWS::Events::EventBus", "events");
    pub(super) const STREAM: Self = Self::new("AWS::Kinesis::Stream", "kinesis");

    const fn new(kind: &'static str, service: &'static str) -> Self {
        ReferencedService { kind, service }
    }
}

impl SpecChecker<'_> {
    /// Checks a resource that is named by its logical ID or its ARN.
    pub(super) fn resource(&mut self, span: Span, value: &Expression, of: ReferencedService) {
        let ReferencedService { kind, service } = of;
        if let Some(id) = logical_id(value) {
            if service == "sqs" && self.declared("queues").contains(&id) {
                return;
            }
            let resources = self.declared("resources");
            let found = self.document.at_path(&["resources", id, "Type"]);
            match found.and_then(Node::as_str) {
                Some(found) if found == kind => {}
                Some(found) => {
                    let error =
                        LocatedError::new(span, format!("`{id}` has the type {found}, not {kind}"));
                    self.report(error.hint("name another resource, or use the key for this type"));
                }
                None if resources.contains(&id) => {}
                None => {
                    let error = LocatedError::new(span, format!("there is no resource `{id}`"));
                    self.report(match nearest(id, resources.iter().copied()) {
                        Some(near) => error.hint(format!("did you mean `{near}`?")),
                        None => error.hint(format!(
                            "declare an {kind} `{id}` under `resources`, or write an ARN"
                        )),
                    });
                }
            }
        } else if let Some(arn) = value.0.as_str() {
            let fits = arn.split(':').nth(2) == Some(service) && arn.split(':').count() >= 6;
            if !fits {
                let error = LocatedError::new(span, format!("`{arn}` is not the ARN of an {kind}"));
                self.report(error.hint(format!(
                    "it has the form `arn:aws:{service}:REGION:ACCOUNT:…`"
                )));
            }
        }
    }
}
