//! State of a simulated CloudFormation with one stack.

use std::collections::BTreeMap;

use stackgen_deploy::OffsetDateTime;
use stackgen_deploy::stack::status::StackStatus;
use stackgen_deploy::stack::{
    ChangeSet, ChangeSetId, ChangeSetStatus, OperationId, OperationKind, PlannedChange,
    RecordedOperation, Replacement, ResourceAction, STACK_TYPE, StackDescription, StackEvent,
    StackId, StackName, StartedOperation, ValidationFinding,
};

/// What happens to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is refused for now, without effect.
    Throttled,
    /// The caller lacks a permission.
    Denied,
    /// It does not arrive.
    Unreachable,
    /// It takes effect, and the answer is lost.
    Lost,
    /// The caller ends before it.
    CrashBefore,
    /// It takes effect, and the caller ends before the answer.
    CrashAfter,
}

/// Why an operation fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum FailureReason {
    #[default]
    Function,
    /// A hook fails the function.
    Hook,
    /// The table of a nested stack fails.
    NestedTable,
}

/// A change set.
#[derive(Clone, Debug)]
pub(crate) struct SimulatedChangeSet {
    pub(crate) id: ChangeSetId,
    pub(crate) template: String,
    pub(crate) creates: bool,
    pub(crate) status: ChangeSetStatus,
    pub(crate) reason: Option<String>,
    /// Number of reads until CloudFormation has computed it.
    pub(crate) pending: u8,
}

/// A running operation.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    token: String,
    change_set: Option<ChangeSetId>,
    /// The template of an operation without a change set.
    template: Option<String>,
    /// Number of reads until it ends.
    pub(crate) left: u8,
    fails: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct SimulatedStack {
    pub(crate) id: StackId,
    pub(crate) status: &'static str,
    pub(crate) template: Option<String>,
    pub(crate) events: Vec<StackEvent>,
    /// Events of hooks, which only `DescribeEvents` returns.
    pub(crate) hook_events: Vec<StackEvent>,
    pub(crate) operation: Option<Operation>,
    /// The last operations, the latest first.
    pub(crate) recorded: Vec<RecordedOperation>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    pub(crate) stack: Option<SimulatedStack>,
    pub(crate) deleted: Vec<SimulatedStack>,
    pub(crate) change_sets: Vec<SimulatedChangeSet>,
    pub(crate) executions: usize,
    /// Executions of each change set.
    pub(crate) executed: BTreeMap<String, usize>,
    pub(crate) fails_next: bool,
    /// The reason of the next failure.
    pub(crate) failure: FailureReason,
    /// True if the caller may not read nested stacks.
    pub(crate) denies_nested: bool,
    /// True for an emulator, which names no operations.
    pub(crate) is_emulator: bool,
    /// Findings of the validation of every change set.
    pub(crate) findings: Vec<ValidationFinding>,
    pub(crate) clock: i64,
    pub(crate) ids: u32,
}

const NAME: &str = "rooms";

/// ARNs of nested stacks begin with this.
pub(crate) const NESTED: &str = "arn:aws:cloudformation:r:1:stack/rooms-Nested/";

impl State {
    pub(crate) fn next_id(&mut self) -> u32 {
        self.ids += 1;
        self.ids
    }

    /// Returns the stack with a name or ARN.
    pub(crate) fn find(&mut self, name: &str) -> Option<&mut SimulatedStack> {
        let is_named = |stack: &&mut SimulatedStack| name == NAME || stack.id == *name;
        if let Some(found) = self.stack.as_mut().filter(|stack| is_named(stack)) {
            return Some(found);
        }
        let mut deleted = self.deleted.iter_mut();
        deleted.find(|stack| stack.id == *name)
    }

    pub(crate) fn create_stack(&mut self) -> StackId {
        let id = StackId::new(format!(
            "arn:aws:cloudformation:r:1:stack/{NAME}/{}",
            self.next_id()
        ));
        self.stack = Some(SimulatedStack {
            id: id.clone(),
            status: "REVIEW_IN_PROGRESS",
            template: None,
            events: Vec::new(),
            hook_events: Vec::new(),
            operation: None,
            recorded: Vec::new(),
        });
        id
    }

    /// Executes a change set.
    pub(crate) fn execute(&mut self, index: usize, token: &str, length: u8) {
        let (id, creates) = {
            let set = &mut self.change_sets[index];
            set.status = ChangeSetStatus::Executing;
            (set.id.clone(), set.creates)
        };
        self.executions += 1;
        *self.executed.entry(id.to_string()).or_default() += 1;
        let fails = std::mem::take(&mut self.fails_next);
        self.start(
            if creates {
                "CREATE_IN_PROGRESS"
            } else {
                "UPDATE_IN_PROGRESS"
            },
            Operation {
                token: token.to_owned(),
                change_set: Some(id),
                template: None,
                left: length,
                fails,
            },
        );
    }

