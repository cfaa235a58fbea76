//! The simulated account: its state, the faults of calls, and what must always hold.

use std::cell::{Cell, RefCell};
use std::ops::Range;

use stackgen_deploy::stack::ValidationFinding;
use stackgen_deploy::{AccountError, AccountErrorKind, AccountResult};
use tokio::sync::Notify;

use crate::simulated::{FailureReason, Fault, State};

/// Number of calls for which a change may be invisible.
const MOST_STALE: u8 = 3;

/// A simulated CloudFormation. The seed decides faults and durations.
pub(crate) struct SimulatedStacks {
    state: RefCell<State>,
    random: RefCell<fastrand::Rng>,
    injects: Cell<bool>,
    next_fault: RefCell<Option<(&'static str, Fault)>>,
    /// Operations for which the caller lacks the permission.
    denied: RefCell<Vec<&'static str>>,
    reads: RefCell<Vec<&'static str>>,
    /// True if reads may see an earlier state.
    is_stale: Cell<bool>,
    /// States after the last calls.
    past: RefCell<Vec<State>>,
    /// Notified when the caller is to end.
    pub(crate) crash: Notify,
}

impl SimulatedStacks {
    pub(crate) fn new(seed: u64) -> SimulatedStacks {
        SimulatedStacks {
            state: RefCell::default(),
            random: RefCell::new(fastrand::Rng::with_seed(seed)),
            injects: Cell::new(false),
            next_fault: RefCell::new(None),
            denied: RefCell::default(),
            reads: RefCell::default(),
            is_stale: Cell::new(false),
            past: RefCell::default(),
            crash: Notify::new(),
        }
    }

    /// Makes random calls fail, or none.
    pub(crate) fn inject_faults(&self, injects: bool) {
        self.injects.set(injects);
    }

    /// Lets every read see the state after one of the last calls.
    pub(crate) fn read_earlier_states(&self) {
        self.is_stale.set(true);
    }

    /// Makes all changes visible, as they are after a while.
    pub(crate) fn settle(&self) {
        self.past.borrow_mut().clear();
    }

    /// Makes the account an emulator, which names no operations.
    pub(crate) fn emulate(&self) {
        self.state.borrow_mut().is_emulator = true;
    }

    /// Makes the next operation on the stack fail for a reason.
    pub(crate) fn fail_by(&self, reason: FailureReason) {
        let mut state = self.state.borrow_mut();
        (state.fails_next, state.failure) = (true, reason);
    }

    /// Denies the caller to read nested stacks.
    pub(crate) fn deny_nested_stacks(&self) {
        self.state.borrow_mut().denies_nested = true;
    }

    /// Makes the next call of an operation fail.
    pub(crate) fn fail_next(&self, operation: &'static str, fault: Fault) {
        self.next_fault.replace(Some((operation, fault)));
    }

    /// Denies all calls of an operation.
    pub(crate) fn deny(&self, operation: &'static str) {
        self.denied.borrow_mut().push(operation);
    }

    pub(crate) fn crash_after(&self, operation: &'static str) {
        self.fail_next(operation, Fault::CrashAfter);
    }

    /// Sets the findings of the validation of every change set.
    pub(crate) fn find(&self, findings: &[ValidationFinding]) {
        self.state.borrow_mut().findings = findings.to_vec();
    }

    /// Makes the next operation on the stack fail.
    pub(crate) fn fail_operation(&self) {
        self.state.borrow_mut().fails_next = true;
    }

    pub(crate) fn random(&self, range: Range<u8>) -> u8 {
        self.random.borrow_mut().u8(range)
    }

    /// Number of reads of an operation.
    pub(crate) fn reads_of(&self, operation: &str) -> usize {
        let reads = self.reads.borrow();
        reads.iter().filter(|read| **read == operation).count()
    }

    pub(crate) fn executions(&self) -> usize {
        self.state.borrow().executions
    }

    /// True if there is a stack, even an empty one.
    pub(crate) fn exists(&self) -> bool {
        self.state.borrow().stack.is_some()
    }

    pub(crate) fn template(&self) -> Option<String> {
        self.state.borrow().stack.as_ref()?.template.clone()
    }

