//! Calls to the simulated CloudFormation.

use stackgen_deploy::stack::{
    ChangeSet, ChangeSetId, ChangeSetStatus, EventScope, StackDescription, StackEvent, StackId,
    StackName, StackReader, StackRequest, StackResource, StackService, StartedOperation,
    TemplateLocation, ValidationFinding,
};
use stackgen_deploy::{AccountError, AccountErrorKind, AccountResult, OffsetDateTime};

use crate::account::SimulatedStacks;
use crate::simulated::{NESTED, SimulatedChangeSet, State};

fn error(kind: AccountErrorKind, operation: &'static str, message: &str) -> AccountError {
    AccountError {
        kind,
        operation,
        message: message.to_owned(),
        permission: String::new(),
    }
}

impl StackReader for SimulatedStacks {
    async fn stack(&self, name_or_id: &str) -> AccountResult<Option<StackDescription>> {
        self.read("DescribeStacks", |state| {
            let is_emulator = state.is_emulator;
            if state.denies_nested && name_or_id.starts_with(NESTED) {
                let kind = AccountErrorKind::AccessDenied;
                return Err(error(kind, "DescribeStacks", "denied"));
            }
            let mut found = state.find(name_or_id).map(|stack| stack.describe());
            if let Some(stack) = found.as_mut().filter(|_| is_emulator) {
                stack.operations.clear();
            }
            Ok(found)
        })
        .await
    }

    async fn resources(&self, _: &StackId) -> AccountResult<Vec<StackResource>> {
        self.read("ListStackResources", |_| Ok(Vec::new())).await
    }

    async fn events_since(
        &self,
        _: &StackId,
        since: OffsetDateTime,
    ) -> AccountResult<Vec<StackEvent>> {
        self.read("DescribeStackEvents", |state| {
            let stack = state.stack.iter();
            let events = stack.flat_map(|stack| stack.events.iter().rev());
            Ok(events
                .filter(|event| event.time >= since)
                .cloned()
                .collect())
        })
        .await
    }

    async fn template(&self, _: &StackId) -> AccountResult<String> {
        self.read("GetTemplate", |state| {
            let template = state
                .stack
                .as_ref()
                .and_then(|stack| stack.template.clone());
            Ok(template.unwrap_or_default())
        })
        .await
    }
}

impl StackService for SimulatedStacks {
    async fn deleted_stacks(&self, _: &StackName) -> AccountResult<Vec<StackId>> {
        self.read("ListStacks", |state| {
            Ok(state
                .deleted
                .iter()
                .rev()
                .map(|stack| stack.id.clone())
                .collect())
        })
        .await
    }

    async fn create_change_set(&self, request: &StackRequest) -> AccountResult<ChangeSetId> {
        let pending = self.random(0..3);
        self.call("CreateChangeSet", |state| create(state, request, pending))
            .await
    }

    async fn change_set(&self, _: &str, name_or_id: &str) -> AccountResult<Option<ChangeSet>> {
        self.read("DescribeChangeSet", |state| {
            let Some(stack) = state.stack.as_ref().map(|stack| stack.id.clone()) else {
                return Ok(None);
            };
            let found = state
                .change_sets
                .iter()
                .find(|set| is_named(&set.id, name_or_id));
            Ok(found.map(|set| set.describe(&stack)))
        })
        .await
    }

    async fn validation_findings(&self, _: &ChangeSetId) -> AccountResult<Vec<ValidationFinding>> {
        self.read("DescribeEvents", |state| Ok(state.findings.clone()))
            .await
    }

    async fn operation_events(
        &self,
        scope: &EventScope,
        _: Option<&str>,
    ) -> AccountResult<Vec<StackEvent>> {
        self.read("DescribeEvents", |state| {
            let mut stacks = state.stack.iter().chain(&state.deleted);
            if state.is_emulator {
                return Ok(Vec::new());
            }
            let found = match scope {
                EventScope::Operation(id) => stacks.map(|stack| stack.events_of(id)).collect(),
                // Only the last operation's: seen on AWS.
                EventScope::Stack(id) => {
                    let stack = stacks.find(|stack| stack.id == *id);
                    let last =
                        stack.and_then(|stack| stack.recorded.first().map(|one| (stack, one)));
                    vec![last.map_or_else(Vec::new, |(stack, one)| stack.events_of(&one.id))]
                }
            };
            Ok(found.concat())
        })
        .await
    }

    async fn create_stack(
        &self,
        request: &StackRequest,
        token: &str,
    ) -> AccountResult<StartedOperation> {
        let length = self.random(1..6);
        self.call("CreateStack", |state| {
            match &state.stack {
                Some(stack) if stack.is_started_by(token) => return Ok(stack.started()),
                Some(_) => return Err(refused("CreateStack", "the stack exists")),
                None => state.create_stack(),
            };
            state.start_directly(template_of(request), token, length);
            Ok(state.stack.as_ref().unwrap().started())
        })
        .await
    }

