//! A stack in memory.

use stackgen_deploy::stack::status::StackStatus;
use stackgen_deploy::stack::{
    STACK_TYPE, StackDescription, StackEvent, StackId, StackName, StackReader, StackResource,
};
use stackgen_deploy::{AccountError, AccountErrorKind, AccountResult, OffsetDateTime};
use time::Duration;

use crate::support::at;

/// A stack `rooms` that has the API of [`Memory`](crate::memory::Memory).
pub(crate) struct MemoryStack {
    pub(crate) resources: Vec<StackResource>,
    /// Oldest first.
    pub(crate) events: Vec<StackEvent>,
    pub(crate) template: String,
    pub(crate) parameters: Vec<(String, String)>,
    /// The kind of error of every call.
    pub(crate) fails: Option<AccountErrorKind>,
}

const ID: &str = "arn:aws:cloudformation:us-east-1:123456789012:stack/rooms/1";

/// Returns a time in milliseconds since 1970.
pub(crate) fn at_millis(millis: i64) -> OffsetDateTime {
    at(0) + Duration::milliseconds(millis)
}

/// Returns the type of a resource by its last word.
fn kind(word: &str) -> String {
    format!("AWS::ApiGatewayV2::{word}")
}

impl MemoryStack {
    pub(crate) fn with_api() -> MemoryStack {
        let mut stack = MemoryStack {
            resources: Vec::new(),
            events: Vec::new(),
            template: String::new(),
            parameters: Vec::new(),
            fails: None,
        };
        stack.resource("Api", "Api", "api1", 100_000);
        stack
    }

    /// Adds a resource that was changed at a time in milliseconds.
    pub(crate) fn resource(&mut self, word: &str, id: &str, physical_id: &str, changed: i64) {
        self.resources.push(StackResource {
            logical_id: id.to_owned(),
            physical_id: Some(physical_id.to_owned()),
            kind: kind(word),
            status: "UPDATE_COMPLETE".to_owned(),
            changed: at_millis(changed),
        });
    }

    /// Adds an event of a resource.
    pub(crate) fn event(&mut self, millis: i64, word: &str, id: &str, status: &str) {
        self.push_event(millis, kind(word), id, status);
    }

    /// Adds an event of the stack itself.
    pub(crate) fn stack_event(&mut self, millis: i64, status: &str) {
        self.push_event(millis, STACK_TYPE.to_owned(), "rooms", status);
    }

    fn push_event(&mut self, millis: i64, kind: String, id: &str, status: &str) {
        let physical_id = (kind == STACK_TYPE).then(|| ID.to_owned());
        self.events.push(StackEvent {
            id: self.events.len().to_string(),
            stack: StackId::new(ID),
            time: at_millis(millis),
            logical_id: id.to_owned(),
            physical_id,
            kind,
            status: status.to_owned(),
            reason: None,
            token: None,
            operation: None,
        });
    }

    fn answer<T>(&self, operation: &'static str, answer: T) -> AccountResult<T> {
        match self.fails {
            None => Ok(answer),
            Some(kind) => Err(AccountError {
                kind,
                operation,
                message: "no".to_owned(),
                permission: format!("cloudformation:{operation} on stack rooms"),
            }),
        }
    }
}

impl StackReader for MemoryStack {
    async fn stack(&self, name_or_id: &str) -> AccountResult<Option<StackDescription>> {
        let stack = StackDescription {
            id: StackId::new(ID),
            name: StackName::new("rooms"),
            status: StackStatus::parse("UPDATE_COMPLETE"),
            reason: None,
            parameters: self.parameters.clone(),
            tags: Vec::new(),
            outputs: Vec::new(),
            termination_protection: false,
            role_arn: None,
            operations: Vec::new(),
        };
        let is_named = name_or_id == "rooms" || name_or_id == ID;
        self.answer("DescribeStacks", is_named.then_some(stack))
    }

    async fn resources(&self, _: &StackId) -> AccountResult<Vec<StackResource>> {
        self.answer("ListStackResources", self.resources.clone())
    }

    async fn events_since(
        &self,
        _: &StackId,
        since: OffsetDateTime,
    ) -> AccountResult<Vec<StackEvent>> {
        let events = self.events.iter().rev();
        let events = events.filter(|event| event.time >= since).cloned();
        self.answer("DescribeStackEvents", events.collect())
    }

    async fn template(&self, _: &StackId) -> AccountResult<String> {
        self.answer("GetTemplate", self.template.clone())
    }
}