    /// Lets the running operation end after the next call.
    pub(crate) fn end_operation_after_next_call(&self) {
        let mut state = self.state.borrow_mut();
        let stack = state.stack.as_mut().unwrap();
        stack.operation.as_mut().unwrap().left = 1;
    }

    /// Lets running operations end.
    pub(crate) fn finish_operations(&self) {
        for _ in 0..20 {
            self.state.borrow_mut().tick();
        }
    }

    /// Checks what holds at any time: no request is executed twice.
    pub(crate) fn assert_sound(&self, seed: u64) {
        let state = self.state.borrow();
        let twice: Vec<_> = state
            .executed
            .iter()
            .filter(|(_, count)| **count > 1)
            .collect();
        assert!(twice.is_empty(), "seed {seed}: executed twice: {twice:?}");
    }

    /// Makes a call that changes nothing. It may see an earlier state.
    pub(crate) async fn read<T>(
        &self,
        operation: &'static str,
        read: impl FnOnce(&mut State) -> AccountResult<T>,
    ) -> AccountResult<T> {
        self.reads.borrow_mut().push(operation);
        let age = match self.is_stale.get() {
            true => self.random(0..MOST_STALE + 1),
            false => 0,
        };
        let seen = self.earlier_state(age.into());
        self.call(operation, |state| match seen {
            Some(mut seen) => read(&mut seen),
            None => read(state),
        })
        .await
    }

    /// Returns the state before so many calls, or the earliest that is known; `None` is the current one.
    fn earlier_state(&self, calls: usize) -> Option<State> {
        let past = self.past.borrow();
        let mut earlier = past.iter().rev().skip(1).take(calls);
        earlier.next_back().cloned()
    }

    /// Makes a call, unless a fault prevents it.
    pub(crate) async fn call<T>(
        &self,
        operation: &'static str,
        call: impl FnOnce(&mut State) -> AccountResult<T>,
    ) -> AccountResult<T> {
        let fault = self.fault(operation);
        match fault {
            Some(Fault::Throttled) => {
                return Err(failure(AccountErrorKind::TooManyRequests, operation));
            }
            Some(Fault::Unreachable) => {
                return Err(failure(AccountErrorKind::Unreachable, operation));
            }
            Some(Fault::Denied) => {
                return Err(failure(AccountErrorKind::AccessDenied, operation));
            }
            Some(Fault::CrashBefore) => self.end_caller().await,
            _ if self.denied.borrow().contains(&operation) => {
                return Err(failure(AccountErrorKind::AccessDenied, operation));
            }
            _ => {}
        }
        let answer = {
            let mut state = self.state.borrow_mut();
            let answer = call(&mut state);
            state.tick();
            let mut past = self.past.borrow_mut();
            past.push(state.clone());
            let kept = past.len().saturating_sub(usize::from(MOST_STALE) + 1);
            past.drain(..kept);
            if self.injects.get() && self.random.borrow_mut().u8(..) < 12 {
                state.fails_next = true;
            }
            answer
        };
        match fault {
            Some(Fault::Lost) => Err(failure(AccountErrorKind::Unclear, operation)),
            Some(Fault::CrashAfter) => {
                self.end_caller().await;
                answer
            }
            _ => answer,
        }
    }

    fn fault(&self, operation: &'static str) -> Option<Fault> {
        if let Some((_, fault)) = self
            .next_fault
            .borrow_mut()
            .take_if(|(name, _)| *name == operation)
        {
            return Some(fault);
        }
        if !self.injects.get() {
            return None;
        }
        match self.random.borrow_mut().u8(0..40) {
            0 => Some(Fault::Throttled),
            1 => Some(Fault::Unreachable),
            2 | 3 => Some(Fault::Lost),
            4 => Some(Fault::CrashBefore),
            5 => Some(Fault::CrashAfter),
            _ => None,
        }
    }

    /// Ends the caller, as SIGKILL does: the call never returns.
    async fn end_caller(&self) {
        self.crash.notify_one();
        std::future::pending::<()>().await;
    }
}

fn failure(kind: AccountErrorKind, operation: &'static str) -> AccountError {
    AccountError {
        kind,
        operation,
        message: "injected".to_owned(),
        permission: String::new(),
    }
}
