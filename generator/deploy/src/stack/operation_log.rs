//! Events of an operation while it runs.

use std::collections::BTreeSet;

use super::error::StackError;
use super::event::{EventScope, StackEvent};
use super::history::{read_operations, skipped, sorted};
use super::ports::StackService;
use super::status::StackStatus;
use super::types::{OperationId, OperationKind, StackDescription, StackOperation};
use crate::DeployError;
use crate::progress::DeployStep;
use crate::retry::{MOST_STALE_READS, OperationContext};

/// The largest number of reads until CloudFormation names the operation.
const MOST_UNKNOWN_READS: u32 = 3;

/// The largest number of recorded operations that may be the one that is followed.
const MOST_CANDIDATES: usize = 3;

/// The largest number of reads that show the end of an operation which was seen to run, if no event shows it.
const MOST_READS_AFTER_RUN: u32 = 2;

/// Source of an operation's events.
#[derive(Debug, Default)]
enum EventSource {
    /// CloudFormation has not named the operation yet.
    #[default]
    Unknown,
    /// `DescribeEvents` of the operation, and of what follows from it.
    Operation(OperationId),
    /// `DescribeStackEvents`: `DescribeEvents` is denied, or the account is an emulator that names no operations.
    Stack,
}

/// Events of an operation that were reported, in the order of their times.
#[derive(Debug, Default)]
pub(super) struct OperationLog {
    events: Vec<StackEvent>,
    source: EventSource,
    unknown_reads: u32,
    has_failed: bool,
}

impl OperationLog {
    /// Reads and reports new events. A failure is reported once and does not end the operation: events only inform.
    ///
    /// # Errors
    ///
    /// [`DeployError::Interrupted`].
    pub(super) async fn read(
        &mut self,
        service: &impl StackService,
        operation: &StackOperation,
        stack: Option<&StackDescription>,
        ctx: OperationContext<'_>,
    ) -> Result<(), DeployError> {
        let found = match self.fetch(service, operation, stack, ctx).await {
            Ok(found) => found,
            Err(DeployError::Interrupted) => return Err(DeployError::Interrupted),
            Err(error) => {
                if !std::mem::replace(&mut self.has_failed, true) {
                    ctx.step(DeployStep::Skipped {
                        what: "reading the stack's events",
                        reason: &error.to_string(),
                    });
                }
                return Ok(());
            }
        };
        for event in sorted(found) {
            if self.events.iter().any(|known| known.id == event.id) {
                continue;
            }
            ctx.step(event.step());
            self.events.push(event);
        }
        self.events.sort_by_key(|event| event.time);
        Ok(())
    }

    async fn fetch(
        &mut self,
        service: &impl StackService,
        operation: &StackOperation,
        stack: Option<&StackDescription>,
        ctx: OperationContext<'_>,
    ) -> Result<Vec<StackEvent>, DeployError> {
        if let EventSource::Unknown = self.source {
            self.source = self.find_source(service, operation, stack, ctx).await?;
        }
        if let EventSource::Operation(id) = &self.source {
            let ids = match stack {
                Some(stack) => stack.operations_since(id),
                None => vec![id.clone()],
            };
            let found = read_operations(service, &ids, &self.events, ctx).await;
            let is_over = stack.is_none_or(|stack| !stack.status.is_in_progress());
            match found {
                Ok(found) if found.is_empty() && self.events.is_empty() && is_over => {}
                Err(error) if self.events.is_empty() && error != DeployError::Interrupted => {
                    skipped(&error, ctx);
                }
                found => return found,
            }
            self.source = EventSource::Stack;
        }
        if let EventSource::Unknown = self.source {
            return Ok(Vec::new());
        }
        let last = self.events.last().map(|event| event.id.clone());
        let found = ctx
            .read(|| service.events(&operation.stack, last.as_deref()))
            .await?;
        let is_own = |event: &StackEvent| event.token.as_deref() == Some(operation.token.as_str());
        Ok(found.into_iter().filter(is_own).collect())
    }

    /// Returns where the operation's events are read. Executing a change set does not return the operation, so the one is
    /// searched whose events have the token.
    async fn find_source(
        &mut self,
        service: &impl StackService,
        operation: &StackOperation,
        stack: Option<&StackDescription>,
        ctx: OperationContext<'_>,
    ) -> Result<EventSource, DeployError> {
        if let Some(id) = &operation.id {
            return Ok(EventSource::Operation(id.clone()));
        }
        let recorded = stack.map_or(&[][..], |stack| &stack.operations);
        let starts = [OperationKind::Deploy, OperationKind::Delete];
        let started = recorded.iter().filter(|one| starts.contains(&one.kind));
        for one in started.take(MOST_CANDIDATES) {
            let scope = EventScope::Operation(one.id.clone());
            match ctx.read(|| service.operation_events(&scope, None)).await {
                Ok(events) if operation.is_named_in(&events) => {
                    return Ok(EventSource::Operation(one.id.clone()));
                }
                Ok(_) => {}
                Err(DeployError::Interrupted) => return Err(DeployError::Interrupted),
                Err(error) => {
                    skipped(&error, ctx);
                    return Ok(EventSource::Stack);
                }
            }
        }
        self.unknown_reads += 1;
        Ok(
            match !recorded.is_empty() && self.unknown_reads < MOST_UNKNOWN_READS {
                true => EventSource::Unknown,
                false => EventSource::Stack,
            },
        )
    }