    /// Creates or updates the stack without a change set.
    pub(crate) fn start_directly(&mut self, template: &str, token: &str, length: u8) {
        let is_new = self
            .stack
            .as_ref()
            .is_none_or(|stack| stack.template.is_none());
        let status = match is_new {
            true => "CREATE_IN_PROGRESS",
            false => "UPDATE_IN_PROGRESS",
        };
        self.executions += 1;
        // A creation that failed while its answer was lost leaves no stack, so that its repetition creates another one.
        let id = self.stack.as_ref().map(|stack| stack.id.to_string());
        let execution = format!("{token} of {}", id.unwrap_or_default());
        *self.executed.entry(execution).or_default() += 1;
        let fails = std::mem::take(&mut self.fails_next);
        let operation = Operation {
            token: token.to_owned(),
            change_set: None,
            template: Some(template.to_owned()),
            left: length,
            fails,
        };
        self.start(status, operation);
    }

    /// Deletes the stack.
    pub(crate) fn delete(&mut self, token: &str, length: u8) {
        self.start(
            "DELETE_IN_PROGRESS",
            Operation {
                token: token.to_owned(),
                change_set: None,
                template: None,
                left: length,
                fails: false,
            },
        );
    }

    /// Records that an operation began. The events from now on are its events.
    fn record(&mut self, kind: OperationKind) {
        let id = OperationId::new(format!("operation-{}", self.next_id()));
        if let Some(stack) = &mut self.stack {
            stack.recorded.insert(0, RecordedOperation { id, kind });
        }
    }

    fn start(&mut self, status: &'static str, operation: Operation) {
        let token = operation.token.clone();
        self.record(match status {
            "DELETE_IN_PROGRESS" => OperationKind::Delete,
            _ => OperationKind::Deploy,
        });
        if let Some(stack) = &mut self.stack {
            stack.status = status;
            stack.operation = Some(operation);
        }
        self.event("", status, &token, None);
    }

    /// Lets time pass: operations proceed.
    pub(crate) fn tick(&mut self) {
        for set in &mut self.change_sets {
            set.pending = set.pending.saturating_sub(1);
        }
        let Some(operation) = self
            .stack
            .as_mut()
            .and_then(|stack| stack.operation.as_mut())
        else {
            return;
        };
        operation.left = operation.left.saturating_sub(1);
        if operation.left == 0 {
            self.end();
        }
    }

    fn end(&mut self) {
        let Some(stack) = &mut self.stack else { return };
        let Some(operation) = stack.operation.take() else {
            return;
        };
        let (status, token) = (stack.status, operation.token);
        let set = operation.change_set.and_then(|id| {
            let index = self.change_sets.iter().position(|set| set.id == id)?;
            let mut set = self.change_sets.remove(index);
            set.status = ChangeSetStatus::Executed;
            Some(set)
        });
        // Executing a change set removes all others.
        if set.is_some() {
            self.change_sets.clear();
        }
        let (resource, ended) = match (status, operation.fails) {
            ("DELETE_IN_PROGRESS", _) => ("DELETE_COMPLETE", "DELETE_COMPLETE"),
            ("CREATE_IN_PROGRESS", true) => ("CREATE_FAILED", "DELETE_COMPLETE"),
            ("CREATE_IN_PROGRESS", false) => ("CREATE_COMPLETE", "CREATE_COMPLETE"),
            (_, true) => ("UPDATE_FAILED", "UPDATE_ROLLBACK_COMPLETE"),
            (_, false) => ("UPDATE_COMPLETE", "UPDATE_COMPLETE"),
        };
        let reason = operation.fails.then_some("it does not work");
        match std::mem::take(&mut self.failure) {
            FailureReason::NestedTable if operation.fails => self.nested_failure(&token),
            FailureReason::Hook if operation.fails => {
                self.hook_event(&token);
                self.event("Function", resource, &token, reason);
            }
            _ => self.event("Function", resource, &token, reason),
        }
        if operation.fails {
            self.record(match status {
                "CREATE_IN_PROGRESS" => OperationKind::Delete,
                _ => OperationKind::Rollback,
            });
        }
        self.event("", ended, &token, None);
        let Some(stack) = &mut self.stack else { return };
        stack.status = ended;
        let applied = set.map(|set| set.template).or(operation.template);
        if let Some(template) = applied.filter(|_| !operation.fails) {
            stack.template = Some(template);
        }
        if ended == "DELETE_COMPLETE" {
            self.deleted.extend(self.stack.take());
            self.change_sets.clear();
        }
    }