    async fn update_stack(
        &self,
        request: &StackRequest,
        token: &str,
    ) -> AccountResult<Option<StartedOperation>> {
        let length = self.random(1..6);
        self.call("UpdateStack", |state| {
            let Some(stack) = &state.stack else {
                return Err(refused("UpdateStack", "no stack"));
            };
            if stack.is_started_by(token) {
                return Ok(Some(stack.started()));
            }
            if stack.operation.is_some() {
                return Err(refused("UpdateStack", "the stack is busy"));
            }
            if stack.template.as_deref() == Some(template_of(request)) {
                return Ok(None);
            }
            state.start_directly(template_of(request), token, length);
            Ok(state.stack.as_ref().map(|stack| stack.started()))
        })
        .await
    }

    async fn set_stack_policy(&self, _: &StackId, _: &str) -> AccountResult<()> {
        self.call("SetStackPolicy", |_| Ok(())).await
    }

    async fn execute_change_set(&self, change_set: &ChangeSetId, token: &str) -> AccountResult<()> {
        let length = self.random(1..6);
        self.call("ExecuteChangeSet", |state| {
            let operation = "ExecuteChangeSet";
            let index = state
                .change_sets
                .iter()
                .position(|set| set.id == *change_set);
            let Some(index) = index else {
                return Err(error(
                    AccountErrorKind::NotFound,
                    operation,
                    "no change set",
                ));
            };
            if state.change_sets[index].status != ChangeSetStatus::Ready {
                return Err(error(AccountErrorKind::Refused, operation, "in its status"));
            }
            let is_busy = state
                .stack
                .as_ref()
                .is_some_and(|stack| stack.operation.is_some());
            if is_busy {
                return Err(error(
                    AccountErrorKind::Refused,
                    operation,
                    "the stack is busy",
                ));
            }
            state.execute(index, token, length);
            Ok(())
        })
        .await
    }

    async fn delete_change_set(&self, change_set: &ChangeSetId) -> AccountResult<()> {
        self.call("DeleteChangeSet", |state| {
            state.change_sets.retain(|set| set.id != *change_set);
            Ok(())
        })
        .await
    }

    async fn events(&self, stack: &StackId, _: Option<&str>) -> AccountResult<Vec<StackEvent>> {
        self.read("DescribeStackEvents", |state| {
            let found = state.find(stack.as_str());
            let events = found.map(|stack| stack.events.iter().rev().cloned().collect());
            Ok(events.unwrap_or_default())
        })
        .await
    }

    async fn delete_stack(
        &self,
        stack: &StackId,
        _: Option<&str>,
        token: &str,
    ) -> AccountResult<()> {
        let length = self.random(1..4);
        self.call("DeleteStack", |state| {
            let found = state.stack.as_ref().filter(|found| found.id == *stack);
            if found.is_some_and(|found| found.operation.is_none()) {
                state.delete(token, length);
            }
            Ok(())
        })
        .await
    }

    async fn cancel_update(&self, _: &StackId) -> AccountResult<()> {
        self.call("CancelUpdateStack", |_| Ok(())).await
    }
}

fn is_named(id: &ChangeSetId, name_or_id: &str) -> bool {
    *id == *name_or_id || id.name() == Some(name_or_id)
}

fn refused(operation: &'static str, message: &str) -> AccountError {
    error(AccountErrorKind::Refused, operation, message)
}

fn template_of(request: &StackRequest) -> &str {
    match &request.template {
        TemplateLocation::Url(url) => url,
        TemplateLocation::Inline(_) => panic!("an inline template"),
    }
}

fn create(state: &mut State, request: &StackRequest, pending: u8) -> AccountResult<ChangeSetId> {
    let operation = "CreateChangeSet";
    let name = &request.change_set;
    if state.change_sets.iter().any(|set| is_named(&set.id, name)) {
        return Err(error(
            AccountErrorKind::Conflict,
            operation,
            "the name exists",
        ));
    }
    let exists = state
        .stack
        .as_ref()
        .is_some_and(|stack| stack.status != "REVIEW_IN_PROGRESS");
    if exists == request.creates {
        return Err(error(
            AccountErrorKind::Refused,
            operation,
            "wrong type of change set",
        ));
    }
    if state
        .stack
        .as_ref()
        .is_some_and(|stack| stack.operation.is_some())
    {
        return Err(error(
            AccountErrorKind::Refused,
            operation,
            "the stack is busy",
        ));
    }
    if state.stack.is_none() {
        state.create_stack();
    }
    let template = template_of(request);
    let current = state
        .stack
        .as_ref()
        .and_then(|stack| stack.template.as_deref());
    let is_empty = current == Some(template);
    let is_refused = state.findings.iter().any(|finding| finding.fails);
    let id = ChangeSetId::new(format!(
        "arn:aws:cloudformation:r:1:changeSet/{name}/{}",
        state.next_id()
    ));
    state.change_sets.push(SimulatedChangeSet {
        id: id.clone(),
        template: template.to_owned(),
        creates: request.creates,
        status: match is_empty || is_refused {
            true => ChangeSetStatus::Failed,
            false => ChangeSetStatus::Ready,
        },
        reason: match is_empty {
            true => Some("The submitted information didn't contain changes.".to_owned()),
            false => is_refused.then(|| "[AWS::EarlyValidation::PropertyValidation]".to_owned()),
        },
        pending,
    });
    Ok(id)
}