    /// Returns the events that have the cause of a failure. `DescribeStackEvents` has no validations, so after it
    /// `DescribeEvents` is read, too; a failure to do so is no error.
    pub(super) async fn failures(
        &self,
        service: &impl StackService,
        operation: &StackOperation,
        ctx: OperationContext<'_>,
    ) -> Vec<StackEvent> {
        if let EventSource::Operation(_) = self.source {
            return self.events.clone();
        }
        let mut named = self.events.iter();
        let scope = match named.find_map(|event| event.operation.clone()) {
            Some(id) => EventScope::Operation(id),
            None => EventScope::Stack(operation.stack.clone()),
        };
        let found = ctx.read(|| service.operation_events(&scope, None)).await;
        let mut found = sorted(operation.own(found.unwrap_or_default()));
        // Without a token, only the time shows that an event is not of an earlier operation.
        let start = self.events.first().map(|event| event.time);
        found.retain(|event| event.token.is_some() || start.is_some_and(|at| event.time >= at));
        match found.iter().any(StackEvent::is_cause) {
            true => found,
            false => self.events.clone(),
        }
    }

    /// Returns the events, in the order of their times.
    pub(super) fn events(&self) -> &[StackEvent] {
        &self.events
    }

    /// Returns the status of the stack in the last event of the operation.
    fn stack_status(&self) -> Option<&str> {
        let mut latest = self.events.iter().rev();
        let found = latest.find(|event| event.is_about_stack());
        found.map(|event| event.status.as_str())
    }

    /// Returns the types of the resources that were deleted.
    pub(super) fn deleted(&self) -> BTreeSet<String> {
        let events = self.events.iter();
        let deleted = events.filter(|event| event.status == "DELETE_COMPLETE");
        deleted.map(|event| event.kind.clone()).collect()
    }

    /// Returns the number of resources that were changed.
    pub(super) fn changed(&self) -> usize {
        let done = ["CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE"];
        let events = self.events.iter();
        let changed = events
            .filter(|event| !event.is_about_stack() && done.contains(&event.status.as_str()))
            .map(|event| event.logical_id.as_str());
        changed.collect::<BTreeSet<_>>().len()
    }
}

/// Waits until an operation has ended, and returns the stack. A stack may show its earlier status for a moment, or not be there
/// yet. So its status counts once the last event of the operation says the same, or after some reads without change.
///
/// # Errors
///
/// [`StackError::NoStack`] once the stack is gone, and [`StackError::InterruptedRunning`].
pub(super) async fn wait_until_ended(
    service: &impl StackService,
    operation: &StackOperation,
    log: &mut OperationLog,
    ctx: OperationContext<'_>,
) -> Result<StackDescription, StackError> {
    let running = |error: DeployError| match error {
        DeployError::Interrupted => StackError::InterruptedRunning {
            stack: operation.name.clone(),
        },
        other => other.into(),
    };
    let (mut most_reads, mut ended_reads) = (MOST_STALE_READS, 0);
    loop {
        let read = ctx.read(|| service.stack(operation.stack.as_str())).await;
        let stack = read.map_err(running)?;
        // Read after the status, so that no event of an ended operation is missed.
        let read = log.read(service, operation, stack.as_ref(), ctx).await;
        read.map_err(running)?;
        let status = stack.as_ref().map(|stack| &stack.status);
        match status.is_some_and(StackStatus::is_in_progress) {
            // It was seen to run, so it is not invisible any more.
            true => (most_reads, ended_reads) = (MOST_READS_AFTER_RUN, 0),
            false => ended_reads += 1,
        }
        let shown = status.map_or("DELETE_COMPLETE", StackStatus::name);
        let is_certain = ended_reads > 0 && log.stack_status() == Some(shown);
        if is_certain || ended_reads >= most_reads {
            return stack.ok_or_else(|| StackError::NoStack {
                stack: operation.name.clone(),
            });
        }
        let wait = ctx.interrupt.sleep(ctx.retry.poll_interval).await;
        wait.map_err(running)?;
    }
}

impl StackOperation {
    /// True if an event has the token of the operation.
    fn is_named_in(&self, events: &[StackEvent]) -> bool {
        let mut events = events.iter();
        events.any(|event| event.token.as_deref() == Some(self.token.as_str()))
    }

    /// Returns the events that do not have the token of another operation.
    fn own(&self, events: Vec<StackEvent>) -> Vec<StackEvent> {
        let is_own = |event: &StackEvent| {
            let token = event.token.as_deref();
            token.is_none_or(|token| token == self.token)
        };
        events.into_iter().filter(is_own).collect()
    }
}