    /// Records the failure of a nested stack, which is deleted then.
    fn nested_failure(&mut self, token: &str) {
        let id = StackId::new(format!("{NESTED}{}", self.next_id()));
        self.event(
            "Nested",
            "CREATE_FAILED",
            token,
            Some("Embedded stack failed"),
        );
        let Some(stack) = &mut self.stack else { return };
        let Some(event) = stack.events.last_mut() else {
            return;
        };
        event.kind = STACK_TYPE.to_owned();
        event.physical_id = Some(id.to_string());
        let operation = OperationId::new(format!("operation-of-{id}"));
        let failed = StackEvent {
            stack: id.clone(),
            logical_id: "Table".to_owned(),
            physical_id: None,
            kind: "AWS::DynamoDB::Table".to_owned(),
            reason: Some("limit exceeded".to_owned()),
            operation: Some(operation.clone()),
            ..event.clone()
        };
        let kind = OperationKind::Deploy;
        self.deleted.push(SimulatedStack {
            id,
            status: "DELETE_COMPLETE",
            template: None,
            events: vec![failed],
            hook_events: Vec::new(),
            operation: None,
            recorded: vec![RecordedOperation {
                id: operation,
                kind,
            }],
        });
    }

    /// Records the failure of a hook.
    fn hook_event(&mut self, token: &str) {
        self.event(
            "Function",
            "HOOK_FAILED",
            token,
            Some("Org::Checks::Runtime: no"),
        );
        let Some(stack) = &mut self.stack else { return };
        stack.hook_events.extend(stack.events.pop());
    }

    /// Records an event of a resource, or of the stack itself without a name.
    fn event(&mut self, resource: &str, status: &str, token: &str, reason: Option<&str>) {
        self.clock += 1;
        let (id, time) = (self.next_id(), self.clock);
        let Some(stack) = &mut self.stack else { return };
        let is_stack = resource.is_empty();
        stack.events.push(StackEvent {
            id: id.to_string(),
            stack: stack.id.clone(),
            time: OffsetDateTime::from_unix_timestamp(time).unwrap(),
            logical_id: if is_stack { NAME } else { resource }.to_owned(),
            physical_id: is_stack.then(|| stack.id.to_string()),
            kind: if is_stack {
                STACK_TYPE
            } else {
                "AWS::Lambda::Function"
            }
            .to_owned(),
            status: status.to_owned(),
            reason: reason.map(str::to_owned),
            token: Some(token.to_owned()),
            operation: stack.recorded.first().map(|operation| operation.id.clone()),
        });
    }
}

impl SimulatedStack {
    /// True if the last operation was started with a token.
    pub(crate) fn is_started_by(&self, token: &str) -> bool {
        let last = self.events.last();
        last.is_some_and(|event| event.token.as_deref() == Some(token))
    }

    pub(crate) fn describe(&self) -> StackDescription {
        StackDescription {
            id: self.id.clone(),
            name: StackName::new(NAME),
            status: StackStatus::parse(self.status),
            reason: None,
            parameters: Vec::new(),
            tags: Vec::new(),
            outputs: Vec::new(),
            termination_protection: false,
            role_arn: None,
            operations: self.recorded.clone(),
        }
    }

    /// Returns the creation or update that was started last.
    pub(crate) fn started(&self) -> StartedOperation {
        StartedOperation {
            stack: self.id.clone(),
            id: self.recorded.first().map(|operation| operation.id.clone()),
        }
    }

    /// Returns the events of an operation, hooks included, the latest first.
    pub(crate) fn events_of(&self, operation: &OperationId) -> Vec<StackEvent> {
        let events = self.events.iter().chain(&self.hook_events);
        let events = events.filter(|event| event.operation.as_ref() == Some(operation));
        let mut events: Vec<_> = events.cloned().collect();
        events.sort_by_key(|event| std::cmp::Reverse(event.time));
        events
    }
}

impl SimulatedChangeSet {
    pub(crate) fn describe(&self, stack: &StackId) -> ChangeSet {
        let change = PlannedChange {
            action: ResourceAction::Modify,
            logical_id: "Function".to_owned(),
            physical_id: None,
            kind: "AWS::Lambda::Function".to_owned(),
            replacement: Replacement::Never,
            retained: false,
            properties: Vec::new(),
        };
        ChangeSet {
            id: self.id.clone(),
            stack: stack.clone(),
            status: match self.pending {
                0 => self.status,
                _ => ChangeSetStatus::Pending,
            },
            reason: self.reason.clone(),
            changes: vec![change],
        }
    }
}
